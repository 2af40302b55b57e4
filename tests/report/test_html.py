"""The HTML report: self-contained, safe, complete, and small enough to send."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from itertools import pairwise

from gates.domain.exhibits import Cell, ReliabilityBin, Table
from gates.domain.judging import Outcome
from gates.evidence.evidence import CheckRecord, Evidence
from gates.report import html, wording
from gates.report.text import clean, interval, number, with_signs
from gates.report.wording import beside

from . import evidence_factory as factory
from .conftest import parsed, rendered
from .page import Page


def test_tags_nest_and_nothing_is_fetched(any_page: Page) -> None:
    page = any_page
    assert not page.tags() & {"link", "img", "iframe", "object", "base", "form", "image"}
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        assert (attributes.get("href") or "#").startswith("#")
    style = page.text("style")
    assert "url(" not in style
    assert "@import" not in style


def test_the_one_script_is_our_own_and_the_page_allows_no_other(any_name: str) -> None:
    source = rendered(any_name)
    scripts = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    assert source.count("<script") == len(scripts) <= 1
    assert len(scripts) == ('id="queries"' in source)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', source)
    digest = re.search(r"script-src 'sha256-([^']+)'$", policy)
    assert digest
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; ")
    for script in scripts:
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() == digest[1]
        assert not re.search(r"(inner|outer)HTML|insertAdjacent|\.write|eval|Function", script)


def test_headings_go_down_one_level_at_a_time_under_one_title(any_page: Page) -> None:
    levels = any_page.headings()
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_landmarks_captions_and_ids_are_in_order(any_page: Page) -> None:
    page = any_page
    assert {"header", "nav", "main", "footer"} <= page.tags()
    tables = [tag for tag, _ in page.elements].count("table")
    assert [tag for tag, _ in page.elements].count("caption") == tables
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {(a["href"] or "")[1:] for tag, a in page.elements if tag == "a"}
    assert targets <= set(ids)
    assert all("scope" in a or a.get("role") for tag, a in page.elements if tag == "th")


def test_the_verdict_and_its_reasons_come_before_everything_else(
    any_evidence: Evidence, any_page: Page
) -> None:
    text = any_page.text("h1", "h2", "span", "li")
    assert text.index(any_evidence.verdict.outcome) < text.index("What to do next")
    for reason in wording.reasons(any_evidence)[:5]:
        first = " ".join(clean(with_signs(reason.text)).split())[:60]
        assert first in text.partition("What to do next")[0]


def test_one_open_interval_leaves_the_pictures_of_other_slices_alone() -> None:
    page = rendered("lonely_slice")
    assert "nan" not in re.findall(r'="([^"]*)%"', page)
    middles = set(re.findall(r'<circle cx="([^"]+)%"', page.partition('id="slices"')[2]))
    assert len(middles) > 3


def test_every_judgement_is_there_with_value_and_outcome(
    any_evidence: Evidence, any_page: Page
) -> None:
    page = any_page
    everything = page.text()
    for judgement in any_evidence.judgements:
        bound, measurement = judgement.bound, judgement.measurement
        is_own = wording.is_own_test(bound)
        name = wording.test_name(bound) if is_own else bound.slice or bound.metric
        assert " ".join(clean(name).split()) in everything
        if is_own:
            assert wording.state(judgement) in everything
        else:
            assert judgement.outcome is not Outcome.PASS or measurement
        if measurement and measurement.value is not None:
            shown = f"{number(measurement.value)} {beside(measurement)} {interval(measurement)}"
            assert shown.rstrip() in everything
    outcomes = sum(a.get("class", "") in _OUTCOMES for tag, a in page.elements if tag == "span")
    wholes_again = {(j.bound.check, j.bound.metric) for j in any_evidence.judgements} & {
        (j.bound.check, j.bound.metric) for j in any_evidence.judgements if j.bound.slice
    }
    assert outcomes == len(any_evidence.judgements) + len(wholes_again)


_OUTCOMES = {f"outcome {outcome.lower()}" for outcome in Outcome}


def test_no_number_of_a_bound_stands_twice_in_its_row(any_evidence: Evidence) -> None:
    rows = re.findall(r'<tr role="row".*?</tr>', html.render(any_evidence), re.DOTALL)
    assert rows
    for row in rows:
        words = re.sub(r"<svg.*?</svg>|<wbr>", "", row, flags=re.DOTALL)
        assert "demanded" not in words
        assert "(n=" not in words
        assert not re.search(r"left_out|n_eff|mde|wins", words)
        for shown in re.findall(r'class="interval">([^<]+)', words):
            assert words.count(shown) == 1


def test_an_exact_value_has_no_picture_and_says_what_it_was_counted_over() -> None:
    page = rendered("first_version").partition("lockfile")[2].partition("</article>")[0]
    assert "<svg" not in page
    assert "Against the bound" not in page
    assert "27 of 27 requirements" in page


def test_own_tests_say_how_they_ended_and_break_only_between_words() -> None:
    source = rendered("own_tests")
    assert "<h3>own tests</h3>" in source
    text = parsed("own_tests").text("span", "th")
    assert [w for w in ("passed", "failed", "skipped", "could not run") if w not in text] == []
    assert "test_new.py::test_a_product_nobody_has_bought_is_found" in text
    assert "golden/product-ranker/test_" not in source.partition('id="run"')[0]
    assert "test_<wbr>new.<wbr>py::<wbr>test_<wbr>a_<wbr>label[<wbr>oak/<wbr>ash]" in source


def test_a_check_that_took_no_time_shows_none() -> None:
    assert '<span class="note">0 ms</span>' not in rendered("nothing_in_production")


def test_what_holds_for_many_bounds_is_said_once() -> None:
    text = parsed("nothing_in_production").text("li")
    assert "2 bounds of ranking-diff need a champion: there is none yet" in text
    assert text.count("champion: there is") == 1


def test_every_digest_is_there(any_evidence: Evidence, any_page: Page) -> None:
    codes = any_page.text("code")
    versions = [v for v in (any_evidence.candidate, any_evidence.champion) if v]
    for digest in (
        any_evidence.digest,
        any_evidence.golden.digest,
        any_evidence.card.digest,
        *(v.digest for v in versions),
        *(v.lock_digest for v in versions),
    ):
        assert digest in codes


def test_markup_in_data_stays_text() -> None:
    source = rendered("hostile")
    assert source.count("<script") == 1, "our own"
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in source
    assert not set("\x1b\x07\u202e") & set(source)


def test_synthetic_data_is_named_as_such_and_real_data_is_not() -> None:
    assert "Synthetic data." in rendered("passing")
    assert "Synthetic data." not in html.render(factory.passing(synthetic=False))


def test_a_worker_that_died_shows_its_log() -> None:
    page = parsed("faulty")
    assert "libgomp.so.1" in page.text("pre")
    assert "could not run" in page.text()


def test_lists_stand_side_by_side_with_moves_in_words() -> None:
    page = parsed("failing")
    words = page.text("i")
    assert "up" in words
    assert "down" in words
    assert "grade" in words
    assert "gone" in page.text("b")


def test_annotators_who_disagree_and_reasons_for_moves_are_shown() -> None:
    source, page = rendered("failing"), parsed("failing")
    assert re.search(r"<small class=apart>1 · 2 · 3</small>", source)
    assert "Why documents moved" in page.text("p")
    assert "title_match" in page.text("dt")
    assert "ΔDCG" in page.text("span")
    assert "Contributions are TreeSHAP values." in page.text("p")


def test_500_queries_of_10_documents_weigh_under_2_mb_with_every_list() -> None:
    source = html.render(factory.large())
    assert len(source.encode()) < 2_000_000
    assert source.count("<details class=q ") == 500, "each of them once"
    assert "are left out here" not in source


def test_long_titles_leave_out_lists_and_the_page_says_so() -> None:
    source = html.render(factory.large(title="Übergroßer Eichentisch, ausziehbar, " * 6))
    shown = source.count("<details class=q ")
    dropped = re.search(r"To keep this file small, (\d+) queries", source)
    assert shown
    assert dropped
    assert shown + int(dropped[1]) == 500
    assert 1_800_000 < len(source.encode()) < 2_000_000


def test_a_cell_with_the_titles_of_ten_neighbours_is_shown_whole() -> None:
    neighbours = " · ".join(f"Solmarke Bramble locking grill tongs {at} cm *" for at in range(10))
    table = Table("Other neighbours", ["text", "neighbours"], [["grill tongs", neighbours]])
    record = CheckRecord("embedding", exhibits=(table,))
    shown = html.render(dataclasses.replace(factory.passing(), records=(record,)))
    assert neighbours in shown


def test_calibration_is_drawn_beside_its_table_and_told_in_words() -> None:
    rows: list[list[Cell]] = [["0 to 1", 60, 0.75, 0.9, 0.6], ["1 to 1", 20, 0.25, 0.2, 0.3]]
    columns = ["scores", "queries", "share", "mean", "right"]
    bins = (ReliabilityBin(0.9, 0.6, 0.75), ReliabilityBin(0.2, 0.3, 0.25))
    table = Table("Calibration", columns, rows, reliability=bins)
    record = CheckRecord("score-range", exhibits=(table,))
    source = html.render(dataclasses.replace(factory.passing(), records=(record,)))
    picture = source.partition('<figure class="reliability">')[2].partition("</figure>")[0]
    assert "score 0.9, right 0.6, 0.75 of traffic; score 0.2, right 0.3" in picture
    assert '<circle class="loss" cx="90.0" cy="40.0"' in picture
    assert '<circle class="win" cx="20.0" cy="70.0"' in picture
