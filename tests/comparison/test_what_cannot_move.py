"""A metric that could not move is no evidence that nothing changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gates.domain.judging import Cause, Outcome
from gates.errors import RankingError
from tests.comparison.files.files import Row, write
from tests.comparison.test_verdict import compared, queries_file
from tests.conftest import CommandLine

Files = tuple[Path, Path, Path]
QUERIES, DEPTH = 300, 6


def shelf(
    folder: Path,
    grade: Callable[[int, int], float | None],
    *,
    new: Callable[[int], list[int]] = lambda _: [*range(DEPTH)][::-1],
    doc: Callable[[int], str] = lambda at: f"{at:05}",
    judged_doc: Callable[[int], str] = lambda at: f"{at:05}",
    judged_query: Callable[[int], str] = str,
) -> Files:
    """An old ranking 0, 1, 2, …, and a new one that is the reverse where nothing else is said."""
    old: list[Row] = []
    served: list[Row] = []
    judged: list[Row] = []
    for q in range(QUERIES):
        old += [(str(q), doc(at), float(-at)) for at in range(DEPTH)]
        served += [(str(q), doc(at), float(-rank)) for rank, at in enumerate(new(q))]
        grades = [(at, grade(q, at)) for at in range(DEPTH)]
        judged += [(judged_query(q), judged_doc(at), g) for at, g in grades if g is not None]
    return (
        write(folder / "old.csv", old, "score"),
        write(folder / "new.csv", served, "score"),
        write(folder / "judgments.csv", judged, "grade"),
    )


def first_only(_: int, at: int) -> float:
    return 3.0 if at == 0 else 0.0


@pytest.mark.parametrize("metric", ["mrr", "map", "precision@5", "ndcg@10", "rbp"])
@pytest.mark.parametrize(
    ("doc", "judged_doc", "repair"),
    [
        ("{:05}", "{}", "1,200 of 1,200 ids would meet if leading zeros were kept"),
        ("sku-{}", "SKU-{}", "upper and lower case"),
        ("{}", "{}.0", "`.0` at their end"),
        ("k\u00f6{}", "ko\u0308{}", "Unicode NFC"),
        ("{}", "{} ", "blanks and quotes"),
        ("{}", "B{}", "letters before"),
        ("left-{}", "right~{}", "'right~0' is judged, 'left-0' is ranked"),
    ],
)
def test_judgments_of_other_ids_are_an_error_that_names_the_repair(
    tmp_path: Path, metric: str, doc: str, judged_doc: str, repair: str
) -> None:
    files = shelf(tmp_path, first_only, doc=doc.format, judged_doc=judged_doc.format)
    with pytest.raises(RankingError, match="not one judged document") as caught:
        compared(files, metric=metric, unjudged="irrelevant")
    assert caught.value.path == files[2]
    assert repair in caught.value.advice


@pytest.mark.parametrize("missing", ["error", "empty"])
def test_topics_of_another_form_are_an_error_whatever_missing_queries_are(
    tmp_path: Path, missing: str
) -> None:
    files = shelf(tmp_path, first_only, judged_query="{}.0".format)
    with pytest.raises(RankingError, match="both ranked and judged") as caught:
        compared(files, missing=missing)
    assert f"{QUERIES} of {QUERIES} ids would meet without `.0`" in caught.value.advice


def test_most_topics_of_another_form_are_an_error_and_a_few_a_note(tmp_path: Path) -> None:
    mostly = shelf(tmp_path, first_only, judged_query=lambda q: str(q) if q < 30 else f"{q}.0")
    with pytest.raises(RankingError, match="only 30 of 300 judged queries"):
        compared(mostly, missing="empty")
    few = shelf(tmp_path, first_only, judged_query=lambda q: f"{q}.0" if q < 30 else str(q))
    notes = compared(few, missing="empty").comparison.notes
    assert any("300 of 300 ids would meet without `.0`" in one for one in notes)


@pytest.mark.parametrize("metric", ["mrr", "map", "ndcg@10", "err@10", "rbp"])
@pytest.mark.parametrize("grade", [2.0, 1.0])
def test_one_grade_for_all_documents_decides_nothing(
    tmp_path: Path, metric: str, grade: float
) -> None:
    found = compared(shelf(tmp_path, lambda *_: grade), metric=metric, max_severe=0.1).comparison
    assert found.verdict.outcome is Outcome.UNDECIDED
    assert {one.cause for one in found.judgements} == {Cause.NOTHING_COMPARED}
    assert f"none of {QUERIES} queries can tell" in found.judgements[0].reason
    assert "any order of the documents is worth the same" in found.judgements[0].reason


def test_empty_lists_on_both_sides_decide_nothing(tmp_path: Path) -> None:
    old, new, judged = shelf(tmp_path, first_only)
    write(judged, [(str(q), "00000" if q else "00005", 1.0) for q in range(QUERIES)], "grade")
    for path in (old, new):
        write(path, [("0", "00005", 1.0)], "score")
    found = compared((old, new, judged), metric="mrr", missing="empty").comparison
    assert found.verdict.outcome is Outcome.UNDECIDED
    assert found.judgements[0].cause is Cause.NOTHING_COMPARED


def test_the_same_lists_under_judgments_that_could_tell_are_no_worse(tmp_path: Path) -> None:
    files = shelf(tmp_path, first_only, new=lambda _: [*range(DEPTH)])
    found = compared(files, metric="mrr").comparison
    assert found.verdict.outcome is Outcome.PASS
    assert "uninformative" not in found.measurements[0].extra


def test_zeros_that_nobody_measured_dilute_no_loss(tmp_path: Path) -> None:
    """Of 300 queries 30 are judged; there the new ranking loses a little, at random."""

    def new(q: int) -> list[int]:
        swapped = [1, 0, *range(2, DEPTH)] if q < 2 else [*range(DEPTH)]
        return swapped if q < 30 else swapped[::-1]

    def grade(q: int, at: int) -> float | None:
        if q < 30:
            return first_only(q, at)
        return None

    files = shelf(tmp_path, grade, new=new)
    judged = [(str(q), "elsewhere", 3.0) for q in range(30, QUERIES)]
    judged += [(str(q), f"{at:05}", first_only(q, at)) for q in range(30) for at in range(DEPTH)]
    write(files[2], judged, "grade")
    found = compared(files, metric="mrr", unjudged="irrelevant", margin=0.02).comparison
    delta = found.measurements[0]
    assert delta.value == pytest.approx(-2 * 0.5 / QUERIES)
    assert delta.extra["unmeasured"] == QUERIES - 30
    assert delta.extra["delta_without"] == pytest.approx(-2 * 0.5 / 30)
    assert (delta.lower or 0) < -2 * 0.5 / 30
    assert found.verdict.outcome is not Outcome.PASS


def test_a_slice_that_cannot_tell_is_undecided_though_the_whole_set_passes(tmp_path: Path) -> None:
    def grade(q: int, at: int) -> float:
        return 2.0 if q % 3 == 0 else float(at)  # the new order is the ideal one

    queries = [{"query_id": q, "kind": "flat" if q % 3 == 0 else "told"} for q in range(QUERIES)]
    found = compared(
        shelf(tmp_path, grade), queries=queries_file(tmp_path, queries), slices=("kind",)
    ).comparison
    outcomes = {one.bound.slice: (one.outcome, one.cause) for one in found.judgements}
    assert outcomes[""] == (Outcome.PASS, Cause.WITHIN)
    assert outcomes["kind=told"] == (Outcome.PASS, Cause.WITHIN)
    assert outcomes["kind=flat"] == (Outcome.UNDECIDED, Cause.NOTHING_COMPARED)


def test_terminal_and_json_count_the_queries_that_cannot_tell(
    gates: CommandLine, tmp_path: Path
) -> None:
    def grade(q: int, at: int) -> float:
        return 2.0 if q % 3 == 0 else float(at)

    files = shelf(tmp_path, grade)
    asked = [str(files[0]), str(files[1]), "-j", str(files[2])]
    shown = " ".join(gates("diff", asked).out.split())
    assert "100 queries cannot tell the rankings apart (33% of the weight)" in shown
    said = json.loads(gates("diff", asked, "--json").out)["metrics"]["ndcg@10"]
    assert (said["uninformative"], said["unmeasured"]) == (100, 0)
    assert said["delta_without"] == pytest.approx(1.5 * said["delta"])
