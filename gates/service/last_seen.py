"""The registry as it was seen last, so that no page waits for an MLflow that is away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from gates.errors import GatesError
from gates.registry import Event, Listed, Registry
from gates.registry.history import ModelHistory, read_history
from gates.service.recorded import PlacedGate

__all__ = ["Glimpse", "JobsOfModel", "LastSeenRegistry"]

_LOG = logging.getLogger("gates.service")
_FRESH = 10.0
_REST = 5.0  # times as long as reading took: a slow MLflow is not read all the time
_WHOLE = 600.0  # what somebody deleted in MLflow is forgotten after so long,
_WHOLE_REST = 50.0  # or after so many times as long as reading all of it took
_PATIENCE = 0.5

JobsOfModel = Callable[[str], Mapping[str, str]]
"""The service's jobs of a model: id → the MLflow run that holds its evidence, empty before."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What the registry says about a model.

    Attributes:
        history: What it held when it was read; None while it never was.
        own: MLflow run → the service's job that it records.
        elsewhere: Gates that no job of the service led to, newest first.
        trouble: Why it could not be read the last time; empty when it could.
        due: From when on it is read again, in monotonic seconds.
        whole_due: From when on it is read as a whole, likewise.
    """

    history: ModelHistory | None = None
    own: Mapping[str, str] = field(default_factory=dict)
    elsewhere: tuple[PlacedGate, ...] = ()
    trouble: str = ""
    due: float = float("-inf")
    whole_due: float = float("-inf")

    @property
    def at(self) -> datetime | None:
        """When it was read; None while it never was."""
        return self.history.read_at if self.history else None

    @property
    def is_sure(self) -> bool:
        """Whether it was read the last time: what it does not hold then is not there."""
        return self.history is not None and not self.trouble

    @property
    def aliases(self) -> Mapping[str, str]:
        """Alias → version number."""
        return self.history.aliases if self.history else {}

    @property
    def versions(self) -> tuple[Listed, ...]:
        """Its versions, newest first."""
        return self.history.versions if self.history else ()

    @property
    def events(self) -> tuple[Event, ...]:
        """What was done to it, newest first."""
        return self.history.events if self.history else ()

    def since(self, alias: str) -> datetime | None:
        """When the version under an alias came there, if that went through the gate."""
        return self.history.since(alias) if self.history else None


class LastSeenRegistry:
    """Reads the registry in a thread that ends when it has read; pages take what is there.

    Args:
        registry: Opens the registry.
        jobs: The service's own jobs, by which a gate that both know is shown once.
    """

    def __init__(self, registry: Callable[[], Registry], jobs: JobsOfModel) -> None:
        self._registry = registry
        self._jobs = jobs
        self._seen: dict[str, Glimpse] = {}
        self._wanted: set[str] = set()
        self._running = False
        self._changed = threading.Condition()

    def of(self, models: Iterable[str], patience: float = _PATIENCE) -> Mapping[str, Glimpse]:
        """What the registry says about some models, as it was seen last.

        What is older than ten seconds is read again behind the page; what was never read is
        waited for.

        Args:
            models: Their names.
            patience: For how many seconds at most.
        """
        names = tuple(models)
        with self._changed:
            self._want(names)
            if any(self._unseen(name) for name in names):
                self._changed.wait_for(
                    lambda: not any(self._unseen(name) for name in names), patience
                )
            return {name: self._seen.get(name, Glimpse()) for name in names}

    def renew(self, model: str) -> None:
        """Read a model again, and wait for it: something was done to it."""
        with self._changed:
            old = self._seen.get(model, Glimpse())
        try:
            glimpse = self._read(self._registry(), model, old)
        except GatesError as problem:
            glimpse = _unread(old, problem.what)
        with self._changed:
            self._seen[model] = glimpse

    def _unseen(self, name: str) -> bool:
        seen = self._seen.get(name)
        return seen is None or (seen.at is None and not seen.trouble)

    def _want(self, names: Iterable[str]) -> None:
        now = time.monotonic()
        self._wanted |= {name for name in names if now > self._seen.get(name, Glimpse()).due}
        if self._wanted and not self._running:
            self._running = True
            threading.Thread(target=self._read_wanted, name="gates-registry", daemon=True).start()

    def _read_wanted(self) -> None:
        away, registry = "", None
        while True:
            with self._changed:
                if not self._wanted:
                    self._running = False
                    return
                name = self._wanted.pop()
                old = self._seen.get(name, Glimpse())
            if away:
                glimpse = _unread(old, away)
            else:
                try:
                    registry = registry or self._registry()
                    glimpse = self._read(registry, name, old)
                except GatesError as problem:
                    glimpse = _unread(old, problem.what)
                    # When it is away for one model it is away for all: each would wait in vain.
                    # A history that somebody deleted is one model's trouble alone.
                    away = problem.what if problem.passing else ""
                except Exception:  # noqa: BLE001 - whatever it is, pages say so and go on
                    _LOG.exception("the registry could not be read, for a reason unknown")
                    glimpse = _unread(old, "something unknown; see the log")
            with self._changed:
                self._seen[name] = glimpse
                self._changed.notify_all()

    def _read(self, registry: Registry, model: str, old: Glimpse) -> Glimpse:
        began = time.monotonic()
        is_whole = began > old.whole_due
        history = read_history(registry, model, None if is_whole else old.history, missing_ok=True)
        # The jobs are read after the runs: a run is there before its job knows of it.
        jobs = self._jobs(model)
        runs = {run: job for job, run in jobs.items() if run}
        own: dict[str, str] = {}
        elsewhere = []
        for gate in history.gates:
            job = gate.job if gate.job in jobs else runs.get(gate.run_id)
            if job and gate.run_id:
                own[gate.run_id] = job
            else:
                elsewhere.append(PlacedGate.of(gate))
        elsewhere.sort(key=lambda one: one.place, reverse=True)
        ended = time.monotonic()
        took = ended - began
        return Glimpse(
            history,
            own,
            tuple(elsewhere),
            due=ended + max(_FRESH, _REST * took),
            whole_due=ended + max(_WHOLE, _WHOLE_REST * took) if is_whole else old.whole_due,
        )


def _unread(old: Glimpse, trouble: str) -> Glimpse:
    return replace(old, trouble=trouble, due=time.monotonic() + _FRESH)
