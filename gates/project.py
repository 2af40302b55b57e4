"""One project: its folder and settings, its registry, cards, golden sets and models."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gates.settings import Settings

if TYPE_CHECKING:
    from gates.card.card import Card
    from gates.registry import Registry

__all__ = ["Project"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


@dataclass(frozen=True)
class Project:
    """A project as it is on disk now: a card that changes counts from its next reading.

    Attributes:
        settings: Where things are.
    """

    settings: Settings

    @property
    def folder(self) -> Path:
        """The folder that holds `model_cards/`, `golden/` and `models/`."""
        return self.settings.project

    @cached_property
    def registry(self) -> Registry:
        """The registry, opened when first asked for: MLflow takes a second to import.

        Raises:
            UsageError: The tracking URI names no MLflow.
        """
        return self.open_registry()

    def open_registry(self) -> Registry:
        """A registry of the caller's own, for threads, which must not share one.

        Raises:
            UsageError: The tracking URI names no MLflow.
        """
        from gates.registry.mlflow import MlflowRegistry

        return MlflowRegistry(self.settings.tracking_uri, self.settings.cache)

    @property
    def card_folder(self) -> Path:
        """The folder of the model cards."""
        return self.folder / "model_cards"

    def cards(self) -> tuple[Path, ...]:
        """Every model card there is, in the order of their names."""
        return tuple(sorted(self.card_folder.glob("*.md")))

    def models(self) -> tuple[str, ...]:
        """The models that have a card, in the order of their names."""
        return tuple(path.stem for path in self.cards() if _NAME.fullmatch(path.stem))

    def has_card(self, model: str) -> bool:
        """Whether a model has a card; a name that could lead elsewhere has none."""
        return bool(_NAME.fullmatch(model)) and self.card_path(model).is_file()

    def card_path(self, model: str) -> Path:
        """Where the card of a model is."""
        return self.card_folder / f"{model}.md"

    def card(self, model: str) -> Card:
        """The card of a model.

        Raises:
            CardError: It is missing or no valid policy.
        """
        return self.read_card(self.card_path(model))

    def read_card(self, path: Path) -> Card:
        """A card of the project that lies anywhere.

        Raises:
            CardError: It is missing or no valid policy.
        """
        from gates.card.card import read_card
        from gates.checks import catalogue

        return read_card(path, catalogue(), project=self.folder)

    @property
    def golden_folder(self) -> Path:
        """The folder of golden sets, where a card names no other."""
        return self.folder / "golden"

    @property
    def models_folder(self) -> Path:
        """The folder that holds, for each model, the folder it is packaged from."""
        return self.folder / "models"
