"""Our kernels against pytrec_eval: the same rankings, the same metrics, equal to 1e-9."""

from __future__ import annotations

import numpy as np
import pytrec_eval

from benchmarks.timing import in_turn, machine
from gates.kernels import ranking
from gates.kernels.canonical import order_numbered

SIZES = ((500, 50), (10_000, 100))
MEASURES = {"ndcg_cut.10", "recip_rank", "map", "P.10", "recall.10"}


def main() -> None:
    """Print a row for each size: both times and their ratio."""
    print(f"\n### Metrics of one arm ({machine()})\n")
    print("nDCG@10, RR, AP, P@10, recall@10 for every query, from structures in memory.\n")
    print("| queries × documents | mlgates | pytrec_eval | ratio |")
    print("| --- | --- | --- | --- |")
    for queries, documents in SIZES:
        rng = np.random.default_rng(3)
        grades = rng.integers(0, 4, (queries, documents)).astype(float)
        scores = rng.permuted(np.tile(np.arange(documents) / 4, (queries, 1)), axis=1)
        docs = np.tile(np.arange(documents), queries)
        starts = np.arange(queries + 1) * documents

        def ours(
            docs: np.ndarray = docs,
            grades: np.ndarray = grades,
            scores: np.ndarray = scores,
            starts: np.ndarray = starts,
        ) -> np.ndarray:
            row = order_numbered(starts, scores.ravel(), docs)
            lists = (starts, grades.ravel()[row], starts, grades.ravel())
            ranking.reciprocal_rank(*lists)
            ranking.average_precision(*lists)
            ranking.precision_at(*lists, 10)
            ranking.recall_at(*lists, 10)
            return ranking.ndcg(*lists, 10)

        names = [f"d{d:04}" for d in range(documents)]
        judged = {
            f"q{q}": dict(zip(names, map(int, grades[q]), strict=True)) for q in range(queries)
        }
        served = {
            f"q{q}": dict(zip(names, map(float, scores[q]), strict=True)) for q in range(queries)
        }

        def theirs(
            judged: dict[str, dict[str, int]] = judged,
            served: dict[str, dict[str, float]] = served,
        ) -> dict[str, dict[str, float]]:
            found: dict[str, dict[str, float]] = pytrec_eval.RelevanceEvaluator(
                judged, MEASURES
            ).evaluate(served)
            return found

        reference = theirs()
        expected = [reference[f"q{q}"]["ndcg_cut_10"] for q in range(queries)]
        assert np.allclose(ours(), expected, rtol=0, atol=1e-9), "a speed of wrong numbers"
        took = in_turn({"ours": ours, "theirs": theirs})
        ratio = took["theirs"] / took["ours"]
        print(
            f"| {queries:,} × {documents} | {took['ours'] * 1e3:.1f} ms "
            f"| {took['theirs'] * 1e3:.1f} ms | {ratio:.1f} × |"
        )
