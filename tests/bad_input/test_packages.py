"""Model folders that cannot be packaged, and versions whose artifact or lock cannot be trusted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from gates.registry.mlflow import MlflowRegistry
from tests.bad_input.conftest import Refusals, World, finish, start
from tests.conftest import VERSIONS, CommandLine
from tests.toys import MODEL, SIX, set_params

UNHASHED = "six==1.17.0\n"


def _recipe(world: World, text: str) -> None:
    (world.model / "package.yaml").write_text(text)


FOLDERS: dict[str, tuple[Callable[[World], object], list[str]]] = {
    "no lock": (
        lambda world: (world.model / "requirements.txt").unlink(),
        ["requirements.txt: is missing", "gates lock compile"],
    ),
    "a lock without hashes": (
        lambda world: (world.model / "requirements.txt").write_text(UNHASHED),
        ["requirements.txt:1", "six", "hash", "gates lock compile"],
    ),
    "a lock that pins nothing": (
        lambda world: (world.model / "requirements.txt").write_text(SIX.replace("==", ">=")),
        ["requirements.txt:1", "not pinned"],
    ),
    "a lock with the wrong hash": (
        lambda world: (world.model / "requirements.txt").write_text(
            UNHASHED.rstrip() + " --hash=sha256:" + "0" * 64 + "\n"
        ),
        ["requirements.txt", "could not be built", "ash mismatch"],
    ),
    "an unknown key in package.yaml": (
        lambda world: _recipe(world, "trainig_window: {start: 2026-06-01, end: 2026-08-31}\n"),
        ["package.yaml:1", "unknown key 'trainig_window'", "did you mean 'training_window'"],
    ),
    "a build that fails": (
        lambda world: set_params(world.project, build="fails"),
        ["build.py: failed (exit code 1)", "the training data is gone", "Run it by hand"],
    ),
    "a build that writes nothing": (
        lambda world: set_params(world.project, build="nothing"),
        ["build.py: it ended well but wrote nothing", "save the model to sys.argv[1]"],
    ),
    "no golden set": (
        lambda world: shutil.rmtree(world.golden),
        [f"{MODEL}.md:2: there is no golden set at"],
    ),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_what_cannot_be_packaged_is_not_registered(
    world: World, refused: Refusals, kind: str
) -> None:
    spoil, says = FOLDERS[kind]
    spoil(world)
    refused(world, "package", MODEL, world.options(), says=says)


def test_an_unknown_model_names_those_there_are(world: World, refused: Refusals) -> None:
    says = ["toy-rankers.md: there is no such model card", f"did you mean '{MODEL}.md'"]
    refused(world, "package", "toy-rankers", world.options(), says=says)


def test_two_packagings_at_once_make_two_versions(world: World) -> None:
    started = [start("package", MODEL, world.options(), "--json") for _ in range(2)]
    answers = [finish(one) for one in started]
    assert [one.code for one in answers] == [0, 0], answers
    assert {json.loads(one.out)["version"] for one in answers} == {
        str(len(VERSIONS) + 1),
        str(len(VERSIONS) + 2),
    }


def test_a_lock_can_be_checked_before_anything_is_packaged(
    world: World, refused: Refusals, gates: CommandLine, tmp_path: Path
) -> None:
    says = ["requirements.txt: there is no such file", "gates lock compile"]
    refused(world, "lock", "check", str(tmp_path), says=says)
    (world.model / "requirements.txt").write_text(UNHASHED)
    answer = gates("lock", "check", str(world.model), "--json")
    assert answer.code == 1
    assert json.loads(answer.out)["problems"][0]["kind"] == "unhashed"
    assert "requirements.txt:1: unhashed: six" in answer.err


def _registered(
    world: World, folder: Path, lock: str | None, tags: Mapping[str, str] = MappingProxyType({})
) -> str:
    """A version that was registered without `gates package`, with another lock or none."""
    shutil.copytree(world.artifact("good"), folder)
    path = folder / "gates" / "requirements.txt"
    path.unlink() if lock is None else path.write_text(lock)
    registry = MlflowRegistry(world.tracking_uri, world.cache)
    return registry.register(MODEL, folder, tags, "by hand").uri


def _outcomes(out: str) -> dict[str, tuple[str, str]]:
    return {one["id"]: (one["outcome"], one["reason"]) for one in json.loads(out)["bounds"]}


def test_an_artifact_without_a_lock_cannot_run_and_so_cannot_pass(
    world: World, gates: CommandLine, tmp_path: Path
) -> None:
    uri = _registered(world, tmp_path / "model", None)
    answer = gates("run", uri, world.options(), "--json")
    assert answer.code == 3, answer.err
    outcome, reason = _outcomes(answer.out)["lockfile::unhashed"]
    assert outcome == "UNDECIDED"
    assert f"the candidate {uri} carries no lock" in reason
    assert "package it with `gates package`" in reason


@pytest.mark.parametrize(
    ("lock", "kind"),
    [(UNHASHED, "unhashed"), (f"--index-url http://127.0.0.1:9/simple\n{SIX}", "unpinned")],
)
def test_an_artifact_whose_lock_has_a_problem_fails_and_nothing_of_it_is_installed(
    world: World, gates: CommandLine, tmp_path: Path, lock: str, kind: str
) -> None:
    uri = _registered(world, tmp_path / "model", lock)
    answer = gates("run", uri, world.options(), "--json")
    assert answer.code == 1, answer.err
    outcomes = _outcomes(answer.out)
    assert outcomes[f"lockfile::{kind}"][0] == "FAIL"
    assert outcomes["lockfile::repository"][0] == "FAIL"
    assert outcomes["behaviour::must-be-first"][0] == "UNDECIDED"
    assert "requirements.txt:1: it is not installed" in outcomes["behaviour::must-be-first"][1]


@pytest.mark.parametrize("told", ["/bin/sh", "--index-url=http://127.0.0.1:9/", "3.12\n-c"])
def test_a_version_whose_tag_is_no_python_version_cannot_run_and_so_cannot_pass(
    world: World, gates: CommandLine, tmp_path: Path, told: str
) -> None:
    uri = _registered(world, tmp_path / "model", SIX, {"gates.python": told})
    answer = gates("run", uri, world.options(), "--json")
    assert answer.code == 3, answer.err
    outcome, reason = _outcomes(answer.out)["behaviour::must-be-first"]
    assert outcome == "UNDECIDED"
    assert f"the tag gates.python of {uri} is no Python version: {told!r}" in reason


def test_a_repository_that_moved_on_from_the_artifacts_lock_fails(
    world: World, gates: CommandLine
) -> None:
    (world.model / "requirements.txt").write_text("# compiled again\n" + SIX)
    answer = gates("run", world.uri("good"), world.options(), "--json")
    assert answer.code == 1, answer.err
    failed = {name for name, (outcome, _) in _outcomes(answer.out).items() if outcome == "FAIL"}
    assert failed - {"ranking-diff::rbo"} == {"lockfile::repository"}


def _one_byte(artifact: Path) -> None:
    path = artifact / "data.json"
    path.write_bytes(path.read_bytes().replace(b"1.0", b"1.1"))


TAMPERINGS: dict[str, Callable[[Path], object]] = {
    "a byte changed": _one_byte,
    "a module added": lambda artifact: (artifact / "code" / "six.py").write_text("evil = 1\n"),
    "the lock changed": lambda artifact: (artifact / "gates" / "requirements.txt").write_text(""),
    "a file removed": lambda artifact: (artifact / "data.json").unlink(),
}


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_a_tampered_artifact_is_neither_gated_nor_promoted(
    gated: World, refused: Refusals, kind: str
) -> None:
    TAMPERINGS[kind](gated.artifact("good"))
    says = [f"artifact of {gated.uri('good')} changed since it was packaged", "who wrote to the"]
    refused(gated, "run", gated.uri("good"), gated.options(), says=says)
    refused(gated, "promote", gated.uri("good"), gated.options(), "--why", "x", says=says)


def test_a_tampered_champion_is_not_compared_with(gated: World, refused: Refusals) -> None:
    _one_byte(gated.artifact("weak"))
    says = [f"artifact of {gated.uri('weak')} changed since it was packaged"]
    refused(gated, "run", gated.uri("good"), gated.options(), says=says)
