"""Golden queries of a model of texts: from a CSV file a person names, or the logged example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gates.errors import GoldenError
from gates.golden.files import read_csv
from gates.scaffold.model import ModelFacts

__all__ = ["Texts", "missing_texts", "texts_for", "texts_of_example", "texts_of_file"]

_TEXT = ("query", "text", "search_term", "search_query", "keyword", "title")
_WEIGHT = ("weight", "frequency", "searches", "count", "traffic")
_ADVICE = "Call the column of texts `query`, the expected label `label`, the traffic `weight`."


@dataclass(frozen=True)
class Texts:
    """Texts without doubles, in the order in which they came.

    Attributes:
        source: Where they come from, in words.
        text: Q texts.
        label: Q expected labels, or none at all.
        weight: Q weights, or none at all.
        notes: What was left out, and why.
    """

    source: str
    text: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    weight: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def texts_for(model: ModelFacts, file: Path | None) -> Texts:
    """The texts of a file, or without one those of the logged input example.

    Args:
        model: What the model's files say.
        file: The CSV file that a person named.

    Raises:
        GoldenError: The file cannot be used.
    """
    return texts_of_file(file, model) if file else texts_of_example(model)


def missing_texts(texts: Texts, folder: str) -> tuple[str, ...]:
    """That there are no texts and how to give some, in words; nothing where there are.

    Args:
        folder: The golden set's folder.
    """
    if texts.text:
        return ()
    return (f"{folder}/queries.csv holds no query: name a CSV file: --queries FILE --force",)


def texts_of_example(model: ModelFacts) -> Texts:
    """The texts of the input example that was logged with a model; none where it has none.

    Args:
        model: What its files say.
    """
    for values in model.example.values():
        found = [one for one in values if isinstance(one, str) and one.strip()]
        if found and len(found) == len(values):
            return Texts("the input example logged with the model", tuple(dict.fromkeys(found)))
    return Texts("nothing: no texts were logged with the model")


def texts_of_file(path: Path, model: ModelFacts) -> Texts:
    """The texts of a CSV file, with labels and weights where it has them.

    Args:
        path: The file. Its texts are in the column `query`, in one of the name of the model's own
            input, or in its only column.
        model: What the model's files say.

    Raises:
        GoldenError: It cannot be read, has no column of texts, no text, or a weight is no number
            above 0.
    """
    table = read_csv(path)
    columns = tuple(table.columns)
    wanted = [name for name in (model.text_input, *_TEXT) if name]
    name = next((one for one in wanted if one in columns), columns[0] if len(columns) == 1 else "")
    if not name:
        raise GoldenError(
            f"none of its columns is of texts: it has {', '.join(columns)}",
            path=path,
            line=1,
            advice=_ADVICE,
        )
    text = [str(one) for one in table.text(name).to_pylist()]
    label = [str(one) for one in table.text("label").to_pylist()] if "label" in columns else []
    heavy = next((one for one in _WEIGHT if one in columns), "")
    weight = table.numbers(heavy) if heavy else np.ones(len(text))
    wrong = ~(np.isfinite(weight) & (weight > 0))
    if wrong.any():
        advice = "Give every text its traffic, or leave the column out."
        raise table.defect(f"`{heavy}` is not a number above 0", wrong, show=(name,), advice=advice)
    found = _without_doubles(text, label, weight.tolist())
    if not found.text:
        raise GoldenError("it holds no text", path=path, advice=_ADVICE)
    return Texts(
        path.name, found.text, found.label, found.weight if heavy else (), notes=found.notes
    )


def _without_doubles(text: Sequence[str], label: Sequence[str], weight: Sequence[float]) -> Texts:
    first: dict[str, int] = {}
    total: dict[str, float] = {}
    blank, torn = 0, set[str]()
    for at, one in enumerate(text):
        if not one.strip() or (label and not label[at].strip()):
            blank += 1
            continue
        if label and one in first and label[at] != label[first[one]]:
            torn.add(one)
        first.setdefault(one, at)
        total[one] = total.get(one, 0.0) + weight[at]
    kept: Mapping[str, int] = {one: at for one, at in first.items() if one not in torn}
    notes = []
    if blank:
        notes.append(f"{blank} rows without a text or a label were left out")
    if torn:
        notes.append(f"{len(torn)} texts with two labels were left out, such as '{min(torn)[:80]}'")
    return Texts(
        "",
        tuple(kept),
        tuple(label[at] for at in kept.values()) if label else (),
        tuple(f"{total[one]:g}" for one in kept),
        tuple(notes),
    )
