"""How much each input feature matters to one version: by shuffling it, and by its own account.

Permutation importance (Breiman, "Random forests", 2001; Fisher, Rudin and Dominici, "All models are
wrong, but many are useful", 2019): the values of one feature change places among all rows, and how
far scores move says how much the version leans on it. Beside it stands what the version itself
tells, where it can (SHAP values).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gates.checks._ranked import GradedCandidates
from gates.domain.judging import Measurement
from gates.domain.subject import Arm, GoldenSet, NoContributions
from gates.kernels.association import spearman
from gates.kernels.canonical import order_numbered
from gates.kernels.packed import Bools, Floats, Ints, offsets
from gates.kernels.ranking import ndcg

__all__ = [
    "EXPECTED",
    "FeatureImportance",
    "ReportedImportance",
    "constant",
    "draw",
    "in_top",
    "input_features",
    "measure_importance",
    "rank_of",
]

EXPECTED = "share of expected features"
"""The unit of `in_top`."""

_EXPLAINED = 1_000  # rows; many and deep trees take some 20 ms a row to explain
_K = 10


@dataclass(frozen=True, slots=True, eq=False)
class ReportedImportance:
    """What one version tells of its features.

    Attributes:
        size: Feature → mean |contribution|, relative to the mean over the row's query, raw score.
        silent: Features that contributed exactly 0 to every row.
        direction: Feature → Spearman's correlation of its value with its contribution; NaN where
            either does not vary.
        queries: How many queries it was asked about.
    """

    size: Mapping[str, float]
    silent: frozenset[str]
    direction: Mapping[str, float]
    queries: int


@dataclass(frozen=True, slots=True, eq=False)
class FeatureImportance:
    """How much features matter to one version.

    Attributes:
        moved: Feature → mean |score change| when it is shuffled, in units of the spread (standard
            deviation) of scores within a query, averaged over queries.
        lost: Feature → nDCG@10 lost when it is shuffled; NaN without judged documents.
        still: Features whose shuffling changed not one score.
        told: What the version tells itself, or why it does not.
    """

    moved: Mapping[str, float]
    lost: Mapping[str, float]
    still: frozenset[str]
    told: ReportedImportance | str


def input_features(arm: Arm, golden: GoldenSet) -> tuple[str, ...]:
    """The input columns of a version that the golden set gives; all of those if it names none."""
    asked = golden.features.keys() if arm.inputs is None else arm.inputs
    return tuple(name for name in asked if name in golden.features)


def constant(values: Floats, nearly: float = 1.0) -> bool:
    """Whether one value, or none at all, fills a feature.

    Args:
        values: float64[N], NaN where missing.
        nearly: The share of rows from which a value fills it.
    """
    _, counts = np.unique(values, return_counts=True)  # NaN is one value here
    return bool(counts.max(initial=0) >= nearly * values.size)


def draw(query: Ints, rows: int, seed: int) -> Ints:
    """Positions of the rows of whole queries drawn at random, ascending, int64[`rows` at most].

    Args:
        query: int64[N], each row's query, not empty.
        rows: As many as are wanted at most; the first query drawn is taken however long it is.
        seed: The same seed draws the same queries.
    """
    names, sizes = np.unique(query, return_counts=True)
    by_chance = np.random.default_rng(seed).permutation(names.size)
    fitting = int((np.cumsum(sizes[by_chance]) <= rows).sum())
    return np.flatnonzero(np.isin(query, names[by_chance[: max(1, fitting)]]))


def measure_importance(
    arm: Arm, golden: GoldenSet, coded: GradedCandidates, rows: Ints, *, repeats: int, seed: int
) -> FeatureImportance:
    """Ask a version for its scores with each feature shuffled, one call each, and what it tells.

    Args:
        golden: A ranking golden set.
        coded: Its documents as integers.
        rows: The rows to ask about, whole queries.
        repeats: How often each feature is shuffled.
        seed: The same seed shuffles alike, whatever the version and the feature.

    Raises:
        ModelFault: It could not score.
    """
    frame: dict[str, Floats] = {
        name: np.asarray(column)[rows] for name, column in golden.inputs().items()
    }
    query = golden.row_query[rows]
    scores = arm.scores(frame)
    best = _quality(golden, coded, rows, scores)
    unit = _spread(query, scores)
    random = np.random.default_rng(seed)
    shuffles = [random.permutation(rows.size) for _ in range(repeats)]
    moved, lost, still = {}, {}, set()
    for name in input_features(arm, golden):
        apart, losses = [], []
        for shuffle in shuffles:
            changed = frame[name][shuffle]
            if np.array_equal(changed, frame[name], equal_nan=True):
                apart.append(np.zeros_like(scores))
                losses.append(0.0)
                continue
            again = arm.scores({**frame, name: changed})
            apart.append(np.abs(again - scores))
            losses.append(best - _quality(golden, coded, rows, again))
        moved[name] = float(np.mean(apart)) / unit
        lost[name] = float(np.mean(losses))
        if not np.any(apart):
            still.add(name)
    return FeatureImportance(moved, lost, frozenset(still), _tell(arm, frame, query, scores, seed))


def rank_of(sizes: Mapping[str, float]) -> Mapping[str, int]:
    """Feature → its place by importance, from 1; those of no importance at all have none."""
    names = sorted((name for name in sizes if sizes[name] > 0), key=lambda n: (-sizes[n], n))
    return {name: place for place, name in enumerate(names, start=1)}


def in_top(metric: str, sizes: Mapping[str, float], expected: Sequence[str]) -> Measurement:
    """The share of expected features that are among the most important.

    Args:
        metric: Its name, which ends in `@` and how many places there are.
        sizes: Feature → its importance, by whatever it was measured.
        expected: The features.
    """
    if not expected:
        reason = "the card names no features: set the option 'expected'"
        return Measurement(metric, None, 0, EXPECTED, reason=reason)
    k, places = int(metric.partition("@")[2]), rank_of(sizes)
    missed = [name for name in expected if places.get(name, k + 1) > k]
    words = ", ".join(f"{name} ({_standing(name, places, sizes)})" for name in missed)
    reason = f"not in the top {k}: {words}" if missed else ""
    share = 1 - len(missed) / len(expected)
    return Measurement(metric, share, len(expected), EXPECTED, reason=reason)


def _standing(name: str, places: Mapping[str, int], sizes: Mapping[str, float]) -> str:
    if name in places:
        return f"number {places[name]} of {len(sizes)}"
    return "of no importance" if name in sizes else "not one of its inputs"


def _quality(golden: GoldenSet, coded: GradedCandidates, rows: Ints, scores: Floats) -> float:
    """Weighted mean nDCG@10 of the queries of some rows; NaN when none has a relevant document."""
    query = golden.row_query[rows]
    starts = offsets(query, len(golden.query_id))
    placed = rows[order_numbered(starts, scores, coded.docs[rows])]
    values = ndcg(starts, coded.grades[placed], coded.ideal_starts, coded.ideal_grades, _K)
    counts = (np.diff(starts) > 0) & ~np.isnan(values)
    weight = golden.design_weight[counts]
    return float(values[counts] @ weight / weight.sum()) if counts.any() else float("nan")


def _spread(query: Ints, scores: Floats) -> float:
    """Mean over queries of the standard deviation of scores; 1 where all of each are equal."""
    _, code, sizes = np.unique(query, return_inverse=True, return_counts=True)
    middle = np.bincount(code, scores) / sizes
    variance = np.bincount(code, (scores - middle[code]) ** 2) / sizes
    return float(np.sqrt(variance).mean()) or 1.0


def _tell(
    arm: Arm, frame: Mapping[str, Floats], query: Ints, scores: Floats, seed: int
) -> ReportedImportance | str:
    kept = draw(query, _EXPLAINED, seed)
    if kept.size > _EXPLAINED:
        return f"a query has more candidates than can be explained in time ({_EXPLAINED:,})"
    some = {name: column[kept] for name, column in frame.items()}
    _, code, sizes = np.unique(query[kept], return_inverse=True, return_counts=True)
    answer = arm.contributions(some)
    if isinstance(answer, NoContributions):
        return answer.reason
    if not _adds_up(code, scores[kept], answer.values, answer.bias):
        return "what its features contribute does not add up to the order of its documents"
    size, silent, direction = {}, set(), {}
    for name, values in zip(answer.features, answer.values.T, strict=True):
        middle = np.bincount(code, values) / sizes
        size[name] = float(np.abs(values - middle[code]).mean())
        known = ~np.isnan(some[name])
        direction[name] = spearman(some[name][known], values[known])
        if not values.any():
            silent.add(name)
    return ReportedImportance(size, frozenset(silent), direction, sizes.size)


def _adds_up(code: Ints, scores: Floats, values: Floats, bias: Floats) -> bool:
    """Whether contributions put each query's documents in the order in which they were scored."""
    sums = values.sum(axis=1) + bias
    # XGBoost adds in single precision.
    rounding = 1e-6 * (np.abs(values).sum(axis=1) + np.abs(bias)).max()
    by_score = np.lexsort((-scores, code))
    within: Bools = np.diff(code[by_score]) == 0
    within &= np.diff(scores[by_score]) < 0
    return not bool((np.diff(sums[by_score])[within] > rounding).any())
