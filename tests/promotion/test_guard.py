"""An alias that was moved past the gate is noticed, told of, and put back where that is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gates.errors import PromotionRefused
from gates.promotion.guard import State, look, put_back
from gates.promotion.moves import record_found
from gates.promotion.rollback import rollback
from gates.registry.history import read_history
from gates.registry.mlflow import MlflowRegistry
from gates.service.config import Notify, ServiceConfig
from gates.service.guarding import AliasGuard
from gates.service.last_seen import LastSeenRegistry

from .conftest import Moved


def _set(registry: MlflowRegistry, version: str) -> None:
    """What anybody with MLflow's client may do."""
    registry._connection.client.set_registered_model_alias("toy", "champion", version)


def _by_hand(registry: MlflowRegistry, moved: Moved) -> None:
    moved("1")
    _set(registry, "3")


def _deleted(registry: MlflowRegistry, moved: Moved) -> None:
    moved("1")
    registry._connection.client.delete_registered_model_alias("toy", "champion")


def _never(registry: MlflowRegistry, _: Moved) -> None:
    _set(registry, "3")


def _ours(_: MlflowRegistry, moved: Moved) -> None:
    moved("1")
    moved("2")


def _nothing(*_: object) -> None:
    pass


def _recorded(registry: MlflowRegistry, moved: Moved) -> None:
    _by_hand(registry, moved)
    assert record_found(registry, "toy", "champion", "grace", "that was me")


def _in_turn(registry: MlflowRegistry, moved: Moved) -> None:
    """A promotion that was killed after the alias had moved."""
    moved("1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "end_turn", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            moved("2")


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("done", "state"),
    [
        (_ours, "accounted"),
        (_nothing, "unset"),
        (_by_hand, "foreign"),
        (_deleted, "foreign"),
        (_never, "unrecorded"),
        (_recorded, "recorded"),
        (_in_turn, "moving"),
    ],
)
def test_what_the_history_knows_of_an_alias_is_told_and_looking_changes_nothing(
    registry: MlflowRegistry,
    moved: Moved,
    done: Callable[[MlflowRegistry, Moved], None],
    state: State,
) -> None:
    done(registry, moved)
    before = registry.events("toy"), registry.turns("toy"), registry.aliases("toy")
    found = look(registry, "toy", "champion", lambda _: None)
    assert found.state == state
    assert found.is_calm is (state not in {"foreign", "unrecorded"})
    if found.version == "3" and not found.is_calm:
        assert found.registered_by == "eve"
    assert (registry.events("toy"), registry.turns("toy"), registry.aliases("toy")) == before


@pytest.mark.parametrize("done", [_by_hand, _deleted, _recorded])
def test_it_is_put_back_and_both_moves_stand_in_the_history(
    registry: MlflowRegistry, moved: Moved, done: Callable[[MlflowRegistry, Moved], None]
) -> None:
    done(registry, moved)
    event = put_back(registry, "toy", "champion", why="nobody gated it", by="grace")
    assert event is not None
    assert registry.aliases("toy")["champion"] == "1"
    moves = read_history(registry, "toy").moves
    assert [one.kind for one in moves] == ["put-back", "foreign", "promote"]
    assert moves[1].by == "unknown"
    assert put_back(registry, "toy", "champion", why="again", by="grace") is None
    # It is nobody's rollback: the way back is that of before, and leads not to what was foreign.
    moved("2")
    assert rollback(registry, "toy", "champion", why="w", by="b").version == "1"
    with pytest.raises(PromotionRefused, match="was never the champion"):
        rollback(registry, "toy", "champion", why="w", by="b", to="3")


def test_there_is_nothing_to_put_back_to_where_nothing_was_promoted(
    registry: MlflowRegistry,
) -> None:
    _set(registry, "3")
    with pytest.raises(PromotionRefused, match="no promotion ever put the champion"):
        put_back(registry, "toy", "champion", why="w", by="b")
    assert record_found(registry, "toy", "champion", "ada", "from before the gate") is not None
    assert look(registry, "toy", "champion").state == "recorded"
    assert record_found(registry, "toy", "champion", "ada", "again") is None


def test_a_promotion_between_two_reads_is_not_taken_for_a_stranger(
    registry: MlflowRegistry, moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved("1")
    real, promotions = registry.aliases, iter("23")

    def aliases(name: str) -> Any:
        found = real(name)
        for version in promotions:
            with monkeypatch.context() as unpatched:
                unpatched.setattr(registry, "aliases", real)
                moved(version)
            break
        return found

    monkeypatch.setattr(registry, "aliases", aliases)
    assert look(registry, "toy", "champion", lambda _: None).state == "accounted"
    assert next(promotions, None) is None


@pytest.mark.parametrize("put", [False, True])
def test_the_service_tells_people_once_and_puts_back_where_it_is_told_to(
    registry: MlflowRegistry, moved: Moved, monkeypatch: pytest.MonkeyPatch, put: bool
) -> None:
    sent: list[Any] = []

    def send(_: Notify, said: Any, __: object) -> str:
        sent.append(said)
        return ""

    monkeypatch.setattr("gates.service.guarding.send", send)
    config = ServiceConfig(
        url="http://gates.example.com", put_back=put, notify=Notify("http://127.0.0.1:1")
    )
    last_seen = LastSeenRegistry(lambda: registry, lambda _: {})
    guard = AliasGuard(config, last_seen, lambda _: False)
    moved("1")
    assert guard.see_to(registry, "toy", "champion") is None
    _set(registry, "3")
    for _ in range(2):
        guard.see_to(registry, "toy", "champion")
    (said,) = sent
    assert said["link"] == "http://gates.example.com/models/toy"
    assert said["reason"].startswith(
        "the champion of toy is version 3, and nothing in its history put it there: by that it is "
        "version 1; who moved it is not known"
    )
    assert registry.aliases("toy")["champion"] == ("1" if put else "3")
    assert last_seen.of(["toy"])["toy"].history.moves[0].kind == ("put-back" if put else "promote")  # type: ignore[union-attr]
