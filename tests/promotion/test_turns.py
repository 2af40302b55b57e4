"""Turns: one mover at a time, wherever it is, and a history that is completed whatever happened."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gates.errors import PromotionRefused, RegistryError
from gates.promotion import turns as turning
from gates.promotion.rollback import rollback
from gates.promotion.turns import settle_left, take_turn
from gates.registry import Event
from gates.registry.chain import FaultKind, event_digest
from gates.registry.history import read_history
from gates.registry.mlflow import MlflowRegistry
from gates.registry.turns import Ending

from .conftest import Moved


def _lines(registry: MlflowRegistry) -> list[str]:
    """The moves of the champion, newest first."""
    return [
        f"{one.kind} {one.previous_version}>{one.version} {one.state}"
        for one in read_history(registry, "toy").moves
    ]


def test_moves_stand_in_the_order_of_their_turns_whatever_the_clocks_said(
    registry: MlflowRegistry, moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)

    class Skewed(datetime):
        ahead = iter((0, 3600, -3600))

        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # a real one will do
            return now + timedelta(seconds=next(cls.ahead))

    monkeypatch.setattr("gates.promotion.moves.datetime", Skewed)
    events = [moved(version) for version in "123"]
    assert _lines(registry) == ["promote 2>3 done", "promote 1>2 done", "promote >1 done"]
    assert read_history(registry, "toy").since("champion") == events[2].when
    for before, after in zip((None, *events), events, strict=False):
        assert after.previous_event == (before.run_id if before else "")
        assert after.previous_digest == (event_digest(before) if before else "")
    assert [one.sequence for one in events] == [1, 2, 3]


def test_a_history_of_before_there_were_turns_is_read_and_gone_on_with(
    registry: MlflowRegistry, moved: Moved
) -> None:
    old = datetime.now(UTC) - timedelta(days=9)
    for place, version in enumerate("12"):
        event = Event(old + timedelta(days=place), "promote", "toy", version, alias="champion")
        registry.log_event(replace(event, previous_version=str(place or "")))
    registry.set_alias("toy", "champion", "2", expected=None)
    moved("3")
    assert _lines(registry) == ["promote 2>3 done", "promote 1>2 done", "promote >1 done"]
    assert read_history(registry, "toy").faults == ()
    assert rollback(registry, "toy", "champion", why="w", by="b").version == "2"


Step = Callable[[MlflowRegistry], None]
KILLED = """
import os, signal, sys
from pathlib import Path
from datetime import UTC, datetime
from gates.promotion.moves import move
from gates.registry import Event
from gates.registry.mlflow import MlflowRegistry

class Dying(MlflowRegistry):
    left = int(sys.argv[3])

def dying(name):
    real = getattr(MlflowRegistry, name)
    def call(self, *args, **named):
        Dying.left -= 1
        if Dying.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        found = real(self, *args, **named)
        Dying.left -= 1
        if Dying.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    setattr(Dying, name, call)

for name in ("claim_turn", "log_event", "set_alias", "end_turn"):
    dying(name)
registry = Dying(sys.argv[1], Path(sys.argv[2]))
now = registry.aliases("toy")["champion"]
event = Event(
    datetime.now(UTC), "promote", "toy", "2", now, "ada", "w", alias="champion", state="begun"
)
with registry.exclusive("toy"):
    move(registry, event, registry.events("toy"))
