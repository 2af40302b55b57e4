"""The registry as it was seen last, so that no page waits for an MLflow that is away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gates.errors import GatesError
from gates.registry import Event, Listed, Registry

__all__ = ["Glimpse", "LastSeenRegistry"]

_LOG = logging.getLogger("gates.service")
_FRESH = 10.0
_PATIENCE = 0.5


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What the registry says about a model.

    Attributes:
        at: When it was read; None while it never was.
        aliases: Alias → version number.
        versions: Its versions, newest first.
        events: What was done to it, newest first.
        trouble: Why it could not be read the last time; empty when it could.
        tried: Monotonic seconds of the last try.
    """

    at: datetime | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    versions: tuple[Listed, ...] = ()
    events: tuple[Event, ...] = ()
    trouble: str = ""
    tried: float = float("-inf")

    def since(self, alias: str) -> datetime | None:
        """When the version under an alias came there, if that went through the gate."""
        version = self.aliases.get(alias)
        for event in self.events:
            if event.alias == alias and event.state == "done":
                return event.when if event.version == version else None
        return None


class LastSeenRegistry:
    """Reads the registry in a thread that ends when it has read; pages take what is there.

    Args:
        registry: Opens the registry.
    """

    def __init__(self, registry: Callable[[], Registry]) -> None:
        self._registry = registry
        self._seen: dict[str, Glimpse] = {}
        self._wanted: set[str] = set()
        self._running = False
        self._changed = threading.Condition()

    def of(self, models: Iterable[str]) -> Mapping[str, Glimpse]:
        """What the registry says about some models, as it was seen last.

        What is older than ten seconds is read again behind the page; what was never read is
        waited for, half a second.

        Args:
            models: Their names.
        """
        names = tuple(models)
        with self._changed:
            self._want(names)
            if any(self._unseen(name) for name in names):
                self._changed.wait_for(
                    lambda: not any(self._unseen(name) for name in names), _PATIENCE
                )
            return {name: self._seen.get(name, Glimpse()) for name in names}

    def renew(self, model: str) -> None:
        """Read a model again, and wait for it: something was done to it."""
        try:
            glimpse = _read(self._registry(), model)
        except GatesError as problem:
            with self._changed:
                old = self._seen.get(model, Glimpse())
                self._seen[model] = replace(old, trouble=problem.what, tried=time.monotonic())
            return
        with self._changed:
            self._seen[model] = glimpse

    def _unseen(self, name: str) -> bool:
        seen = self._seen.get(name)
        return seen is None or (seen.at is None and not seen.trouble)

    def _want(self, names: Iterable[str]) -> None:
        now = time.monotonic()
        for name in names:
            if now - self._seen.get(name, Glimpse()).tried > _FRESH:
                self._wanted.add(name)
        if self._wanted and not self._running:
            self._running = True
            threading.Thread(target=self._look, name="gates-sight", daemon=True).start()

    def _look(self) -> None:
        trouble, registry = "", None
        while True:
            with self._changed:
                if not self._wanted:
                    self._running = False
                    return
                name = self._wanted.pop()
                old = self._seen.get(name, Glimpse())
            glimpse = replace(old, trouble=trouble, tried=time.monotonic())
            # When it is away for one model it is away for all: each would wait for nothing.
            if not trouble:
                try:
                    registry = registry or self._registry()
                    glimpse = _read(registry, name)
                except GatesError as problem:
                    trouble = problem.what
                except Exception:  # noqa: BLE001 - whatever it is, pages say so and go on
                    _LOG.exception("the registry could not be read, for a reason unknown")
                    trouble = "something unknown; see the log"
            if trouble:
                glimpse = replace(old, trouble=trouble, tried=time.monotonic())
            with self._changed:
                self._seen[name] = glimpse
                self._changed.notify_all()


def _read(registry: Registry, model: str) -> Glimpse:
    versions = registry.versions(model)
    glimpse = Glimpse(datetime.now(UTC), versions=versions, tried=time.monotonic())
    if not versions:
        return glimpse
    return replace(glimpse, aliases=registry.aliases(model), events=registry.events(model))
