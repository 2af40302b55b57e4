"""Ranking metrics against pytrec_eval and ranx, query by query on random runs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import pytrec_eval

from gates.kernels import ranking
from gates.kernels.browsing import rbp
from gates.kernels.canonical import order_numbered
from gates.kernels.packed import Floats, Ints, offsets

QUERIES, POOL, SERVED = 150, 60, 40
Qrels = dict[str, dict[str, int]]
Run = dict[str, dict[str, float]]


class Sample:
    """A random run with many tied scores and unjudged documents, in both forms."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.qrels: Qrels = {}
        self.run: Run = {}
        for number in range(QUERIES):
            name, docs = f"q{number:03}", [f"d{code}" for code in range(POOL)]
            judged = rng.choice(docs, rng.integers(1, 40), replace=False)
            self.qrels[name] = {str(doc): int(rng.integers(0, 5)) for doc in judged}
            served = rng.choice(docs, rng.integers(1, SERVED), replace=False)
            self.run[name] = {str(doc): float(rng.integers(0, 12)) for doc in served}
        self.qrels["q000"] = {"d1": 0}  # no relevant document

    def ranking(self) -> ranking.Ranking:
        rows = [(q, doc, score) for q, docs in self.run.items() for doc, score in docs.items()]
        names = sorted({doc for _, doc, _ in rows})
        code = {doc: rank for rank, doc in enumerate(names)}
        position = {q: rank for rank, q in enumerate(self.run)}
        # Rows come query by query.
        starts = offsets(np.array([position[q] for q, _, _ in rows]), len(position))
        docs = np.array([code[doc] for _, doc, _ in rows])
        grades = np.array([self.qrels[q].get(doc, np.nan) for q, doc, _ in rows])
        by_rank = order_numbered(starts, np.array([score for _, _, score in rows]), docs)
        return ranking.Ranking(starts, docs[by_rank], grades[by_rank])

    def ideal(self) -> tuple[Ints, Floats]:
        grades = [list(self.qrels[q].values()) for q in self.run]
        starts = np.cumsum([0, *map(len, grades)], dtype=np.int64)
        return starts, np.concatenate(grades).astype(np.float64)


def reference(
    sample: Sample, measure: str, *, relevant: int = 1, judged_only: bool = False
) -> Floats:
    evaluator = pytrec_eval.RelevanceEvaluator(
        sample.qrels, [measure], relevance_level=relevant, judged_docs_only_flag=judged_only
    )
    values = evaluator.evaluate(sample.run)
    name = measure.replace(".", "_")
    return np.array([values[query][name] for query in sample.run])


def assert_equal_where_it_exists(ours: Floats, theirs: Floats) -> None:
    """pytrec_eval gives 0 where a query has no relevant document, and we give nothing."""
    exists = ~np.isnan(ours)
    assert exists.sum() > 0.9 * QUERIES
    assert not exists[0]
    np.testing.assert_allclose(ours[exists], theirs[exists], rtol=0, atol=1e-9)
    assert (theirs[~exists] == 0).all()


MEASURES: dict[str, Callable[..., Floats]] = {
    "ndcg": ranking.ndcg,
    "ndcg_cut.10": partial(ranking.ndcg, k=10),
    "map": ranking.average_precision,
    "map_cut.5": partial(ranking.average_precision, k=5),
    "recip_rank": ranking.reciprocal_rank,
    "P.10": partial(ranking.precision_at, k=10),
    "recall.20": partial(ranking.recall_at, k=20),
}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("measure", MEASURES)
def test_every_query_scores_what_pytrec_eval_gives(measure: str, seed: int) -> None:
    sample = Sample(seed)
    ranked = sample.ranking()
    ours = MEASURES[measure](ranked.starts, ranked.grades, *sample.ideal())
    assert_equal_where_it_exists(ours, reference(sample, measure))


def test_a_threshold_counts_as_pytrec_evals_relevance_level() -> None:
    sample = Sample(3)
    ranked, ideal = sample.ranking(), sample.ideal()
    ours = ranking.average_precision(ranked.starts, ranked.grades, *ideal, relevant=2)
    exists = ~np.isnan(ours)
    theirs = reference(sample, "map", relevant=2)
    np.testing.assert_allclose(ours[exists], theirs[exists], rtol=0, atol=1e-9)


@pytest.mark.parametrize("measure", MEASURES)
def test_condensed_lists_score_as_with_judged_documents_only(measure: str) -> None:
    sample = Sample(4)
    ranked = ranking.condensed(sample.ranking())
    ours = MEASURES[measure](ranked.starts, ranked.grades, *sample.ideal())
    assert_equal_where_it_exists(ours, reference(sample, measure, judged_only=True))


