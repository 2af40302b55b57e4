"""Which labels changed into which, query by query and added up."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gates.checks.score_range.labelled import Labelled
from gates.domain.exhibits import Cell, Table
from gates.kernels.confusion import cells

__all__ = ["label_changes"]


def label_changes(labelled: Labelled) -> Iterator[Table]:
    """The queries whose label changed, and the matrix of old and new labels without its diagonal.

    Args:
        labelled: Both versions' answers.
    """
    old, new = labelled.old, labelled.new
    assert old is not None  # noqa: S101 - asked for only where there is a champion
    pairs = zip(labelled.text, labelled.expected, old.labels, new.labels, strict=True)
    rows: list[list[Cell]] = [
        [text, one.target, before, after] for text, one, before, after in pairs if before != after
    ]
    columns = ["query", "expected", "champion", "candidate"]
    title = f"{len(rows)} of {len(labelled.expected)} golden queries change their label"
    yield Table(title, columns, rows)
    if rows:
        yield _matrix(labelled, old.labels, new.labels)


def _matrix(labelled: Labelled, old: tuple[str, ...], new: tuple[str, ...]) -> Table:
    names, codes = np.unique(np.array([*old, *new], dtype=object), return_inverse=True)
    before, after = np.split(codes.astype(np.int64), 2)
    found = cells(before, after, labelled.weight)
    was, now = labelled.old.right if labelled.old else labelled.new.right, labelled.new.right
    lost = np.bincount(found.cell[was & ~now], minlength=found.count.size)
    won = np.bincount(found.cell[~was & now], minlength=found.count.size)
    rows = [
        [
            names[first],
            names[second],
            int(found.count[at]),
            round(float(found.share[at]), 4),
            int(lost[at]),
            int(won[at]),
        ]
        for at, (first, second) in enumerate(zip(found.first, found.second, strict=True))
        if first != second
    ]
    columns = ["champion's label", "candidate's label", "queries", "share of traffic"]
    columns += ["right → wrong", "wrong → right"]
    title = "What the labels changed into, most traffic first"
    return Table(title, columns, rows)
