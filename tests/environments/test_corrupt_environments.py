"""An environment whose files are not as they were built is never used again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gates.environments.cache import Environment, EnvironmentCache
from gates.environments.inspect import distributions
from gates.errors import BuildError
from gates.locks.lock import read_installable

from .test_cache import lock as lock

USER = """
import sys, time
from pathlib import Path
from gates.environments.cache import EnvironmentCache
from gates.locks.lock import read_installable
held = EnvironmentCache(Path(sys.argv[1])).ensure(read_installable(Path(sys.argv[2])))
print("held", flush=True)
time.sleep(1000)
"""


@pytest.fixture
def cache(tmp_path: Path) -> EnvironmentCache:
    return EnvironmentCache(tmp_path / "cache")


@pytest.fixture
def home(cache: EnvironmentCache, lock: Path) -> Path:
    """The folder of an environment that was built and is not in use."""
    return cache.ensure(read_installable(lock)).path


def packages(home: Path) -> Path:
    return next(home.glob("lib/python*/site-packages"))


def grow(home: Path) -> None:
    with (packages(home) / "zipp" / "glob.py").open("a") as stream:
        stream.write("#")


def shrink(home: Path) -> None:
    (packages(home) / "zipp" / "glob.py").write_bytes(b"")


def redate(home: Path) -> None:
    os.utime(packages(home) / "zipp" / "glob.py", (1, 1))


def delete(home: Path) -> None:
    (packages(home) / "zipp" / "glob.py").unlink()


def add(home: Path) -> None:
    (packages(home) / "sitecustomize.py").touch()


def add_byte_code(home: Path) -> None:
    (packages(home) / "__pycache__").mkdir()
    (packages(home) / "__pycache__" / "x.cpython-311.pyc").touch()


def redirect(home: Path) -> None:
    (home / "bin" / "python3").unlink()
    (home / "bin" / "python3").symlink_to("/bin/sh")


def replace(home: Path) -> None:
    delete(home)
    (packages(home) / "zipp" / "glob.py").symlink_to("/dev/null")


def unlist(home: Path) -> None:
    (home / "gates-files.txt").unlink()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (grow, "zipp/glob.py has "),
        (shrink, "zipp/glob.py has 0 bytes instead of "),
        (redate, "zipp/glob.py was written again"),
        (delete, "zipp/glob.py is missing"),
        (add, "sitecustomize.py was added"),
        (add_byte_code, "x.cpython-311.pyc was added"),
        (redirect, "bin/python3 leads to /bin/sh instead of python"),
        (replace, "zipp/glob.py was replaced"),
        (unlist, "gates-files.txt is missing"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_file_that_changed_is_named_and_the_environment_built_anew(
    cache: EnvironmentCache,
    lock: Path,
    home: Path,
    damage: Callable[[Path], None],
    words: str,
) -> None:
    damage(home)
    said: list[str] = []
    again = cache.ensure(read_installable(lock), progress=said.append)
    assert not again.facts.cached
    assert any(words in line and line.endswith("building it anew") for line in said)
    assert [one.name for one in distributions(again.path)] == ["zipp"]
    assert cache.ensure(read_installable(lock)).facts.cached


def test_the_first_change_is_named_and_the_others_counted(
    cache: EnvironmentCache, lock: Path, home: Path
) -> None:
    for path in (packages(home) / "zipp").glob("*.py"):
        path.unlink()
    said: list[str] = []
    cache.ensure(read_installable(lock), progress=said.append)
    assert "zipp/__init__.py is missing and 2 more)" in said[0]


def test_a_cache_that_was_packed_and_unpacked_is_whole(
    cache: EnvironmentCache, lock: Path, home: Path, tmp_path: Path
) -> None:
    subprocess.run(
        ["tar", "-C", tmp_path, "-cf", tmp_path / "cache.tar", "cache"], check=True, timeout=60
    )
    shutil.rmtree(tmp_path / "cache")
    subprocess.run(["tar", "-C", tmp_path, "-xf", tmp_path / "cache.tar"], check=True, timeout=60)
    assert cache.ensure(read_installable(lock)).facts.cached


def test_it_is_whole_too_when_pythons_tarfile_unpacked_it(
    cache: EnvironmentCache, lock: Path, home: Path, tmp_path: Path
) -> None:
    with tarfile.open(tmp_path / "cache.tar", "w") as archive:
        archive.add(tmp_path / "cache", "cache")
    shutil.rmtree(tmp_path / "cache")
    with tarfile.open(tmp_path / "cache.tar") as archive:
        archive.extractall(tmp_path, filter="fully_trusted")  # noqa: S202 - packed just now
    assert cache.ensure(read_installable(lock)).facts.cached


def test_a_warm_find_is_a_use_and_changes_nothing_else(
    cache: EnvironmentCache, lock: Path, home: Path
) -> None:
    marker = home / "gates-environment.json"
    text = marker.read_bytes()
    os.utime(marker, (1, 1))
    assert cache.ensure(read_installable(lock)).facts.cached
    assert marker.stat().st_mtime > 1
    assert marker.read_bytes() == text


def test_what_runs_in_it_writes_nothing_into_it(
    cache: EnvironmentCache, lock: Path, home: Path, tmp_path: Path
) -> None:
    from gates.environments.launching import Limits
    from gates.environments.process import Worker
    from gates.environments.scripts import run_script

    from .toy_models import write_model

    environment = cache.ensure(read_installable(lock))
    for written in home.rglob("*.pyc"):
        written.unlink()
    script = tmp_path / "build.py"
    script.write_text("import zipp, zipp.compat, zipp.compat.py310\n")
    run_script(environment, script, [], tmp_path, {}, 60)
    model = write_model(tmp_path / "model", "import zipp\nreturn x['a']")
    with Worker.start(environment, model, Limits(), "candidate") as worker:
        worker.predict({"a": [1.0]})
    assert list(home.rglob("*.pyc")) == []


def test_a_corrupt_one_that_another_process_uses_is_left_and_its_user_named(
    cache: EnvironmentCache, lock: Path, home: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", USER, str(tmp_path / "cache"), str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "held\n"
        delete(home)
        with pytest.raises(BuildError, match=r"glob\.py is missing") as caught:
            cache.ensure(read_installable(lock))
        assert f"process {user.pid} still uses it" in caught.value.what
        assert (home / "bin" / "python").exists()
        user.send_signal(signal.SIGKILL)
    assert not cache.ensure(read_installable(lock)).facts.cached


def test_a_corrupt_one_that_this_process_uses_is_left_until_it_does_not(
    cache: EnvironmentCache, lock: Path
) -> None:
    held: Environment | None = cache.ensure(read_installable(lock))
    assert held is not None
    delete(held.path)
    with pytest.raises(BuildError, match="this process still uses it"):
        cache.ensure(read_installable(lock))
    held = None
    assert not cache.ensure(read_installable(lock)).facts.cached


def test_programs_that_are_started_meanwhile_do_not_hold_it(
    cache: EnvironmentCache, lock: Path
) -> None:
    held: Environment | None = cache.ensure(read_installable(lock))
    assert held is not None
    with subprocess.Popen(["sleep", "1000"]) as outlives:
        delete(held.path)
        held = None
        assert not cache.ensure(read_installable(lock)).facts.cached
        outlives.kill()


def test_two_processes_that_find_it_corrupt_build_it_once(
    lock: Path, home: Path, tmp_path: Path
) -> None:
    from .test_cache import builder

    delete(home)
    builders = [builder(tmp_path / "cache", lock) for _ in range(2)]
    assert sorted(one.communicate()[0].strip() for one in builders) == ["False", "True"]
