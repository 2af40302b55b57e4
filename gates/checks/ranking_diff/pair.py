"""Both versions' result lists of one golden set, and every metric of each query."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gates.checks._ranked import GradedCandidates, Ranked
from gates.comparison.measuring import PairedMetric
from gates.domain.subject import GoldenSet
from gates.kernels import named, ranking, similarity
from gates.kernels.matching import Lists, as_codes, pair
from gates.kernels.packed import Floats
from gates.kernels.unjudged import UnjudgedBounds, unjudged

__all__ = ["QUALITY", "RankingPair"]

QUALITY: Mapping[str, str] = {
    "ndcg@{k}": "normalised discounted cumulative gain of the top k",
    "condensed-ndcg@{k}": "nDCG of the top k once unjudged documents are taken out",
    "mrr": "reciprocal rank of the first relevant document",
    "map": "average precision",
    "precision@{k}": "share of relevant documents in the top k",
    "recall@{k}": "share of all relevant documents that are in the top k",
    "rbp": "rank-biased precision, persistence 0.8",
    "err@{k}": "expected reciprocal rank of the document a reader stops at",
}
"""Quality metrics of one version, in words."""


@dataclass(frozen=True, eq=False)
class RankingPair:
    """Both versions' lists.

    Attributes:
        golden: The golden set.
        coded: Its documents as integers.
        old: The champion's lists.
        new: The candidate's lists.
        gain: nDCG's gain.
        relevant: The grade from which a document counts as relevant.
        rbo_p: RBO's persistence.
    """

    golden: GoldenSet
    coded: GradedCandidates
    old: Ranked
    new: Ranked
    gain: ranking.Gain
    relevant: float
    rbo_p: float

    @cached_property
    def pairing(self) -> similarity.Pairing:
        """Where each document of one version stands in the other."""
        starts = self.coded.starts
        old, new = (Lists(starts, as_codes(arm.docs)) for arm in (self.old, self.new))
        return pair(old, new)

    @cached_property
    def _judged(self) -> named.JudgedQueries:
        coded, scale = self.coded, self.golden.manifest.max_grade
        starts, grades = coded.ideal_starts, coded.ideal_grades
        return named.JudgedQueries(starts, grades, self.gain, self.relevant, scale)

    def quality(self, metric: str, arm: Ranked) -> Floats:
        """A quality metric of one version, float64[Q], NaN where it does not exist."""
        lists = ranking.Ranking(self.coded.starts, arm.docs, arm.grades)
        if metric.startswith("condensed-"):
            lists = ranking.condensed(lists)
        plain = metric.removeprefix("condensed-")
        return named.quality(plain, lists.starts, lists.grades, self._judged)

    def change(self, metric: str, *, noise: float = 0.0, bounded: bool = False) -> PairedMetric:
        """A metric under both versions.

        Args:
            metric: A quality metric.
            noise: How much of its mean a champion that is not deterministic could make.
            bounded: Whether unjudged documents may decide.
        """
        open_ended = None
        if bounded and re.fullmatch(r"ndcg@\d+", metric):
            found = self.unjudged(int(metric.partition("@")[2]))
            open_ended = (found.pessimistic, found.optimistic)
        old, new = self.quality(metric, self.old), self.quality(metric, self.new)
        return PairedMetric(metric, old, new, open_ended, noise)

    def unjudged(self, k: int) -> UnjudgedBounds:
        """What documents that nobody judged could do to nDCG of the top k."""
        coded = self.coded
        return unjudged(
            self.pairing,
            self.old.grades,
            self.new.grades,
            coded.ideal_starts,
            coded.ideal_grades,
            k,
            self.gain,
            max_grade=self.golden.manifest.max_grade,
        )

    def likeness(self, metric: str) -> Floats | None:
        """How alike both lists of each query are, float64[Q]; None when that is no such metric."""
        name, _, k = metric.partition("@")
        pairing = self.pairing
        measured: Mapping[str, Callable[[], Floats]] = {
            "overlap": lambda: similarity.overlap_at(pairing, int(k)),
            "jaccard": lambda: similarity.jaccard_at(pairing, int(k)),
            "rbo": lambda: similarity.rbo(pairing, p=self.rbo_p),
            "kendall-tau": lambda: similarity.kendall_tau(pairing),
            "tau-ap": lambda: similarity.tau_ap(pairing),
            "largest-move": lambda: similarity.largest_displacement(pairing).astype(np.float64),
            "judged": lambda: ranking.judged_at(self.coded.starts, self.new.grades, int(k)),
        }
        return measured[name]() if name in measured else None
