"""Pairs of golden queries of which one is the other with a brand put to it.

Who types a brand wants it: among the documents that both queries list, the best of the brand must
not stand lower than without the word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gates.card.card import MetricSpec
from gates.checks import Found
from gates.checks._ranked import GradedCandidates, judged, rank
from gates.comparison.measuring import Sample, means
from gates.domain.exhibits import Cell, Table
from gates.domain.judging import Measurement
from gates.domain.subject import GoldenSet, Subject
from gates.kernels.packed import Floats, Ints

__all__ = ["METRIC", "BrandPair", "brand_rank", "pairs_of"]

_PAIR = "share of pairs"

METRIC = MetricSpec(
    "brand-rank", "query pairs in which a brand put to one does not lower its best rank", _PAIR
)
"""What there is to bound."""

_SHOWN = 20
_LIKE = "one is the other with a brand put to it, such as 'office chair' and 'acme office chair'"
_NEEDED = "29 pairs, all of which hold, show a share of 0.9, and 59 show 0.95"


@dataclass(frozen=True, slots=True, order=True)
class BrandPair:
    """Two queries, by their place in the golden set.

    Attributes:
        plain: The query without the brand.
        branded: The same query with it.
        brand: The brand, as the documents have it.
    """

    plain: int
    branded: int
    brand: str


@dataclass(frozen=True, slots=True)
class _Compared:
    """The brand's best document in both lists, of the documents that both have."""

    pair: BrandPair
    plain: int
    branded: int
    row: int


def pairs_of(texts: Sequence[str], brands: Sequence[str]) -> list[BrandPair]:
    """Every pair; letter case and the amount of white space make no difference.

    Args:
        texts: The queries.
        brands: Names of brands, of one word or more.
    """
    named = {tuple(one.casefold().split()): one for one in sorted(brands, reverse=True)}
    sizes = sorted({len(words) for words in named if words})
    split = [tuple(text.casefold().split()) for text in texts]
    known: dict[tuple[str, ...], list[int]] = {}
    for at, words in enumerate(split):
        known.setdefault(words, []).append(at)
    return sorted(
        {
            BrandPair(plain, branded, named[words[start : start + size]])
            for branded, words in enumerate(split)
            for size in sizes
            for start in range(len(words) - size + 1)
            if words[start : start + size] in named
            for plain in known.get(words[:start] + words[start + size :], ())
        }
    )


def brand_rank(subject: Subject, column: str) -> Iterator[Found]:
    """The share of pairs in which the brand does not lose rank, and those in which it does.

    Args:
        subject: The candidate and a ranking golden set.
        column: The attribute of documents that names their brand.

    Raises:
        ModelFault: The candidate could not score.
    """
    golden = subject.golden
    if column not in golden.attributes:
        reason = (
            f"the golden set has no attribute '{column}': name a column of its candidates under "
            "`attributes` in manifest.yaml"
        )
        yield Measurement(METRIC.name, None, 0, _PAIR, reason=reason)
        return
    brand = golden.attributes[column]
    pairs = pairs_of(golden.query_text, sorted({one for one in brand if one.strip()}))
    if not pairs:
        reason = f"no two golden queries are a pair: {_LIKE}; {_NEEDED}"
        yield Measurement(METRIC.name, None, 0, _PAIR, reason=reason)
        return
    coded = judged(golden)
    row = rank(coded, subject.candidate.scores(golden.inputs())).row
    compared = [one for pair in pairs if (one := _compare(pair, coded, row, brand))]
    yield _measured(compared, len(pairs), len(golden.query_id))
    lost = [one for one in compared if one.branded > one.plain]
    if lost:
        yield _table(golden, lost, len(compared))


def _compare(
    pair: BrandPair, coded: GradedCandidates, row: Ints, brand: Sequence[str]
) -> _Compared | None:
    lists = [row[coded.starts[one] : coded.starts[one + 1]] for one in (pair.plain, pair.branded)]
    both = np.intersect1d(coded.docs[lists[0]], coded.docs[lists[1]])
    common = [one[np.isin(coded.docs[one], both)] for one in lists]
    best = [
        next((at for at, one in enumerate(rows.tolist()) if _same(brand[one], pair.brand)), None)
        for rows in common
    ]
    if best[0] is None or best[1] is None:
        return None
    return _Compared(pair, best[0] + 1, best[1] + 1, int(common[0][best[0]]))


def _same(one: str, other: str) -> bool:
    return one.casefold().split() == other.casefold().split()


def _measured(compared: Sequence[_Compared], pairs: int, queries: int) -> Measurement:
    """Pairs of one query without a brand hang together, and count as one unit."""
    left = pairs - len(compared)
    reason = f"{left} of {pairs} pairs list no product of the brand for both queries"
    if not compared:
        return Measurement(METRIC.name, None, 0, _PAIR, reason=f"{reason}; {_NEEDED}")
    held, size = np.zeros(queries), np.zeros(queries)
    for one in compared:
        held[one.pair.plain] += one.branded <= one.plain
        size[one.pair.plain] += 1
    rows = size > 0
    values: Floats = np.full(queries, np.nan)
    values[rows] = held[rows] / size[rows]
    sample = Sample(np.maximum(size, 1), np.zeros(queries, np.bool_), severe=1.0)
    (found,) = means(sample, {METRIC.name: values}, ("", rows))
    return replace(
        found,
        n=len(compared),
        unit=_PAIR,
        reason=reason if left else "",
        extra={"queries": float(rows.sum())},
    )


def _table(golden: GoldenSet, lost: Sequence[_Compared], pairs: int) -> Table:
    worst = sorted(lost, key=lambda one: (one.plain - one.branded, one.pair))
    rows: list[list[Cell]] = [
        [
            golden.query_text[one.pair.plain],
            golden.query_text[one.pair.branded],
            one.pair.brand,
            golden.row_title[one.row] or golden.row_doc[one.row],
            one.plain,
            one.branded,
        ]
        for one in worst[:_SHOWN]
    ]
    columns = ["query", "with its brand", "brand", "best product of it", "rank", "rank then"]
    title = f"In {len(lost):,} of {pairs:,} pairs a brand stands lower when it is asked for"
    if len(lost) > _SHOWN:
        title += f"; the worst {_SHOWN}"
    return Table(title, columns, rows, of=(METRIC.name,))
