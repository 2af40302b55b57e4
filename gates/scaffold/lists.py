"""Golden lists of a ranking model: from a CSV or Parquet file that a person names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gates.errors import GoldenError
from gates.golden.files import read_csv, read_parquet
from gates.scaffold.model import ModelFacts
from gates.system.table import is_number

__all__ = ["CandidateLists", "lists_of_file", "no_lists"]

_QUERY_ID = ("query_id", "qid", "query")
_DOC_ID = ("doc_id", "product_id", "item_id", "document_id", "sku")
_GRADE = ("grade", "label", "relevance")
_ADVICE = (
    "Give a row for each query and document: query_id, doc_id, the model's features, and where "
    "they are known query (what was typed), title and grade."
)


@dataclass(frozen=True)
class CandidateLists:
    """Candidates with their features.

    Attributes:
        source: Where they come from, in words.
        inputs: The features a model is given, in its order.
        texts: Those of them that hold text.
        queries: Query id → what was typed.
        rows: Query id, document id, title and the features, as text, for each candidate.
        grades: Query id, document id and grade, as text, of the judged candidates.
    """

    source: str
    inputs: tuple[str, ...]
    queries: Mapping[str, str]
    rows: tuple[tuple[str, ...], ...] = ()
    grades: tuple[tuple[str, str, str], ...] = ()
    texts: tuple[str, ...] = ()


def no_lists(model: ModelFacts) -> CandidateLists:
    """A set without candidates, that says which features it must have.

    Args:
        model: What the model's files say.
    """
    texts = tuple(one.name for one in model.inputs or () if one.name and one.kind == "text")
    source = "nothing: candidates are not logged with a model"
    return CandidateLists(source, _named(model), {}, texts=texts)


def lists_of_file(path: Path, model: ModelFacts) -> CandidateLists:
    """The candidates of a file, with grades where it has them.

    Args:
        path: A CSV or Parquet file with `query_id`, `doc_id` and the model's features.
        model: What the model's files say.

    Raises:
        GoldenError: It cannot be read, lacks a column, or has no row.
    """
    table = read_parquet(path) if path.suffix == ".parquet" else read_csv(path)
    columns = tuple(table.columns)
    query_id, doc_id = (_first(columns, names, path) for names in (_QUERY_ID, _DOC_ID))
    grade = next((one for one in _GRADE if one in columns), "")
    taken = {query_id, doc_id, grade, "query", "title", "weight"}
    inputs = _named(model) or tuple(one for one in columns if one not in taken)
    table.need(*inputs)
    if not inputs or not table.rows:
        what = "no column is left as a feature" if not inputs else "it holds no candidate"
        raise GoldenError(what, path=path, advice=_ADVICE)
    ids, documents = _texts(table.text(query_id)), _texts(table.text(doc_id))
    typed = _texts(table.text("query")) if "query" in columns else ids
    titles = _texts(table.text("title")) if "title" in columns else [""] * len(ids)
    features = [_texts(table.text(one)) for one in inputs]
    grades = _texts(table.text(grade)) if grade else [""] * len(ids)
    return CandidateLists(
        path.name,
        inputs,
        dict(zip(ids, typed, strict=True)),
        tuple(zip(ids, documents, titles, *features, strict=True)),
        tuple(one for one in zip(ids, documents, grades, strict=True) if one[2].strip()),
        tuple(_text_features(model, dict(zip(inputs, features, strict=True)))),
    )


def _text_features(model: ModelFacts, features: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Features that hold text: those of which the signature says so, or else the values."""
    kinds = {one.name: one.kind for one in model.inputs or ()}
    for name, values in features.items():
        kind = kinds.get(name, "other")
        if kind == "text" or (kind == "other" and not all(map(is_number, values))):
            yield name


def _named(model: ModelFacts) -> tuple[str, ...]:
    return tuple(one.name for one in model.inputs or () if one.name)


def _first(columns: Sequence[str], names: Sequence[str], path: Path) -> str:
    found = next((one for one in names if one in columns), "")
    if not found:
        raise GoldenError(f"the column `{names[0]}` is missing", path=path, advice=_ADVICE)
    return found


def _texts(column: object) -> list[str]:
    return [str(one) for one in column.to_pylist()]  # type: ignore[attr-defined]  # pyarrow's own
