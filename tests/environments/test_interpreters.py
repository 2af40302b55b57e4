"""The Python a model was packaged with is the one it runs on, as near as this machine has it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from gates.environments._interpreters import find_interpreter
from gates.environments.cache import EnvironmentCache
from gates.locks.lock import read_installable

from .test_cache import lock as lock

RUNNING = platform.python_version()
SERIES = ".".join(RUNNING.split(".")[:2])
NO_UV = "/nowhere/uv"


def other_patch() -> Path | None:
    """A Python of the running series but another patch, as Debian's beside a newer one."""
    for folder in ("/usr/bin", "/usr/local/bin"):
        path = Path(folder, f"python{SERIES}")
        if path.is_file():
            said = subprocess.run([path, "-V"], capture_output=True, text=True, check=True)
            if said.stdout.split()[-1] != RUNNING:
                return path
    return None


OTHER = other_patch()


def stand_in(path: Path, version: str, implementation: str = "cpython") -> Path:
    """A program that answers as a Python of a version does, and counts how often it was asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    answer = f'["{path}", "{version}", "{implementation}"]'
    path.write_text(f"#!/bin/sh\necho >> {path}.asked\necho '{answer}'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def asked(path: Path) -> int:
    log = Path(f"{path}.asked")
    return len(log.read_text(encoding="utf-8").splitlines()) if log.exists() else 0


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No Python but the running one, until a test puts one there."""
    for name, folder in (("PYENV_ROOT", "pyenv"), ("UV_PYTHON_INSTALL_DIR", "uv")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def of_pyenv(tmp_path: Path, version: str) -> Path:
    series = ".".join(version.split(".")[:2])
    return stand_in(tmp_path / "pyenv" / "versions" / version / "bin" / f"python{series}", version)


def test_the_running_one_is_taken_without_asking_anybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subprocess, "run", None)
    for wanted in (None, RUNNING, SERIES):
        found = find_interpreter(wanted, uv=NO_UV)
        assert (found.version, found.path) == (RUNNING, Path(sys.executable).absolute())


def test_the_very_patch_is_preferred_to_the_running_one(tmp_path: Path) -> None:
    exact = of_pyenv(tmp_path, f"{SERIES}.98")
    near = of_pyenv(tmp_path, f"{SERIES}.97")
    found = find_interpreter(f"{SERIES}.98", uv=NO_UV)
    assert (found.version, found.path) == (f"{SERIES}.98", exact)
    assert asked(near) == 0


def test_it_is_found_on_the_path_and_among_those_of_uv(tmp_path: Path) -> None:
    on_path = stand_in(tmp_path / "bin" / "python3.98", "3.98.5")
    of_uv = tmp_path / "uv" / "cpython-3.98.6-linux-x86_64-gnu" / "bin" / "python3.98"
    stand_in(of_uv, "3.98.6")
    assert find_interpreter("3.98.5", uv=NO_UV).path == on_path
    assert find_interpreter("3.98.6", uv=NO_UV).path == of_uv


def test_uv_is_asked_for_what_is_nowhere_else(tmp_path: Path) -> None:
    hidden = stand_in(tmp_path / "hidden" / "python3.98", "3.98.7")
    uv = tmp_path / "a-uv"
    uv.write_text(f'#!/bin/sh\ncase "$*" in *" 3.98.7") echo {hidden};; *) exit 2;; esac\n')
    uv.chmod(0o755)
    assert find_interpreter("3.98.7", uv=str(uv)).path == hidden


def test_otherwise_it_is_the_nearest_patch_and_of_two_the_newer(tmp_path: Path) -> None:
    for patch in (2, 6, 20):
        of_pyenv(tmp_path, f"3.98.{patch}")
    assert find_interpreter("3.98.3", uv=NO_UV).version == "3.98.2"
    assert find_interpreter("3.98.4", uv=NO_UV).version == "3.98.6"
    assert find_interpreter("3.98.19", uv=NO_UV).version == "3.98.20"
    assert find_interpreter(f"{SERIES}.99", uv=NO_UV).version == RUNNING


def test_of_a_series_that_is_not_the_running_one_it_is_the_newest(tmp_path: Path) -> None:
    for version in ("3.98.9", "3.98.10"):
        of_pyenv(tmp_path, version)
    assert find_interpreter("3.98", uv=NO_UV).version == "3.98.10"


def test_one_that_does_not_run_or_is_another_is_passed_over(tmp_path: Path) -> None:
    of_pyenv(tmp_path, "3.98.3").write_text("#!/bin/sh\nexit 127\n")
    stand_in(tmp_path / "bin" / "python3.98", "3.98.3", "pypy")
    works = of_pyenv(tmp_path, "3.98.1")
    assert find_interpreter("3.98.3", uv=NO_UV).path == works


def test_a_shim_of_pyenv_is_not_asked_for_what_it_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = stand_in(tmp_path / "pyenv" / "shims" / "python3.98", "3.98.1")
    monkeypatch.setenv("PATH", str(shim.parent))
    of_pyenv(tmp_path, "3.98.2")
    assert find_interpreter("3.98.1", uv=NO_UV).version == "3.98.2"
    assert asked(shim) == 0


def test_an_answer_holds_for_the_life_of_the_process(tmp_path: Path) -> None:
    python = of_pyenv(tmp_path, "3.98.11")
    for _ in range(3):
        find_interpreter("3.98.11", uv=NO_UV)
    assert asked(python) == 1


@pytest.mark.skipif(OTHER is None, reason=f"this machine has one Python {SERIES} only")
def test_the_facts_tell_which_patch_ran(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert OTHER is not None
    monkeypatch.setenv("PATH", os.pathsep.join([str(OTHER.parent), os.defpath]))
    said = subprocess.run([OTHER, "-V"], capture_output=True, text=True, check=True)
    version = said.stdout.split()[-1]
    cache = EnvironmentCache(tmp_path / "cache")
    built = cache.ensure(read_installable(lock), python=version)
    assert built.facts.python == version
    ran = subprocess.run([built.python, "-V"], capture_output=True, text=True, check=True)
    assert ran.stdout.split()[-1] == version
    assert cache.ensure(read_installable(lock)).path != built.path


def test_a_patch_that_stands_in_is_said_so(lock: Path, tmp_path: Path) -> None:
    said: list[str] = []
    cache = EnvironmentCache(tmp_path / "cache")
    built = cache.ensure(read_installable(lock), python=f"{SERIES}.99", progress=said.append)
    assert built.facts.python == RUNNING
    assert f"Python {SERIES}.99 is not on this machine: {RUNNING} stands in" in said
