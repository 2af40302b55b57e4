"""The terminal report: readable in 80 columns, without colour, and never driven by data."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from gates.evidence import Evidence
from gates.report import terminal

from . import evidence_factory as factory


def shown(evidence: Evidence, *, folder: Path | None = None, colour: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=80, force_terminal=colour, no_color=not colour)
    terminal.render(evidence, console, folder=folder)
    return stream.getvalue()


def lines(evidence: Evidence) -> list[str]:
    return [line.rstrip() for line in shown(evidence).splitlines()]


def test_a_failure_reads_verdict_reasons_bounds_queries_advice() -> None:
    found = lines(factory.failing())
    assert found[0] == "✕ FAIL  product-ranker version 8 must not replace version 7"
    assert found[1] == "  behaviour::expectations.kept: 0.9474 (n=38), demanded ≥ 1"
    assert "  SYNTHETIC DATA: says nothing about real customers" in found
    row = found.index("✕ FAIL       behaviour expectations.kept    0.9474                      ≥ 1")
    assert found[row - 1].split() == ["Outcome", "Measurement", "Value", "Demanded"]
    assert found[row + 1].split() == [
        "✕",
        "FAIL",
        "ranking-diff",
        "−0.1841",
        "[−0.2451,",
        "−0.1231]",
        "≥",
        "−0.05",
    ]
    assert "✓ PASS       4 more slices in bounds" in found
    assert "50 worse (2 severely), 54 the same, 54 better" in found
    assert "    gates package product-ranker" in found


def test_a_pass_ends_with_the_command_that_promotes() -> None:
    assert lines(factory.passing())[-1] == '    gates promote models:/product-ranker/8 --why "…"'


def test_undecided_says_how_many_more_would_tell() -> None:
    text = " ".join(shown(factory.undecided()).split())
    assert "ndcg@10.delta needs about 560 judged instead of 158" in text


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
    terminal.render(any_evidence, Console(file=stream, width=80, force_terminal=True))
    assert "\x1b[31m" not in stream.getvalue()
    assert "\x1b[32m" not in stream.getvalue()


def test_colour_follows_the_outcome_on_a_terminal() -> None:
    assert "\x1b[1;31m✕ FAIL" in shown(factory.failing(), colour=True)


def test_data_is_not_read_as_console_markup_and_cannot_drive_the_terminal() -> None:
    text = shown(factory.hostile(), colour=True)
    assert "\x1b[31mred" not in text
    assert "\x07" not in text
    assert "[category=<script>" in text.replace("\n", "")
