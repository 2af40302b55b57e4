"""A bound that moved, and whether it now lets more through."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gates.domain.bar import moved_bounds
from gates.domain.judging import Bound
from gates.domain.waivers import Waiver

WAIVER = Waiver("ranking-diff", "it was sick", "ada", "2026-12-31")
WAIVED = "from ≥ -0.05 to ≥ -0.05, waived until 2026-12-31 by ada"
UNWAIVED = "from ≥ -0.05, waived until 2026-12-31 by ada to ≥ -0.05"


def bound(
    minimum: float | None = None, maximum: float | None = None, *, advisory: bool = False
) -> Bound:
    return Bound("ranking-diff", "ndcg@10.delta", minimum, maximum, "x=y", advisory)


@pytest.mark.parametrize(
    ("before", "after", "looser", "words"),
    [
        (bound(-0.05), bound(-0.08), True, "from ≥ -0.05 to ≥ -0.08"),
        (bound(-0.05), bound(-0.02), False, "from ≥ -0.05 to ≥ -0.02"),
        (bound(maximum=0.1), bound(maximum=0.2), True, "from ≤ 0.1 to ≤ 0.2"),
        (bound(0, 1), bound(0.5, None), True, "from ≥ 0 and ≤ 1 to ≥ 0.5"),
        (bound(0, 1), bound(0, 0.5), False, "from ≥ 0 and ≤ 1 to ≥ 0 and ≤ 0.5"),
        (bound(-0.05), bound(-0.05, advisory=True), True, "from ≥ -0.05 to ≥ -0.05, advisory"),
        (bound(-0.05, advisory=True), bound(-0.9), False, "from ≥ -0.05, advisory to ≥ -0.9"),
        (bound(-0.05), replace(bound(-0.05), waivers=(WAIVER,)), True, WAIVED),
        (replace(bound(-0.05), waivers=(WAIVER,)), bound(-0.05), False, UNWAIVED),
        (bound(-0.05), None, True, "from ≥ -0.05 to nothing"),
        (None, bound(-0.05), False, "from nothing to ≥ -0.05"),
    ],
)
def test_how_a_bound_moved(
    before: Bound | None, after: Bound | None, looser: bool, words: str
) -> None:
    (moved,) = moved_bounds([before] if before else [], [after] if after else [])
    assert (moved.id, moved.is_looser, moved.words) == (bound().id, looser, words)


def test_what_stays_did_not_move() -> None:
    assert moved_bounds([bound(-0.05)], [bound(-0.05)]) == ()
