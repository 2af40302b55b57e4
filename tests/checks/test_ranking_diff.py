"""`ranking-diff`: numbers as pytrec_eval has them, the right way round, lists as served."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import pytrec_eval

from gates.checks.ranking_diff import CHECK
from gates.domain.exhibits import TableId
from gates.domain.judging import Bound, Cause, Outcome, judge
from gates.domain.subject import GoldenSet
from gates.errors import NoChampion
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
    (lists,) = run("ranking-diff", subject_of(golden), "ndcg@10.delta").lists
    before, after = reference(golden, old, "ndcg_cut.10"), reference(golden, new, "ndcg_cut.10")
    assert len(lists.queries) == len(golden.query_id)
    for one in lists.queries:
        assert one.old == pytest.approx(before[one.id], abs=1e-6)
        assert one.new == pytest.approx(after[one.id], abs=1e-6)
    deltas = [one.delta for one in lists.queries if one.delta is not None]
    assert deltas == sorted(deltas), "worst first"
    assert len(deltas) == len(lists.queries)


def test_lists_are_shown_as_served_with_grades_and_old_places() -> None:
    golden = golden_set(
        lists=[{"a": 3.0, "b": None, "c": 0.0}],
        features={"old": [3.0, 2.0, 1.0], "new": [1.0, 1.0, 2.0]},
    )
    (lists,) = run("ranking-diff", subject_of(golden), "ndcg@2.delta").lists
    (query,) = lists.queries
    assert query.old_list == (("a", 3.0), ("b", None))
    # a and b tie: the higher id stands first, as in trec_eval.
    assert query.new_list == (("c", 0.0, 3), ("b", None, 2))
    assert lists.titles["c"] == "title of c"


def test_raw_grades_of_shown_documents_are_kept_where_annotators_are_named() -> None:
    golden = golden_set(
        lists=[{"a": 3.0, "b": 1.0, "c": 0.0, "u": None}, {"a": 2.0}],
        features={"old": [4.0, 3.0, 1.0, 2.0, 1.0], "new": [4.0, 3.0, 1.0, 2.0, 1.0]},
    )
    said = {"ann": [3.0, 1.0, 0.0, math.nan], "bob": [1.0, math.nan, 0.0, math.nan]}
    told = dataclasses.replace(golden, annotators={n: np.array(one) for n, one in said.items()})
    (lists,) = run("ranking-diff", subject_of(told), "ndcg@3.delta").lists
    first, second = sorted(lists.queries, key=lambda one: one.id)
    assert first.spread == {"a": (3.0, 1.0), "b": (1.0,)}
    assert not second.spread, "nobody is named for it"
    (lists,) = run("ranking-diff", subject_of(golden), "ndcg@3.delta").lists
    assert not any(one.spread for one in lists.queries)


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


def test_the_same_scores_differ_by_nothing_but_what_other_queries_might() -> None:
    golden, _, _ = shop()
    same = FakeSubject(
        golden,
        FakeArm(score=lambda columns: columns["old"]),
        FakeArm("champion", score=lambda columns: columns["old"]),
    )
    result = run("ranking-diff", same, "ndcg@10.delta", "rbo", "overlap@5", "kendall-tau")
    difference = result["ndcg@10.delta"]
    assert difference.value == 0.0
    # Nothing in n queries: up to 1 - 0.05^(1/n) of the traffic may still lose a severe loss each.
    outside = 0.3 * (1 - 0.05 ** (1 / difference.n))
    assert difference.lower == pytest.approx(-outside, rel=1e-6)
    assert difference.upper == pytest.approx(outside, rel=1e-6)
    assert result["rbo"].value == pytest.approx(1.0)
    # A slice speaks for itself: borrowing the whole set's bounds passed 34 % at the margin.
    slices = run("ranking-diff", same, "ndcg@10.delta", slices=("part",)).measurements
    part = slices["ndcg@10.delta", "part=a"]
    assert part.lower == pytest.approx(-0.3 * (1 - 0.05 ** (1 / part.n)), rel=1e-6)
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


def test_a_census_without_a_change_has_no_doubt_left() -> None:
    golden, _, _ = shop()
    golden = dataclasses.replace(golden, census=np.ones(len(golden.query_id), bool))
    same = FakeSubject(
        golden,
        FakeArm(score=lambda columns: columns["old"]),
        FakeArm("champion", score=lambda columns: columns["old"]),
    )
    difference = run("ranking-diff", same, "ndcg@10.delta")["ndcg@10.delta"]
    assert (difference.value, difference.lower, difference.upper) == (0.0, 0.0, 0.0)


def test_unjudged_documents_bound_the_difference_and_are_listed_by_what_they_could_do() -> None:
    golden, _old, _new = shop()
    result = run("ranking-diff", subject_of(golden), "ndcg@10.delta", "ndcg@3.delta")
    for depth in (10, 3):
        found = result[f"ndcg@{depth}.delta"]
        worst, best = found.pessimistic, found.optimistic
        assert worst is not None
        assert best is not None
        assert worst < (found.value or 0.0) < best
    (table,) = [one for one in result.tables if one.id is TableId.JUDGE_NEXT]
    assert table.title == "Documents to judge next"
    power = [float(row[-1] or 0.0) for row in table.rows]
    assert power == sorted(power, reverse=True)
    judged = {
        (golden.query_text[q], doc)
        for q, doc in zip(golden.judged_query, golden.judged_doc, strict=True)
    }
    assert not {(row[0], row[1]) for row in table.rows} & judged


def test_unjudged_documents_can_be_called_irrelevant_on_purpose() -> None:
    golden, _, _ = shop()
    result = run("ranking-diff", subject_of(golden), "ndcg@10.delta", unjudged="irrelevant")
    assert result["ndcg@10.delta"].pessimistic is None


def test_every_metric_of_the_catalogue_is_measured() -> None:
    golden, _, _ = shop()
    names = [one.name.replace("{k}", "5") for one in CHECK.spec.metrics]
    result = run("ranking-diff", subject_of(golden), *names, slices=("part",))
    for name in names:
        assert result[name].value is not None, name
        assert result[name].n > 0
    assert result.measurements["ndcg@5.p-better", "part=a"].value is not None


def test_a_better_candidate_is_shown_to_be_so_and_slices_pay_for_being_many() -> None:
    golden, _old, _ = shop()
    grades = np.nan_to_num(
        np.array([golden_grade(golden, row) for row in range(len(golden.row_doc))])
    )
    better = FakeSubject(
        golden,
        FakeArm(score=lambda _: grades),
        FakeArm("champion", score=lambda columns: columns["old"]),
    )
    result = run("ranking-diff", better, "ndcg@10.p-better", slices=("part",))
    assert (result["ndcg@10.p-better"].value or 1) < 0.001
    slices = [result.measurements["ndcg@10.p-better", f"part={one}"].value or 0.0 for one in "ab"]
    alone = [
        run("ranking-diff", better, "ndcg@10.p-better", slices=(f"part={one}",)).measurements
        for one in "ab"
    ]
    by_itself = [
        found["ndcg@10.p-better", f"part={one}"].value or 0.0
        for found, one in zip(alone, "ab", strict=True)
    ]
    assert max(slices) < 0.001
    # Holm: the clearer of two pays twice, the other at least as much as the first.
    assert min(slices) == pytest.approx(2 * min(by_itself))


def golden_grade(golden: GoldenSet, row: int) -> float:
    """The grade of a candidate row, NaN where nobody judged it."""
    query, doc = golden.row_query[row], golden.row_doc[row]
    found = [
        grade
        for q, d, grade in zip(golden.judged_query, golden.judged_doc, golden.grade, strict=True)
        if q == query and d == doc
    ]
    return found[0] if found else math.nan


def test_a_champion_that_does_not_repeat_itself_widens_every_difference() -> None:
    golden, _old, _new = shop()
    subject = subject_of(golden)
    assert subject.champion is not None
    steady = run("ranking-diff", subject, "ndcg@10.delta", "noise", "noise.changed")
    assert steady["noise"].value == 0.0
    assert steady["noise.changed"].value == 0.0
    subject.champion.again = lambda columns: np.asarray(columns["old"])[::-1]
    shaky = run("ranking-diff", subject, "ndcg@10.delta", "noise", "noise.changed")
    noise = shaky["noise"].value or 0.0
    assert noise > 0
    assert (shaky["noise.changed"].value or 0) > 0.5
    for end, sign in (("lower", -1), ("upper", 1)):
        before = getattr(steady["ndcg@10.delta"], end)
        assert getattr(shaky["ndcg@10.delta"], end) == pytest.approx(before + sign * noise)


def test_a_bad_part_of_the_queries_is_found_without_being_named() -> None:
    golden, _old, _ = shop(queries=200)
    part = np.array(golden.slices["part"])[golden.row_query] == "b"
    grades = np.nan_to_num(
        np.array([golden_grade(golden, row) for row in range(len(golden.row_doc))])
    )
    subject = FakeSubject(
        golden,
        FakeArm(score=lambda _: np.where(part, -grades, grades)),
        FakeArm("champion", score=lambda _: grades),
    )
    tables = run("ranking-diff", subject, "ndcg@10.delta").tables
    (table,) = [one for one in tables if one.id is TableId.WORST_SLICES]
    assert table.title.startswith("Where the candidate is worst")
    assert table.rows[0][0] == "part = b"


def easy_shop(queries: int = 300, documents: int = 12) -> GoldenSet:
    """Nearly every candidate is as good as any other: a trained ranker beats chance by little."""
    rng = np.random.default_rng(5)
    grades = rng.choice([2.0, 3.0], (queries, documents), p=[0.3, 0.7])
    lists = [{f"d{d:02}": float(one) for d, one in enumerate(own)} for own in grades]
    trained = (grades + rng.normal(0, 1.0, grades.shape)).ravel().tolist()
    noise = rng.normal(size=grades.size).tolist()
    return golden_set(
        lists=lists,
        features={"old": trained, "new": noise},
    )


@pytest.mark.parametrize("metric", ["ndcg@10.delta", "ndcg@10.change"])
def test_a_margin_that_random_order_keeps_lets_nobody_through(metric: str) -> None:
    # A ranker of noise passed, because random order costs next to nothing here.
    found = run("ranking-diff", subject_of(easy_shop()), metric)[metric]
    assert found.lower is not None
    assert found.lower > -0.06
    loose = judge(Bound("ranking-diff", metric, minimum=-0.06), found)
    assert (loose.outcome, loose.cause) == (Outcome.UNDECIDED, Cause.RANDOM_ORDER)
    assert "random order of the same documents" in loose.reason
    allowed = run("ranking-diff", subject_of(easy_shop()), metric, random_order="allowed")[metric]
    assert judge(Bound("ranking-diff", metric, minimum=-0.06), allowed).outcome is Outcome.PASS
    assert found.random_order is not None
    # A margin below what the champion adds is one: noise fails it, and the champion itself passes.
    tight = Bound("ranking-diff", metric, minimum=found.random_order / 2)
    assert judge(tight, found).outcome is not Outcome.PASS
    golden = easy_shop()
    same = FakeSubject(
        golden,
        FakeArm(score=lambda columns: columns["old"]),
        FakeArm("champion", score=lambda columns: columns["old"]),
    )
    assert judge(tight, run("ranking-diff", same, metric)[metric]).outcome is Outcome.PASS


def test_what_the_champion_adds_stands_beside_the_difference() -> None:
    golden, old, _ = shop()
    result = run("ranking-diff", subject_of(golden), "ndcg@10.delta")["ndcg@10.delta"]
    random, ideal = result.extra["random"], result.extra["ideal"]
    assert random is not None
    assert ideal is not None
    rng = np.random.default_rng(0)
    shuffled = [
        np.mean([*reference(golden, rng.random(old.size), "ndcg_cut.10").values()])
        for _ in range(60)
    ]
    assert random == pytest.approx(np.mean(shuffled), abs=0.01)
    grades = {
        (query, doc): grade
        for query, doc, grade in zip(
            golden.judged_query, golden.judged_doc, golden.grade, strict=True
        )
    }
    best = np.array(
        [grades.get(one, -1.0) for one in zip(golden.row_query, golden.row_doc, strict=True)]
    )
    assert ideal == pytest.approx(np.mean([*reference(golden, best, "ndcg_cut.10").values()]))
    assert result.extra["old"] is not None
    assert result.random_order == pytest.approx(random - result.extra["old"])
