"""What a model is judged by as it is now: evidence has to cover it."""

from __future__ import annotations

from dataclasses import dataclass

from gates.card.card import Card
from gates.evidence.inventory import Inventory, list_inventory
from gates.golden import read_golden

__all__ = ["Criteria", "criteria_of"]


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a model is judged by as it is now: its golden set, and all that its card asks."""

    golden_digest: str
    inventory: Inventory


def criteria_of(card: Card) -> Criteria:
    """What a model is judged by as it is now.

    Raises:
        CardError, GoldenError: The golden set is not valid, or lacks a slice of the card.
    """
    golden = read_golden(card.golden_path)
    return Criteria(golden.digest, list_inventory(card, golden))
