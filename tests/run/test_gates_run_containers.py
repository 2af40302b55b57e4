"""`gates run` of a card that asks for containers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from gates.domain.judging import EnvironmentFacts, Layer
from gates.environments.images import ImageCache
from gates.locks.lock import read_installable
from tests.conftest import CommandLine, Shelf
from tests.containers import BASE_IMAGE, needs_docker
from tests.sealed import record_in
from tests.toys import CARD, MODEL, copy_project

pytestmark = needs_docker


@pytest.fixture(scope="module")
def base(gates_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> EnvironmentFacts:
    """The base image's id and Python."""
    lock = tmp_path_factory.mktemp("lock") / "requirements.txt"
    lock.touch()
    return ImageCache(gates_cache).ensure(read_installable(lock), image=BASE_IMAGE).facts


def gate(
    gates: CommandLine, shelf: Shelf, folder: Path, version: str, environment: str
) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Exit code, answer and evidence of a run whose card has that environment."""
    project = copy_project(shelf.project, folder / "shop")
    written = "environment: {start_seconds: 20, predict_seconds: 5, memory_mb: 1024}"
    assert written in CARD
    card = project / "model_cards" / f"{MODEL}.md"
    card.write_text(CARD.replace(written, environment))
    answer = gates("run", shelf.uri(version), shelf.options(project), "--json")
    said = json.loads(answer.out)
    return answer.code, said, record_in(Path(said["evidence"]))


def docker(base: EnvironmentFacts, **more: object) -> str:
    """A card's environment: upon that base image, by id, and its Python."""
    wanted = {"kind": "docker", "image": base.image, "python": base.python, **more}
    return f"environment: {json.dumps(wanted)}"


def measured(evidence: dict[str, Any]) -> list[Any]:
    """What was measured of the model; of its lock there is more to see in a container."""
    records = [one for one in evidence["records"] if one["check"] != "lockfile"]
    return [(one["check"], one["measurements"]) for one in records]


def test_it_measures_what_virtual_environments_measure_with_every_layer_on(
    gates: CommandLine, shelf: Shelf, tmp_path: Path, base: EnvironmentFacts
) -> None:
    code, said, contained = gate(gates, shelf, tmp_path / "docker", "good", docker(base))
    assert (code, said["verdict"]) == (0, "PASS")
    for facts in contained["environments"].values():
        assert facts["layers"] == dict.fromkeys(
            [*get_args(Layer), "environment", "variables"], True
        )
        assert facts["image"] == base.image
        assert facts["python"] == base.python
    _, _, plain = gate(gates, shelf, tmp_path / "venv", "good", "environment: {kind: venv}")
    assert {facts["image"] for facts in plain["environments"].values()} == {""}
    assert measured(contained) == measured(plain)


@pytest.mark.parametrize(
    ("version", "code", "words"), [("dies", 3, "died"), ("hangs", 3, "hung"), ("nan", 1, "nan")]
)
def test_a_misbehaving_candidate_gets_the_same_named_outcome(
    gates: CommandLine, shelf: Shelf, tmp_path: Path, base: EnvironmentFacts,
    version: str, code: int,
    words: str,
) -> None:  # fmt: skip
    environment = docker(base, predict_seconds=1)
    found, said, _ = gate(gates, shelf, tmp_path, version, environment)
    assert found == code
    assert any(words in reason for reason in said["reasons"]), said["reasons"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image": "no-such-image:1"}, "no-such-image:1 is not on the Docker engine"),
        ({"python": "3.99"}, "the model needs Python 3.99"),
    ],
)
def test_a_container_that_cannot_be_is_undecided_with_its_reason(
    gates: CommandLine, shelf: Shelf, tmp_path: Path, base: EnvironmentFacts,
    change: dict[str, str], words: str,
) -> None:  # fmt: skip
    code, said, _ = gate(gates, shelf, tmp_path, "good", docker(base, **change))
    assert code == 3
    assert any(words in reason for reason in said["reasons"]), said["reasons"]


def test_an_engine_that_is_not_there_is_undecided_with_what_to_do(
    gates: CommandLine, shelf: Shelf, tmp_path: Path, base: EnvironmentFacts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/engine.sock")
    code, said, _ = gate(gates, shelf, tmp_path, "good", docker(base))
    assert code == 3
    assert any("the Docker engine cannot be reached" in reason for reason in said["reasons"])
