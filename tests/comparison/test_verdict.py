"""What a comparison of two rankings comes to, and when it says that the data cannot tell."""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gates.comparison.compare import Compared, compare
from gates.comparison.plan import ComparisonPlan
from gates.domain.judging import Outcome
from gates.errors import GoldenError, RankingError, UsageError
from tests.comparison.files.files import Row, write

QUERIES = 300
DEPTH = 12


def shop(
    folder: Path, *, old_noise: float, new_noise: float, queries: int = QUERIES
) -> tuple[Path, Path, Path]:
    """Rankings that see the grade through noise: the more of it, the worse."""
    rng = np.random.default_rng(4)
    judged: list[Row] = []
    runs: dict[str, list[Row]] = {"old": [], "new": []}
    for number in range(queries):
        grades = rng.integers(0, 4, DEPTH)
        docs = [f"d{number:04}-{at}" for at in range(DEPTH)]
        judged += [(f"q{number:04}", doc, float(g)) for doc, g in zip(docs, grades, strict=True)]
        for name, noise in (("old", old_noise), ("new", new_noise)):
            seen = grades + noise * rng.normal(size=DEPTH)
            runs[name] += [
                (f"q{number:04}", doc, float(one)) for doc, one in zip(docs, seen, strict=True)
            ]
    return (
        write(folder / "old.csv", runs["old"], "score"),
        write(folder / "new.csv", runs["new"], "score"),
        write(folder / "judgments.csv", judged, "grade"),
    )


