"""The build of a pull request gives a model, and nothing else of the machine it ran on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gates.domain.judging import ModelVersion
from gates.environments.cache import EnvironmentCache
from gates.errors import PackageError
from gates.packaging import package
from gates.registry.mlflow import MlflowRegistry
from tests.locks.wheels import served
from tests.toys import BUILD, MODEL, make_project, store_of

Package = Callable[..., ModelVersion]

LOOK = """\
import os, pathlib, socket
def look():
{body}
(output / "seen.txt").write_text(repr(look()))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = make_project(tmp_path / "shop")
    (made / ".git").mkdir()
    (made / ".git" / "config").write_text("a-secret")
    (made / "features").mkdir()
    (made / "features" / "names.txt").write_text("good")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "token").write_text("a-secret")
    return made


def build(project: Path, cache: Path, **options: bool) -> Path:
    """Package the toy as a pull request's; the artifact."""
    registry = MlflowRegistry(store_of(project), cache)
    version = package(
        MODEL,
        models=project / "models",
        registry=registry,
        environments=EnvironmentCache(cache),
        golden_digest="sha256:0",
        by="tests",
        progress=lambda _: None,
        caged=options.get("caged", True),
    )
    return registry.path(version)


def looking(project: Path, body: str) -> None:
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    script = project / "models" / MODEL / "build.py"
    script.write_text(BUILD + LOOK.format(body=indented))


def tried(what: str) -> str:
    return f"try:\n    return {what}\nexcept OSError:\n    return None"


LOOKS = {
    "a variable": "return os.environ.get('GATES_TEST_TOKEN')",
    "another process": (
        "for one in pathlib.Path('/proc').glob('[0-9]*/environ'):\n"
        "    try:\n"
        "        if {path!r}.encode() in one.read_bytes():\n"
        "            return one\n"
        "    except OSError:\n"
        "        pass"
    ),
    "the home folder": tried("pathlib.Path({home!r}, 'token').read_text()"),
    "git's settings": tried("(here.parent.parent / '.git' / 'config').read_text()"),
    "a port of this machine": tried("socket.create_connection(('127.0.0.1', {port}), 2)"),
    "the checkout, to write": tried("(here / 'toy_model.py').write_text('import os')"),
    "the project, to write": tried("(here.parent.parent / 'owned').touch() or 'wrote'"),
    "a link out": tried("(here.parent.parent / 'elsewhere' / 'token').read_text()"),
    "its environment": tried(
        "pathlib.Path(__import__('sysconfig').get_path('purelib'), 'x.pth').touch() or 'wrote'"
    ),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_pull_requests_build_reaches_nothing_but_the_project(
    project: Path, gates_cache: Path, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    home = project.parent / "home"
    monkeypatch.setenv("GATES_TEST_TOKEN", "a-secret")
    (project / "elsewhere").symlink_to(home)
    with served(home) as index:
        port = int(index.url.split("/")[2].partition(":")[2])
        looking(project, look.format(home=str(home), port=port, path=os.environ["PATH"]))
        artifact = build(project, gates_cache)
    assert (artifact / "seen.txt").read_text() == "None"
    assert (artifact / "code" / "toy_model.py").read_text().startswith("import json")
    assert (artifact / "gates" / "package.json").is_file()


def test_it_sees_the_project_and_its_own_modules(project: Path, gates_cache: Path) -> None:
    (project / "models" / MODEL / "names.py").write_text("NAME = 'beside'\n")
    look = "import names\nreturn names.NAME, (here.parents[1] / 'features/names.txt').read_text()"
    looking(project, look)
    assert (build(project, gates_cache) / "seen.txt").read_text() == "('beside', 'good')"


def test_a_build_gives_the_same_artifact_caged_or_not(project: Path, gates_cache: Path) -> None:
    caged, plain = build(project, gates_cache), build(project, gates_cache, caged=False)
    files = {path.relative_to(caged) for path in caged.rglob("*") if path.is_file()}
    assert files == {path.relative_to(plain) for path in plain.rglob("*") if path.is_file()}
    for path in files - {Path("gates/package.json")}:
        assert (caged / path).read_bytes() == (plain / path).read_bytes()


@pytest.mark.parametrize("name", ["requirements.in", "build.py", "package.yaml", "Dockerfile", "."])
def test_a_link_in_place_of_a_file_is_an_error(project: Path, gates_cache: Path, name: str) -> None:
    path = project / "models" / MODEL / name
    moved = project.parent / "home" / "moved"
    if path.exists():
        path.rename(moved)
    else:
        moved.write_text("FROM scratch\n")
    path.symlink_to(moved)
    with pytest.raises(PackageError, match="is a link"):
        build(project, gates_cache)


def test_a_build_that_asks_for_variables_is_an_error(
    project: Path, gates_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATES_TEST_TOKEN", "a-secret")
    recipe = project / "models" / MODEL / "package.yaml"
    recipe.write_text(recipe.read_text() + "environment: [GATES_TEST_TOKEN]\n")
    with pytest.raises(PackageError, match="GATES_TEST_TOKEN, and a pull request's sees no") as no:
        build(project, gates_cache)
    assert "a-secret" not in str(no.value)
    assert "--trust-builds" in no.value.advice


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise SystemExit('the training data is gone')", "failed: the training data is gone"),
        ("raise SystemExit(3)", "failed: exit code 3"),
        ("1 / 0", "failed: ZeroDivisionError"),
        ("os._exit(4)", "died: it exited with code 4"),
        ("(output / 'more').symlink_to('/etc/passwd')", "more is neither a file nor a folder"),
        ("os.mkfifo(output / 'pipe')", "pipe is neither a file nor a folder"),
    ],
)
def test_a_build_that_fails_or_leaves_something_else_is_named(
    project: Path, gates_cache: Path, body: str, words: str
) -> None:
    looking(project, body)
    with pytest.raises(PackageError, match="running it in a cage") as caught:
        build(project, gates_cache)
    assert words in caught.value.what
    assert caught.value.path.name == "build.py"
