"""Each bound is judged once in a run; whoever needs more later takes it from the judgement."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gates.cli import run, show  # noqa: F401 - what is to be counted must be there before
from gates.comparison import compare  # noqa: F401
from gates.domain.judging import Bound, Judgement, Measurement, judge
from gates.evidence.bundle import read_evidence
from gates.report import html, junit, markdown, terminal  # noqa: F401
from gates.run import gate  # noqa: F401
from tests.conftest import CommandLine, Shelf

Judged = list[str]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Judged:
    """The ids of the bounds that `judge` is called for in this process, in order."""
    calls: Judged = []

    def counting(bound: Bound, measurement: Measurement | None) -> Judgement:
        calls.append(bound.id)
        return judge(bound, measurement)

    for name, module in list(sys.modules.items()):
        if name.startswith("gates.") and getattr(module, "judge", None) is judge:
            monkeypatch.setattr(module, "judge", counting)
    return calls


Run = Callable[..., Path]


@pytest.fixture
def run_gate(gates: CommandLine, shelf: Shelf) -> Run:
    def go(*more: str) -> Path:
        answer = gates(
            "run",
            shelf.uri("weak"),
            "--champion",
            shelf.uri("good"),
            shelf.options(),
            "--json",
            *more,
        )
        assert answer.code in (1, 3), answer.err
        return Path(json.loads(answer.out)["evidence"])

    return go


def test_a_run_judges_each_bound_once_and_whoever_shows_it_judges_it_again_once(
    run_gate: Run, judged: Judged, gates: CommandLine, shelf: Shelf
) -> None:
    evidence = run_gate()
    assert judged == [one.bound.id for one in read_evidence(evidence).judgements]
    for form in ("terminal", "markdown", "html", "junit"):
        judged.clear()
        assert gates("show", str(evidence), "--as", form, shelf.options()).code == 0
        assert judged == [one.bound.id for one in read_evidence(evidence).judgements]


def test_with_workers_of_xdist_one_judge_judges_each_bound_once(
    run_gate: Run, judged: Judged
) -> None:
    evidence = run_gate("--", "-n", "2")
    bounds = [one.bound.id for one in read_evidence(evidence).judgements]
    assert len(bounds) > 3
    assert sorted(judged) == sorted(bounds)
