"""`gates diff` on the lists of a golden set gives the numbers of the gate's own check."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gates.comparison import ComparisonPlan, compare
from tests.checks.subjects import FakeArm, FakeSubject, golden_set, run
from tests.comparison.files.files import Row, write

QUERIES, DOCUMENTS = 10, 12  # q0 to q9: their ids order as their numbers do


def test_one_set_of_lists_gives_both_the_same_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    lists = [
        {
            f"d{at:02}": None if rng.random() < 0.2 else float(rng.integers(0, 4))
            for at in range(DOCUMENTS)
        }
        for _ in range(QUERIES)
    ]
    old, new = rng.integers(0, 20, (2, QUERIES * DOCUMENTS)).astype(float)  # full of ties
    golden = golden_set(lists=lists, features={"old": old, "new": new})
    names = ("ndcg@10", "mrr", "map", "precision@10", "recall@10")
    subject = FakeSubject(
        golden,
        FakeArm(score=lambda columns: columns["new"]),
        FakeArm("champion", score=lambda columns: columns["old"]),
    )
    checked = run("ranking-diff", subject, *(f"{one}.delta" for one in names), "rbo", "kendall-tau")

    pairs = [(f"q{q}", doc) for q, docs in enumerate(lists) for doc in docs]
    judged: list[Row] = [
        (f"q{q}", doc, grade)
        for q, docs in enumerate(lists)
        for doc, grade in docs.items()
        if grade is not None
    ]

    def ranking(name: str, scores: np.ndarray) -> Path:
        rows = [(*pair, float(one)) for pair, one in zip(pairs, scores, strict=True)]
        return write(tmp_path / f"{name}.parquet", rows, "score")

    plan = ComparisonPlan(
        ranking("old", old),
        ranking("new", new),
        write(tmp_path / "judged.csv", judged, "grade"),
        seed=subject.seed,
    )
    compared = compare(plan, progress=lambda *_: None).comparison
    found = {one.metric: one for one in compared.measurements}
    for metric in (*(f"{one}.delta" for one in names), "rbo", "kendall-tau", "severe-losses"):
        gate, diff = checked[metric], found[metric]
        assert (diff.n, diff.value, diff.lower, diff.upper) == (
            gate.n,
            gate.value,
            gate.lower,
            gate.upper,
        ), metric
    gate, diff = checked["ndcg@10.delta"], found["ndcg@10.delta"]
    assert diff.pessimistic == pytest.approx(gate.pessimistic)
    assert diff.optimistic == pytest.approx(gate.optimistic)
