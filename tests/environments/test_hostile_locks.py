"""What a version says about itself runs, fetches and names nothing before there is a cage."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gates.card.policy import EnvironmentPolicy
from gates.domain.judging import ModelVersion
from gates.environments.cache import EnvironmentCache
from gates.environments.inspect import distributions
from gates.errors import BuildError, GatesError, LockError, RegistryError
from gates.locks.lock import read_installable
from gates.run.version import BuiltVersion

from .packages import HOSTILE_PYTHONS, alone, sdist, wheel
from .toy_models import write_model


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages, which installers see alone."""
    folder = tmp_path / "packages"
    folder.mkdir()
    alone(folder, monkeypatch)
    return folder


def locked(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text(text, encoding="utf-8")
    return path


def marks(mark: Path) -> str:
    return f"open({str(mark)!r}, 'w').close()\n"


def in_tree(mark: Path) -> Mapping[str, str]:
    toml = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    return {"pyproject.toml": toml, "backend.py": marks(mark)}


@pytest.mark.parametrize("how", ["setup.py", "a backend of its own"])
def test_a_source_distribution_is_not_built_by_the_gates_own_user(
    tmp_path: Path, shop: Path, how: str
) -> None:
    mark = tmp_path / "owned"
    line = sdist(shop, "quiet", {"setup.py": marks(mark)} if how == "setup.py" else in_tree(mark))
    lock = read_installable(locked(tmp_path, line))
    with pytest.raises(BuildError, match=r"quiet==1\.0 has no usable wheels") as caught:
        EnvironmentCache(tmp_path / "cache").ensure(lock)
    assert not mark.exists()
    assert "a wheel" in caught.value.advice
    assert not caught.value.passing


@pytest.mark.parametrize("settings", ["uv.toml", "pyproject.toml"])
def test_settings_of_the_folder_where_the_gate_runs_name_no_packages(
    tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch, settings: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    lock = read_installable(locked(tmp_path, wheel(elsewhere, "plank")))
    head = "[tool.uv]\n" if settings == "pyproject.toml" else ""
    (tmp_path / settings).write_text(f"{head}find-links = [{str(elsewhere)!r}]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UV_FIND_LINKS")
    with pytest.raises(BuildError, match="plank"):
        EnvironmentCache(tmp_path / "cache").ensure(lock)


@pytest.mark.parametrize("place", ["pyvenv.cfg", "bin/activate", "bin/python"])
def test_a_wheel_that_writes_over_the_environment_itself_is_refused(
    tmp_path: Path, shop: Path, place: str
) -> None:
    lock = locked(tmp_path, wheel(shop, "grabby", **{f"grabby-1.0.data/data/{place}": "mine\n"}))
    cache = EnvironmentCache(tmp_path / "cache")
    with pytest.raises(BuildError, match=Path(place).name):
        cache.ensure(read_installable(lock))
    assert [path.suffix for path in (tmp_path / "cache" / "envs").iterdir()] == [".lock"]


def test_what_a_package_asks_to_be_run_at_every_start_is_not_run_by_building(
    tmp_path: Path, shop: Path
) -> None:
    mark = tmp_path / "owned"
    lines = wheel(shop, "eager", **{"eager.pth": f"import os; {marks(mark)}"})
    built = EnvironmentCache(tmp_path / "cache").ensure(
        read_installable(locked(tmp_path, lines + wheel(shop, "plank")))
    )
    assert [one.name for one in distributions(built.path)] == ["eager", "plank"]
    assert not mark.exists()


def version_of(tmp_path: Path, lock: str, tags: Mapping[str, str]) -> BuiltVersion:
    model = write_model(tmp_path / "model", "return x['a']")
    (model / "gates").mkdir()
    (model / "gates" / "requirements.txt").write_text(lock, encoding="utf-8")
    return BuiltVersion(
        "candidate",
        ModelVersion("m", "7", "sha256:0", "", tags=tags),
        model,
        cache=EnvironmentCache(tmp_path / "cache"),
        policy=EnvironmentPolicy(),
        project=tmp_path,
        repository_lock=None,
        progress=lambda _: None,
    )


@pytest.mark.parametrize(
    "line",
    [
        "--index-url http://169.254.169.254/simple\n",
        "--extra-index-url http://127.0.0.1:9/\n",
        "--find-links https://elsewhere.example/\n",
        "--no-binary :all:\n",
        "-r more.txt\n",
        "-e .\n",
        "plank @ file:///etc\n",
        "git+https://elsewhere.example/plank\n",
        "plank\n",
        "plank==1.0\n",
    ],
)
def test_an_artifacts_lock_with_a_problem_is_never_installed(
    tmp_path: Path, shop: Path, line: str
) -> None:
    lock = wheel(shop, "shelf") + line
    with pytest.raises(LockError, match="it is not installed: ") as caught:
        version_of(tmp_path, lock, {}).environment()
    assert caught.value.line == 2
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("told", HOSTILE_PYTHONS.values(), ids=HOSTILE_PYTHONS)
def test_a_tag_that_is_no_python_version_is_an_error_that_names_it(
    tmp_path: Path, told: str
) -> None:
    with pytest.raises(RegistryError, match=r"the tag gates\.python of models:/m/7") as caught:
        version_of(tmp_path, "", {"gates.python": told}).environment()
    assert len(str(caught.value)) < 300
    assert "\0" not in str(caught.value)


@pytest.mark.parametrize("told", HOSTILE_PYTHONS.values(), ids=HOSTILE_PYTHONS)
def test_no_python_is_looked_for_by_anything_but_a_version(tmp_path: Path, told: str) -> None:
    lock = read_installable(locked(tmp_path, ""))
    with pytest.raises(BuildError, match="is no Python version"):
        EnvironmentCache(tmp_path / "cache").ensure(lock, python=told)


def test_a_program_that_a_tag_names_is_not_started(tmp_path: Path) -> None:
    mark, program = tmp_path / "owned", tmp_path / "python3.9"
    program.write_text(f"#!{sys.executable}\n{marks(mark)}")
    program.chmod(0o755)
    with pytest.raises(GatesError, match="no Python version"):
        version_of(tmp_path, "", {"gates.python": str(program)}).environment()
    assert not mark.exists()
