"""Which queries can tell two rankings apart at all."""

from __future__ import annotations

import numpy as np
import pytest

from gates.kernels.informative import ALIKE, TELLS, UNCHANGED, UNMEASURED, informative
from gates.kernels.matching import Lists, as_codes, match

Judged = dict[int, float]


def kind(old: list[int], new: list[int], judged: Judged, k: int | None = 2) -> float:
    lists = [
        Lists(np.array([0, len(docs)]), as_codes(np.array(docs, np.int64)))
        for docs in (old, new, [*judged])
    ]
    matched = match(lists[0], lists[1], lists[2], np.array([*judged.values()], float))
    worth = [np.where(g > 0, g, 0.0) for g in (matched.old_grades, matched.new_grades)]
    still = np.zeros(1, np.bool_)
    return float(informative(matched, (worth[0], worth[1]), k, moved=still, stuck=still)[0])


@pytest.mark.parametrize(
    ("old", "new", "judged", "expected"),
    [
        ([1, 2, 3], [2, 1, 3], {1: 1.0, 2: 1.0, 3: 0.0}, TELLS),
        ([1, 2, 3], [2, 1, 3], {1: 1.0, 2: 1.0, 3: 1.0}, ALIKE),
        ([1, 2, 3], [2, 1, 3], {1: 0.0, 9: 3.0}, ALIKE),
        ([1, 2, 3], [2, 1, 3], {9: 3.0}, UNMEASURED),
        ([1, 2, 3], [2, 1, 3], {3: 3.0}, UNMEASURED),
        ([1, 2, 3], [1, 2, 3], {9: 3.0}, UNCHANGED),
        ([1, 2, 3], [1, 2, 4], {9: 3.0}, UNCHANGED),
        ([1, 2, 3], [1, 2, 3], {1: 1.0, 3: 0.0}, TELLS),
        ([], [], {9: 3.0}, UNCHANGED),
        ([], [1], {9: 3.0}, UNMEASURED),
        ([], [1], {1: 0.0, 9: 3.0}, ALIKE),
    ],
)
def test_a_query_is_of_one_kind(
    old: list[int], new: list[int], judged: Judged, expected: float
) -> None:
    assert kind(old, new, judged) == expected


def test_a_metric_that_moved_or_is_known_to_be_stuck_overrules() -> None:
    lists = Lists(np.array([0, 1, 2]), as_codes(np.array([1, 1])))
    other = Lists(np.array([0, 1, 2]), as_codes(np.array([2, 2])))
    matched = match(lists, other, lists, np.array([1.0, 1.0]))
    worth = (np.array([1.0, 1.0]), np.array([0.0, 0.0]))
    moved, stuck = np.array([True, False]), np.array([True, True])
    found = informative(matched, worth, None, moved=moved, stuck=stuck)
    assert found.tolist() == [TELLS, ALIKE]
