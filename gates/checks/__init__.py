"""The checks: one file or package each, from a subject to measurements; none judges.

A new check is one file here with a `CHECK` in it (and a test); it is found by its name:
`ranking-diff` in a card is `ranking_diff` here.

    artifact.py      what the candidate's files would do when they are loaded
    lockfile.py      is its lock whole and honest, and what changed in it
    equivalence/     the same model under the old lock and the new one
    ranking_diff/    the champion's result lists against the candidate's: read this one first
    score_range/     a classifier's labels and scores: right, recalled, calibrated
    behaviour/       what must and must not change an answer
    functionality/   what no version may get wrong, however rarely it is searched for
    directional/     which way a score moves when one feature changes
    robustness/      odd input, and rows that must not change each other's answers
    features/        what a ranker leans on, what is missing, what has drifted since training
    embedding/       vectors and their neighbours
    latency/         time and memory, beside the champion's

What several checks share: _ranked.py and _answers_by_text.py (what a version answered),
_separate_process.py (asking what may break it), _replay.py (counterexamples asked again),
_waived.py (shares without waived queries).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

from pydantic import BaseModel

from gates.card.card import CheckSpec
from gates.domain.counterexamples import Counterexample, Replay
from gates.domain.exhibits import Exhibit
from gates.domain.judging import Measurement
from gates.domain.query_rows import QueryRows
from gates.domain.subject import CheckPlan, Subject

__all__ = ["Check", "Found", "catalogue", "find"]

Found = Measurement | Exhibit | Counterexample | Replay | QueryRows
"""What a check may yield."""

OptionsT = TypeVar("OptionsT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Check(Generic[OptionsT]):
    """A check: what it offers to a card, and the function that measures.

    Attributes:
        spec: Name, tasks, metrics, options.
        function: Yields measurements and exhibits, counterexamples where it keeps them, and rows
            where its measurements can be made of them again (then once). It is given the options
            that `spec` declares, so that mypy knows each by name.
    """

    spec: CheckSpec[OptionsT]
    function: Callable[[Subject, CheckPlan[OptionsT]], Iterable[Found]]

    def measure(self, subject: Subject, plan: CheckPlan[BaseModel]) -> Iterable[Found]:
        """What it finds in a subject. It may raise, at once or while it yields.

        The gate turns an error into UNDECIDED (or FAIL where the candidate broke its contract)
        with the reason.

        Raises:
            TypeError: The plan was made for another check.
        """
        options = plan.options
        # Whoever finds a check by its name cannot know the type of its options; here it is known.
        if not isinstance(options, self.spec.options):
            made_for = type(options).__name__
            raise TypeError(f"check '{self.spec.name}' cannot be asked with {made_for}")
        own = CheckPlan(plan.metrics, plan.slices, options, plan.margins, plan.waived)
        return self.function(subject, own)


def find(name: str) -> Check[BaseModel]:
    """The check of a name.

    Args:
        name: As a card writes it, such as `ranking-diff`.

    Raises:
        KeyError: There is no such check.
    """
    if name not in _names():
        raise KeyError(name)
    check: Check[BaseModel] = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").CHECK
    return check


@cache
def catalogue() -> Mapping[str, CheckSpec[BaseModel]]:
    """Every check there is: name → what it offers."""
    return {name: find(name).spec for name in _names()}


@cache
def _names() -> tuple[str, ...]:
    found = (one.name for one in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in found if not name.startswith("_")))
