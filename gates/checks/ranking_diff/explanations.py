"""Why documents moved: what their features contributed to their scores, before and now.

A ranker's score means something only beside the scores of the same query's other documents: what
is added to all of them moves none of them. So a document's contributions are told relative to
their mean over the candidates of its query, in each version alike. The units are those of the
version's own raw score; features that only one version has count as 0 in the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gates.checks._ranked import GradedCandidates, Ranked
from gates.domain.exhibits import (
    Cell,
    DocumentMove,
    Exhibit,
    FeatureChange,
    RankingDifference,
    Table,
)
from gates.domain.subject import Arm, Columns, NoContributions, Subject
from gates.kernels import ranking
from gates.kernels.packed import Floats, Ints
from gates.system.interruption import in_threads

__all__ = ["with_reasons"]

_QUERIES = 20
_ROWS = 1_000  # many and deep trees take some 20 ms a row to explain
_DOCUMENTS = 5
_FEATURES = 5

_NOTE = (
    "What each feature adds to a document's raw score, relative to its mean over the candidates "
    "of the same query: what is added to all of them moves none. SHAP values, in each version's "
    "own score units; a feature that one version does not have counts as 0 there."
)


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What one version told of some rows.

    Attributes:
        features: F names.
        values: float64[rows, F], relative to the mean of the row's query.
        spread: The mean over queries of the standard deviation of the raw scores.
    """

    features: tuple[str, ...]
    values: Floats
    spread: float


def with_reasons(
    subject: Subject,
    coded: GradedCandidates,
    arms: tuple[Ranked, Ranked],
    lists: RankingDifference,
    gain: ranking.Gain,
) -> Iterator[Exhibit]:
    """The exhibit of old and new lists with why documents of its worst queries moved.

    Whatever a version cannot tell is a reason in the exhibit, and changes nothing else.

    Args:
        subject: Both versions; a champion there must be.
        coded: The golden set's documents as integers.
        arms: Old and new lists.
        lists: Old and new lists, worst query first.
        gain: As for the exhibit's metric.

    Yields:
        The lists with why documents moved, and a table of input features where the two versions'
        differ.
    """
    losers = _losers(subject, lists)
    worst = _no_more_than_can_be_explained(losers, coded)
    told: tuple[_Told, _Told] | str
    if worst:
        rows = np.concatenate([np.arange(*_span(coded, q)) for q in worst])
        told = _ask_both(subject, coded, arms, worst, rows)
    elif losers:
        told = f"The worst query has more candidates than can be explained in time ({_ROWS})."
    else:
        told = "No query lost."
    if isinstance(told, str):
        yield replace(lists, why_reason=told)
        yield from _inputs(subject, None)
        return
    moves = _Moves(subject, coded, arms, lists.k, gain)
    starts = np.cumsum([0, *(np.diff(coded.starts)[worst])])
    found = {
        subject.golden.query_id[q]: moves.of(q, told, int(start))
        for q, start in zip(worst, starts[:-1], strict=True)
    }
    queries = tuple(replace(one, moves=found.get(one.id, ())) for one in lists.queries)
    yield replace(lists, queries=queries, why_note=f"{_NOTE} {_spreads(*told)}")
    yield from _inputs(subject, told)


def _losers(subject: Subject, lists: RankingDifference) -> list[int]:
    place = {query: q for q, query in enumerate(subject.golden.query_id)}
    return [place[one.id] for one in lists.queries if (one.delta or 0.0) < 0]


def _no_more_than_can_be_explained(losers: list[int], coded: GradedCandidates) -> list[int]:
    sizes = np.cumsum(np.diff(coded.starts)[losers[:_QUERIES]])
    return losers[: int((sizes <= _ROWS).sum())]


def _ask_both(
    subject: Subject,
    coded: GradedCandidates,
    arms: tuple[Ranked, Ranked],
    worst: Sequence[int],
    rows: Ints,
) -> tuple[_Told, _Told] | str:
    frame = {name: _taken(column, rows) for name, column in subject.golden.inputs().items()}

    def ask(asked: tuple[Arm | None, Ranked]) -> _Told | str:
        arm, ranked = asked
        assert arm is not None  # noqa: S101 - whoever compares two lists has two versions
        answer = _ask(arm, frame, coded, ranked, worst)
        if isinstance(answer, str):
            return f"Not available from {arm.role} {arm.version.uri}: {answer}."
        return answer

    old, new = in_threads(ask, [(subject.champion, arms[0]), (subject.candidate, arms[1])])
    if isinstance(old, str) or isinstance(new, str):
        return " ".join(one for one in (old, new) if isinstance(one, str))
    return old, new


