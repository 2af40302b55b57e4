"""docs/statistics.md: its numbers are what the kernels give, and its pictures are current."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from docsite.pictures import FOLDER, OLD_AND_NEW, SPREAD, every
from gates.domain.judging import Bound, Measurement, judge
from gates.kernels.agreement import krippendorff_alpha
from gates.kernels.design import SampleDesign
from gates.kernels.losses import loss_bounds
from gates.kernels.mean_bounds import mean_bounds
from gates.kernels.power import queries_needed
from gates.report.wording import guarantees
from tests.kernels.clopper_pearson import clopper_pearson

TEXT = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")


def rows(header: str) -> list[list[str]]:
    table = TEXT.partition(header)[2].partition("\n\n")[0].strip().splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table[1:]]


@pytest.mark.parametrize("name", sorted(every()))
def test_a_picture_is_as_drawn_now(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == every()[name], (
        "run: python -m docsite.pictures"
    )
    assert f"images/{name}" in TEXT


def test_the_queries_that_a_margin_needs() -> None:
    found = rows("when five slices must all hold |")
    assert len(found) == 4
    scatter = np.array([NormalDist().inv_cdf((at + 0.5) / 2_000) for at in range(2_000)])
    scatter *= SPREAD / scatter.std()
    design = SampleDesign(np.ones(scatter.size))
    for margin, *told in found:
        for slices, queries in zip((1, 5), told, strict=True):
            needed = queries_needed(scatter, design, float(margin), worst=-0.3, slices=slices)
            assert int(queries.replace(",", "")) == needed


def test_what_few_unchanged_queries_of_a_slice_leave_open() -> None:
    for n, told in ((20, "−0.042"), (5, "−0.135")):
        (found,) = mean_bounds(np.zeros((n, 1)), SampleDesign(np.ones(n)), worst=-0.3, best=0.3)
        assert f"{found.lower:.3f}".replace("-", "−") == told
        assert told in TEXT


def test_what_a_pass_says_of_two_hundred_unchanged_queries() -> None:
    (found,) = loss_bounds(np.zeros((200, 1)), SampleDesign(np.ones(200)), severe=0.3)
    extra = {
        "mean_loss": found.mean_loss,
        "severe": 0.3,
        "severe_share": found.severe_share,
        "together": found.together,
        "of_traffic": 1.0,
    }
    measured = Measurement("ndcg@10.delta", 0.0, 200, "", -found.mean_loss, 0.1, extra=extra)
    (said,) = guarantees([judge(Bound("c", "ndcg@10.delta", minimum=-0.01), measured)])
    assert said.partition(" (")[0] in " ".join(TEXT.split())


def test_what_a_margin_gives_away_is_a_share_of_what_the_champion_adds() -> None:
    known = {"mean_loss": 0.01, "severe": 0.3, "severe_share": 0.01, "together": 0.013}
    ends = {"old": 0.71, "random": 0.5}
    bound = Bound("c", "ndcg@10.delta", minimum=-0.02)

    def said(**extra: float) -> str:
        both = {**known, "of_traffic": 1.0, **ends, **extra}
        measured = Measurement("ndcg@10.delta", 0.0, 200, "", -0.01, 0.01, extra=both)
        return guarantees([judge(bound, measured)])[-1]

    assert said().partition(": ")[2] in " ".join(TEXT.split())
    assert said(ideal=0.9).endswith(
        "adds 0.21 to random order (the best order 0.4); the margin of 0.02 is 10 % of what the "
        "champion adds"
    )
    worse = said(random=0.75)
    assert worse.endswith("the champion adds −0.04 to random order"), (
        "no share of less than nothing"
    )


def test_the_more_queries_the_surer_and_only_the_larger_two_pass() -> None:
    verdicts = re.findall(r">(PASS|FAIL|UNDECIDED)<", every()["more-queries.svg"])
    assert verdicts == ["UNDECIDED", "UNDECIDED", "PASS", "PASS"]
    assert re.findall(r">(PASS|FAIL|UNDECIDED)<", every()["verdicts.svg"]) == [
        "FAIL",
        "UNDECIDED",
        "PASS",
    ]


def test_the_eight_queries_lose_win_and_tie_as_the_text_says() -> None:
    changes = [round(new - old, 2) for old, new in OLD_AND_NEW]
    assert [sum(one < 0 for one in changes), sum(one > 0 for one in changes)] == [6, 1]
    assert max(map(abs, changes)) == 0.03


def test_what_two_hundred_unchanged_queries_leave_open() -> None:
    assert f"{100 * clopper_pearson(0, 200)[1]:.1f} %" == "1.5 %"
    assert "of 200\nqueries without a change, up to 1.5 %" in TEXT


def test_the_annotators_of_the_text() -> None:
    first = [0, 1, 2, 3, 3, 2, 1, 0]
    by_one, by_three = [0, 1, 2, 3, 2, 2, 1, 1], [0, 1, 2, 3, 0, 2, 1, 3]
    found = [krippendorff_alpha(np.array([first, one], dtype=float)) for one in (by_one, by_three)]
    told = [
        float(alpha) for _, alpha, _ in rows("| two of eight grades differ | α | agree exactly |")
    ]
    assert told == [round(alpha, 2) for alpha in found]
