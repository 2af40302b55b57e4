"""Ranking metrics against pytrec_eval and ranx, query by query on random runs."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import pytrec_eval

from gates.kernels import ranking
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
        query = np.array([position[q] for q, _, _ in rows])
        docs = np.array([code[doc] for _, doc, _ in rows])
        grades = np.array([self.qrels[q].get(doc, np.nan) for q, doc, _ in rows])
        by_rank = ranking.order(query, np.array([score for _, _, score in rows]), docs)
        starts = offsets(query[by_rank], len(position))
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


@pytest.mark.parametrize("seed", [1, 2])
def test_every_query_scores_what_pytrec_eval_gives(seed: int) -> None:
    sample = Sample(seed)
    ranked, ideal = sample.ranking(), sample.ideal()
    arrays = (ranked.starts, ranked.grades, *ideal)
    for ours, measure in (
        (ranking.ndcg(*arrays), "ndcg"),
        (ranking.ndcg(*arrays, 10), "ndcg_cut.10"),
        (ranking.average_precision(*arrays), "map"),
        (ranking.average_precision(*arrays, 5), "map_cut.5"),
        (ranking.reciprocal_rank(*arrays), "recip_rank"),
        (ranking.precision_at(*arrays, 10), "P.10"),
        (ranking.recall_at(*arrays, 20), "recall.20"),
    ):
        assert_equal_where_it_exists(ours, reference(sample, measure))


def test_a_threshold_counts_as_pytrec_evals_relevance_level() -> None:
    sample = Sample(3)
    ranked, ideal = sample.ranking(), sample.ideal()
    ours = ranking.average_precision(ranked.starts, ranked.grades, *ideal, relevant=2)
    exists = ~np.isnan(ours)
    theirs = reference(sample, "map", relevant=2)
    np.testing.assert_allclose(ours[exists], theirs[exists], rtol=0, atol=1e-9)


def test_condensed_lists_score_as_with_judged_documents_only() -> None:
    sample = Sample(4)
    ranked = ranking.condensed(sample.ranking())
    ours = ranking.ndcg(ranked.starts, ranked.grades, *sample.ideal(), 10)
    assert_equal_where_it_exists(ours, reference(sample, "ndcg_cut.10", judged_only=True))


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
from ranx.metrics import ndcg_burges

values = []
for ideal, served in json.load(sys.stdin):
    run = [[doc, -rank] for rank, doc in enumerate(served)]
    arrays = [np.array([rows], dtype=float) for rows in (ideal, run)]
    values.append(float(ndcg_burges(*arrays, 10, 1)[0]))
json.dump(values, sys.stdout)
"""


def test_exponential_gain_scores_what_ranx_gives() -> None:
    """In a process of its own without its compiler, which would take most of a minute."""
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
    ranked = sample.ranking()
    ours = ranking.ndcg(ranked.starts, ranked.grades, *sample.ideal(), 10, "exponential")
    assert_equal_where_it_exists(ours, np.array(json.loads(answer.stdout)))
