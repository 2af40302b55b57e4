"""The checks: one file each, found by name, from a subject to measurements; none of them judges.

A new check is one file here with a `CHECK` in it (and a test). `ranking-diff` in a card is
`ranking_diff.py` here.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from gates.card.card import CheckSpec
from gates.domain.counterexamples import Counterexample, Replay
from gates.domain.judging import Exhibit, Measurement
from gates.domain.subject import CheckPlan, Subject

__all__ = ["Check", "Found", "catalogue", "find"]

Found = Measurement | Exhibit | Counterexample | Replay
"""What a check may yield."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check: what it offers to a card, and the function that measures.

    Attributes:
        spec: Name, tasks, metrics, options.
        measure: Yields measurements and exhibits, and counterexamples where it keeps them. It may
            raise: the gate turns that into
            UNDECIDED (or FAIL where the candidate broke its contract) with the reason.
    """

    spec: CheckSpec
    measure: Callable[[Subject, CheckPlan], Iterable[Found]]


def find(name: str) -> Check:
    """The check of a name.

    Args:
        name: As a card writes it, such as `ranking-diff`.

    Raises:
        KeyError: There is no such check.
    """
    if name not in _names():
        raise KeyError(name)
    check: Check = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").CHECK
    return check


@cache
def catalogue() -> Mapping[str, CheckSpec]:
    """Every check there is: name → what it offers."""
    return {name: find(name).spec for name in _names()}


@cache
def _names() -> tuple[str, ...]:
    found = (one.name for one in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in found if not name.startswith("_")))
