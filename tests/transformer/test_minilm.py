"""A real sentence transformer through the gate: as it is, in few bits, cut short, upgraded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gates.environments.cache import EnvironmentCache
from gates.registry.mlflow import MlflowRegistry
from tests.arms import open_arm
from tests.conftest import CommandLine

from .conftest import SENTENCE, Desk

EQUIVALENCE = ("equivalence::changed-vectors", "equivalence::changed-neighbours")


def gated(
    gates: CommandLine, desk: Desk, output: Path, version: str, champion: str = "whole"
) -> tuple[int, dict[str, Any]]:
    """The exit code, and each bound by its name."""
    versions = (desk.uri(version), "--champion", desk.uri(champion))
    answer = gates("run", *versions, desk.options(), "--output", str(output), "--json")
    assert answer.code in {0, 1}, answer.out + answer.err
    return answer.code, {one["id"]: one for one in json.loads(answer.out)["bounds"]}


def failing(bounds: dict[str, Any]) -> set[str]:
    return {name for name, one in bounds.items() if one["outcome"] != "PASS"}


def test_the_worker_gives_the_vector_that_the_model_is_known_for(desk: Desk) -> None:
    registry = MlflowRegistry(desk.store, desk.cache)
    version = registry.resolve(desk.uri("whole"))
    arm = open_arm(
        registry.path(version), EnvironmentCache(desk.cache), desk.project, version=version
    )
    try:
        (vector,) = arm.vectors({"text": [SENTENCE]})
    finally:
        arm.close()
    known = [0.0676569, 0.0634959, 0.0487131, 0.0793050, 0.0374480]
    assert vector.shape == (384,)
    assert vector[:5].tolist() == pytest.approx(known, abs=1e-6)


def test_eight_bits_a_weight_pass(gates: CommandLine, desk: Desk, tmp_path: Path) -> None:
    code, bounds = gated(gates, desk, tmp_path, "8 bits")
    assert failing(bounds) == set()
    assert code == 0
    assert 0.95 < bounds["embedding::neighbour-overlap@5"]["value"] < 1.0


@pytest.mark.parametrize("version", ["3 bits", "3 layers"])
def test_too_few_bits_or_layers_are_refused_although_every_pair_holds(
    gates: CommandLine, desk: Desk, tmp_path: Path, version: str
) -> None:
    code, bounds = gated(gates, desk, tmp_path, version)
    assert code == 1
    assert failing(bounds) == {"embedding::neighbour-overlap@5", "embedding::collapse"}
    assert bounds["embedding::pairs"]["value"] == pytest.approx(59 / 60)


def test_the_same_weights_under_another_numpy_give_the_same_vectors(
    gates: CommandLine, desk: Desk, tmp_path: Path
) -> None:
    code, bounds = gated(gates, desk, tmp_path, "older")
    assert code == 0, failing(bounds)
    assert [bounds[name]["value"] for name in EQUIVALENCE] == [0.0, 0.0]


def test_a_model_that_rounds_under_another_numpy_is_caught(
    gates: CommandLine, desk: Desk, tmp_path: Path
) -> None:
    code, bounds = gated(gates, desk, tmp_path, "older", champion="reads-numpy")
    assert code == 1
    assert set(EQUIVALENCE) <= failing(bounds)
    assert bounds["equivalence::changed-vectors"]["value"] == 157
