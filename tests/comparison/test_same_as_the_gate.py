"""`gates diff` on the lists of a golden set gives the numbers of the gate's check, to the bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from gates.card.policy import Policy
from gates.checks import catalogue
from gates.comparison.compare import compare
from gates.comparison.plan import ComparisonPlan
from gates.domain.comparison import Comparison
from gates.domain.exhibits import Cell, RankingDifference, Table, TableId
from gates.domain.judging import Measurement
from gates.domain.subject import CheckPlan
from tests.checks.subjects import FakeArm, FakeSubject, Result, golden_set, run_plan
from tests.comparison.files.files import Row, write

QUERIES, DOCUMENTS = 24, 12  # q0 to q23: q10 stands before q2 by id, and after it in the set
QUALITY = ("ndcg@10", "mrr", "map", "precision@10", "recall@10")
NAMES = (*(f"{one}.delta" for one in QUALITY), "severe-losses", "rbo", "kendall-tau")
SHOWN = ("overlap@10", "top1-changed")


def both(folder: Path) -> tuple[Result, Comparison]:
    """The check on a golden set, and `gates diff` on its lists in files."""
    rng = np.random.default_rng(9)
    lists = [
        {
            f"d{at:02}": None if rng.random() < 0.2 else float(rng.integers(0, 4))
            for at in range(DOCUMENTS)
        }
        for _ in range(QUERIES)
    ]
    old, new = rng.integers(0, 20, (2, QUERIES * DOCUMENTS)).astype(float)  # full of ties
    weight = rng.integers(1, 9, QUERIES).astype(float)
    census = rng.random(QUERIES) < 0.3
    golden = golden_set(
        lists=lists,
        features={"old": old, "new": new},
        slices={"part": tuple("ab"[q % 2] for q in range(QUERIES))},
        weight=weight.tolist(),
        census=census.tolist(),
    )
    subject = FakeSubject(
        golden,
        FakeArm(score=lambda columns: columns["new"]),
        FakeArm("champion", score=lambda columns: columns["old"]),
        seed=Policy.model_fields["seed"].default,
    )
    margins = {"ndcg@10.delta": {"": 0.02, "part": 0.05}}
    options = catalogue()["ranking-diff"].options()
    plan = CheckPlan((*NAMES, *SHOWN), ("part",), options, margins)
    checked = run_plan("ranking-diff", subject, plan)

    pairs = [(f"q{q}", doc) for q, docs in enumerate(lists) for doc in docs]
    judged: list[Row] = [
        (f"q{q}", doc, grade)
        for q, docs in enumerate(lists)
        for doc, grade in docs.items()
        if grade is not None
    ]

    def ranking(name: str, scores: np.ndarray) -> Path:
        rows = [(*pair, float(one)) for pair, one in zip(pairs, scores, strict=True)]
        return write(folder / f"{name}.parquet", rows, "score")

    queries = folder / "queries.csv"
    lines = [
        f"q{q},query {q},{weight[q]},{'census' if census[q] else 'pps'},{'ab'[q % 2]}"
        for q in range(QUERIES)
    ]
    queries.write_text("\n".join(["query_id,query,weight,sampling,part", *lines]), "utf-8")
    asked = ComparisonPlan(
        ranking("old", old),
        ranking("new", new),
        write(folder / "judged.csv", judged, "grade"),
        queries,
        slices=("part",),
        margin=0.02,
        slice_margin=0.05,
    )
    return checked, compare(asked, progress=lambda *_: None, with_lists=True).comparison


def _without_range(one: Measurement) -> Measurement:
    """Without what needs all candidates: files hold what two systems served of them."""
    extra = {name: of for name, of in one.extra.items() if name not in {"random", "ideal"}}
    return replace(one, random_order=None, extra=extra)


def test_one_set_of_lists_gives_both_the_same_measurements(tmp_path: Path) -> None:
    checked, compared = both(tmp_path)
    found = {(one.metric, one.slice): one for one in compared.measurements}
    for metric in (*NAMES, *SHOWN):
        assert found[metric, ""].value is not None
        gate, diff = _without_range(checked[metric]), found[metric, ""]
        if metric.endswith(".delta") and metric != "ndcg@10.delta":
            # A card gave this one no margin, so nobody asks how many queries it takes.
            assert dict(diff.extra) == {**gate.extra, "n_needed": diff.extra["n_needed"]}
            assert (diff.value, diff.lower, diff.upper) == (gate.value, gate.lower, gate.upper)
        else:
            assert diff == gate
    for part in ("part=a", "part=b"):
        assert found["ndcg@10.delta", part] == _without_range(
            checked.measurements["ndcg@10.delta", part]
        )
    assert found["judged@10.new", ""].value == checked["judged@10"].value


def test_one_set_of_lists_gives_both_the_same_lists_and_documents_to_judge(tmp_path: Path) -> None:
    checked, compared = both(tmp_path)
    (gate,) = checked.lists
    (diff,) = [one for one in compared.exhibits if isinstance(one, RankingDifference)]
    assert len(gate.queries) == QUERIES
    assert diff.queries == tuple(replace(one, moves=()) for one in gate.queries)
    assert (diff.metric, diff.k, diff.severe) == (gate.metric, gate.k, gate.severe)
    (by_gate,) = [one.rows for one in checked.tables if one.id is TableId.JUDGE_NEXT]
    tables = [one for one in compared.exhibits if isinstance(one, Table)]
    (by_diff,) = [one.rows for one in tables if one.id is TableId.JUDGE_NEXT]
    assert by_gate
    ids: dict[Cell, str] = {f"query {q}": f"q{q}" for q in range(QUERIES)}
    assert by_diff == [[ids[one[0]], one[1], None, *one[3:]] for one in by_gate]
