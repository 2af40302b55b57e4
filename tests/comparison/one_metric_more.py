"""python -m tests.comparison.one_metric_more FOLDER: what people see of a metric in FOLDER.

A process of its own, since checks and commands look for metrics once. Prints JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import gates.comparison.metrics

gates.comparison.metrics.__path__.append(sys.argv[1])


def main(folder: Path) -> dict[str, Any]:
    """Every place in which a metric is to show up."""
    from tests.checks.subjects import FakeArm, FakeSubject, golden_set, run
    from tests.docs import reference

    # The relevant document stands third of four in one ranking, and first in the other.
    lists: list[dict[str, float | None]] = [{"a": 0.0, "b": 0.0, "c": 1.0, "d": 0.0}] * 40
    worse, better = [4.0, 3.0, 2.0, 1.0] * 40, [2.0, 1.0, 4.0, 0.0] * 40
    golden = golden_set(lists=lists, features={"worse": worse, "better": better})
    subject = FakeSubject(
        golden,
        FakeArm(score=lambda columns: columns["better"]),
        FakeArm("champion", score=lambda columns: columns["worse"]),
    )
    checked = run("ranking-diff", subject, "first@3.delta", "first@3", "first@3.p-better")
    rows = [(f"q{q:02}", doc) for q in range(40) for doc in "abcd"]
    files = {}
    for name, column, values in (
        ("worse", "score", worse),
        ("better", "score", better),
        ("judged", "grade", [0.0, 0.0, 1.0, 0.0] * 40),
    ):
        files[name] = folder / f"{name}.csv"
        lines = [f"{q},{doc},{value}" for (q, doc), value in zip(rows, values, strict=True)]
        files[name].write_text("\n".join([f"query_id,doc_id,{column}", *lines]), encoding="utf-8")
    judging = ["--judgments", str(files["judged"]), "--metric", "first@3", "--margin", "0.5"]
    return {
        "terminal": _said(["diff", str(files["worse"]), str(files["better"]), *judging]),
        "help": _said(["diff", "--help"]),
        "reference": reference.metrics() + reference.checks(),
        "check": {
            name: [checked[name].value, checked[name].unit]
            for name in ("first@3.delta", "first@3", "first@3.p-better")
        },
        "wins": checked["first@3.delta"].extra["wins"],
        "better": json.loads(
            _said(["diff", str(files["worse"]), str(files["better"]), *judging, "--json"])
        ),
        "worse": json.loads(
            _said(["diff", str(files["better"]), str(files["worse"]), *judging, "--json"])
        ),
    }


def _said(arguments: list[str]) -> str:
    from gates.cli.main import app

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        app(arguments, standalone_mode=False)
    return said.getvalue()


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
