"""`judgments.csv` and `annotations.csv`: how good each document is for its query."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from gates.errors import GoldenError
from gates.golden.files import read_csv
from gates.golden.pairs import codes, pair_keys, query_index
from gates.system.table import FileTable

if TYPE_CHECKING:
    from gates.domain.golden_set import Floats, Ints

__all__ = ["Judgments", "read_judgments"]


@dataclass(frozen=True)
class Judgments:
    """The grades of record, J of them, and the raw grades behind them.

    Attributes:
        query: int64[J].
        doc: Arrow string array[J].
        grade: float64[J].
        annotators: annotator → float64[J], NaN where one did not judge.
        warnings: Where judgments and annotations disagree.
    """

    query: Ints
    doc: pa.Array
    grade: Floats
    annotators: dict[str, Floats]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Graded:
    table: FileTable
    query: Ints
    doc: pa.Array
    grade: Floats


def _read(path: Path, ids: pa.Array, max_grade: float, who: tuple[str, ...]) -> _Graded:
    table = read_csv(path)
    table.need("query_id", "doc_id", *who, "grade")
    if not table.rows:
        raise GoldenError("there is no grade", path=path, advice="Add a row for each judgment.")
    for column in ("doc_id", *who):
        table.filled(column, advice=f"Write the {column}, or remove the row.")
    query, document = query_index(table, ids), table.text("doc_id")
    grade = table.numbers("grade")
    wrong = ~((grade >= 0) & (grade <= max_grade))
    if wrong.any():
        raise table.defect(
            f"`grade` is not on the scale from 0 to {max_grade:g}",
            wrong,
            show=("query_id", "doc_id", "grade"),
            advice="Correct the grades, or set `grades: {max: …}` in manifest.yaml.",
        )
    return _Graded(table, query, document, grade)


def _unique(graded: _Graded, keys: Ints, who: tuple[str, ...]) -> None:
    graded.table.unique(
        keys,
        show=("query_id", "doc_id", *who),
        advice="Keep one row; several opinions on a pair belong in annotations.csv, by annotator.",
    )


def _record(graded: _Graded) -> Judgments:
    code, documents = codes(graded.doc)
    _unique(graded, graded.query * len(documents) + code, ())
    return Judgments(graded.query, graded.doc, graded.grade, {}, ())


def _aggregate(graded: _Graded) -> Judgments:
    """Annotations, pair by pair in the order of first appearance, with the median as grade."""
    code, documents = codes(graded.doc)
    who, names = codes(graded.table.text("annotator"))
    keys = graded.query * len(documents) + code
    _unique(graded, keys * len(names) + who, ("annotator",))
    _, first, pair = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    raw = np.full((len(first), len(names)), np.nan)
    raw[place[pair], who] = graded.grade
    rows = first[order]
    return Judgments(
        query=graded.query[rows],
        doc=graded.doc.take(pa.array(rows)),
        grade=_median(raw),
        annotators={name: raw[:, at] for at, name in enumerate(names.to_pylist())},
        warnings=(),
    )


def _median(raw: Floats) -> Floats:
    """Row medians that leave NaN out; np.nanmedian walks row by row and costs 20 times more."""
    ordered = np.sort(raw, axis=1)
    count = np.sum(~np.isnan(raw), axis=1)
    rows = np.arange(len(raw))
    return np.asarray((ordered[rows, (count - 1) // 2] + ordered[rows, count // 2]) / 2)


def _joined(record: Judgments, opinions: Judgments) -> Judgments:
    """Judgments of record, with the annotators' raw grades laid beside them."""
    _, documents = codes(pa.concat_arrays([record.doc, opinions.doc]))
    keys = pair_keys(record.query, record.doc, documents)
    asked = pair_keys(opinions.query, opinions.doc, documents)
    order = np.argsort(keys)
    spot = np.minimum(np.searchsorted(keys, asked, sorter=order), len(keys) - 1)
    both = keys[order[spot]] == asked
    target = order[spot][both]
    annotators = {}
    for name, raw in opinions.annotators.items():
        annotators[name] = np.full(len(keys), np.nan)
        annotators[name][target] = raw[both]
    differ = int(np.sum(record.grade[target] != opinions.grade[both]))
    warnings = []
    if differ:
        warnings.append(
            f"judgments.csv differs from the annotators' median in {differ} of {len(target)} "
            "pairs; judgments.csv is the grade of record"
        )
    if not both.all():
        warnings.append(
            f"{int(np.sum(~both))} annotated pairs are not in judgments.csv and are left out"
        )
    return Judgments(record.query, record.doc, record.grade, annotators, tuple(warnings))


def read_judgments(folder: Path, max_grade: float, ids: pa.Array) -> Judgments:
    """Read and check a ranking set's judgments, its annotations, or both.

    Where both are given, `judgments.csv` holds the grade of record; with annotations alone it is
    the annotators' median.

    Args:
        folder: The golden set.
        max_grade: The best grade of the scale.
        ids: The known query ids.

    Raises:
        GoldenError: Neither file is there, or a row is wrong.
    """
    judged, annotated = folder / "judgments.csv", folder / "annotations.csv"
    if not judged.exists() and not annotated.exists():
        raise GoldenError(
            "there is neither judgments.csv nor annotations.csv",
            path=folder,
            advice="Add judgments.csv with query_id, doc_id and grade.",
        )
    if not annotated.exists():
        return _record(_read(judged, ids, max_grade, ()))
    opinions = _aggregate(_read(annotated, ids, max_grade, ("annotator",)))
    if not judged.exists():
        return opinions
    return _joined(_record(_read(judged, ids, max_grade, ())), opinions)
