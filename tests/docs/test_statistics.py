"""docs/statistics.md: its numbers are what the kernels give, and its pictures are current."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from docsite.pictures import FOLDER, OLD_AND_NEW, SPREAD, every
from gates.kernels.agreement import krippendorff_alpha
from gates.kernels.intervals import clopper_pearson
from gates.kernels.power import queries_needed

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
    for margin, alone, in_slices in found:
        assert int(alone.replace(",", "")) == queries_needed(SPREAD, float(margin))
        assert int(in_slices.replace(",", "")) == queries_needed(SPREAD, float(margin), slices=5)


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
