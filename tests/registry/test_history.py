"""One history of a model: read whole, read on, and from tags where a run was deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gates.errors import RegistryError
from gates.registry import Event, GateSource, Registry
from gates.registry.history import read_history
from gates.registry.mlflow import MlflowRegistry

from .stores import toy_model

DIGEST = "sha256:" + "7" * 64


@pytest.fixture
def toy(store: MlflowRegistry, tmp_path: Path) -> MlflowRegistry:
    """A store with one version."""
    store.register("toy", toy_model(tmp_path / "model"), {}, "", by="ada")
    return store


def gate(registry: MlflowRegistry, folder: Path, verdict: str = "PASS") -> str:
    """Record a gate of the version."""
    evidence = folder / "evidence.json"
    evidence.write_text(verdict)
    tags = {"gates.verdict": verdict, "gates.evidence_digest": DIGEST, "gates.champion": "9"}
    version = registry.resolve("models:/toy/1")
    return registry.log_gate(
        evidence, [], version, {}, tags, source=GateSource("ada", "hand"), summary="{}"
    )


def test_gates_promotions_and_rollbacks_stand_in_one_order(
    toy: MlflowRegistry, tmp_path: Path
) -> None:
    run = gate(toy, tmp_path)
    now = datetime.now(UTC)
    for place, kind in enumerate(("promote", "rollback")):
        toy.log_event(
            Event(now + timedelta(seconds=place), kind, "toy", "1", alias="champion")  # type: ignore[arg-type]  # both are kinds
        )
    found = read_history(toy, "toy")
    assert [one.kind for one in found.events] == ["rollback", "promote", "gate", "package"]
    assert [one.kind for one in found.moves] == ["rollback", "promote"]
    (gated,) = found.gates
    assert (gated.run_id, gated.by, gated.origin, gated.champion) == (run, "ada", "hand", "9")
    assert (gated.verdict, gated.evidence_digest, gated.summary) == ("PASS", DIGEST, "{}")


def test_a_gate_whose_run_was_deleted_is_still_known_by_the_tags_of_its_version(
    toy: MlflowRegistry, tmp_path: Path
) -> None:
    toy._connection.client.delete_run(gate(toy, tmp_path, "FAIL"))
    (gated,) = read_history(toy, "toy").gates
    assert (gated.verdict, gated.evidence_digest, gated.run_id) == ("FAIL", DIGEST, "")
    assert gated.when.tzinfo


class Counting:
    """A registry that notes from when on events were read."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.since: list[datetime | None] = []

    def __getattr__(self, name: str) -> Callable[..., object]:
        return getattr(self._registry, name)  # type: ignore[no-any-return]  # a method of it

    def events(self, name: str, since: datetime | None = None) -> tuple[Event, ...]:
        self.since.append(since)
        return self._registry.events(name, since)


def test_a_history_is_read_on_from_where_it_may_have_changed(
    toy: MlflowRegistry, tmp_path: Path
) -> None:
    registry = Counting(toy)
    old = datetime.now(UTC) - timedelta(days=3)
    old_run = toy.log_event(Event(old, "gate", "toy", "1", verdict="FAIL", evidence_digest="x"))
    toy._connection.client.delete_run(old_run)  # so that only what was kept can still hold it
    gone = Event(old, "gate", "toy", "1", verdict="FAIL", evidence_digest="x", run_id=old_run)
    first = read_history(registry, "toy")  # type: ignore[arg-type]  # it passes all on
    first = replace(first, events=(*first.events, gone))
    run = gate(toy, tmp_path)
    again = read_history(registry, "toy", first)  # type: ignore[arg-type]
    assert [one.run_id for one in again.gates] == [run, old_run]
    assert len(again.events) == 3
    whole, later = registry.since
    assert whole is None
    assert later is not None
    assert first.read_at - later < timedelta(minutes=11)


def test_an_event_that_was_open_is_read_again_until_it_is_done(
    toy: MlflowRegistry,
) -> None:
    begun = Event(datetime.now(UTC), "promote", "toy", "1", alias="champion", state="begun")
    begun = replace(begun, run_id=toy.log_event(begun))
    first = read_history(toy, "toy")
    toy.log_event(replace(begun, state="done"))
    assert read_history(toy, "toy", first).events[0].state == "done"


def test_a_model_that_is_not_registered_is_an_error_unless_it_may_be_missing(
    toy: MlflowRegistry,
) -> None:
    with pytest.raises(RegistryError, match="did you mean 'toy'"):
        read_history(toy, "toys")
    assert read_history(toy, "toys", missing_ok=True).events == ()


def test_what_the_service_came_to_no_verdict_on_is_known_by_the_tags_of_the_version(
    toy: MlflowRegistry,
) -> None:
    link = "http://gates.example.com/gates/1"
    toy.note("toy", "1", {"gates.status": "parked", "gates.link": link})
    assert read_history(toy, "toy").in_service == (("1", "parked", link),)
    toy.note("toy", "1", {"gates.status": "done"})
    assert read_history(toy, "toy").in_service == ()