def test_pytrec_eval_ties_scores_that_differ_beyond_single_precision() -> None:
    sample = Sample(5)
    sample.qrels = {"q": {"a": 1, "b": 0}}
    sample.run = {"q": {"a": 0.5 + 1e-9, "b": 0.5}}
    ranked = sample.ranking()
    ours = ranking.reciprocal_rank(ranked.starts, ranked.grades, *sample.ideal())
    assert ours.tolist() == [1.0]
    assert reference(sample, "recip_rank").tolist() == [0.5]


RANX = """
import json, sys
import numpy as np
from ranx import Qrels, Run, evaluate
from ranx import metrics

measures = {
    "ndcg_burges@10": lambda ideal, run: metrics.ndcg_burges(ideal, run, 10, 1),
    "ndcg": lambda ideal, run: metrics.ndcg(ideal, run, 0, 1),
    "rbp": lambda ideal, run: metrics.rank_biased_precision(ideal, run, 0.8, 1),
    "map": lambda ideal, run: metrics.average_precision(ideal, run, 0, 1),
    "mrr@5": lambda ideal, run: metrics.reciprocal_rank(ideal, run, 5, 1),
    "precision@10": lambda ideal, run: metrics.precision(ideal, run, 10, 1),
    "recall@20": lambda ideal, run: metrics.recall(ideal, run, 20, 1),
}
values = {name: [] for name in measures}
for ideal, served in json.load(sys.stdin):
    run = [[doc, -rank] for rank, doc in enumerate(served)]
    arrays = [np.array([rows], dtype=float) for rows in (ideal, run)]
    for name, measure in measures.items():
        values[name].append(float(measure(*arrays)[0]))
values["tied"] = [
    float(evaluate(Qrels({"q": {"a": 1}}), Run({"q": dict.fromkeys(docs, 1.0)}), "mrr"))
    for docs in ("ab", "ba")
]
json.dump(values, sys.stdout)
"""


@pytest.fixture(scope="module")
def ranx() -> dict[str, Floats]:
    """What ranx gives on `Sample(6)`, by measure.

    In a process of its own without its compiler, which would take most of a minute, and on lists
    already in order, since it leaves ties as they were inserted.
    """
    sample = Sample(6)
    cases = []
    for query, docs in sample.run.items():
        by_rank = sorted(docs, key=lambda doc: (docs[doc], doc), reverse=True)
        judged = sorted(sample.qrels[query].items(), key=lambda item: -item[1])
        ideal = [[int(doc[1:]), grade] for doc, grade in judged]
        cases.append([ideal, [int(doc[1:]) for doc in by_rank]])
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RANX],
        input=json.dumps(cases),
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name: np.array(values) for name, values in json.loads(answer.stdout).items()}


@pytest.mark.parametrize(
    ("measure", "kernel"),
    [
        ("ndcg_burges@10", partial(ranking.ndcg, k=10, gain="exponential")),
        ("ndcg", ranking.ndcg),
        ("map", ranking.average_precision),
        ("mrr@5", partial(ranking.reciprocal_rank, k=5)),
        ("precision@10", partial(ranking.precision_at, k=10)),
        ("recall@20", partial(ranking.recall_at, k=20)),
    ],
)
def test_every_query_scores_what_ranx_gives(
    ranx: dict[str, Floats], measure: str, kernel: Callable[..., Floats]
) -> None:
    sample = Sample(6)
    ranked = sample.ranking()
    ours = kernel(ranked.starts, ranked.grades, *sample.ideal())
    assert_equal_where_it_exists(ours, ranx[measure])


def test_rank_biased_precision_scores_what_ranx_gives(ranx: dict[str, Floats]) -> None:
    """Its gain is the grade, not a share of the scale, so it leaves the bounds with grades."""
    sample = Sample(6)
    ranked = sample.ranking()
    ours = rbp(ranked.starts, ranked.grades, *sample.ideal(), max_grade=4, persistence=0.8)
    assert_equal_where_it_exists(ours, ranx["rbp"] / 4)
    assert ranx["rbp"].max() > 1


def test_ranx_ranks_ties_in_the_order_they_were_inserted(ranx: dict[str, Floats]) -> None:
    assert ranx["tied"].tolist() == [1.0, 0.5]
    ours = order_numbered(np.array([0, 2]), np.ones(2), np.array([0, 1]))
    assert ours.tolist() == [1, 0]
