"""The terminal report: readable in 80 columns, without colour, and never driven by data."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from gates.domain.judging import Bound, Cause, Judgement
from gates.evidence.evidence import Evidence
from gates.report import terminal

from . import evidence_factory as factory


def shown(
    evidence: Evidence, *, folder: Path | None = None, colour: bool = False, width: int = 80
) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=colour, no_color=not colour)
    terminal.print_report(evidence, console, folder=folder)
    return stream.getvalue()


def lines(evidence: Evidence) -> list[str]:
    return [line.rstrip() for line in shown(evidence).splitlines()]


def test_a_failure_reads_verdict_bounds_queries_advice() -> None:
    found = lines(factory.failing())
    assert found[0] == "✕ FAIL  product-ranker version 8 must not replace version 7"
    assert "  SYNTHETIC DATA: says nothing about real customers" in found
    row = found.index("✕ FAIL")
    assert found[row + 1 : row + 4] == [
        "  behaviour expectations.kept     0.9474 (36 of 38 expectations)  ≥ 1",
        "  ranking-diff ndcg@10.delta",
        "    category=rugs                 −0.1841 [−0.2451, −0.1231]      ≥ −0.05",
    ]
    assert "? UNDECIDED  the interval reaches past the bound" in found
    assert "? UNDECIDED, advisory  the interval reaches past the bound" in found
    assert "  and 8 more within bounds: lockfile 3, behaviour 1, slices 4" in found
    assert "Queries in ndcg@10: 50 worse (2 severely), 54 the same, 54 better" in found
    assert "  −0.3138  marble bookcase 88 cm  0.7321 → 0.4183" in found
    assert "           first was Pine armchair no. 404" in found
    assert "    gates package product-ranker" in found


def test_a_pass_fits_one_screen() -> None:
    assert len(shown(factory.passing(), folder=Path("runs/1")).splitlines()) <= 24


@pytest.mark.parametrize("width", [80, 60, 34])
def test_every_word_is_there_at_any_width_and_no_line_ends_in_blanks(
    any_evidence: Evidence, width: int
) -> None:
    wide = shown(any_evidence, width=400)
    narrow = shown(any_evidence, width=width)
    assert not [line for line in narrow.splitlines() if line != line.rstrip()]
    # Where columns do not fit side by side, the demand stands behind the value.
    plain = [re.sub(r",?\s*demanded|\s", "", text) for text in (wide, narrow)]
    assert plain[0] == plain[1]


def test_names_are_broken_between_their_words() -> None:
    test = "test_" + "_".join(f"word{n}" for n in range(30))
    run = factory.own_tests()
    own = Judgement(Bound("tests", f"golden/m/test_a.py::{test}"), Cause.TEST_PASSED, "passed")
    found = shown(dataclasses.replace(run, judgements=(*run.judgements, own)), width=40)
    parts = [line.strip() for line in found.splitlines() if "_word" in line or "word" in line]
    assert "".join(parts) == test
    assert all(re.fullmatch(r"(test_)?(word\d+_?)+", part) for part in parts)


def test_own_tests_take_a_row_each_and_say_why_they_did_not_pass() -> None:
    found = lines(factory.own_tests())
    assert "  own test test_a_product_nobody_has_bought_is_found" in found
    assert "  own test test_new.py::test_a_label[oak/ash]: AssertionError: rank 9, not 1" in found
    assert "  own test test_old.py::test_needs_more: skipped: no champion" in found


def test_a_first_version_says_once_what_many_bounds_need() -> None:
    text = shown(factory.nothing_in_production())
    assert "\n  2 bounds of ranking-diff need a champion: there is none yet\n" in text


def test_a_pass_ends_with_the_command_that_promotes() -> None:
    assert lines(factory.passing())[-1] == '    gates promote models:/product-ranker/8 --why "…"'


def test_undecided_says_how_many_more_would_tell_and_what_that_assumes() -> None:
    text = " ".join(shown(factory.undecided()).split())
    assert "ndcg@10.delta needs an effective n of about 910 instead of 112" in text
    assert "an answer four times in five, if each true value is the one measured" in text


def test_a_slice_too_small_for_an_interval_is_said_to_be_so() -> None:
    text = " ".join(shown(factory.lonely_slice()).split())
    assert "0 (−∞, ∞)" in text
    assert "ndcg@10.delta[brand=yes] has only 1 judged, too few for an interval" in text


def test_one_fault_is_to_be_mended_once() -> None:
    advice = " ".join(shown(factory.faulty()).partition("\nNext\n")[2].split())
    assert advice.count("could not run") == 1
    assert "read the worker's log" in advice


def test_a_first_version_may_become_champion() -> None:
    assert (
        lines(factory.first_version())[0] == "✓ PASS  product-ranker version 8 may become champion"
    )


def test_a_first_version_with_nothing_to_compare_with_may_be_promoted_as_the_first() -> None:
    last = lines(factory.nothing_in_production())[-1]
    assert last == '    gates promote models:/product-ranker/8 --first --why "…"'


def test_it_ends_with_where_the_files_are_uncut() -> None:
    folder = Path("runs") / ("long" * 30)
    text = shown(factory.passing(), folder=folder)
    assert f"Report    {folder}/report.html\nEvidence  {folder}/evidence.json\n" in text


def test_nothing_is_wider_than_the_terminal(any_evidence: Evidence) -> None:
    assert max(len(line) for line in shown(any_evidence).splitlines()) <= 80


def test_no_colour_means_no_escape_sequences(
    any_evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in shown(any_evidence)
    stream = io.StringIO()
    terminal.print_report(any_evidence, Console(file=stream, width=80, force_terminal=True))
    assert "\x1b[31m" not in stream.getvalue()
    assert "\x1b[32m" not in stream.getvalue()


def test_colour_follows_the_outcome_on_a_terminal() -> None:
    assert "\x1b[1;31m✕ FAIL" in shown(factory.failing(), colour=True)


def test_data_is_not_read_as_console_markup_and_cannot_drive_the_terminal() -> None:
    text = shown(factory.hostile(), colour=True)
    assert "\x1b[31mred" not in text
    assert "\x07" not in text
    assert "[category=<script>" in text.replace("\n", "")
