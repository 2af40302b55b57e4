"""Comparisons of two rankings as `gates diff` leaves them: every outcome, and the hard cases."""

from __future__ import annotations

import dataclasses

from gates.domain.comparison import Comparison, RankingFacts
from gates.domain.exhibits import Counts, Table, TableId
from gates.domain.judging import Bound, Measurement, decide, judge

from .evidence_factory import HOSTILE, ranking_exhibit

_MARGIN = 0.01


def _quality(name: str, value: float, half: float, n: int, slice_: str = "") -> Measurement:
    extra: dict[str, float | None] = {"old": 0.6712, "new": 0.6712 + value, "n_eff": n * 0.8}
    extra |= {"mde": half * 1.5, "n_needed": n * 4.0, "wins": 60.0, "ties": 40.0, "losses": 58.0}
    found = Measurement(
        f"{name}.delta", value, n, name, value - half, value + half, slice_, extra=extra
    )
    if slice_:
        return found
    return dataclasses.replace(found, pessimistic=value - 0.03, optimistic=value + 0.02)


def comparison(
    delta: float, half: float, *, text: str = "", queries: int = 160, large: bool = False
) -> Comparison:
    """A comparison whose judged difference is `delta` ± `half`; `text` for every text in it."""
    n = queries - 2
    category = f"category={text or 'rugs'}"
    measurements = (
        _quality("mrr", delta / 2, half, n),
        _quality("ndcg@10", delta, half, n),
        _quality("ndcg@10", delta * 2, half * 2, n // 4, category),
        _quality("ndcg@10", 0.04, 0.02, n // 4, "category=lighting"),
        Measurement("severe-losses", 4 / n, n, "share of queries", 0.009, 0.057),
        Measurement("rbo", 0.8124, n, "rbo"),
        Measurement("overlap@10", 0.8617, n, "overlap@10"),
        Measurement("kendall-tau", 0.71, n, "kendall-tau"),
        Measurement("top1-changed", 31 / n, n, "share of queries", 0.145, 0.2562),
    )
    by_key = {(m.metric, m.slice): m for m in measurements}
    bounds = [
        Bound("diff", "ndcg@10.delta", minimum=-_MARGIN),
        Bound("diff", "ndcg@10.delta", minimum=-_MARGIN, slice=category),
        Bound("diff", "ndcg@10.delta", minimum=-_MARGIN, slice="category=lighting"),
    ]
    judgements = tuple(judge(b, by_key[b.metric, b.slice]) for b in bounds)
    lists = ranking_exhibit(queries, shift=delta, text=text)
    if large:
        kept = [one for one in lists.queries if one.delta is not None]
        lists = dataclasses.replace(
            lists,
            queries=(*kept[:30], *kept[-10:]),
            counts=Counts(100_000, 40_000, 30_000, 29_990, severe=700, undefined=10),
            deltas=tuple(one.delta for one in kept if one.delta is not None),
        )
    return Comparison(
        created="2026-03-14T09:26:53Z",
        command=("gates", "diff", "old.tsv", "new.tsv", "--judgments", "judgments.tsv"),
        old=RankingFacts(f"runs/{text}old.tsv", 1600, queries),
        new=RankingFacts(f"runs/{text}new.tsv", 1590, queries),
        judgments=RankingFacts("judgments.tsv", 2240, queries),
        metric="ndcg@10",
        margin=_MARGIN,
        queries=100_000 if large else queries,
        measurements=measurements,
        judgements=judgements,
        exhibits=(
            lists,
            Table(
                "Where the candidate is worst (found by search, advisory)",
                ["Slice", "Queries", "Difference", "Adjusted p"],
                [[text or "words=3 and traffic=tail", 21, -0.081, 0.004]],
                TableId.WORST_SLICES,
            ),
            Table(
                "Documents to judge next",
                ["Query", "Document", "Old rank", "New rank", "Could change"],
                [[text or f"oak lamp {i}", f"p{i:04}", i + 1, None, 0.004] for i in range(12)],
                TableId.JUDGE_NEXT,
            ),
        ),
        notes=(text or "3 queries of the old file are missing in the new one",) * 2,
        verdict=decide(judgements),
    )


EVERY = {
    "better": lambda: comparison(0.05, 0.02),
    "worse": lambda: comparison(-0.06, 0.02),
    "astride": lambda: comparison(-0.002, 0.02),
    "hostile": lambda: comparison(-0.06, 0.02, text=HOSTILE),
    "large": lambda: comparison(-0.002, 0.004, large=True),
}
