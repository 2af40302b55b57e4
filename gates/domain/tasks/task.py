"""What a task is: what one kind of model is given, how it answers, what its golden sets hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto
from typing import Literal

__all__ = ["AnswerForm", "ExpectationKind", "Task"]

ExpectationKind = Literal["label", "must-be-first", "in-top", "never-in-top", "closer"]
"""What a line of `expectations.csv` may demand."""


class AnswerForm(Flag):
    """The form of a model's answer to each row; `|` joins those that a check can measure."""

    SCORES = auto()  # a number, by which the candidates of a query are ordered
    LABELS = auto()  # a text, and the number that says how sure it is
    VECTORS = auto()  # numbers that mean something only beside another row's
    ANY = SCORES | LABELS | VECTORS

    def __str__(self) -> str:
        return " or ".join(str(one.name).lower() for one in type(self) if one in self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """One kind of model.

    Attributes:
        name: As cards, golden sets and evidence write it.
        article: `a` or `an`, as it stands before the name.
        answers: The form of its answers; checks apply by it.
        text_columns: What the one column of a model of texts may be called. Empty for a model that
            is given each query's candidates, a row of features for each.
        expectations: What `expectations.csv` may demand.
        must_expect: Whether a golden set is of no use without that file.
        item: What a golden set consists of, such as `query`.
        items: The same, several of them.
    """

    name: str
    article: str = "a"
    answers: AnswerForm
    text_columns: tuple[str, ...] = ()
    expectations: tuple[ExpectationKind, ...]
    must_expect: bool = False
    item: str = "query"
    items: str = "queries"

    def __eq__(self, other: object) -> bool:
        # Own tests of teams compare a manifest's task with its name, as the file writes it.
        return self.name == str(other) if isinstance(other, str | Task) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

    @property
    def called(self) -> str:
        """Its name with its article, such as `an embedding`."""
        return f"{self.article} {self.name}"

    @property
    def has_candidates(self) -> bool:
        """Whether a model is given each query's candidates with their features, and not a text."""
        return not self.text_columns

    @property
    def is_judged(self) -> bool:
        """Whether people can say what is right of one answer, as nobody can of a vector."""
        return self.answers is not AnswerForm.VECTORS
