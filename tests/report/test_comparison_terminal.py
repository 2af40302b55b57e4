"""A comparison in the terminal: the verdict first, nothing wider than the window, nothing acts."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from gates.domain.comparison import Comparison
from gates.report import comparison_terminal

from .comparison_factory import EVERY


def shown(
    comparison: Comparison, *, width: int = 100, verbose: bool = False, page: Path | None = None
) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=False)
    comparison_terminal.render(comparison, console, verbose=verbose, page=page)
    return stream.getvalue()


def test_it_reads_verdict_metrics_likeness_slices_queries_tables() -> None:
    text = shown(EVERY["worse"](), page=Path("diff.html"))
    assert text.startswith("✕ FAIL  new.tsv must not replace old.tsv\n")
    marks = [
        "diff::ndcg@10.delta: −0.06 [−0.08, −0.04] (158 queries), demanded ≥ −0.01",
        "160 queries judged by ndcg@10, which may lose 0.01",
        "note: 3 queries of the old file are missing",
        "Metric ",
        "ndcg@10  0.6712  0.6112",
        "mrr      0.6712",
        "60 better, 58 worse, 40 the same",
        "rbo            0.8124 (158 queries)",
        "kendall-tau",
        "2 slices judged, 1 within bounds",
        "✕ FAIL  category=rugs",
        "Queries in ndcg@10: ",
        "Where the candidate is worst",
        "words=3 and traffic=tail  queries 21, difference −0.081",
        "Documents to judge next",
        "and 7 more rows",
        "Page  diff.html",
    ]
    places = [text.find(mark) for mark in marks]
    assert -1 not in places, marks[places.index(-1)]
    assert places == sorted(places)
    assert "category=lighting" not in text
    assert text.count("60 better") == 1, "only of the metric that is judged"


def test_verbose_shows_slices_that_hold_and_whole_tables() -> None:
    text = shown(EVERY["worse"](), verbose=True)
    assert "✓ PASS  category=lighting" in text
    assert "more row" not in text


@pytest.mark.parametrize("name", sorted(EVERY))
@pytest.mark.parametrize("width", [100, 80, 40])
def test_nothing_is_wider_than_the_terminal_or_drives_it(name: str, width: int) -> None:
    text = shown(EVERY[name](), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    assert not set("\x1b\x07\u202e") & set(text)