def _ask(
    arm: Arm, frame: Columns, coded: GradedCandidates, ranked: Ranked, worst: Sequence[int]
) -> _Told | str:
    answer = arm.contributions(frame)
    if isinstance(answer, NoContributions):
        return answer.reason
    scores = answer.values.sum(axis=1) + answer.bias
    # XGBoost adds in single precision.
    rounding = 1e-6 * (np.abs(answer.values).sum(axis=1) + np.abs(answer.bias)).max()
    relative, spreads, at = np.empty_like(answer.values), [], 0
    for q in worst:
        first, end = _span(coded, q)
        own = slice(at, at + end - first)
        in_rank_order = scores[own][ranked.row[first:end] - first]
        # A model may do more than its trees: then they do not tell why its documents moved.
        if (np.diff(in_rank_order) > rounding).any():
            return "what its features contribute does not add up to the order of its documents"
        relative[own] = answer.values[own] - answer.values[own].mean(axis=0)
        spreads.append(scores[own].std())
        at += end - first
    return _Told(answer.features, relative, float(np.mean(spreads)))


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """How each document of a golden set moved between two lists."""

    subject: Subject
    coded: GradedCandidates
    arms: tuple[Ranked, Ranked]
    k: int
    gain: ranking.Gain

    def of(self, q: int, told: tuple[_Told, _Told], start: int) -> tuple[DocumentMove, ...]:
        """The documents of a query that cost most, then those that moved furthest.

        Args:
            q: Its index.
            told: What both versions told.
            start: Where its rows begin in what they told.
        """
        first, end = _span(self.coded, q)
        (old, cost_old), (new, cost_new) = (self._places(arm, first, end) for arm in self.arms)
        cost, move = cost_new - cost_old, np.abs(new - old)
        seen = (np.minimum(old, new) <= self.k) & (move > 0)
        by_weight = np.lexsort((new, -move, np.minimum(cost, 0.0)))
        chosen = [int(at) for at in by_weight if seen[at]][:_DOCUMENTS]
        return tuple(
            DocumentMove(
                document=self.subject.golden.row_doc[first + at],
                before=int(old[at]),
                after=int(new[at]),
                dcg=_rounded(cost[at]),
                features=_changes(told, start + at),
            )
            for at in chosen
        )

    def _places(self, arm: Ranked, first: int, end: int) -> tuple[Ints, Floats]:
        """Rank, from 1, and share of DCG of each candidate of a query, in golden order."""
        rows = arm.row[first:end] - first
        ranks, gains = np.empty(end - first, np.int64), np.empty(end - first)
        ranks[rows] = np.arange(1, end - first + 1)
        ends = np.array([0, end - first])
        gains[rows] = ranking.dcg_terms(ends, arm.grades[first:end], self.k, self.gain)
        return ranks, gains


def _changes(told: tuple[_Told, _Told], row: int) -> tuple[FeatureChange, ...]:
    """The features whose contribution to one row changed most: name, old, new, difference."""
    old, new = (dict(zip(one.features, one.values[row].tolist(), strict=True)) for one in told)
    change = {name: new.get(name, 0.0) - old.get(name, 0.0) for name in {**old, **new}}
    most = sorted(change, key=lambda name: (-abs(change[name]), name))[:_FEATURES]
    return tuple(
        FeatureChange(
            name, _rounded(old.get(name)), _rounded(new.get(name)), _rounded(change[name])
        )
        for name in most
        if change[name]
    )


def _inputs(subject: Subject, told: tuple[_Told, _Told] | None) -> Iterator[Table]:
    assert subject.champion is not None  # noqa: S101 - see above
    old, new = subject.champion.inputs, subject.candidate.inputs
    if old is None or new is None or set(old) == set(new):
        return
    columns = ["feature", "champion", "candidate"]
    sizes: list[dict[str, float]] = []
    for role, one in zip(columns[1:], told or (), strict=False):
        columns.append(f"{role}: mean |contribution|")
        sizes.append(dict(zip(one.features, np.abs(one.values).mean(axis=0).tolist(), strict=True)))
    # What only one of them has comes first.
    names = sorted(dict.fromkeys([*old, *new]), key=lambda name: name in old and name in new)
    rows: list[list[Cell]] = [
        [name, name in old, name in new, *(_rounded(size.get(name)) for size in sizes)]
        for name in names
    ]
    yield Table("Input features of the two versions", columns, rows)


def _spreads(old: _Told, new: _Told) -> str:
    return (
        "Within these queries raw scores stray from their mean by "
        f"{old.spread:.3g} in the old version and {new.spread:.3g} in the new."
    )


def _span(coded: GradedCandidates, q: int) -> tuple[int, int]:
    return int(coded.starts[q]), int(coded.starts[q + 1])


def _taken(column: Any, rows: Ints) -> Any:  # noqa: ANN401 - a column is an array or a sequence
    return column[rows] if isinstance(column, np.ndarray) else [column[row] for row in rows]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 6)
