"""The title embedding: what a pull request may do to it, and which bound of its card tells."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from gates.card.card import read_card
from gates.checks import catalogue, find
from gates.domain.judging import Measurement, Outcome, judge
from gates.domain.subject import CheckPlan, Columns
from gates.golden import read_golden
from gates.kernels.packed import Floats
from tests.checks.subjects import FakeArm, FakeSubject

PROJECT = Path(__file__).parents[2]
MODEL = PROJECT / "models" / "title-embedding"

# MLflow's, on being imported in this process; the gate itself never does that.
pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred")


@pytest.fixture(scope="module")
def train() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(MODEL)
        patch.syspath_prepend(str(MODEL))
        yield runpy.run_path("build.py")["train"]


@dataclass
class Trained(FakeArm):
    """An arm whose vectors are a pipeline's."""

    pipeline: Any = None

    def vectors(self, columns: Columns) -> Floats:
        vectors: Floats = self.pipeline.transform(columns["text"])
        return vectors


def failing(new: Any, old: Any) -> dict[str, Outcome]:
    """The bounds of the card, slices left out, that do not hold for one pipeline after another."""
    card = read_card(PROJECT / "model_cards" / "title-embedding.md", catalogue(), project=PROJECT)
    golden = read_golden(PROJECT / "golden" / "title-embedding")
    arms = Trained("candidate", pipeline=new), Trained("champion", pipeline=old)
    bounds = [one for one in card.bounds(golden) if one.check == "embedding" and not one.slice]
    options = catalogue()["embedding"].options.model_validate({"same": 0.02})
    plan = CheckPlan(tuple(one.metric for one in bounds), (), options)
    found = {
        one.metric: one
        for one in find("embedding").measure(FakeSubject(golden, *arms), plan)
        if isinstance(one, Measurement)
    }
    judged = [judge(bound, found[bound.metric]) for bound in bounds]
    return {one.bound.metric: one.outcome for one in judged if one.outcome is not Outcome.PASS}


@pytest.mark.parametrize(
    ("change", "caught"),
    [
        ({"letters": [3, 4], "dimensions": 96}, set()),
        ({"letters": [2, 4], "dimensions": 64}, set()),
        ({"lowercase": False}, {"pairs", "norm.worst"}),
        (
            {"dimensions": 4},
            {
                *("neighbour-overlap@10", "pairs", "duplicates"),
                *("collapse", "effective-rank", "stuffing@10"),
            },
        ),
    ],
    ids=["more", "shorter", "capitals", "collapsed"],
)
def test_a_change_is_caught_by_the_bounds_that_are_for_it(
    train: Any, change: dict[str, Any], caught: set[str]
) -> None:
    params = yaml.safe_load((MODEL / "params.yaml").read_text("utf-8"))

    found = failing(train({**params, **change}), train(params))

    assert set(found) == caught
    assert (Outcome.FAIL in found.values()) == bool(caught)
