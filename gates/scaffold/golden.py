"""The files of a golden set, from what could be found for it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence

from gates.domain.judging import ModelVersion
from gates.domain.tasks import Task
from gates.golden.expectations import JUDGED
from gates.scaffold.lists import CandidateLists
from gates.scaffold.texts import Texts
from gates.system.table import is_number

__all__ = ["expectations_of_labels", "golden_of_lists", "golden_of_texts"]


def golden_of_texts(
    version: ModelVersion, task: Task, texts: Texts, column: str, judged: str = ""
) -> dict[str, str]:
    """The golden set of a model of texts, without what is expected of them.

    Args:
        version: The version it is made for.
        task: The model's task.
        column: What the model calls its texts: one of the task's `text_columns`.
        judged: Where expectations come from, as a sentence; empty where there are none.

    Returns:
        File name → text.
    """
    header = ["query_id", "query", *(["weight"] if texts.weight else [])]
    columns = [_ids(texts), texts.text, *([texts.weight] if texts.weight else [])]
    return {
        "manifest.yaml": _manifest(version, task, texts.source, [column], judged),
        "queries.csv": _csv(header, zip(*columns, strict=True)),
    }


def expectations_of_labels(texts: Texts) -> str:
    """`expectations.csv` of texts whose labels people gave.

    Args:
        texts: The texts, all with a label.
    """
    rows = (
        (one, "label", label, JUDGED) for one, label in zip(_ids(texts), texts.label, strict=True)
    )
    return _csv(["query_id", "expect", "target", "source"], rows)


def _ids(texts: Texts) -> list[str]:
    digits = max(3, len(str(len(texts.text))))
    return [f"q{at:0{digits}d}" for at in range(1, len(texts.text) + 1)]


def golden_of_lists(version: ModelVersion, task: Task, lists: CandidateLists) -> dict[str, str]:
    """The golden set of a model that is given candidates.

    Args:
        version: The version it is made for.
        task: The model's task.
        lists: Queries, candidates and grades.

    Returns:
        File name → text.
    """
    inputs = lists.inputs or ("replace-by-your-features",)
    top = max((float(one[2]) for one in lists.grades if is_number(one[2])), default=3.0)
    judged = f"Grades: those in {lists.source}." if lists.grades else ""
    return {
        "manifest.yaml": _manifest(
            version, task, lists.source, inputs, judged, grades=max(top, 1.0), texts=lists.texts
        ),
        "queries.csv": _csv(["query_id", "query"], lists.queries.items()),
        "candidates.csv": _csv(["query_id", "doc_id", "title", *inputs], lists.rows),
        "judgments.csv": _csv(["query_id", "doc_id", "grade"], lists.grades),
    }


def _manifest(
    version: ModelVersion,
    task: Task,
    source: str,
    inputs: Sequence[str],
    judged: str,
    grades: float | None = None,
    texts: Sequence[str] = (),
) -> str:
    said = [f"gates init, for {version.uri} ({version.digest[:19]}…), from {source}"]
    said += [judged] if judged else []
    lines = [
        f"name: {_yaml(version.name)}",
        f"task: {task}",
        f"description: {_yaml(f'A first golden set, made by gates init for {version.uri}.')}",
        "synthetic: false  # true if no shopper stands behind it",
        "source:",
        *(f"  - {_yaml(one)}" for one in said),
        "# How were the queries drawn? docs/golden-sets.md: the head whole, the tail by traffic.",
        f"sampling: {_yaml(f'Not known: all rows of {source}, as they came.')}",
        *([f"grades: {{max: {grades:g}}}"] if grades is not None else []),
        f"inputs: [{', '.join(map(_yaml, inputs))}]",
        *([f"text_inputs: [{', '.join(map(_yaml, texts))}]"] if texts else []),
        "slices: []  # columns of queries.csv by which bounds may be set, such as [category]",
    ]
    return "\n".join(lines) + "\n"


def _yaml(text: str) -> str:
    """Any text as a YAML scalar on one line: JSON's strings are YAML's."""
    return json.dumps(text, ensure_ascii=False)


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()