def queries_file(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "queries.csv"
    names = list(rows[0])
    lines = [",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def compared(files: tuple[Path, Path, Path], **asked: Any) -> Compared:
    return compare(ComparisonPlan(*files, **asked), progress=lambda *_: None)


def outcome(files: tuple[Path, Path, Path], **asked: Any) -> Outcome:
    return compared(files, **asked).comparison.verdict.outcome


def test_a_clearly_better_ranking_passes_and_the_reverse_fails(tmp_path: Path) -> None:
    files = shop(tmp_path, old_noise=2.0, new_noise=0.5)
    assert outcome(files) is Outcome.PASS
    assert outcome((files[1], files[0], files[2])) is Outcome.FAIL


def test_a_margin_that_the_queries_cannot_see_is_undecided(tmp_path: Path) -> None:
    files = shop(tmp_path, old_noise=1.0, new_noise=1.0, queries=40)
    found = compared(files, margin=0.001)
    assert found.comparison.verdict.outcome is Outcome.UNDECIDED
    delta = found.comparison.measurements[0]
    assert delta.metric == "ndcg@10.delta"
    assert (delta.extra["mde"] or 0) > 0.001
    assert (delta.extra["n_needed"] or 0) > 40


def test_a_ranking_is_no_worse_than_itself(tmp_path: Path) -> None:
    old, _, judged = shop(tmp_path, old_noise=1.0, new_noise=1.0)
    found = compared((old, old, judged))
    delta = found.comparison.measurements[0]
    assert delta.value == 0
    assert (delta.extra["ties"], delta.extra["wins"], delta.extra["losses"]) == (QUERIES, 0, 0)
    assert found.comparison.verdict.outcome is Outcome.PASS


def test_better_demands_evidence_and_no_worse_does_not(tmp_path: Path) -> None:
    better = shop(tmp_path, old_noise=2.0, new_noise=0.5)
    assert outcome(better, better=True) is Outcome.PASS
    itself = (better[0], better[0], better[2])
    assert outcome(itself) is Outcome.PASS
    assert outcome(itself, better=True) is Outcome.FAIL


def test_traffic_decides_whose_loss_counts(tmp_path: Path) -> None:
    old, new, judged = shop(tmp_path, old_noise=1.0, new_noise=1.0)
    change = compared((old, new, judged)).queries.gain
    rows = [
        {"query_id": f"q{at:04}", "weight": 1000 if one < -0.05 else 1, "sampling": "pps"}
        for at, one in enumerate(change)
    ]
    files = (old, new, judged)
    found = compared(files, queries=queries_file(tmp_path, rows))
    delta = found.comparison.measurements[0]
    weight = np.array([row["weight"] for row in rows], dtype=float)
    assert delta.value == pytest.approx(float(np.average(change, weights=weight)))
    assert found.comparison.verdict.outcome is Outcome.FAIL
    assert (delta.extra["n_eff"] or math.inf) < QUERIES / 2


def test_near_duplicates_count_as_one(tmp_path: Path) -> None:
    old, new, judged = shop(tmp_path, old_noise=1.0, new_noise=1.0)
    rows = [
        {"query_id": f"q{at:04}", "intent": "" if at >= 280 else f"i{at // 4}"}
        for at in range(QUERIES)
    ]
    queries = queries_file(tmp_path, rows)
    alone = compared((old, new, judged), queries=queries).comparison.measurements[0]
    found = compared((old, new, judged), queries=queries, cluster="intent").comparison
    delta = found.measurements[0]
    assert (delta.value, delta.n) == (alone.value, alone.n)
    # 70 clusters of four, and 20 queries with a blank cell: each its own.
    units = np.array([4.0] * 70 + [1.0] * 20)
    assert delta.extra["n_eff"] == pytest.approx(units.sum() ** 2 / (units**2).sum())
    assert alone.extra["n_eff"] == QUERIES
    assert "intent" not in str(found.exhibits)
    with pytest.raises(UsageError, match="--queries FILE"):
        compared((old, new, judged), cluster="intent")
    with pytest.raises(GoldenError, match="the column `intend` is missing"):
        compared((old, new, judged), queries=queries, cluster="intend")


def test_a_census_has_no_sampling_error(tmp_path: Path) -> None:
    files = shop(tmp_path, old_noise=1.0, new_noise=0.99)
    rows = [{"query_id": f"q{at:04}", "sampling": "census"} for at in range(QUERIES)]
    delta = compared(files, queries=queries_file(tmp_path, rows)).comparison.measurements[0]
    assert delta.lower == delta.value == delta.upper


def test_every_named_slice_must_hold(tmp_path: Path) -> None:
    old, new, judged = shop(tmp_path, old_noise=1.0, new_noise=0.3)
    lines = new.read_text(encoding="utf-8").splitlines()
    broken = [
        line
        if not line.startswith("q000")
        else line.rsplit(",", 1)[0] + f",{zlib.crc32(line.encode()) % 97}"
        for line in lines
    ]
    new.write_text("\n".join(broken) + "\n", encoding="utf-8")
    rows = [
        {"query_id": f"q{at:04}", "kind": "lighting" if at < 10 else "other", "size": at % 3}
        for at in range(QUERIES)
    ]
    files, queries = (old, new, judged), queries_file(tmp_path, rows)
    assert outcome(files, queries=queries) is Outcome.PASS
    found = compared(files, queries=queries, slices=("kind",), slice_margin=0.05).comparison
    assert found.verdict.outcome is not Outcome.PASS
    held = {one.bound.slice: one.outcome for one in found.judgements}
    assert held["kind=other"] is Outcome.PASS
    assert held["kind=lighting"] is not Outcome.PASS
    assert outcome(files, queries=queries, slices=("kind=other",)) is Outcome.PASS
    assert "size=1" in {
        one.bound.slice
        for one in compared(files, queries=queries, slices=("size",)).comparison.judgements
    }


def test_severe_losses_can_be_bounded_by_themselves(tmp_path: Path) -> None:
    files = shop(tmp_path, old_noise=0.8, new_noise=1.5)
    assert outcome(files, margin=0.5) is Outcome.PASS
    assert outcome(files, margin=0.5, max_severe=0.001, severe=0.1) is Outcome.FAIL


@pytest.mark.parametrize("metric", ["mrr", "map", "precision@5", "recall@5", "rbp", "err@10"])
def test_any_metric_can_be_judged(tmp_path: Path, metric: str) -> None:
    files = shop(tmp_path, old_noise=3.0, new_noise=0.1)
    found = compared(files, metric=metric, gain="exponential").comparison
    assert found.metric == metric
    assert found.measurements[0].metric == f"{metric}.delta"
    assert found.verdict.outcome is Outcome.PASS


def test_a_query_that_a_ranking_lacks_is_an_error_unless_its_list_is_said_to_be_empty(
    tmp_path: Path,
) -> None:
    old, new, judged = shop(tmp_path, old_noise=1.0, new_noise=1.0)
    kept = [line for line in new.read_text(encoding="utf-8").splitlines() if "q0007," not in line]
    new.write_text("\n".join(kept) + "\n", encoding="utf-8")
    with pytest.raises(RankingError, match=r"1 of 300 queries are not in it: 'q0007'") as caught:
        compared((old, new, judged))
    assert caught.value.path == new
    assert "--missing empty" in caught.value.advice
    found = compared((old, new, judged), missing="empty")
    row = found.names().to_pylist().index("q0007")
    assert found.queries.per_query.new["ndcg@10"][row] == 0
    assert any("empty result lists: 'q0007'" in note for note in found.comparison.notes)


def test_rankings_and_judgments_of_other_queries_are_an_error(tmp_path: Path) -> None:
    old, new, _ = shop(tmp_path, old_noise=1.0, new_noise=1.0)
    other = write(tmp_path / "other.csv", [("Q-1", "d", 1.0)], "grade")
    with pytest.raises(RankingError, match=r"none of the 300 queries .* is both ranked and judged"):
        compared((old, new, other))
    rows = [{"query_id": f"q{at:04}"} for at in range(QUERIES)]
    with pytest.raises(RankingError, match="none of the 300 queries to compare is judged"):
        compared((old, new, other), queries=queries_file(tmp_path, rows))


def test_queries_without_judgments_count_in_likeness_alone(tmp_path: Path) -> None:
    old, new, judged = shop(tmp_path, old_noise=1.0, new_noise=1.0)
    lines = judged.read_text(encoding="utf-8").splitlines()
    judged.write_text("\n".join(lines[: 1 + 100 * DEPTH]) + "\n", encoding="utf-8")
    found = compared((old, new, judged)).comparison
    by_name = {one.metric: one for one in found.measurements if not one.slice}
    assert by_name["ndcg@10.delta"].n == 100
    assert by_name["rbo"].n == QUERIES
    assert any(note.startswith("200 of 300 queries have no judgments") for note in found.notes)


def test_misuse_is_named(tmp_path: Path) -> None:
    files = shop(tmp_path, old_noise=1.0, new_noise=1.0, queries=5)
    rows = [{"query_id": f"q{at:04}", "kind": "a"} for at in range(5)]
    with pytest.raises(UsageError, match="no such metric"):
        compared(files, metric="ndgc@10")
    with pytest.raises(UsageError, match="--queries FILE"):
        compared(files, slices=("kind",))
    with pytest.raises(UsageError, match="--margin"):
        compared(files, margin=-0.1)
    queries = queries_file(tmp_path, rows)
    with pytest.raises(RankingError, match="no query has kind 'b'"):
        compared(files, queries=queries, slices=("kind=b",))
    extra = queries_file(tmp_path, [*rows, {"query_id": "q9999", "kind": "a"}])
    with pytest.raises(RankingError, match="1 of 6 queries are in no other file: 'q9999'"):
        compared(files, queries=extra)


def test_the_same_files_give_every_bit_again(tmp_path: Path) -> None:
    files = shop(tmp_path, old_noise=1.0, new_noise=1.1)
    first, again = compared(files), compared(files)
    assert first.comparison.measurements == again.comparison.measurements
