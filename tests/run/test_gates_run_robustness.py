"""`gates run` with `robustness` and `directional`, the model in real processes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import CommandLine, Shelf
from tests.toys import MODEL, copy_project

CARD = """\
---
model: toy-ranker
task: ranking
owners: [search@example.com]
environment: {start_seconds: 20, predict_seconds: 5, memory_mb: 1024}
checks:
  robustness:
    bounds:
      missing-feature.faults: {max: 0}
      missing-feature.worst: {max: 1}
      repeatability: {max: 0}
      order-dependence: {max: 0}
      batch-dependence: {max: 0}
  directional:
    options: {rising: [good]}
    bounds:
      monotone.violations: {max: 0}
  behaviour:
    bounds:
      must-be-first: {min: 1.0}
---
"""


def test_a_model_that_a_missing_feature_kills_fails_that_bound_and_no_other(
    gates: CommandLine, shelf: Shelf, tmp_path: Path
) -> None:
    project = copy_project(shelf.project, tmp_path / "shop")
    (project / "model_cards" / f"{MODEL}.md").write_text(CARD)
    answer = gates("run", shelf.uri("dies-on-missing"), shelf.options(project), "--json")
    assert answer.code == 1, answer.out + answer.err
    outcomes = {one["id"]: one["outcome"] for one in json.loads(answer.out)["bounds"]}
    assert outcomes.pop("robustness::missing-feature.faults") == "FAIL"
    assert outcomes.pop("robustness::missing-feature.worst") == "UNDECIDED", "what it costs"
    assert set(outcomes.values()) == {"PASS"}, outcomes


def test_a_model_that_reads_the_order_of_its_rows_fails_order_and_batches(
    gates: CommandLine, shelf: Shelf, tmp_path: Path
) -> None:
    project = copy_project(shelf.project, tmp_path / "shop")
    (project / "model_cards" / f"{MODEL}.md").write_text(CARD)
    answer = gates("run", shelf.uri("shuffled"), shelf.options(project), "--json")
    outcomes = {one["id"]: one["outcome"] for one in json.loads(answer.out)["bounds"]}
    assert outcomes["robustness::repeatability"] == "PASS"
    assert outcomes["robustness::order-dependence"] == "FAIL"
    assert outcomes["robustness::batch-dependence"] == "FAIL"
    assert outcomes["robustness::missing-feature.faults"] == "PASS"
