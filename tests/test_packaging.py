from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gates.domain.judging import ModelVersion
from gates.environments.cache import EnvironmentCache
from gates.errors import BuildError, PackageError, RegistryError
from gates.packaging import package
from gates.registry.digests import file_digest
from gates.registry.mlflow import MlflowRegistry

from .registry.stores import MLMODEL, embedded

GOLDEN = "sha256:" + "9" * 64
LOCK = "# no requirement\n"
RECIPE = "training_window: {start: 2026-06-01, end: 2026-08-31}\n"
BUILD = f"""\
import pathlib, sys
output = pathlib.Path(sys.argv[1])
(output / "code").mkdir()
(output / "code" / "toy.py").write_text("TEXT = 'built'")
(output / "MLmodel").write_text('''{MLMODEL}''')
"""


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> EnvironmentCache:
    """One cache of real environments: the toy's lock is empty, so building it takes a moment."""
    return EnvironmentCache(tmp_path_factory.mktemp("environments"))


@pytest.fixture
def registry(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> MlflowRegistry:
    return embedded(tmp_path, tmp_path_factory)


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A complete model folder."""
    folder = tmp_path / "project" / "models" / "toy"
    folder.mkdir(parents=True)
    (folder / "requirements.in").write_text("")
    (folder / "requirements.txt").write_text(LOCK)
    (folder / "package.yaml").write_text(RECIPE)
    (folder / "build.py").write_text(BUILD)
    return folder


Packaged = Callable[..., ModelVersion]


@pytest.fixture
def packaged(toy: Path, registry: MlflowRegistry, environments: EnvironmentCache) -> Packaged:
    def do(model: str = "toy", progress: Callable[[str], None] = lambda _: None) -> ModelVersion:
        return package(
            model,
            models=toy.parent,
            registry=registry,
            environments=environments,
            golden_digest=GOLDEN,
            by="ada",
            progress=progress,
        )

    return do


@pytest.fixture
def refused(packaged: Packaged, registry: MlflowRegistry) -> Callable[[], PackageError]:
    """Package what must be refused, see that nothing was registered, and give the error."""

    def do() -> PackageError:
        with pytest.raises(PackageError) as said:
            packaged()
        with pytest.raises(RegistryError, match="no model 'toy'"):
            registry.resolve("toy/1")
        return said.value

    return do


Refused = Callable[[], PackageError]


def _git(folder: Path, *arguments: str) -> str:
    identity = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t"}
    identity |= {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@t"}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **identity},
    )
    return done.stdout.strip()


def test_a_version_says_what_it_was_made_from(
    toy: Path, packaged: Packaged, registry: MlflowRegistry
) -> None:
    project = toy.parent.parent
    _git(project, "init", "-q")
    _git(project, "add", ".")
    _git(project, "commit", "-qm", "toy")
    commit = _git(project, "rev-parse", "HEAD")
    said: list[str] = []
    version = packaged(progress=said.append)
    assert version.version == "1"
    assert version.lock_digest == file_digest(toy / "requirements.txt")
    facts = json.loads((registry.path(version) / "gates" / "package.json").read_text())
    assert version.tags == {
        "gates.digest": version.digest,
        "gates.lock_digest": version.lock_digest,
        "gates.golden_digest": GOLDEN,
        "gates.git_commit": commit,
        "gates.training_window": "2026-06-01/2026-08-31",
        "gates.python": facts["python"],
    }
    assert facts["build_seconds"] > 0
    assert (facts["model"], facts["golden_digest"]) == ("toy", GOLDEN)
    assert (facts["git_commit"], facts["git_dirty"]) == (commit, False)
    assert facts["training_window"] == {"start": "2026-06-01", "end": "2026-08-31"}
    kept = registry.path(version) / "gates"
    assert (kept / "requirements.txt").read_bytes() == (toy / "requirements.txt").read_bytes()
    assert (kept / "requirements.in").read_bytes() == (toy / "requirements.in").read_bytes()
    assert registry.events("toy")[0].by == "ada"
    assert "registering toy" in said


def test_a_model_folder_that_differs_from_its_commit_is_called_dirty(
    toy: Path, packaged: Packaged
) -> None:
    project = toy.parent.parent
    _git(project, "init", "-q")
    _git(project, "add", ".")
    _git(project, "commit", "-qm", "toy")
    (project / "elsewhere").write_text("does not count")
    assert not packaged().tags["gates.git_commit"].endswith("-dirty")
    (toy / "build.py").write_text(BUILD + "# changed\n")
    assert packaged().tags["gates.git_commit"].endswith("-dirty")


def test_a_project_outside_of_git_has_no_commit(
    packaged: Packaged, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert "gates.git_commit" not in packaged().tags
    monkeypatch.setenv("PATH", str(tmp_path))  # no git at all
    assert "gates.git_commit" not in packaged().tags


def test_the_build_runs_in_its_folder_and_environment_and_sees_only_what_it_names(
    toy: Path, packaged: Packaged, registry: MlflowRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINING_DATA", "here")
    monkeypatch.setenv("SECRET_OF_THE_GATE", "hidden")
    (toy / "package.yaml").write_text(RECIPE + "environment: [TRAINING_DATA]\n")
    (toy / "build.py").write_text(
        BUILD
        + "import json, os\n"
        + "try:\n    import pydantic\n    found = True\nexcept ImportError:\n    found = False\n"
        + "seen = [os.getcwd(), dict(os.environ), found]\n"
        + "(output / 'seen.json').write_text(json.dumps(seen))\n"
    )
    cwd, variables, found = json.loads((registry.path(packaged()) / "seen.json").read_text())
    assert Path(cwd) == toy.resolve()
    assert variables["TRAINING_DATA"] == "here"
    assert "SECRET_OF_THE_GATE" not in variables
    assert not found


def test_two_packagings_at_once_make_two_versions(packaged: Packaged) -> None:
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: packaged(), range(2)))
    assert sorted(one.version for one in made) == ["1", "2"]


def test_an_unknown_model_names_the_nearest_one(packaged: Packaged) -> None:
    for wrong in ("toys", "../toy"):
        with pytest.raises(PackageError, match="no such model folder") as said:
            packaged(wrong)
        assert "toy" in said.value.advice


@pytest.mark.parametrize(
    "name", ["package.yaml", "build.py", "requirements.in", "requirements.txt"]
)
def test_a_missing_file_is_named(toy: Path, refused: Refused, name: str) -> None:
    (toy / name).unlink()
    said = refused()
    assert said.path == toy / name
    assert said.advice


@pytest.mark.parametrize(
    ("lock", "line", "words"),
    [
        ("# first\nnumpy==2.0.0\n", 2, "hash"),
        ("numpy>=2.0.0 --hash=sha256:" + "0" * 64 + "\n", 1, "not pinned"),
        ("numpy=2 what\n", 1, "not a requirement"),
    ],
)
def test_a_lock_that_does_not_fix_every_byte_is_refused(
    toy: Path, refused: Refused, lock: str, line: int, words: str
) -> None:
    (toy / "requirements.txt").write_text(lock)
    said = refused()
    assert (said.path, said.line) == (toy / "requirements.txt", line)
    assert words in said.what


@pytest.mark.parametrize(
    ("recipe", "line", "words"),
    [
        (RECIPE + "enviroment: [A]\n", 2, "did you mean 'environment'"),
        ("python: '3.11'\n", 1, "'training_window' is missing"),
        ("training_window: {start: 2026-08-31, end: 2026-06-01}\n", 1, "before the start"),
        ("training_window: {start: June, end: 2026-06-01}\n", 1, "training_window.start"),
        (RECIPE + "python: three\n", 2, "'python'"),
        (RECIPE + "timeout_seconds: 0\n", 2, "'timeout_seconds'"),
        (RECIPE + "environment: [GATES_TEST_UNSET]\n", 2, "GATES_TEST_UNSET, which is not set"),
        ("training_window: [\n", 2, "not valid YAML"),
    ],
)
def test_a_wrong_package_yaml_gives_file_line_and_remedy(
    toy: Path, refused: Refused, recipe: str, line: int, words: str
) -> None:
    (toy / "package.yaml").write_text(recipe)
    said = refused()
    assert (said.path, said.line) == (toy / "package.yaml", line)
    assert words in str(said)


def test_a_package_yaml_that_is_no_text_is_refused(toy: Path, refused: Refused) -> None:
    (toy / "package.yaml").write_bytes(b"\xff\xfe")
    assert "cannot be read" in refused().what


@pytest.mark.parametrize(
    ("build", "words"),
    [
        ("print('half way')\nraise SystemExit('no data for June')\n", "no data for June"),
        ("pass\n", "wrote nothing into OUTPUT_DIR"),
        (BUILD + "(output / 'MLmodel').unlink()\n", "MLmodel"),
        (BUILD + "(output / 'MLmodel').write_text('{')\n", "not valid YAML"),
        (BUILD + "(output / 'MLmodel').write_text('flavors: {}')\n", "no python_function"),
        (BUILD + "(output / 'gates').mkdir()\n", "a folder 'gates'"),
        (BUILD + "(output / 'link').symlink_to('/etc/hostname')\n", "outside the folder"),
    ],
)
def test_a_build_that_goes_wrong_is_refused_in_its_own_words(
    toy: Path, refused: Refused, build: str, words: str
) -> None:
    (toy / "build.py").write_text(build)
    said = refused()
    assert said.path == toy / "build.py"
    assert words in said.what


def test_a_build_that_takes_too_long_is_ended(toy: Path, refused: Refused) -> None:
    (toy / "package.yaml").write_text(RECIPE + "timeout_seconds: 0.5\n")
    (toy / "build.py").write_text("import time\ntime.sleep(60)\n")
    assert "time" in refused().what


def test_a_python_that_is_not_there_is_an_environment_that_cannot_be_built(
    toy: Path, packaged: Packaged
) -> None:
    (toy / "package.yaml").write_text(RECIPE + "python: '3.99'\n")
    with pytest.raises(BuildError, match=r"3\.99"):
        packaged()
