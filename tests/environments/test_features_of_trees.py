"""The `features` check on real trees in their own environment: a LightGBM and an XGBoost model."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gates.checks import find
from gates.checks.features import FeaturesOptions
from gates.domain.exhibits import Table
from gates.domain.judging import Measurement, ModelVersion, Role
from gates.domain.subject import CheckPlan
from gates.environments.cache import Environment, EnvironmentCache
from gates.run.arm import VersionArm
from gates.run.subject import RunSubject
from tests.arms import open_arm
from tests.checks.subjects import golden_set

from .conftest import Forest

QUERIES, DEPTH = 20, 20


@pytest.fixture
def subject(
    trees: Environment, cache: EnvironmentCache, forest: Forest, tmp_path: Path
) -> Iterator[RunSubject]:
    def arm(role: Role, flavour: str) -> VersionArm:
        folder = tmp_path / flavour
        shutil.copytree(forest.folder / flavour, folder)
        (folder / "gates").mkdir()
        lock = Path(__file__).with_name("tree-requirements.txt")
        shutil.copy(lock, folder / "gates" / "requirements.txt")
        return open_arm(
            folder,
            cache,
            tmp_path,
            role=role,
            version=ModelVersion("trees", role, f"sha256:{flavour}", "sha256:l"),
        )

    columns = {name: np.array(values, float) for name, values in forest.columns.items()}
    worth = columns["a b"].reshape(QUERIES, DEPTH)
    golden = golden_set(
        lists=[{f"d{d}": float(one > 0.5) for d, one in enumerate(row)} for row in worth],
        features={name: list(values) for name, values in columns.items()},
    )
    snapshot = ["a b,shelf,gaps"]
    snapshot += [
        ",".join("" if np.isnan(one) else repr(float(one)) for one in row)
        for row in zip(*columns.values(), strict=True)
    ]
    (tmp_path / "training.csv").write_text("\n".join(snapshot) + "\n", encoding="utf-8")
    made = RunSubject(
        golden=golden,
        candidate=arm("candidate", "xgboost"),
        champion=arm("champion", "lightgbm"),
        seed=5,
        project=tmp_path,
    )
    yield made
    made.close()


def test_real_trees_are_shuffled_explained_and_held_against_their_training(
    subject: RunSubject,
) -> None:
    asked = ("in-top@1", "in-top-contributions@1", "in-top-gain@1", "never-split")
    options = FeaturesOptions(expected=("gaps",), snapshot="training.csv")
    found = list(find("features").measure(subject, CheckPlan(asked, (), options)))
    values = {one.metric: one.value for one in found if isinstance(one, Measurement)}
    drift = values.pop("importance-drift")
    assert drift is not None
    assert 0 <= drift < 0.5
    assert values == {
        "in-top@1": 1,
        "in-top-contributions@1": 1,
        "in-top-gain@1": 1,
        "never-split": 0,
        "dead": 0,
        "constant": 0,
        "sign-flips": 0,
        "psi.worst": 0,
        "ks.worst": 0,
        "missing-rate.delta.worst": 0,
        "out-of-range.worst": 0,
    }
    weights, splits, _ = (one for one in found if isinstance(one, Table))
    for table in (weights, splits):
        assert {row[0] for row in table.rows} == {"a b", "shelf", "gaps"}
        assert all(None not in row for row in table.rows)
    assert splits.title.endswith("(read from model.ubj)")
