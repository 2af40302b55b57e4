"""An environment is built once, from exactly its lock, and is whole or not there."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gates.environments.cache import Environment, EnvironmentCache
from gates.environments.inspect import distributions
from gates.errors import BuildError
from gates.locks.lock import read_installable

DATA_LOCK = Path(__file__).with_name("data-requirements.txt")

BUILDER = """
import sys, time
from pathlib import Path
from gates.environments.cache import EnvironmentCache
from gates.locks.lock import read_installable
def progress(line):
    if sys.argv[3] == "stall" and line.startswith("Creating"):
        print("building", flush=True)
        time.sleep(1000)
lock = read_installable(Path(sys.argv[2]))
facts = EnvironmentCache(Path(sys.argv[1])).ensure(lock, progress=progress).facts
print(facts.cached)
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock of one small distribution, cut from the large one."""
    lines = DATA_LOCK.read_text(encoding="utf-8").splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("zipp=="))
    path = tmp_path / "requirements.txt"
    path.write_text("\n".join([*lines[first : first + 3], ""]), encoding="utf-8")
    return path


def builder(root: Path, lock: Path, mode: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BUILDER, str(root), str(lock), mode]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def leftovers(root: Path) -> list[str]:
    return [path.name for path in (root / "envs").iterdir() if path.suffix == ".building"]


def test_an_environment_holds_exactly_what_its_lock_says(lock: Path, tmp_path: Path) -> None:
    cache = EnvironmentCache(tmp_path / "cache")
    built = cache.ensure(read_installable(lock))
    assert [one.name for one in distributions(built.path)] == ["zipp"]
    assert built.facts.python == platform.python_version()
    assert not built.facts.cached
    found = cache.ensure(read_installable(lock), python=built.facts.python)
    assert found.facts.cached
    assert (found.path, found.python) == (built.path, built.python)


def test_its_python_runs_and_imports_what_it_holds(lock: Path, tmp_path: Path) -> None:
    built = EnvironmentCache(tmp_path / "cache").ensure(read_installable(lock))
    code = "import sys, zipp; print(sys.prefix)"
    done = subprocess.run(
        [built.python, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == built.path
    assert list(built.path.rglob("zipp/__pycache__/*.pyc"))


def test_a_lock_of_nothing_gives_an_environment_with_nothing(bare: Environment) -> None:
    assert distributions(bare.path) == ()


def test_names_are_canonical(data: Environment) -> None:
    held = [one.name for one in distributions(data.path)]
    assert {"mlflow-skinny", "typing-extensions"} | {"numpy"} <= set(held)
    assert all(name == name.lower() and "_" not in name for name in held)


def test_another_lock_is_another_environment(lock: Path, tmp_path: Path) -> None:
    cache = EnvironmentCache(tmp_path / "cache")
    empty = tmp_path / "empty.txt"
    empty.touch()
    assert cache.ensure(read_installable(lock)).path != cache.ensure(read_installable(empty)).path


def test_two_processes_build_the_same_environment_once(lock: Path, tmp_path: Path) -> None:
    builders = [builder(tmp_path / "cache", lock) for _ in range(2)]
    said = sorted(process.communicate()[0].strip() for process in builders)
    assert said == ["False", "True"]
    assert leftovers(tmp_path / "cache") == []


def test_a_build_killed_half_way_is_never_taken_for_whole(lock: Path, tmp_path: Path) -> None:
    root = tmp_path / "cache"
    process = builder(root, lock, "stall")
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "building\n"
        assert leftovers(root)
        process.send_signal(signal.SIGKILL)
    built = EnvironmentCache(root).ensure(read_installable(lock))
    assert not built.facts.cached
    assert [one.name for one in distributions(built.path)] == ["zipp"]
    assert leftovers(root) == []


def test_what_a_killed_build_of_another_lock_left_is_removed(lock: Path, tmp_path: Path) -> None:
    root = tmp_path / "cache"
    stale = root / "envs" / "0123.building"
    stale.mkdir(parents=True)
    (stale / "half").touch()
    EnvironmentCache(root).ensure(read_installable(lock))
    assert not stale.exists()


@pytest.mark.parametrize("damage", ["marker", "python"])
def test_an_environment_that_is_not_whole_is_built_anew(
    lock: Path, tmp_path: Path, damage: str
) -> None:
    cache = EnvironmentCache(tmp_path / "cache")
    home = cache.ensure(read_installable(lock)).path
    (home / ("bin/python" if damage == "python" else "gates-environment.json")).unlink()
    again = cache.ensure(read_installable(lock))
    assert not again.facts.cached
    assert again.python.exists()


def test_a_wrong_hash_builds_nothing_and_says_so(lock: Path, tmp_path: Path) -> None:
    root = tmp_path / "cache"
    name = lock.read_text(encoding="utf-8").split()[0]
    lock.write_text(f"{name} --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    with pytest.raises(BuildError, match="uv pip sync failed") as caught:
        EnvironmentCache(root).ensure(read_installable(lock))
    assert "hash" in caught.value.what.lower()
    assert leftovers(root) == []


def test_the_users_environment_cannot_loosen_the_lock(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_NO_VERIFY_HASHES", "1")
    name = lock.read_text(encoding="utf-8").split()[0]
    lock.write_text(f"{name} --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    with pytest.raises(BuildError, match="uv pip sync failed"):
        EnvironmentCache(tmp_path / "cache").ensure(read_installable(lock))


def test_an_index_that_cannot_be_reached_is_named_without_its_password(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://me:secret-word@127.0.0.1:9/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(BuildError, match=r"127\.0\.0\.1:9") as caught:
        EnvironmentCache(tmp_path / "cache").ensure(read_installable(lock))
    assert "secret-word" not in str(caught.value)


def test_a_cache_that_cannot_be_written_is_named(lock: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    with pytest.raises(BuildError, match="could not be written"):
        EnvironmentCache(tmp_path / "cache").ensure(read_installable(lock))


def test_a_python_that_is_nowhere_is_named_with_what_to_install(lock: Path, tmp_path: Path) -> None:
    with pytest.raises(
        BuildError, match=r"needs Python 3\.99\.1, and no Python 3\.99 runs"
    ) as caught:
        EnvironmentCache(tmp_path / "cache").ensure(read_installable(lock), python="3.99.1")
    assert "Install Python 3.99" in caught.value.advice


def test_a_python_that_is_only_a_shim_is_passed_over(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shims = tmp_path / "shims"
    shims.mkdir()
    shim = shims / "python3.99"
    shim.write_text("#!/bin/sh\necho 'not installed' >&2\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shims}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(BuildError, match=r"no Python 3\.99 runs on this machine"):
        EnvironmentCache(tmp_path / "cache").ensure(read_installable(lock), python="3.99")


def test_damaged_metadata_says_which_and_what_to_do(lock: Path, tmp_path: Path) -> None:
    built = EnvironmentCache(tmp_path / "cache").ensure(read_installable(lock))
    (metadata,) = built.path.glob("lib/python*/site-packages/zipp-*.dist-info/METADATA")
    metadata.unlink()
    with pytest.raises(BuildError, match=r"zipp-.* has no readable METADATA"):
        distributions(built.path)
    shutil.rmtree(built.path)


def test_the_marker_says_what_it_is(lock: Path, tmp_path: Path) -> None:
    built = EnvironmentCache(tmp_path / "cache").ensure(read_installable(lock))
    marker = json.loads((built.path / "gates-environment.json").read_text(encoding="utf-8"))
    assert datetime.fromisoformat(marker.pop("made")).tzinfo is UTC
    files = [path for path in built.path.rglob("*") if path.is_file() and not path.is_symlink()]
    own = {"gates-environment.json", "gates-files.txt"}
    assert marker.pop("bytes") == sum(p.stat().st_size for p in files if p.name not in own)
    assert marker.pop("files") > 30
    assert marker == {
        "key": built.facts.key,
        "python": built.facts.python,
        "platform": built.facts.platform,
        "image": "",
        "lock": f"sha256:{hashlib.sha256(lock.read_bytes()).hexdigest()}",
        "installer": built.facts.installer,
        "distributions": [asdict(one) for one in built.facts.distributions],
    }


def test_what_was_installed_is_told_with_a_digest_of_its_files(lock: Path, tmp_path: Path) -> None:
    cache, read = EnvironmentCache(tmp_path / "cache"), read_installable(lock)
    built = cache.ensure(read).facts
    assert built.lock == f"sha256:{hashlib.sha256(lock.read_bytes()).hexdigest()}"
    assert re.fullmatch(r"uv \d+\.\d+\.\d+", built.installer)
    (zipp,) = built.distributions
    assert (zipp.name, zipp.source) == ("zipp", "")
    assert re.fullmatch("sha256:[0-9a-f]{64}", zipp.files)
    found = cache.ensure(read).facts
    assert (found.cached, found.distributions) == (True, built.distributions)
    other = EnvironmentCache(tmp_path / "other").ensure(read).facts
    assert other.distributions == built.distributions
