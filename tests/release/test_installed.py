"""The wheel as somebody else installs it: in a fresh environment, on each Python it names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from gates import __version__
from gates.environments._interpreters import find_interpreter
from gates.errors import BuildError
from tests.release.conftest import ROOT
from tests.toys import MODEL, make_project, set_params

LOCK = ROOT / "scripts" / "requirements.txt"
UV = str(Path(sysconfig.get_path("scripts")) / "uv")
HERE = ".".join(map(str, sys.version_info[:2]))
PYTHONS = ("3.11", "3.12", "3.13")
OF_AN_EXTRA = ("gates.service",)
"""Modules that may want more than the core's dependencies."""

IMPORT_ALL = f"""
import importlib, pkgutil, gates
names = [one.name for one in pkgutil.walk_packages(gates.__path__, "gates.")]
for name in names:
    if name != "gates.__main__" and not name.startswith({OF_AN_EXTRA!r}):
        importlib.import_module(name)
print(len(names), gates.__file__)
"""


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel and what it asks for."""

    folder: Path

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run one of its programs, elsewhere than in the repository."""
        kept = ("PATH", "HOME", "LANG", "TMPDIR", "PYENV_ROOT", "UV_CACHE_DIR", "SSL_CERT_FILE")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        return subprocess.run(
            [str(self.folder / "bin" / command[0]), *command[1:]],
            cwd=cwd or self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


def install(wheel: Path, folder: Path, python: str, extra: str = "") -> Installed:
    """Install a wheel into a new environment, in the versions that the project's lock pins."""
    try:
        path = find_interpreter(python, uv=UV).path
    except BuildError:
        pytest.skip(f"no Python {python} on this machine: the wheel is not tried on it")
    uv(["venv", "--quiet", "--no-project", "--python", str(path), str(folder)])
    into = ["--python", str(folder / "bin" / "python")]
    uv(["pip", "install", "--quiet", *into, "--constraints", str(LOCK), f"{wheel}{extra}"])
    return Installed(folder)


def uv(arguments: Sequence[str]) -> None:
    """Run uv, and say what it said when it fails."""
    done = subprocess.run([UV, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def here(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, installed for the Python the tests run on."""
    return install(wheel, tmp_path_factory.mktemp("installed") / "here", HERE)


@pytest.mark.parametrize("python", PYTHONS)
def test_it_installs_and_all_of_it_imports_without_the_extras(
    wheel: Path, tmp_path: Path, python: str
) -> None:
    installed = install(wheel, tmp_path / "environment", python)
    version = installed.run("gates", "--version")
    assert (version.returncode, version.stdout) == (0, f"mlgates {__version__}\n"), version.stderr
    imported = installed.run("python", "-W", "error::DeprecationWarning:gates", "-c", IMPORT_ALL)
    assert imported.returncode == 0, imported.stderr
    count, where = imported.stdout.split(maxsplit=1)
    assert int(count) > 200
    assert Path(where.strip()).is_relative_to(installed.folder)


def test_its_versions_are_the_locks(here: Installed) -> None:
    script = (
        "from importlib.metadata import distributions\n"
        "for one in distributions(): print(one.name, one.version)\n"
    )
    listed = here.run("python", "-c", script).stdout.splitlines()
    pinned = re.findall(r"^([a-z0-9.-]+)==([^\s;\\]+)", LOCK.read_text(), re.MULTILINE)
    known = {(canonicalize_name(name), version) for name, version in pinned}
    installed = {(canonicalize_name(name), version) for name, version in map(str.split, listed)}
    assert installed - known == {("mlgates", __version__)}
    assert len(installed) > 40


def test_a_small_gate_runs(here: Installed, gates_cache: Path, tmp_path: Path) -> None:
    project = make_project(tmp_path / "shop")
    cache = ("--cache", str(gates_cache))
    help_ = here.run("gates", "--help")
    assert help_.returncode == 0, help_.stderr
    assert "package" in help_.stdout
    for weights in ({"good": 0.3, "noise": 1.0}, {"good": 1.0, "noise": 0.0}):
        set_params(project, weights=weights)
        packaged = here.run("gates", "package", MODEL, *cache, cwd=project)
        assert packaged.returncode == 0, packaged.stderr
    old, new = f"models:/{MODEL}/1", f"models:/{MODEL}/2"
    gate = here.run("gates", "run", new, "--champion", old, "--json", *cache, cwd=project)
    assert gate.returncode == 0, gate.stderr
    said = json.loads(gate.stdout)
    assert said["verdict"] == "PASS"
    assert Path(said["reports"]["html"]).stat().st_size > 1000


def test_the_demo_it_carries_is_the_repositorys(here: Installed) -> None:
    script = "import gates.demo, pathlib; print(pathlib.Path(gates.demo.__file__).parent)"
    carried = Path(here.run("python", "-c", script).stdout.strip()) / "project"
    for part in ("models", "golden", "model_cards"):
        for path in (carried / part).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                assert path.read_bytes() == (ROOT / path.relative_to(carried)).read_bytes()


def test_other_peoples_tests_run_as_without_it(here: Installed, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nmodel: not-a-card\n---\n")
    (tmp_path / "model_cards").mkdir()
    (tmp_path / "model_cards" / "mine.md").write_text("# Not mlgates' either\n")
    (tmp_path / "test_mine.py").write_text(
        "import sys\n\ndef test_mine():\n    assert 'mlflow' not in sys.modules\n"
        "    assert 'gates.pytest_plugin' in sys.modules\n"
    )
    strict = ("-W", "error", "--strict-config", "--strict-markers")
    with_it = here.run("pytest", "-q", *strict, cwd=tmp_path)
    assert with_it.returncode == 0, with_it.stdout
    without = here.run("pytest", "--collect-only", "-q", "-p", "no:gates", cwd=tmp_path)
    its = here.run("pytest", "--collect-only", "-q", cwd=tmp_path)
    assert its.stdout.splitlines()[0] == without.stdout.splitlines()[0] == "test_mine.py::test_mine"


def test_the_extra_server_brings_mlflows_server(wheel: Path, tmp_path: Path) -> None:
    installed = install(wheel, tmp_path / "environment", HERE, "[server]")
    server = installed.run("mlflow", "server", "--help")
    assert server.returncode == 0, server.stderr
    assert "--backend-store-uri" in server.stdout
