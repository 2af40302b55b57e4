"""`ranking-diff`: numbers as pytrec_eval has them, the right way round, lists as served."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import pytrec_eval

from gates.errors import NoChampion
from gates.subject import GoldenSet
from tests.checks.subjects import FakeArm, FakeSubject, golden_set, run

RNG = np.random.default_rng(11)


def shop(queries: int = 40, documents: int = 15) -> tuple[GoldenSet, np.ndarray, np.ndarray]:
    """A golden set with unjudged documents, and two score columns."""
    lists = [
        {
            f"d{d:02}": None if RNG.random() < 0.2 else float(RNG.integers(0, 4))
            for d in range(documents)
        }
        for _ in range(queries)
    ]
    # Scores that float32 holds exactly: pytrec_eval compares in that precision.
    old, new = RNG.integers(0, 64, (2, queries * documents)) / 8
    golden = golden_set(
        lists=lists,
        features={"old": old, "new": new},
        extra_judgments=[(q, "missed", 3.0) for q in range(0, queries, 3)],
        slices={"part": tuple("ab"[q % 2] for q in range(queries))},
    )
    return golden, old, new


def subject_of(golden: GoldenSet) -> FakeSubject:
    return FakeSubject(
        golden,
        FakeArm(score=lambda columns: columns["new"]),
        FakeArm("champion", score=lambda columns: columns["old"]),
    )


def reference(golden: GoldenSet, scores: np.ndarray, measure: str) -> dict[str, float]:
    qrels: dict[str, dict[str, int]] = {}
    for query, doc, grade in zip(golden.judged_query, golden.judged_doc, golden.grade, strict=True):
        qrels.setdefault(golden.query_id[query], {})[doc] = int(grade)
    served: dict[str, dict[str, float]] = {}
    for query, doc, score in zip(golden.row_query, golden.row_doc, scores, strict=True):
        served.setdefault(golden.query_id[query], {})[doc] = float(score)
    found = pytrec_eval.RelevanceEvaluator(qrels, {measure}).evaluate(served)
    name = measure.replace(".", "_")
    return {
        query: values[name]
        for query, values in found.items()
        if any(grade > 0 for grade in qrels[query].values())
    }


@pytest.mark.parametrize(
    ("metric", "measure"),
    [
        ("ndcg@10", "ndcg_cut.10"),
        ("mrr", "recip_rank"),
        ("map", "map"),
        ("precision@5", "P.5"),
        ("recall@5", "recall.5"),
    ],
)
def test_means_and_differences_are_those_of_pytrec_eval(metric: str, measure: str) -> None:
    golden, old, new = shop()
    result = run("ranking-diff", subject_of(golden), f"{metric}.delta", metric)
    before, after = reference(golden, old, measure), reference(golden, new, measure)
    difference = result[f"{metric}.delta"]
    assert difference.n == len(after)
    assert difference.value == pytest.approx(
        np.mean([after[q] - before[q] for q in after]), abs=1e-9
    )
    assert difference.extra["old"] == pytest.approx(np.mean(list(before.values())), abs=1e-9)
    assert result[metric].value == pytest.approx(np.mean(list(after.values())), abs=1e-9)


def test_each_query_of_the_exhibit_is_that_of_pytrec_eval() -> None:
    golden, old, new = shop()
    (exhibit,) = run("ranking-diff", subject_of(golden), "ndcg@10.delta").exhibits
    before, after = reference(golden, old, "ndcg_cut.10"), reference(golden, new, "ndcg_cut.10")
    queries = exhibit.data["queries"]
    assert len(queries) == len(golden.query_id)
    for one in queries:
        assert one["old"] == pytest.approx(before[one["id"]], abs=1e-6)
        assert one["new"] == pytest.approx(after[one["id"]], abs=1e-6)
    deltas = [one["delta"] for one in queries]
    assert deltas == sorted(deltas), "worst first"


def test_lists_are_shown_as_served_with_grades_and_old_places() -> None:
    golden = golden_set(
        lists=[{"a": 3.0, "b": None, "c": 0.0}],
        features={"old": [3.0, 2.0, 1.0], "new": [1.0, 1.0, 2.0]},
    )
    (exhibit,) = run("ranking-diff", subject_of(golden), "ndcg@2.delta").exhibits
    (query,) = exhibit.data["queries"]
    assert query["old_list"] == [["a", 3.0], ["b", None]]
    # a and b tie: the higher id stands first, as in trec_eval.
    assert query["new_list"] == [["c", 0.0, 3], ["b", None, 2]]
    assert exhibit.data["titles"]["c"] == "title of c"


def test_raw_grades_of_shown_documents_are_kept_where_annotators_are_named() -> None:
    golden = golden_set(
        lists=[{"a": 3.0, "b": 1.0, "c": 0.0, "u": None}, {"a": 2.0}],
        features={"old": [4.0, 3.0, 1.0, 2.0, 1.0], "new": [4.0, 3.0, 1.0, 2.0, 1.0]},
    )
    said = {"ann": [3.0, 1.0, 0.0, math.nan], "bob": [1.0, math.nan, 0.0, math.nan]}
    told = dataclasses.replace(golden, annotators={n: np.array(one) for n, one in said.items()})
    (exhibit,) = run("ranking-diff", subject_of(told), "ndcg@3.delta").exhibits
    first, second = sorted(exhibit.data["queries"], key=lambda one: str(one["id"]))
    assert first["spread"] == {"a": [3.0, 1.0], "b": [1.0]}
    assert "spread" not in second, "nobody is named for it"
    (exhibit,) = run("ranking-diff", subject_of(golden), "ndcg@3.delta").exhibits
    assert not [one for one in exhibit.data["queries"] if "spread" in one]


def test_slices_are_measured_on_their_own_queries() -> None:
    golden, old, new = shop()
    result = run("ranking-diff", subject_of(golden), "ndcg@10.delta", slices=["part"])
    before, after = reference(golden, old, "ndcg_cut.10"), reference(golden, new, "ndcg_cut.10")
    own = [q for q in after if golden.slices["part"][int(q[1:])] == "a"]
    measurement = result.measurements["ndcg@10.delta", "part=a"]
    assert measurement.n == len(own)
    assert measurement.value == pytest.approx(np.mean([after[q] - before[q] for q in own]))


def test_traffic_weighs_the_difference() -> None:
    golden = golden_set(
        lists=[{"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 0.0}],
        features={"old": [1.0, 0.0, 0.0, 1.0], "new": [0.0, 1.0, 1.0, 0.0]},
        weight=[3.0, 1.0],
    )
    change = 1 - 1 / math.log2(3)
    value = run("ranking-diff", subject_of(golden), "ndcg@10.delta")["ndcg@10.delta"].value
    assert value == pytest.approx((-3 * change + change) / 4)


def test_queries_without_a_relevant_document_are_left_out_of_both_arms_and_counted() -> None:
    golden = golden_set(
        lists=[{"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 0.0}],
        features={"old": [1.0, 0.0, 0.0, 1.0], "new": [1.0, 0.0, 1.0, 0.0]},
    )
    measurement = run("ranking-diff", subject_of(golden), "ndcg@10.delta")["ndcg@10.delta"]
    assert measurement.n == 1
    assert measurement.extra["left_out"] == 1


def test_a_golden_set_without_relevant_documents_measures_nothing_and_says_so() -> None:
    golden = golden_set(
        lists=[{"a": 0.0, "b": 0.0}], features={"old": [1.0, 0.0], "new": [0.0, 1.0]}
    )
    measurement = run("ranking-diff", subject_of(golden), "ndcg@10.delta")["ndcg@10.delta"]
    assert (measurement.value, measurement.n) == (None, 0)
    assert "no query with a relevant judged document" in measurement.reason


def test_the_same_scores_differ_by_exactly_nothing() -> None:
    golden, _, _ = shop()
    same = FakeSubject(
        golden,
        FakeArm(score=lambda columns: columns["old"]),
        FakeArm("champion", score=lambda columns: columns["old"]),
    )
    result = run("ranking-diff", same, "ndcg@10.delta", "rbo", "overlap@5", "kendall-tau")
    difference = result["ndcg@10.delta"]
    assert (difference.value, difference.lower, difference.upper) == (0.0, 0.0, 0.0)
    assert result["rbo"].value == pytest.approx(1.0)
    assert result["kendall-tau"].value == pytest.approx(1.0)
    assert result["overlap@5"].value == 1.0
    assert result["top1-changed"].value == 0.0


def test_severe_losses_count_queries_that_lose_at_least_the_threshold() -> None:
    golden = golden_set(
        lists=[{"a": 1.0, "b": 0.0, "c": 0.0}] * 4,
        features={
            "old": [3.0, 2.0, 1.0] * 4,
            "new": [3.0, 2.0, 1.0] * 3 + [1.0, 2.0, 3.0],
        },
    )
    measurement = run("ranking-diff", subject_of(golden), "severe-losses")["severe-losses"]
    assert measurement.value == 0.25
    assert measurement.lower is not None
    assert measurement.upper is not None
    assert measurement.lower < 0.25 < measurement.upper


def test_the_fixture_of_the_definitions_has_its_published_values() -> None:
    # Judgments a=3 b=2 c=0 d=1; served c, a, u (unjudged), d.
    golden = golden_set(
        lists=[{"c": 0.0, "a": 3.0, "u": None, "d": 1.0}],
        extra_judgments=[(0, "b", 2.0)],
        features={"old": [4.0, 3.0, 2.0, 1.0], "new": [4.0, 3.0, 2.0, 1.0]},
    )
    linear = run("ranking-diff", subject_of(golden), "ndcg@3", "judged@3")
    assert linear["ndcg@3"].value == pytest.approx(0.397490, abs=1e-6)
    assert linear["judged@3"].value == pytest.approx(2 / 3)
    burges = run("ranking-diff", subject_of(golden), "ndcg@3", gain="exponential")
    assert burges["ndcg@3"].value == pytest.approx(0.470202, abs=1e-6)


def test_without_a_champion_there_is_nothing_to_compare_with() -> None:
    golden, _, _ = shop(queries=2)
    alone = FakeSubject(golden, FakeArm(score=lambda columns: columns["new"]), None)
    with pytest.raises(NoChampion, match="no champion"):
        run("ranking-diff", alone, "ndcg@10.delta")


def test_each_arm_is_asked_once() -> None:
    golden, _, _ = shop(queries=5)
    subject = subject_of(golden)
    run("ranking-diff", subject, "ndcg@10.delta", "mrr.delta", "rbo", slices=["part"])
    assert subject.candidate.calls == 1
    assert subject.champion
    assert subject.champion.calls == 1


def test_the_same_seed_gives_the_same_interval() -> None:
    golden, _, _ = shop()
    first = run("ranking-diff", subject_of(golden), "ndcg@10.delta")["ndcg@10.delta"]
    assert run("ranking-diff", subject_of(golden), "ndcg@10.delta")["ndcg@10.delta"] == first
