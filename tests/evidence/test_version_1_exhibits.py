"""Exhibits as `mlgates.evidence/1` held them, read as what they are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gates.domain.exhibits import (
    Cell,
    Counts,
    DocumentMove,
    Example,
    Exhibit,
    FeatureChange,
    LineColumn,
    NewPlace,
    OldPlace,
    QueryDifference,
    RankingDifference,
    ReliabilityBin,
    Table,
    TableId,
)
from gates.errors import EvidenceError
from gates.evidence.bundle import read_evidence
from gates.evidence.evidence import canonical
from tests.report import evidence_factory as factory

QUERY = {"id": "q1", "text": "lamp", "weight": 2.0, "slices": {"part": "a"}, "rbo": 0.5}
QUERY |= {"old": 0.5, "new": None, "delta": None, "overlap": 0.2, "top1_changed": True}
QUERY |= {"old_list": [["a", 3.0], ["b", None]], "new_list": [["c", 0.0, None], ["a", 3.0, 1]]}
LISTS = {"metric": "ndcg@2", "k": 2, "severe": -0.3, "queries": [QUERY], "titles": {"a": "A"}}


def read(folder: Path, kind: str, title: str, data: dict[str, Any]) -> Exhibit:
    """An exhibit in the form of old, read from a file of evidence."""
    content = json.loads(canonical(factory.passing()))
    content["schema"] = "mlgates.evidence/1"
    content["records"][0]["exhibits"] = [{"kind": kind, "title": title, "data": data}]
    path = folder / "evidence.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    (found,) = read_evidence(path).records[0].exhibits
    return found


def test_a_table_keeps_its_cells_and_the_metrics_it_explains(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [["a", 1, 0.5, True, None]]
    data = {"columns": ["a", "b", "c", "d", "e"], "rows": rows, "of": ["dead", "in-top"]}
    found = read(tmp_path, "table", "Weights", data)
    assert found == Table("Weights", ["a", "b", "c", "d", "e"], rows, of=("dead", "in-top"))
    assert isinstance(found, Table)
    assert [type(one) for one in found.rows[0]] == [str, int, float, bool, type(None)]


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("Documents to judge next", TableId.JUDGE_NEXT),
        ("Where the candidate is worst (found by search, advisory)", TableId.WORST_SLICES),
        ("Response times", None),
    ],
)
def test_a_table_that_was_found_by_its_title_has_its_id(
    tmp_path: Path, title: str, wanted: TableId | None
) -> None:
    found = read(tmp_path, "table", title, {"columns": [], "rows": []})
    assert isinstance(found, Table)
    assert found.id is wanted


@pytest.mark.parametrize(
    ("heading", "lines"),
    [
        ("line of the lock", LineColumn("lock", 1)),
        ("line of expectations.csv", LineColumn("expectations.csv", 1)),
        ("line of never-show.csv", LineColumn("never-show.csv", 1)),
        ("line of thought", None),
    ],
)
def test_a_column_of_lines_is_one_by_its_heading(
    tmp_path: Path, heading: str, lines: LineColumn | None
) -> None:
    found = read(tmp_path, "table", "T", {"columns": ["what", heading], "rows": [["x", 7]]})
    assert isinstance(found, Table)
    assert found.lines == lines


def test_words_of_a_smallest_case_are_an_example_of_its_metric(tmp_path: Path) -> None:
    data = {"columns": ["change", "in words"], "rows": [["typo", "‘chaie’ goes to rugs"]]}
    found = read(tmp_path, "table", "Smallest", data)
    assert isinstance(found, Table)
    assert found.examples == (Example("invariance.typo", "‘chaie’ goes to rugs"),)


def test_the_bins_of_a_reliability_diagram_are_kept(tmp_path: Path) -> None:
    data = {"columns": [], "rows": [], "reliability": [[0.9, 0.6, 0.75]]}
    found = read(tmp_path, "table", "Calibration", data)
    assert isinstance(found, Table)
    assert found.reliability == (ReliabilityBin(0.9, 0.6, 0.75),)


def test_lists_without_anything_optional(tmp_path: Path) -> None:
    query = QueryDifference(
        "q1",
        "lamp",
        2.0,
        {"part": "a"},
        old=0.5,
        new=None,
        delta=None,
        overlap=0.2,
        rbo=0.5,
        top1_changed=True,
        old_list=(OldPlace("a", 3.0), OldPlace("b", None)),
        new_list=(NewPlace("c", 0.0, None), NewPlace("a", 3.0, 1)),
    )
    assert read(tmp_path, "ranking-diff", "Lists", LISTS) == RankingDifference(
        "Lists", "ndcg@2", 2, -0.3, (query,), {"a": "A"}
    )


def test_lists_with_everything_optional(tmp_path: Path) -> None:
    why = {"doc": "a", "from": 1, "to": None, "dcg": -0.5, "features": [["ctr", None, 0.2, 0.2]]}
    query = {**QUERY, "spread": {"a": [3.0, 1.0]}, "why": [why]}
    counts = {"queries": 9, "wins": 1, "ties": 2, "losses": 3, "severe": 1, "undefined": 3}
    more = {"counts": counts, "deltas": [-0.1, 0.2], "why": {"note": "SHAP", "reason": ""}}
    found = read(tmp_path, "ranking-diff", "Lists", {**LISTS, "queries": [query], **more})
    assert isinstance(found, RankingDifference)
    assert found.counts == Counts(9, wins=1, ties=2, losses=3, severe=1, undefined=3)
    assert (found.deltas, found.why_note, found.why_reason) == ((-0.1, 0.2), "SHAP", "")
    (told,) = found.queries
    assert told.spread == {"a": (3.0, 1.0)}
    assert told.moves == (
        DocumentMove("a", 1, None, -0.5, (FeatureChange("ctr", None, 0.2, 0.2),)),
    )


@pytest.mark.parametrize(
    ("kind", "data", "place"),
    [
        ("ranking-diff", {"k": 10}, "exhibits.0.ranking-diff.metric"),
        ("ranking-diff", {**LISTS, "queries": [{**QUERY, "delta": "worse"}]}, "queries.0.delta"),
        (
            "ranking-diff",
            {**LISTS, "queries": [{**QUERY, "why": [{}]}]},
            "queries.0.moves.0.document",
        ),
        ("ranking-diff", {**LISTS, "queries": [7]}, "exhibits.0.ranking-diff.metric"),
        ("table", {"columns": ["a"]}, "exhibits.0.table.rows"),
        ("table", {"columns": ["a"], "rows": [[{"a": 1}]]}, "exhibits.0.table.rows.0.0"),
        ("pie", {}, "exhibits.0"),
    ],
)
def test_a_damaged_exhibit_is_an_error_that_names_it(
    tmp_path: Path, kind: str, data: dict[str, Any], place: str
) -> None:
    with pytest.raises(EvidenceError, match=rf"damaged at 'records\.0\..*{re.escape(place)}"):
        read(tmp_path, kind, "Old, new", data)
