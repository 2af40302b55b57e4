"""The cache is kept small: what is old or too much goes, what is in use never does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from gates.environments.cache import EnvironmentCache
from gates.errors import UsageError
from gates.locks.lock import read_installable
from gates.registry.copies import kept_models
from gates.run.pruning import contents, prune, pruning_after_builds
from gates.settings import CacheLimits
from tests.conftest import CommandLine

HOUR = 3600
USER = """
import sys, time
from pathlib import Path
from gates.environments.cache import EnvironmentCache
from gates.locks.lock import read_installable
held = EnvironmentCache(Path(sys.argv[1])).ensure(read_installable(Path(sys.argv[2])))
print("held", flush=True)
time.sleep(1000)
"""


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the locks `a`, `b` and `c` of nothing, and a cache of their environments."""
    folder = tmp_path_factory.mktemp("stocked")
    for name in "abc":
        lock = folder / f"{name}.txt"
        lock.write_text(f"# {name}\n", encoding="utf-8")
        EnvironmentCache(folder / "cache").ensure(read_installable(lock))
    return folder


class Stock:
    """A copy of the cache that a test may prune; `a` was used three hours ago, `c` one hour ago."""

    def __init__(self, stocked: Path, folder: Path) -> None:
        shutil.copytree(stocked, folder, symlinks=True)
        self.folder = folder
        self.root = folder / "cache"
        digests = {one.lock: one.path for one in contents(self.root).environments}
        self.homes: dict[str, Path] = {}
        for age, name in zip((3, 2, 1), "abc", strict=True):
            done = subprocess.run(
                ["sha256sum", self.lock(name)], capture_output=True, text=True, check=True
            )
            self.homes[name] = digests[f"sha256:{done.stdout.split()[0]}"]
            when = time.time() - age * HOUR
            os.utime(self.homes[name] / "gates-environment.json", (when, when))

    def lock(self, name: str) -> Path:
        return self.folder / f"{name}.txt"

    @property
    def left(self) -> str:
        """The names of the environments that are there."""
        return "".join(name for name, home in self.homes.items() if home.is_dir())

    @property
    def size(self) -> int:
        """The bytes of one of them; they differ by a byte or two of version text at most."""
        return max(one.bytes for one in contents(self.root).environments)

    @contextmanager
    def used(self, name: str) -> Iterator[subprocess.Popen[str]]:
        """Another process uses an environment while the block runs."""
        command = [sys.executable, "-c", USER, str(self.root), str(self.lock(name))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as user:
            assert user.stdout is not None
            assert user.stdout.readline() == "held\n"
            when = time.time() - 3 * HOUR
            os.utime(self.homes[name] / "gates-environment.json", (when, when))
            try:
                yield user
            finally:
                user.send_signal(signal.SIGKILL)


@pytest.fixture
def stock(stocked: Path, tmp_path: Path) -> Stock:
    return Stock(stocked, tmp_path / "stock")


def add_model(root: Path, digit: str, *, size: int = 10, age_hours: float = 5) -> Path:
    folder = root / "models" / (digit * 64)
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_bytes(b"x" * size)
    when = time.time() - age_hours * HOUR
    os.utime(folder, (when, when))
    return folder


def test_what_it_holds_is_listed_by_last_use_with_its_facts(stock: Stock) -> None:
    found = contents(stock.root).environments
    assert [one.path for one in found] == [stock.homes[name] for name in "cba"]
    newest = found[0]
    assert (newest.state, newest.trouble, newest.packages) == ("whole", "", 0)
    assert newest.key == stock.homes["c"].name
    assert newest.bytes > 10_000
    assert newest.python.startswith("3.")


def test_a_cache_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert contents(tmp_path / "none").all == ()
    assert prune(tmp_path / "none", CacheLimits(), everything=True).removed == ()


def test_what_is_older_goes(stock: Stock) -> None:
    done = prune(stock.root, CacheLimits(max_age=timedelta(hours=1.5)))
    assert stock.left == "c"
    assert [one.path for one in done.removed] == [stock.homes["a"], stock.homes["b"]]
    assert list((stock.root / "envs").glob("*.building")) == []


def test_the_least_recently_used_goes_until_the_rest_fits(stock: Stock) -> None:
    done = prune(stock.root, CacheLimits(max_bytes=2 * stock.size))
    assert stock.left == "bc"
    assert done.left <= 2 * stock.size
    assert done.over == 0


def test_without_limits_nothing_whole_goes(stock: Stock) -> None:
    assert prune(stock.root, CacheLimits()).removed == ()
    assert stock.left == "abc"


def test_corrupt_ones_and_leftovers_go_whatever_the_limits(stock: Stock) -> None:
    (stock.homes["c"] / "pyvenv.cfg").unlink()
    leftover = stock.root / "envs" / "0123.building"
    leftover.mkdir()
    states = {one.path: one.state for one in contents(stock.root).environments}
    assert states[stock.homes["c"]] == "corrupt"
    assert states[leftover] == "unfinished"
    prune(stock.root, CacheLimits())
    assert stock.left == "ab"
    assert not leftover.exists()


def test_a_dry_run_says_the_same_and_removes_nothing(stock: Stock) -> None:
    limits = CacheLimits(max_bytes=stock.size)
    planned = prune(stock.root, limits, dry_run=True)
    assert stock.left == "abc"
    assert prune(stock.root, limits) == planned


def test_what_another_process_uses_stays_and_is_told(stock: Stock) -> None:
    with stock.used("a"):
        assert {one.path for one in contents(stock.root).all if one.state == "in use"} == {
            stock.homes["a"]
        }
        done = prune(stock.root, CacheLimits(max_bytes=1))
        assert stock.left == "a"
        assert [one.path for one in done.spared] == [stock.homes["a"]]
        assert done.over == done.left - 1
    prune(stock.root, CacheLimits(), everything=True)
    assert stock.left == ""


def test_what_was_taken_into_use_after_the_look_stays(stock: Stock) -> None:
    from gates.environments.stock import kept_environments, remove_environment

    (looked_at,) = [one for one in kept_environments(stock.root) if one.path == stock.homes["a"]]
    with stock.used("a"):
        assert not remove_environment(looked_at)
    assert remove_environment(looked_at)


def test_what_is_being_built_stays(stock: Stock) -> None:
    building = stock.root / "envs" / "0123.building"
    building.mkdir()
    script = "import fcntl, sys, time; f = open(sys.argv[1], 'ab'); fcntl.flock(f, fcntl.LOCK_EX)\n"
    script += "print('locked', flush=True); time.sleep(1000)"
    command = [sys.executable, "-c", script, str(building.with_suffix(".lock"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == "locked\n"
        done = prune(stock.root, CacheLimits(), everything=True)
        assert [(one.path, one.state) for one in done.spared] == [(building, "being built")]
        assert building.exists()
        builder.kill()


def test_processes_that_find_build_and_prune_at_once_never_lose_an_environment(
    stock: Stock,
) -> None:
    churn = """
import sys
from pathlib import Path
from gates.environments.cache import EnvironmentCache
from gates.locks.lock import read_installable
cache = EnvironmentCache(Path(sys.argv[1]))
for _ in range(12):
    held = cache.ensure(read_installable(Path(sys.argv[2])))
    assert (held.path / "gates-files.txt").exists() and held.python.exists()
    del held
print("well")
"""
    users = [
        subprocess.Popen(
            [sys.executable, "-c", churn, str(stock.root), str(stock.lock(name))],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in "aab"
    ]
    while any(user.poll() is None for user in users):
        prune(stock.root, CacheLimits(), everything=True)
    assert [user.communicate()[0] for user in users] == ["well\n"] * 3


def test_copies_of_models_count_and_go_by_the_same_rules(stock: Stock) -> None:
    old = add_model(stock.root, "a", size=1_000_000)
    young = add_model(stock.root, "b", age_hours=0.5)
    other = stock.root / "models" / "README"
    other.touch()
    assert contents(stock.root).bytes > 1_000_000
    done = prune(stock.root, CacheLimits(max_bytes=3 * stock.size + 10))
    assert [one.path for one in done.removed] == [old]
    prune(stock.root, CacheLimits(), everything=True)
    assert not young.exists()
    assert other.exists()


def test_what_a_killed_process_left_of_copying_goes_once_it_is_surely_dead(tmp_path: Path) -> None:
    left, young = (tmp_path / "models" / f".incoming-{name}" for name in ("left", "young"))
    for folder in (left, young):
        folder.mkdir(parents=True)
    os.utime(left, (1, 1))
    assert [one.state for one in kept_models(tmp_path)] == ["unfinished", "being built"]
    prune(tmp_path, CacheLimits())
    assert not left.exists()
    assert young.exists()


def test_a_registry_keeps_the_copies_it_gave_while_it_lives(tmp_path: Path) -> None:
    from gates.registry._snapshots import Snapshots

    source = tmp_path / "source"
    source.mkdir()
    (source / "MLmodel").write_text("x")
    snapshots: Snapshots | None = Snapshots(tmp_path / "models")
    assert snapshots is not None
    copy = snapshots.path(snapshots.take(str(source), ""))
    assert prune(tmp_path, CacheLimits(), everything=True).removed == ()
    assert copy.exists()
    snapshots = None
    prune(tmp_path, CacheLimits(), everything=True)
    assert not copy.exists()


def test_a_copy_that_is_asked_for_was_used(tmp_path: Path) -> None:
    from gates.registry._snapshots import Snapshots

    copy = add_model(tmp_path, "a")
    Snapshots(tmp_path / "models").path(f"sha256:{'a' * 64}")
    assert copy.stat().st_mtime > time.time() - HOUR


def test_limits_that_are_set_are_kept_after_a_build(stock: Stock, tmp_path: Path) -> None:
    lock = tmp_path / "d.txt"
    lock.write_text("# d\n", encoding="utf-8")
    said: list[str] = []
    limits = CacheLimits(max_bytes=2 * stock.size)
    cache = EnvironmentCache(stock.root, pruning_after_builds(stock.root, limits))
    built = cache.ensure(read_installable(lock), progress=said.append)
    assert built.path.exists()
    assert stock.left == "c"
    assert said[-1].startswith("pruned the cache: 2 of its folders")
    cache.ensure(read_installable(stock.lock("c")))
    assert len(contents(stock.root).all) == 2


def test_without_limits_nothing_is_looked_at_after_a_build(stock: Stock) -> None:
    pruning_after_builds(stock.root, CacheLimits())(pytest.fail)
    assert stock.left == "abc"


def test_a_cache_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs" / "0123").mkdir()
    (tmp_path / "envs" / "0123.building").mkdir()
    (tmp_path / "envs" / "0123.lock").mkdir()
    with pytest.raises(UsageError, match=r"could not be read: .*0123\.lock"):
        contents(tmp_path)


def test_the_command_lists_in_words_and_json(gates: CommandLine, stock: Stock) -> None:
    (stock.homes["a"] / "pyvenv.cfg").unlink()
    add_model(stock.root, "a")
    answer = gates("env", "list", "--cache", str(stock.root))
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == [stock.homes[n].name[:12] for n in "cba"]
    assert "whole" in lines[1]
    assert "corrupt" in lines[3]
    assert "pyvenv.cfg is missing" in answer.out
    assert "3 environments, " in answer.out
    assert "; 1 copy of a model, 10 B" in answer.out
    told = json.loads(gates("env", "list", "--cache", str(stock.root), "--json").out)
    assert told["bytes"] == sum(one["bytes"] for one in told["environments"] + told["models"])
    assert [one["state"] for one in told["environments"]] == ["whole", "whole", "corrupt"]
    assert told["environments"][0]["lock"].startswith("sha256:")


def test_the_command_prunes_by_its_options(gates: CommandLine, stock: Stock) -> None:
    where = ["--cache", str(stock.root)]
    answer = gates("env", "prune", "--older-than", "2h", "--dry-run", where)
    assert answer.out.count("would remove") == 2
    assert stock.left == "abc"
    gates("env", "prune", "--older-than", "2h", where)
    assert stock.left == "c"
    told = json.loads(gates("env", "prune", "--all", "--json", where).out)
    assert [one["path"] for one in told["removed"]] == [str(stock.homes["c"])]
    assert told["bytes"] == 0


def test_settings_are_its_defaults(
    gates: CommandLine, stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATES_CACHE", str(stock.root))
    monkeypatch.chdir(stock.folder)
    answer = gates("env", "prune")
    assert "no limit is set" in answer.out
    (stock.folder / "pyproject.toml").write_text('[tool.gates]\ncache-max-age = "150x"\n')
    assert "'150x' is not a length of time" in gates("env", "prune").err
    (stock.folder / "pyproject.toml").write_text('[tool.gates]\ncache-max-age = "2.5h"\n')
    assert "no limit is set" not in gates("env", "prune").out
    assert stock.left == "bc"
    monkeypatch.setenv("GATES_CACHE_MAX_SIZE", "1kB")
    gates("env", "prune", "--older-than", "4w")
    assert stock.left == "bc", "a limit that is named replaces those that are set"
    gates("env", "prune")
    assert stock.left == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--all", "--older-than", "1d"], "--all leaves nothing for"),
        (["--max-size", "20"], "--max-size: '20' is no size"),
        (["--max-size", "much"], "write it as 20GB"),
        (["--older-than", "-1d"], "--older-than: '-1d' is not a length of time"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    gates: CommandLine, tmp_path: Path, arguments: list[str], words: str
) -> None:
    answer = gates("env", "prune", arguments, "--cache", str(tmp_path))
    assert answer.code == 2
    assert words in answer.err
