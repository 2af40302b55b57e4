"""The model cards of the project: which models the service looks after."""

from __future__ import annotations

import re
from pathlib import Path

from gates.card.card import Card, read_card
from gates.checks import catalogue
from gates.settings import Settings

__all__ = ["Cards"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


class Cards:
    """The cards as they are on disk now: a card that changes counts from its next reading.

    Args:
        settings: Where the project is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._catalogue = catalogue()

    def models(self) -> tuple[str, ...]:
        """The models that have a card, in the order of their names."""
        found = (self._settings.project / "model_cards").glob("*.md")
        return tuple(sorted(path.stem for path in found if _NAME.fullmatch(path.stem)))

    def has(self, model: str) -> bool:
        """Whether a model has a card; a name that could lead elsewhere has none."""
        return bool(_NAME.fullmatch(model)) and self.path(model).is_file()

    def path(self, model: str) -> Path:
        """Where the card of a model is."""
        return self._settings.project / "model_cards" / f"{model}.md"

    def card(self, model: str) -> Card:
        """The card of a model.

        Raises:
            CardError: It is missing or no valid policy.
        """
        return read_card(self.path(model), self._catalogue, project=self._settings.project)
