"""Golden queries and what they may be changed into."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gates.errors import UsageError

if TYPE_CHECKING:
    from gates.domain.subject import Columns

__all__ = ["Edit", "Family", "Group", "Row", "Variant", "bounded", "of_rows", "of_texts"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One document of one query, as a ranking model is given it.

    Attributes:
        query: The query's text.
        document: The document's id.
        features: Feature → value; NaN where it is missing.
    """

    query: str
    document: str
    features: Mapping[str, float]

    @property
    def key(self) -> Hashable:
        """The same for rows that a model cannot tell apart, NaN included."""
        return tuple((name, float(value).hex()) for name, value in self.features.items())

    def __repr__(self) -> str:
        return f"{self.document!r} for {self.query!r}"


@dataclass(frozen=True, slots=True)
class Edit(Generic[T]):
    """What a query becomes.

    Attributes:
        after: The changed query.
        change: What was done to it, in words; empty when nothing was.
    """

    after: T
    change: str


Group = tuple[T, tuple[Edit[T], ...]]
"""A query as it is, and its changes, the smallest first."""


class Family(Generic[T]):
    """Every variant that one strategy can draw.

    Args:
        groups: The queries and their changes.
        frame: Makes the frame of some queries.
        key: What tells two queries apart.

    Attributes:
        variants: Those of each query: first as it is, then the smallest change, and so on.
    """

    def __init__(
        self,
        groups: Sequence[Group[T]],
        frame: Callable[[Sequence[T]], Columns],
        key: Callable[[T], Hashable],
    ) -> None:
        self.variants = tuple(
            tuple(Variant(one, edit.after, edit.change, self) for edit in (Edit(one, ""), *edits))
            for one, edits in groups
        )
        self.frame = frame
        self.key = key

    def members(self) -> Iterator[T]:
        """Each query it can give, once, those that are as they were included."""
        every = (one.after for variants in self.variants for one in variants)
        yield from {self.key(one): one for one in every}.values()

    def __len__(self) -> int:
        return sum(map(len, self.variants))


@dataclass(frozen=True, slots=True, eq=False)
class Variant(Generic[T]):
    """A golden query, changed.

    Attributes:
        before: The query as it is in the golden set: its text, or a row.
        after: The same, changed.
        change: What was done, in words; empty when nothing was.
        family: All variants it was drawn from.
    """

    before: T
    after: T
    change: str
    family: Family[T]

    def __repr__(self) -> str:
        if not self.change:
            return f"<{self.before!r}, unchanged>"
        to = f" → {self.after!r}" if isinstance(self.after, str) else ""
        return f"<{self.before!r}{to}: {self.change}>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: ANN401 - Hypothesis's
        printer.text(repr(self))


def of_texts(groups: Sequence[Group[str]]) -> Family[str]:
    """A family of texts.

    Args:
        groups: The texts and their changes.
    """
    return Family(groups, lambda texts: {"query": tuple(texts)}, str)


def of_rows(groups: Sequence[Group[Row]]) -> Family[Row]:
    """A family of rows.

    Args:
        groups: The rows and their changes, all with the same features in the same order.
    """

    def frame(rows: Sequence[Row]) -> Columns:
        import numpy as np

        names = rows[0].features
        return {name: np.array([row.features[name] for row in rows], float) for name in names}

    return Family(groups, frame, lambda row: row.key)


def bounded(groups: Sequence[Group[T]], most: int, seed: int) -> list[Group[T]]:
    """At most so many changes in all, shared evenly by the queries; order is kept.

    Args:
        groups: Queries and their changes, each with at least one.
        most: How many variants there may be, unchanged queries included.
        seed: The same seed keeps the same ones.
    """
    import numpy as np

    if most < 2:
        raise UsageError(
            f"most={most} leaves no room for a query and a change of it", advice="Give 2 or more."
        )
    rng = np.random.default_rng(seed)

    def some(size: int, wanted: int) -> list[int]:
        if size <= wanted:
            return list(range(size))
        return sorted(map(int, rng.choice(size, wanted, replace=False)))

    kept = [groups[at] for at in some(len(groups), most // 2)]
    each = most // len(kept) - 1
    return [(one, tuple(edits[at] for at in some(len(edits), each))) for one, edits in kept]
