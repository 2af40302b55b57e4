"""How well texts find those that expectations put near them, old against new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gates.comparison.measuring import Sample
from gates.comparison.paired import PairedMetric
from gates.domain.subject import Expectation, GoldenSet
from gates.kernels import vectors as kernel
from gates.kernels.packed import Bools, Floats, Ints

__all__ = ["ExpectedPairs", "retrieval_quality"]


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedPairs:
    """The `closer` expectations of a golden set: a text must be nearer to one than to another.

    Attributes:
        rows: The expectations themselves.
        text: int64[n], the text of each.
        near: int64[n], the text that must be nearer.
        far: int64[n], the text that must be further.
    """

    rows: Sequence[Expectation]
    text: Ints
    near: Ints
    far: Ints

    @classmethod
    def of(cls, golden: GoldenSet) -> ExpectedPairs:
        """Those of a golden set; none where it expects nothing."""
        rows = [one for one in golden.expectations if one.kind == "closer"]
        index = {name: at for at, name in enumerate(golden.query_id)}
        text = [one.query for one in rows]
        near = [index[one.target] for one in rows]
        far = [index[one.than] for one in rows]
        return cls(rows, *(np.array(one, np.int64) for one in (text, near, far)))

    def cosines(self, vectors: Floats) -> tuple[Floats, Floats]:
        """Each text's cosine with both others, float64[n] each."""
        of = vectors[self.text]
        return kernel.cosines(of, vectors[self.near]), kernel.cosines(of, vectors[self.far])

    def held(self, vectors: Floats) -> Bools:
        """Which hold, bool[n]: what is equally near is not nearer, whatever rounding says."""
        to_near, to_far = self.cosines(vectors)
        kept: Bools = to_near - to_far > 1e-12
        return kept

    def change(self, old: Floats, new: Floats) -> PairedMetric:
        """The expectations that hold, old and new, as a metric whose items they are."""
        before, after = (self.held(one).astype(np.float64) for one in (old, new))
        return PairedMetric("pairs", before, after, unit="share of expectations")

    def sample(self) -> Sample:
        """Each expectation alike; those of one text were drawn together."""
        n = self.text.size
        return Sample(np.ones(n), np.zeros(n, np.bool_), severe=1.0, cluster=self.text)


def retrieval_quality(pairs: ExpectedPairs, neighbours: Ints) -> dict[str, Floats]:
    """Recall and nDCG of the texts that must be near, among each text's nearest.

    A text is relevant to another where an expectation says that it must be nearer; all others count
    as not relevant.

    Args:
        pairs: What is expected.
        neighbours: int64[Q, k], nearest first.

    Returns:
        `recall` and `ndcg`, float64[Q] each, NaN where nothing is expected.
    """
    texts, k = neighbours.shape
    wanted = np.unique(pairs.text * texts + pairs.near)
    text = wanted // texts
    relevant = np.bincount(text, minlength=texts).astype(np.float64)
    keys = np.arange(texts)[:, np.newaxis] * texts + neighbours
    hit = np.isin(keys, wanted)
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate(([0.0], discount.cumsum()))
    best = ideal[np.minimum(relevant, k).astype(np.int64)]
    asked = relevant > 0
    recall, ndcg = np.full(texts, np.nan), np.full(texts, np.nan)
    recall[asked] = hit.sum(axis=1)[asked] / relevant[asked]
    ndcg[asked] = (hit @ discount)[asked] / best[asked]
    return {"recall": recall, "ndcg": ndcg}
