"""Evidence verified and judged again: a bundle of 500 queries, and a thousand runs by one card."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.timing import in_turn, machine
from gates.comparison.measure import MeasuredQueries
from gates.comparison.measured_rows import Request, measured, rows_of
from gates.comparison.measures import RankingMeasures
from gates.comparison.metrics import quality
from gates.comparison.per_query import PerQuery
from gates.comparison.population import Population
from gates.domain.judging import Bound, Measurement, ModelVersion, decide
from gates.domain.query_rows import QueryRows
from gates.evidence.bundle import write_evidence
from gates.evidence.evidence import CheckRecord, Evidence
from gates.evidence.facts import card_facts, gate_facts, golden_facts, now
from gates.evidence.inventory import list_inventory
from gates.evidence.verdict import judge_from
from gates.golden import read_golden
from gates.kernels.informative import TELLS
from gates.project import Project
from gates.settings import load_settings

_ROOT = Path(__file__).parent.parent
_CARD = _ROOT / "model_cards" / "product-ranker.md"
_QUERIES, _RUNS = 500, 1_000
_CHECK, _METRIC = "ranking-diff", "ndcg@10"
_NAMES = (f"{_METRIC}.delta", "mrr.delta", "severe-losses", "overlap@10", "rbo", "top1-changed")


def main() -> None:
    """Print how long both commands take, as whole processes."""
    with tempfile.TemporaryDirectory() as scratch:
        bundle, rows = _bundle(Path(scratch) / "bundle")
        runs = [str(one) for one in _runs(Path(scratch) / "runs", bundle)]

        def gates(*arguments: str) -> None:
            command = [sys.executable, "-m", "gates", *arguments, "--project", str(_ROOT)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode not in (0, 1, 3):
                raise SystemExit(done.stderr)

        verify = in_turn({"verify": lambda: gates("verify", str(Path(scratch) / "bundle"))})
        rejudge = in_turn(
            {"rejudge": lambda: gates("rejudge", *runs, "--card", str(_CARD))}, rounds=3
        )
    print(f"\n### Evidence made again ({machine()})\n")
    print("| what | seconds |")
    print("| --- | --- |")
    print(
        f"| `gates verify` of {_QUERIES} queries ({len(rows.content) / 1e3:.0f} kB of rows), "
        f"whole process | {verify['verify']:.2f} |"
    )
    print(f"| `gates rejudge` of {_RUNS:,} runs, whole process | {rejudge['rejudge']:.2f} |")


def _queries() -> MeasuredQueries:
    dice = np.random.default_rng(20260101)
    old, new = (
        {name: dice.uniform(0.3, 1.0, _QUERIES) for name in (_METRIC, "mrr")} for _ in range(2)
    )
    alike = {name: dice.uniform(0.5, 1.0, _QUERIES) for name in ("overlap@10", "rbo")}
    alike["top1-changed"] = (dice.uniform(size=_QUERIES) < 0.2).astype(np.float64)
    tells = {name: np.full(_QUERIES, TELLS) for name in old}
    population = Population(
        np.arange(_QUERIES),
        np.ones(_QUERIES),
        dice.uniform(1.0, 9.0, _QUERIES),
        np.zeros(_QUERIES, np.bool_),
        {"category": [f"c{one % 8}" for one in range(_QUERIES)]},
    )
    per_query = PerQuery(old, new, alike, {}, tells, _QUERIES, 0, (), 40)
    measures = RankingMeasures(quality(_METRIC), _NAMES, "linear", 1.0)
    return MeasuredQueries(measures, population, per_query, 0.3)


def _bundle(folder: Path) -> tuple[Evidence, QueryRows]:
    """Evidence by the demo's card whose ranking difference is of made-up queries."""
    project = Project(load_settings(_ROOT))
    card = project.read_card(_CARD)
    golden = read_golden(card.golden_path)
    queries, request = _queries(), Request(_NAMES, ("category",), {})
    rows = rows_of(queries, request, [f"q{one}" for one in range(_QUERIES)])
    inventory = replace(list_inventory(card, golden), test_files=(), tests=())
    found = [*measured(queries, request)]
    there = {(one.metric, one.slice) for one in found}
    asked = [one for one in inventory.bounds if one.check == _CHECK]
    found += [_measurement(one) for one in asked if (one.metric, one.slice) not in there]
    records = {_CHECK: CheckRecord(_CHECK, tuple(found), rows=rows.as_file(_CHECK))}
    for check in {one.check for one in inventory.bounds} - {_CHECK}:
        own = (_measurement(one) for one in inventory.bounds if one.check == check)
        records[check] = CheckRecord(check, tuple(own))
    judgements = tuple(judge_from(one, records[one.check]) for one in inventory.bounds)
    evidence = Evidence(
        run_id="benchmark",
        created=now(),
        gate=gate_facts(()),
        card=card_facts(card),
        golden=golden_facts(golden, _ROOT),
        candidate=ModelVersion(card.policy.model, "2", "sha256:" + "2" * 64, ""),
        champion=ModelVersion(card.policy.model, "1", "sha256:" + "1" * 64, ""),
        environments={},
        seed=1,
        records=tuple(records.values()),
        judgements=judgements,
        timings=(),
        verdict=decide(judgements),
        inventory=inventory,
    )
    write_evidence(folder / "evidence.json", evidence)
    (folder / rows.as_file(_CHECK).file).write_bytes(rows.content)
    return evidence, rows


def _measurement(bound: Bound) -> Measurement:
    return Measurement(bound.metric, bound.minimum or 0.0, 100, "made up", slice=bound.slice)


def _runs(folder: Path, evidence: Evidence) -> Iterator[Path]:
    for number in range(_RUNS):
        path = folder / str(number) / "evidence.json"
        write_evidence(path, replace(evidence, run_id=str(number)))
        yield path.parent
