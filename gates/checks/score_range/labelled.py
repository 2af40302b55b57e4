"""Both versions' labels for the golden queries that expect one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gates.domain.subject import Arm, Columns, Expectation, GoldenSet, Subject
from gates.errors import NoChampion
from gates.kernels.packed import Bools, Floats, Ints

__all__ = ["Given", "Labelled", "label"]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What one version answered to E expectations.

    Attributes:
        labels: E labels.
        score: float64[E], each label's score.
        right: bool[E], whether it is the expected label.
    """

    labels: tuple[str, ...]
    score: Floats
    right: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """E expected labels, and what the versions gave.

    Attributes:
        expected: The E expectations.
        query: int64[E], the query of each.
        new: The candidate's answers.
        old: The champion's answers; None until it is asked.
    """

    golden: GoldenSet
    expected: tuple[Expectation, ...]
    query: Ints
    new: Given
    old: Given | None = None

    @property
    def text(self) -> tuple[str, ...]:
        """What shoppers typed, E texts."""
        return tuple(self.golden.query_text[one.query] for one in self.expected)

    @property
    def weight(self) -> Floats:
        """What each query stands for, float64[E]."""
        weight: Floats = self.golden.design_weight[self.query]
        return weight

    @property
    def census(self) -> Bools:
        """Queries taken with certainty, bool[E]."""
        census: Bools = self.golden.census[self.query]
        return census

    @property
    def before(self) -> Given:
        """The champion's answers.

        Raises:
            NoChampion: There are none.
        """
        if self.old is None:
            raise NoChampion
        return self.old

    @property
    def span(self) -> tuple[float, float]:
        """The least and the greatest score of any version that was asked."""
        every = [one.score for one in (self.new, self.old) if one is not None]
        return min(float(one.min()) for one in every), max(float(one.max()) for one in every)

    def beside(self, champion: Arm | None) -> Labelled:
        """The same with the champion's answers.

        Args:
            champion: The version in production.

        Raises:
            NoChampion: There is none.
            ModelFault: It could not answer.
        """
        if champion is None:
            raise NoChampion
        return replace(self, old=_given(champion, self.expected, self.golden.texts(self.text)))


def label(subject: Subject) -> Labelled | None:
    """The candidate's labels for every query that expects one; None where none does.

    Args:
        subject: The versions and the golden set.

    Raises:
        ModelFault: The candidate could not answer.
    """
    golden = subject.golden
    expected = tuple(one for one in golden.expectations if one.kind == "label")
    if not expected:
        return None
    frame = golden.texts([golden.query_text[one.query] for one in expected])
    query = np.array([one.query for one in expected], np.int64)
    return Labelled(golden, expected, query, _given(subject.candidate, expected, frame))


def _given(arm: Arm, expected: tuple[Expectation, ...], frame: Columns) -> Given:
    labels, score = arm.labels(frame)
    right = [one.target == label for one, label in zip(expected, labels, strict=True)]
    return Given(labels, score, np.array(right))
