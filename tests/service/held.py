"""A registry that holds what a test says, or fails as it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from gates.errors import RegistryError
from gates.registry import Event, Listed, Registry
from gates.registry.turns import Turn

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@dataclass
class Held:
    """A registry that holds these events, or fails."""

    held: Mapping[str, tuple[Event, ...]] = field(default_factory=dict)
    failing: Mapping[str, RegistryError] = field(default_factory=dict)
    since: list[datetime | None] = field(default_factory=list)

    def versions(self, name: str) -> tuple[Listed, ...]:
        if name in self.failing:
            raise self.failing[name]
        numbers = sorted({int(one.version) for one in self.held.get(name, ())}, reverse=True)
        return tuple(Listed(name, str(one), NOW, {}) for one in numbers)

    def aliases(self, _: str) -> Mapping[str, str]:
        return {}

    def events(self, name: str, since: datetime | None = None) -> tuple[Event, ...]:
        self.since.append(since)
        return tuple(one for one in self.held[name] if since is None or one.when >= since)

    def turns(self, _: str) -> tuple[Turn, ...]:
        return ()

    def opened(self) -> Registry:
        return cast("Registry", self)
