"""Findings at a line of a file, as workflow commands that nothing in them can break out of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gates.card.card import read_card
from gates.checks import catalogue
from gates.domain.exhibits import LineColumn, Table
from gates.evidence.evidence import CheckRecord
from gates.pull_request.annotations import Annotation, annotate, commands
from tests.action.reviews import judged
from tests.report import evidence_factory as factory

PROJECT = Path(__file__).parents[2]
CARD = read_card(PROJECT / "model_cards/product-ranker.md", catalogue(), project=PROJECT)


def test_text_cannot_end_a_command_or_begin_another() -> None:
    hostile = "50%\n::set-output name=x::y\r\x1b[31m"
    one = Annotation("error", "models/a,b:c.txt", 3, "a,line=9::b", hostile)
    (line,) = commands([one], "shop/", lambda _: frozenset())
    assert line == (
        "::error file=shop/models/a%2Cb%3Ac.txt,line=3,title=a%2Cline=9%3A%3Ab::"
        "50%25%0A::set-output name=x::y%0D�[31m"
    )


def test_ten_of_each_level_and_those_on_changed_lines_first() -> None:
    found = [
        Annotation(level, "card.md", line, "", str(line))
        for level in ("warning", "error")
        for line in range(1, 31)
    ]
    lines = commands(found, "", lambda _: frozenset({29, 30}))
    assert len(lines) == 20
    assert [line.rpartition("::")[2] for line in lines[:4]] == ["29", "30", "1", "2"]
    assert all(line.startswith("::error") for line in lines[:10])


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        (LineColumn("lock", 1), "models/product-ranker/requirements.txt"),
        (LineColumn("expectations.csv", 1), "golden/product-ranker/expectations.csv"),
        (LineColumn("never-show.csv", 1), "golden/product-ranker/never-show.csv"),
    ],
)
def test_rows_that_say_a_line_are_remarks_there_however_the_column_is_called(
    lines: LineColumn, path: str
) -> None:
    rows: list[list[str | int | None]] = [["a lamp", 7, "wrong"], ["odd", None, "x"], ["short"]]
    table = Table("Broken", ["what", "Zeile", "why"], rows, lines=lines)
    plain = replace(table, lines=None)
    run = replace(
        factory.passing(), records=(CheckRecord("c", exhibits=(table, plain)),), judgements=()
    )
    assert annotate(judged(run), run, CARD) == [
        Annotation("error", path, 7, "c", "what: a lamp, why: wrong")
    ]
