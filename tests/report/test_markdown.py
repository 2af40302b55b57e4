"""The Markdown report: first the verdict, nothing of the data as markup, never too long."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gates.domain.judging import Bound, Measurement, judge
from gates.evidence.evidence import Evidence
from gates.report import markdown
from gates.report.blocks import escape

from . import evidence_factory as factory


def test_the_verdict_and_what_decided_come_first() -> None:
    lines = [line for line in markdown.render(factory.failing()).splitlines() if line]
    assert lines[0] == "## ✕ FAIL: product-ranker version 8 must not replace version 7"
    assert lines[1].startswith("> **Synthetic data**")
    assert lines[4] == (
        "| ✕ FAIL | behaviour::expectations.kept | 0.9474 (36 of 38 expectations) | ≥ 1 |  |"
    )
    assert lines[5] == (
        "| ✕ FAIL | ranking-diff::ndcg@&#8203;10.delta&#91;category=rugs&#93; "
        "| −0.1841 [−0.2451, −0.1231] (31 queries) | ≥ −0.05 "
        "| 0.6712 → 0.4871 · 11 better, 19 worse, 1 the same |"
    )


def test_a_reviewer_reads_numbers_slices_queries_and_then_what_to_do() -> None:
    text = markdown.render(factory.failing())
    headings = re.findall(r"^### (.*)", text, re.MULTILINE)
    assert headings == ["Numbers", "Slices that moved", "Worst queries", "What to do next"]
    moved = text.partition("### Slices that moved")[2].partition("<details>")[0]
    assert re.findall(r"&#91;([^&]*)&#93;", moved) == ["traffic=head", "category=chairs"]


def test_every_bound_is_told_once(any_evidence: Evidence) -> None:
    text = markdown.render(any_evidence)
    rows = [line for line in text.splitlines() if line.startswith(("| ✕", "| ?", "| ✓"))]
    told = [
        one
        for one in any_evidence.judgements
        if f"{one.bound.id}: {one.reason}" in any_evidence.verdict.reasons
        and "demanded" not in one.reason
    ]
    assert len(rows) == len(any_evidence.judgements) - len(told)
    assert len(rows) == len(set(rows))
    sentences = text.partition("###")[0]
    for reason in {one.reason for one in told}:
        assert escape(reason)[:40] in sentences or "there is none yet" in sentences


def test_undecided_bounds_say_how_fine_the_golden_set_can_tell() -> None:
    text = markdown.render(factory.undecided())
    assert (
        "| the interval reaches past the bound · 0.6712 → 0.662 · 62 better, 95 worse, 1 the same "
        "· 2 queries without a relevant document left out · effective n 112 "
        "· can tell losses from 0.03 |"
    ) in text


def test_the_worst_queries_show_both_lists_with_grades_and_moves() -> None:
    text = markdown.render(factory.failing())
    assert "<details><summary><code>−0.3443</code> walnut floor lamp 76 cm</summary>" in text
    row = "| 2 | Oak bar stool no. 480 (grade 2, ▼2) | Pine floor lamp no. 401 (not judged, ▲12) |"
    assert row in text
    assert text.count("<details>") == text.count("</details>") == 12


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a|b", "a&#124;b"),
        ("`x`", "&#96;x&#96;"),
        ("<b>&", "&#60;b&#62;&#38;"),
        ("ask @octocat", "ask @&#8203;octocat"),
        ("ndcg@10", "ndcg@10"),
        ("a@b.example", "a@&#8203;b.example"),
        ("GH-12", "GH-&#8203;12"),
        ("see 18c3d2211", "see 18c3&#8203;d2211"),
        ("see 32833234.", "see 3283&#8203;3234."),
        ("0.32833234, 1234567.5", "0.32833234, 1234567.5"),
        ("1234567", "1234567"),
        (":tada: 12:30", ":&#8203;tada: 12:30"),
        ("see #12", "see &#35;&#8203;12"),
        ("$5 or $6", "<span>$</span>5 or <span>$</span>6"),
        ("http://a.example", "http:&#8203;//a.example"),
        ("www.a.example", "www.&#8203;a.example"),
        ("[x](y)", "&#91;x&#93;(y)"),
        ("two\n\n# lines", "two &#35; lines"),
        ("\x1b[31m\u202e", "�&#91;31m�"),
    ],
)
def test_data_shows_as_written(given: str, shown: str) -> None:
    assert escape(given) == shown


def test_hostile_data_adds_no_html_no_mention_and_no_table_cell() -> None:
    text = markdown.render(factory.hostile())
    assert set(re.findall(r"</?([a-z]+)", text)) == {"details", "summary", "code"}
    assert not re.search(r"(?<!\w)@\w", text)
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_every_digest_is_there(any_evidence: Evidence) -> None:
    text = markdown.render(any_evidence)
    assert any_evidence.candidate.digest in text
    assert any_evidence.golden.digest in text
    assert any_evidence.card.digest in text


def test_what_would_not_fit_is_cut_and_named() -> None:
    long = markdown.render(factory.large(title="<&|>" * 80))
    assert len(long.encode()) < 60_000
    last = long.strip().splitlines()[-1]
    assert last.startswith("_Cut to fit a comment: the lists of “")
    assert last.endswith("report.html has it all._")


def test_hundreds_of_slices_are_counted_rather_than_listed() -> None:
    text = markdown.render(factory.many_slices(400))
    assert len(text.encode()) < 60_000
    assert "_345 more rows, 345 of them PASS, are in report.html._" in text


def test_an_advisory_bound_that_fails_is_not_folded_away() -> None:
    bound = Bound("functionality", "templates", minimum=0.99, advisory=True)
    failed = judge(bound, Measurement("templates", 0.5, 40, "share of expanded queries"))
    plain = factory.passing()
    text = markdown.render(replace(plain, judgements=(*plain.judgements, failed)))
    assert "| ✕ FAIL (advisory) | functionality::templates | 0.5" in text.partition("<details>")[0]
