"""One query at a time for a test, all of them at once for the worker."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from gates.errors import ModelFault
from gates.strategies.variants import Family, Row, Variant, of_rows, of_texts

if TYPE_CHECKING:
    from gates.domain.subject import Arm

__all__ = ["Batched", "batched"]

T = TypeVar("T")
AnswerT = TypeVar("AnswerT")

_TEXTS = of_texts(())
_ROWS = of_rows(())


class _Memo:
    """What an arm answered to single queries, and the families it was asked."""

    def __init__(self) -> None:
        self.labels: dict[Hashable, tuple[str, float]] = {}
        self.scores: dict[Hashable, float] = {}
        self.families: dict[int, Family[Any]] = {}


class Batched:
    """An arm that answers one query at a time, from a call that asked for all its family.

    A query of no family is asked by itself, once. Where the arm fails on a family, its queries are
    asked one by one, so that a failing test names the one that is to blame.

    Args:
        memo: What it answered before.
    """

    def __init__(self, arm: Arm, memo: _Memo) -> None:
        self._arm = arm
        self._memo = memo

    def label(self, query: str | Variant[str]) -> tuple[str, float]:
        """The label of a query, with its score.

        Args:
            query: A variant, or a text.

        Raises:
            ModelFault: The version could not answer.
        """

        def ask(family: Family[str], queries: list[str]) -> list[tuple[str, float]]:
            labels, scores = self._arm.labels(family.frame(queries))
            return list(zip(labels, scores.tolist(), strict=True))

        return self._answer(query, _TEXTS, ask, self._memo.labels)

    def score(self, row: Row | Variant[Row]) -> float:
        """The score of a row.

        Args:
            row: A variant, or a row.

        Raises:
            ModelFault: The version could not answer.
        """

        def ask(family: Family[Row], rows: list[Row]) -> list[float]:
            scores: list[float] = self._arm.scores(family.frame(rows)).tolist()
            return scores

        return self._answer(row, _ROWS, ask, self._memo.scores)

    def _answer(
        self,
        given: T | Variant[T],
        alone: Family[T],
        ask: Callable[[Family[T], list[T]], list[AnswerT]],
        known: dict[Hashable, AnswerT],
    ) -> AnswerT:
        query = given.after if isinstance(given, Variant) else given
        family = given.family if isinstance(given, Variant) else alone
        if family is not alone and id(family) not in self._memo.families:
            self._memo.families[id(family)] = family
            members = list(family.members())
            with suppress(ModelFault):  # whoever is to blame is met again below
                known |= zip(map(family.key, members), ask(family, members), strict=True)
        key = family.key(query)
        if key not in known:
            (known[key],) = ask(family, [query])
        return known[key]


_MEMOS: dict[int, _Memo] = {}


def batched(arm: Arm) -> Batched:
    """An arm to be asked for one query at a time; what it answered is kept as long as the arm is.

    Args:
        arm: The candidate, the champion, or any other.
    """
    if id(arm) not in _MEMOS:
        _MEMOS[id(arm)] = _Memo()
        weakref.finalize(arm, _MEMOS.pop, id(arm), None)
    return Batched(arm, _MEMOS[id(arm)])