"""


@pytest.mark.parametrize("writes", range(1, 12))
def test_a_mover_killed_before_or_after_any_write_leaves_what_the_next_one_completes(
    registry: MlflowRegistry, moved: Moved, tmp_path: Path, writes: int
) -> None:
    moved("1")
    uri = registry._connection.uri
    command = [sys.executable, "-c", KILLED, uri, str(tmp_path / "cache"), str(writes)]
    died = subprocess.run(command, check=False, timeout=300, capture_output=True)
    assert died.returncode == (0 if writes == 11 else -9), died.stderr
    if registry.aliases("toy")["champion"] == "1":
        moved("2")
    else:
        with registry.exclusive("toy"):
            settle_left(registry, "toy")
    assert registry.aliases("toy")["champion"] == "2"
    history = read_history(registry, "toy")
    assert history.faults == ()
    done = [one for one in history.moves if one.state == "done"]
    assert [one.version for one in done] == ["2", "1"]
    assert rollback(registry, "toy", "champion", why="w", by="b").version == "1"


def test_who_died_on_another_machine_is_waited_for_and_then_taken_over(
    registry: MlflowRegistry, moved: Moved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved("1")
    monkeypatch.setattr(turning, "LEASE", 0.6)
    with monkeypatch.context() as there:
        there.setattr(registry._connection, "lock_identity", lambda _: "another machine")
        held = take_turn(registry, "toy", "grace")
    began = datetime.now(UTC)
    moved("2")
    assert (datetime.now(UTC) - began).total_seconds() > 0.6
    with pytest.raises(RegistryError, match="was taken over by somebody else"):
        held.confirm()
    assert not held.end(Ending("done", "run", "sha256:1"))
    assert _lines(registry) == ["promote 1>2 done", "promote >1 done"]


def test_a_mover_that_came_too_late_is_told_so_and_the_alias_is_accounted_for(
    registry: MlflowRegistry, moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What MLflow cannot refuse: a write that was on its way while somebody else took over."""
    moved("1")
    real = registry.set_alias

    def late(*args: object, **named: object) -> None:
        (turn,) = (one for one in registry.turns("toy") if not one.ending)
        registry.end_turn("toy", turn, Ending("void"))
        real(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(registry, "set_alias", late)
    with pytest.raises(RegistryError, match="after somebody else had taken over"):
        moved("2")
    monkeypatch.undo()
    with pytest.raises(PromotionRefused, match="moved meanwhile"):
        moved("3")
    assert _lines(registry)[0] == "foreign 1>2 done"
    moved("3")
    assert read_history(registry, "toy").moves[0].version == "3"


def test_nobody_begins_to_write_late(
    registry: MlflowRegistry, moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved("1")
    monkeypatch.setattr(turning, "START_WITHIN", -1.0)
    with pytest.raises(RegistryError, match="took too long"):
        moved("2")
    assert registry.aliases("toy")["champion"] == "1"
    monkeypatch.undo()
    assert moved("2").version == "2"


def test_a_turn_is_had_by_one_of_many(registry: MlflowRegistry) -> None:
    others = [MlflowRegistry(registry._connection.uri, Path("unused")) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda one: one.claim_turn("toy", 1, "ada"), others))
    (turn,) = (one for one in found if one)
    (kept,) = registry.turns("toy")
    assert kept.holder == turn.holder


def _edited(registry: MlflowRegistry, event: Event) -> None:
    registry._connection.client.set_tag(event.run_id, "gates.event.why", "another reason")


def _deleted(registry: MlflowRegistry, event: Event) -> None:
    registry._connection.client.delete_run(event.run_id)


def _forked(registry: MlflowRegistry, event: Event) -> None:
    registry.log_event(replace(event, run_id="", version="3"))


def _beside(registry: MlflowRegistry, event: Event) -> None:
    when = event.when + timedelta(seconds=9)
    registry.log_event(Event(when, "promote", "toy", "3", alias="champion"))


def _unclaimed(registry: MlflowRegistry, event: Event) -> None:
    registry.log_event(replace(event, run_id="", sequence=9))


def _begun(registry: MlflowRegistry, _: Event) -> None:
    registry.claim_turn("toy", 3, "grace")


@pytest.mark.parametrize(
    ("wrong", "kind", "words"),
    [
        (_edited, "altered", "was edited after it was recorded"),
        (_deleted, "lost", "of turn 2 is gone"),
        (_forked, "fork", "claims turn 2, which is that of run"),
        (_unclaimed, "fork", "claims turn 9: nobody took it"),
        (_beside, "outside", "was recorded in no turn"),
        (_begun, "unfinished", "turn 3 of grace on"),
    ],
)
def test_what_breaks_the_chain_is_shown_and_a_rollback_works_all_the_same(
    registry: MlflowRegistry,
    moved: Moved,
    wrong: Callable[[MlflowRegistry, Event], None],
    kind: FaultKind,
    words: str,
) -> None:
    moved("1")
    wrong(registry, moved("2"))
    (fault,) = read_history(registry, "toy").faults
    assert fault.kind == kind
    assert words in fault.what
    assert rollback(registry, "toy", "champion", why="w", by="b").version == "1"
