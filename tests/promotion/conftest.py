from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gates.promotion.moves import move
from gates.registry import Event
from gates.registry.mlflow import MlflowRegistry
from tests.registry.stores import embedded, toy_model

Moved = Callable[..., Event]


@pytest.fixture
def registry(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> MlflowRegistry:
    """A store with three versions of `toy`, none of them a champion."""
    found = embedded(tmp_path, tmp_path_factory)
    for number in "123":
        found.register("toy", toy_model(tmp_path / number, number), {}, "", by="eve")
    return found


@pytest.fixture
def moved(registry: MlflowRegistry) -> Moved:
    """Move the champion, as a promotion does once its guards are met."""

    def do(version: str) -> Event:
        now = registry.aliases("toy").get("champion", "")
        event = Event(datetime.now(UTC), "promote", "toy", version, now, "ada", "a test")
        event = replace(event, alias="champion", state="begun")
        with registry.exclusive("toy"):
            return move(registry, event, registry.events("toy"))

    return do
