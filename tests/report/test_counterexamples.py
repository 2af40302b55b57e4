"""Counterexamples in reports: told once, those that fail first, with a command where one can do."""

from __future__ import annotations

import io
import shlex
from dataclasses import replace

import pytest
from rich.console import Console

from gates.domain.counterexamples import Counterexample, KnownCounterexample, Replay, Replayed
from gates.evidence.evidence import Evidence
from gates.report import html, markdown, terminal
from gates.report.counterexamples import section, shown_counterexamples
from tests.report import evidence_factory as factory

TYPO = Counterexample("invariance.typo", "office pants", "offce pants", "Apparel")
STEP = Counterexample("monotone.violations", "red sofa", "", "", "q1", "d7", "stock", (1.0, 2.5))


def with_cases(
    *found: Counterexample, replay: tuple[Replayed, ...] = (), trouble: str = ""
) -> Evidence:
    evidence = factory.classification()
    first, *rest = evidence.records
    replayed = Replay(replay, 3, "sha256:f", trouble)
    first = replace(first, counterexamples=found, replay=replayed)
    return replace(evidence, records=(first, *rest))


def command(case: Counterexample) -> str:
    evidence = with_cases(case)
    (one,) = shown_counterexamples(evidence, evidence.records[0])
    return one.command


def shown_in_terminal(evidence: Evidence) -> str:
    out = io.StringIO()
    terminal.print_report(evidence, Console(file=out, width=200))
    return out.getvalue()


@pytest.mark.parametrize(
    "query",
    ["offce pants", "it's", 'a "b"', "$(touch x)", "`id`", "🛋️ sofa", "-x", "--label=y", " two  "],
)
def test_the_command_gives_a_shell_the_query_as_it_is(query: str) -> None:
    words = shlex.split(command(replace(TYPO, typed=query)))
    assert words[:4] == ["gates", "golden", "add", factory.classification().golden.path]
    given = " ".join(words[4:]).removeprefix("--query").removesuffix(" --label Apparel")
    assert given[1:] == query


@pytest.mark.parametrize(
    "case",
    [
        replace(TYPO, typed="two\nlines"),
        replace(TYPO, typed="a\u202eb"),
        replace(TYPO, typed="a\u00a0b"),
        replace(TYPO, label=""),
        STEP,
    ],
)
def test_there_is_no_command_for_what_it_would_refuse(case: Counterexample) -> None:
    assert command(case) == ""


def test_a_known_case_that_is_found_again_is_told_once() -> None:
    other = replace(TYPO, typed="ofice pants")
    known = (
        Replayed(KnownCounterexample(TYPO, "models:/m/1"), True, False),
        Replayed(KnownCounterexample(STEP, "x"), False),
    )
    evidence = with_cases(TYPO, other, replay=known)
    states = [(one.state, one.case) for one in shown_counterexamples(evidence, evidence.records[0])]
    assert states == [("still fails", TYPO), ("new", other), ("no longer fails", STEP)]
    assert section(evidence).lead == "1 new; 1 of 2 known ones still fails"
    assert (
        "the champion does not fail"
        in shown_counterexamples(evidence, evidence.records[0])[0].words
    )


def test_a_case_that_was_not_asked_says_why() -> None:
    gone = Replayed(KnownCounterexample(TYPO, "models:/m/1"), None, reason="it is gone")
    evidence = with_cases(replay=(gone,))
    (one,) = shown_counterexamples(evidence, evidence.records[0])
    assert (one.state, one.command) == ("not asked", "")
    assert one.words.endswith("forgotten, for it is gone")
    assert section(evidence).lead == "1 forgotten"


def test_a_file_that_could_not_be_read_is_said_in_terminal_and_markdown() -> None:
    evidence = with_cases(trouble="/x/behaviour.json: it is not JSON; it is begun anew")
    assert "it is not JSON" in " ".join(shown_in_terminal(evidence).split())
    assert "it is not JSON" in markdown.render(evidence)


def test_a_run_without_any_says_nothing_of_them() -> None:
    evidence = factory.classification()
    assert "Counterexamples" not in shown_in_terminal(evidence)
    assert "Counterexamples" not in markdown.render(evidence)
    assert "Counterexamples" not in html.render(evidence)


def test_markup_in_a_query_shows_as_written() -> None:
    evidence = with_cases(replace(TYPO, typed="<b>```x``` *y* [z](w)"))
    page, text = html.render(evidence), markdown.render(evidence)
    assert "<b>```x" not in page
    assert "````sh\n  gates golden add" in text
    assert "'<b>```x``` *y* [z](w)'" in text


def test_a_step_of_a_row_says_what_is_wrong_in_digits_that_differ() -> None:
    steps = replace(STEP, values=(-7.16869214, -7.16844604))
    order = replace(STEP, metric="order.violations", values=(0.0, 1.0))
    evidence = with_cases(steps, order)
    first, second = shown_counterexamples(evidence, evidence.records[0])
    words = "‘red sofa’, document d7: the score moves the wrong way as stock goes from −7.169 to"
    assert first.words.startswith(f"{words} −7.168 (")
    words = "‘red sofa’, document d7: with stock 0 it does not score below itself with 1"
    assert second.words.startswith(words)


def test_a_label_that_only_the_candidate_gave_is_to_be_checked() -> None:
    supposed = with_cases(TYPO)
    certain = with_cases(Counterexample("templates", "gift card", label="other"))
    for shown in (shown_in_terminal, markdown.render, html.render):
        assert "see that it is right" in shown(supposed)
        assert "see that it is right" not in shown(certain)
