"""No such version, no such store, no such folder: each is named, with what there is instead."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from gates.evidence.facts import gate_facts
from tests.bad_input.conftest import Refusals, World
from tests.conftest import VERSIONS, CommandLine
from tests.toys import MODEL

NO_SUCH_VERSION = [f"'{MODEL}' has no version 99", f"it has: {len(VERSIONS)}, "]


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        (f"models:/{MODEL}s/1", [f"no model '{MODEL}s'", f"did you mean '{MODEL}'"]),
        (f"models:/{MODEL}/99", NO_SUCH_VERSION),
        (f"models:/{MODEL}@candidate", ["no alias 'candidate'", "valid here: champion"]),
        (f"models:/{MODEL}", ["names no version and no alias", "models:/NAME/VERSION"]),
        (f"models:/{MODEL}/latest", ["'latest' moves while the gate runs", "models:/NAME@ALIAS"]),
        ("s3://bucket/model", ["is not a version number", "models:/NAME/VERSION"]),
        ("models:/../1", ["cannot be the name of a model"]),
    ],
)
def test_a_version_that_is_not_there_is_refused_with_what_there_is(
    world: World, refused: Refusals, uri: str, says: list[str]
) -> None:
    refused(world, "run", uri, "--card", str(world.card), world.options(), says=says)


def test_a_champion_that_is_not_there_is_refused_too(world: World, refused: Refusals) -> None:
    versions = [world.uri("good"), "--champion", f"models:/{MODEL}/99"]
    refused(world, "run", versions, world.options(), says=NO_SUCH_VERSION)


def test_without_a_champion_there_is_no_comparison_and_no_pass(
    world: World, gates: CommandLine
) -> None:
    world.edit("DELETE FROM registered_model_aliases")
    answer = gates("run", world.uri("good"), world.options(), "--json")
    assert answer.code == 3, answer.err
    reasons = json.loads(answer.out)["reasons"]
    assert any("no champion: there is nothing to compare with" in reason for reason in reasons)


def test_a_folder_is_no_card(world: World, refused: Refusals) -> None:
    command = ["run", world.uri("good"), "--card", str(world.project)]
    says = [f"--card {world.project} is not a Markdown file", "name the card itself"]
    refused(world, command, world.options(), says=says)


def _options(world: World, uri: str) -> list[str]:
    return ["--project", str(world.project), "--cache", str(world.cache), "--tracking-uri", uri]


@pytest.mark.parametrize(
    "command", [("run", f"models:/{MODEL}/2"), ("history", MODEL), ("show", f"models:/{MODEL}/2")]
)
def test_a_server_that_is_down_is_named_and_its_password_is_not(
    world: World, refused: Refusals, command: tuple[str, str]
) -> None:
    with socket.socket() as taken:  # bound and never listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        says = [f"http://***@{address}: it does not answer", "check that the server runs"]
        uri = f"http://ada:lovelace@{address}"
        error = refused(world, *command, _options(world, uri), says=says)
    assert "lovelace" not in json.dumps(error)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"these are notes", ["is not an SQLite database", "name another file"]),
        (b"SQLite format 3\0" + b"x" * 3000, ["file is not a database", "check that"]),
    ],
)
def test_a_store_that_is_no_database_is_left_as_it_is(
    world: World, refused: Refusals, tmp_path: Path, content: bytes, says: list[str]
) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(content)
    refused(world, "run", world.uri("good"), _options(world, f"sqlite:///{path}"), says=says)
    assert path.read_bytes() == content


def test_a_store_of_a_kind_we_do_not_know_is_refused_without_its_password(
    world: World, refused: Refusals
) -> None:
    options = _options(world, "postgresql://ada:lovelace@db/mlflow")
    says = ["'postgresql://***@db/mlflow' is neither", "sqlite:///path/mlflow.db"]
    error = refused(world, "run", world.uri("good"), options, says=says)
    assert "lovelace" not in json.dumps(error)


def test_evidence_keeps_the_command_without_passwords() -> None:
    facts = gate_facts(("card.md", "--tracking-uri", "https://ada:lovelace@mlflow.example"))
    assert facts.command[-1] == "https://***@mlflow.example"


def test_a_project_that_does_not_exist_is_not_made(
    world: World, refused: Refusals, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere"
    for command in (["run", world.uri("good")], ["history", MODEL], ["package", MODEL]):
        says = [f"--project {nowhere}: there is no such folder"]
        refused(world, command, "--project", str(nowhere), says=says)
    assert not nowhere.exists()


def test_a_cache_that_cannot_be_made_is_blamed_itself(world: World, refused: Refusals) -> None:
    options = ["--project", str(world.project), "--tracking-uri", world.tracking_uri]
    options += ["--cache", str(world.card)]
    says = [f"the cache {world.card / 'models'} cannot be made", "--cache DIR"]
    refused(world, "run", world.uri("good"), options, says=says)
    refused(world, "package", MODEL, options, says=["could not be written", str(world.card)])


def test_a_setting_that_is_misspelt_is_refused(world: World, refused: Refusals) -> None:
    (world.project / "pyproject.toml").write_text("[tool.gates]\ncashe = 'elsewhere'\n")
    says = ["pyproject.toml: unknown key 'cashe'", "did you mean 'cache'"]
    refused(world, "run", world.uri("good"), world.options(), says=says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run"], "Missing argument 'URI'"),
        (["run", "x/1", "--outptu", "there"], "No such option"),
        (["promote", "x/1"], "Missing option '--why'"),
        (["history", MODEL, "--limit", "none"], "a valid integer"),
    ],
)
def test_a_wrong_call_is_json_too_where_json_is_wanted(
    gates: CommandLine, arguments: list[str], says: str
) -> None:
    answer = gates(arguments, "--json")
    assert answer.code == 2
    assert says in answer.err
    assert says in json.loads(answer.out)["error"]["message"]


@pytest.mark.parametrize("extra", ["--no-such-option", "no_such_file.py"])
def test_what_pytest_does_not_understand_ends_the_gate_without_a_verdict(
    world: World, gates: CommandLine, extra: str
) -> None:
    before = world.state()
    answer = gates("run", world.uri("good"), world.options(), "--json", "--", extra)
    assert answer.code == 2, answer.out
    assert extra in json.loads(answer.out)["error"]["advice"]
    assert world.state() == before


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("nonsense", ["'nonsense' is no run's folder", "gates show models:/NAME/VERSION"]),
        ("gone/evidence.json", ["gone/evidence.json: cannot be read", "gates run"]),
        (f"models:/{MODEL}/2", ["was never gated", f"gates run models:/{MODEL}/2"]),
    ],
)
def test_a_run_that_is_not_there_cannot_be_shown(
    world: World, refused: Refusals, what: str, says: list[str]
) -> None:
    refused(world, "show", what, world.options(), says=says)


def test_a_demo_goes_into_a_folder_of_its_own(
    world: World, refused: Refusals, tmp_path: Path
) -> None:
    refused(world, "demo", str(world.project), says=["not empty", "name another folder"])
    refused(world, "demo", str(world.card), says=["cannot be laid out", "gates demo DIR"])
    refused(world, "demo", str(world.card / "x"), says=["cannot be laid out", "gates demo DIR"])
