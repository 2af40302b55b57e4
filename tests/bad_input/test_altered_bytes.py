"""One byte altered after the gate, of whatever a verdict rests on: promotion refuses, and says it.

Each example changes one byte of one file, tries to promote, and puts the byte back.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gates.card.card import Card
from gates.errors import GatesError
from gates.project import Project
from gates.promotion.criteria import criteria_of
from gates.promotion.promote import promote
from gates.settings import load_settings
from tests.bad_input.conftest import World, copy_world, finish, start
from tests.conftest import Shelf
from tests.toys import MODEL

OWN_TEST = "def test_there_is_a_candidate(candidate):\n    assert candidate\n"
ROWS = "ranking-diff.rows.parquet"


@pytest.fixture(scope="module")
def passed(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which `good` passed, its own test too."""
    made = copy_world(shelf, tmp_path_factory.mktemp("passed") / "world")
    (made.golden / "test_toy.py").write_text(OWN_TEST)
    answer = finish(start("run", made.uri("good"), made.options(), "--json"))
    assert answer.code == 0, answer.out + answer.err
    return made


def _card(world: World) -> Card:
    project = Project(
        load_settings(world.project, tracking_uri=world.tracking_uri, cache=world.cache)
    )
    return project.read_card(world.card)


def _promoted(world: World) -> None:
    project = Project(
        load_settings(world.project, tracking_uri=world.tracking_uri, cache=world.cache)
    )
    card = project.read_card(world.card)
    promote(
        project.registry,
        card,
        world.uri("good"),
        None,
        criteria=criteria_of(card),
        why="a byte was altered",
        by="nobody",
    )


def _kept(world: World, name: str) -> Path:
    (found,) = (world.project / ".gates" / "artifacts").rglob(name)
    return found


FILES: dict[str, tuple[Callable[[World], list[Path]], str]] = {
    "evidence": (lambda world: [_kept(world, "evidence.json")], "evidence"),
    "rows": (lambda world: [_kept(world, ROWS)], f"{ROWS}: is not what the evidence was made of"),
    "artifact": (
        lambda world: [
            one
            for one in sorted(world.artifact("good").rglob("*"))
            if one.is_file() and one.stat().st_size and one.name != "registered_model_meta"
        ],
        f"artifact of models:/{MODEL}/2 changed",
    ),
    "lock": (
        lambda world: [world.artifact("good") / "gates" / "requirements.txt"],
        f"artifact of models:/{MODEL}/2 changed",
    ),
    "golden set": (
        lambda world: sorted(one for one in world.golden.glob("*.csv") if one.stat().st_size),
        "golden",
    ),
    "card": (lambda world: [world.card], "card"),
    "own test": (lambda world: [world.golden / "test_toy.py"], "the own tests differ"),
}


@pytest.mark.parametrize("kind", FILES)
@given(data=st.data())
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_byte_is_enough(passed: World, kind: str, data: st.DataObject) -> None:
    files, named = FILES[kind]
    digest = _card(passed).digest
    path = data.draw(st.sampled_from(files(passed)))
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    other = bytes([content[at] ^ data.draw(st.integers(1, 255))])
    path.write_bytes(content[:at] + other + content[at + 1 :])
    try:
        if kind == "card":
            assume(_means_something_else(passed, digest))
        with pytest.raises(GatesError) as refused:
            _promoted(passed)
        assert named in str(refused.value)
        assert passed.champion() == "1"
    finally:
        path.write_bytes(content)


def _means_something_else(world: World, digest: str) -> bool:
    """Whether the card demands something else; its prose, and how it is written, demand nothing."""
    try:
        return _card(world).digest != digest
    except GatesError:
        return True


def test_with_every_byte_in_place_it_is_promoted(passed: World) -> None:
    _promoted(passed)
    assert passed.champion() == "2"
