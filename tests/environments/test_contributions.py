"""What each feature contributed comes from the model's own process, and adds up to its score."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gates.card.policy import EnvironmentPolicy
from gates.domain.subject import Columns, Contributions, NoContributions
from gates.environments.cache import Environment, EnvironmentCache
from gates.environments.launching import Limits
from gates.environments.outputs import as_contributions
from gates.environments.process import Worker
from gates.errors import ModelFault
from gates.run.arm import VersionArm
from tests.arms import open_arm

from .conftest import Forest, StartWorker
from .toy_models import signature, write_mlmodel, write_model

FRAME: dict[str, Any] = {"a": np.array([1.0, 2.0, 3.0]), "b": ["x", None, "z"]}
ALWAYS = "return {'a': [0.5, 1.0, 1.5], '(bias)': [1.0] * 3}"


def told(worker: Worker, columns: Columns) -> Contributions:
    answer = worker.contributions(columns)
    assert not isinstance(answer, NoContributions), answer.reason
    return as_contributions(answer, len(next(iter(columns.values()))), columns)


def untold(worker: Worker, columns: Columns = FRAME) -> str:
    answer = worker.contributions(columns)
    assert isinstance(answer, NoContributions)
    return answer.reason


# ---- real trees ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(trees: Environment, forest: Forest) -> Iterator[Worker]:
    with Worker.start(trees, forest.folder / "many", Limits(), "champion") as worker:
        yield worker


def on(worker: Worker, forest: Forest, model: str) -> None:
    """Have the worker that holds many models take one of them."""
    worker.predict({"which": [forest.shelf.index(model)]})


@pytest.mark.parametrize(("flavour", "exact"), [("lightgbm", 1e-6), ("xgboost", 1e-5)])
def test_contributions_of_an_mlflow_flavour_add_up_to_its_raw_score(
    trees: Environment, forest: Forest, flavour: str, exact: float
) -> None:
    with Worker.start(trees, forest.folder / flavour, Limits(), "candidate") as worker:
        before = worker.predict(forest.columns)["prediction"]
        # A space in a name, whole-number categories and missing values are among them.
        contributions = told(worker, {"not an input": [0.0] * 400, **forest.columns})
        assert contributions.features == ("a b", "shelf", "gaps")
        assert contributions.values.shape == (400, 3)
        sums = contributions.values.sum(axis=1) + contributions.bias
        assert sums == pytest.approx(forest.raw[flavour], abs=exact)
        assert np.array_equal(worker.predict(forest.columns)["prediction"], before)


@pytest.mark.parametrize("model", ["LGBMRanker", "XGBRegressor"])
def test_a_model_of_scikit_learns_kind_is_found_behind_a_loader_of_ones_own(
    many: Worker, forest: Forest, model: str
) -> None:
    on(many, forest, model)
    backwards = dict(reversed(forest.columns.items()))
    contributions = told(many, backwards)
    assert contributions.features == ("a b", "shelf", "gaps")
    sums = contributions.values.sum(axis=1) + contributions.bias
    assert sums == pytest.approx(forest.raw[model], abs=1e-5)


@pytest.mark.parametrize("library", ["LightGBM", "XGBoost"])
def test_text_is_given_to_trees_as_the_categories_they_learnt(
    many: Worker, forest: Forest, library: str
) -> None:
    on(many, forest, f"{library} on words")
    contributions = told(many, {**forest.columns, "shelf": forest.words})
    sums = contributions.values.sum(axis=1) + contributions.bias
    assert sums == pytest.approx(forest.raw[f"{library} on words"], abs=1e-5)
    assert np.abs(contributions.values[:, contributions.features.index("shelf")]).max() > 0


@pytest.mark.parametrize("library", ["LightGBM", "XGBoost"])
def test_trees_that_know_no_names_are_told_by_place(
    many: Worker, forest: Forest, library: str
) -> None:
    on(many, forest, f"{library} on a matrix")
    contributions = told(many, forest.columns)
    assert contributions.features == ("a b", "shelf", "gaps")
    sums = contributions.values.sum(axis=1) + contributions.bias
    assert sums == pytest.approx(forest.raw[f"{library} on a matrix"], abs=1e-5)
    assert "trained on 3 unnamed columns, not 2" in untold(many, {"a b": [1.0], "gaps": [1.0]})


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("three classes", "more than one score a row"),
        ("other names", "its trees ask for scaled_a_b, which is not among its input columns"),
        ("a number", "neither a LightGBM nor an XGBoost model, and has no contributions method"),
    ],
)
def test_a_model_that_cannot_be_explained_says_why_and_works_on(
    many: Worker, forest: Forest, model: str, reason: str
) -> None:
    on(many, forest, model)
    assert reason in untold(many, forest.columns)
    assert len(many.predict({"which": [0]})["prediction"]) == 1


def test_a_python_model_may_tell_of_itself(trees: Environment, forest: Forest) -> None:
    with Worker.start(trees, forest.folder / "linear", Limits(), "candidate") as worker:
        contributions = told(worker, forest.columns)
        assert contributions.features == ("shelf", "a b")
        scores = worker.predict(forest.columns)["prediction"]
        assert contributions.values.sum(axis=1) == pytest.approx(scores)


# ---- any model -------------------------------------------------------------------------------


def test_a_models_own_contributions_need_nothing_in_its_environment(start: StartWorker) -> None:
    contributions = told(start(explain=ALWAYS), FRAME)
    assert contributions.features == ("a",)
    assert contributions.values.tolist() == [[0.5], [1.0], [1.5]]
    assert contributions.bias.tolist() == [1.0] * 3


def test_contributions_without_a_bias_have_none(start: StartWorker) -> None:
    assert told(start(explain="return {'a': [1, 2, 3]}"), FRAME).bias.tolist() == [0.0] * 3


@pytest.mark.parametrize(
    ("explain", "reason"),
    [
        ("", "neither a LightGBM nor an XGBoost model"),
        ("raise ValueError('not\\x1b[31m today')", "ValueError while explaining: not[31m today"),
        ("raise type('Odd', (Exception,), {'__str__': lambda s: 1 / 0})()", "Odd while explaining"),
        ("return 3.0", "Breach while explaining: returned float"),
        ("bytearray(8 << 30)", "MemoryError while explaining"),
    ],
)
def test_a_worker_that_cannot_explain_answers_on(
    start: StartWorker, explain: str, reason: str
) -> None:
    worker = start(explain=explain, limits=Limits(memory_mb=512))
    assert reason in untold(worker)
    assert list(worker.predict(FRAME)["prediction"]) == [1, 2, 3]


def test_a_message_that_means_nothing_is_no_answer_to_why(start: StartWorker) -> None:
    load = (
        "main = sys.modules['__main__']; main.unavailable = lambda e: main.json_payload({'a': 1})"
    )
    with pytest.raises(ModelFault, match="broke the protocol while explaining"):
        start(load=load).contributions(FRAME)


def test_why_is_no_answer_to_a_question_for_scores(start: StartWorker) -> None:
    load = "main = sys.modules['__main__']; main.fault = lambda *_: main.unavailable(ValueError())"
    with pytest.raises(ModelFault, match="unknown kind"):
        start("raise ValueError", load=load).predict(FRAME)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"c": [1.0, 2.0]}, "wrong-type"),
        ({"x" * 200_000: [1.0, 2.0]}, "wrong-type"),
        ({"(bias)": [1.0, 2.0]}, "wrong-type"),
        ({}, "wrong-type"),
        ({"a": ["1", "2"]}, "wrong-type"),
        ({"a": [True, False]}, "wrong-type"),
        ({"a": [1.0]}, "wrong-rows"),
        ({"a": [1.0, 2.0], "(bias)": [1.0]}, "wrong-rows"),
        ({"a": [1.0, None]}, "nan"),
        ({"a": np.array([1.0, np.nan])}, "nan"),
        ({"a": [1.0, 2.0], "(bias)": [0.0, np.inf]}, "infinite"),
    ],
)
def test_nothing_a_worker_tells_is_believed(answer: dict[str, Any], kind: str) -> None:
    with pytest.raises(ModelFault) as caught:
        as_contributions(answer, 2, {"a": [0.0, 0.0]})
    assert caught.value.kind == kind
    assert len(caught.value.what) < 300


# ---- an arm ----------------------------------------------------------------------------------


@pytest.fixture
def arm_of(cache: EnvironmentCache, tmp_path: Path) -> Iterator[Any]:
    arms: list[VersionArm] = []

    def make(explain: str) -> VersionArm:
        folder = write_model(tmp_path / "model", "return x['a']", explain=explain)
        lock = folder / "gates" / "requirements.txt"
        lock.parent.mkdir()
        lock.write_text("# nothing\n", encoding="utf-8")
        flavor = {"loader_module": "toy", "code": "code"}
        flavors = {"python_function": flavor}
        write_mlmodel(folder, {"flavors": flavors, "signature": signature("a")})
        arms.append(open_arm(folder, cache, tmp_path, policy=EnvironmentPolicy(predict_seconds=2)))
        return arms[-1]

    yield make
    for one in arms:
        one.close()


@pytest.mark.parametrize(
    ("explain", "reason"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "died while explaining: it was killed by SIGKILL"),
        ("time.sleep(1000)", "had not finished explaining after 2 s"),
        ("return {'a': [float('nan')] * 3}", "3 of 3 values of 'a' that are NaN"),
        ("return {'z': [1.0] * 3}", "'z' contributes, a column it was not given"),
        ("for fd in range(3, 64):\n    try: os.write(fd, b'junk' * 9)\n    except OSError: pass",
         "broke the protocol while explaining"),
    ],
)  # fmt: skip
def test_a_model_that_misbehaves_while_explaining_still_scores(
    arm_of: Any, explain: str, reason: str
) -> None:
    arm = arm_of(explain)
    facts = arm.environment()
    answer = arm.contributions(FRAME)
    assert isinstance(answer, NoContributions)
    assert reason in answer.reason
    assert arm.facts() == facts, "what it ran in is still known"
    # Another frame, which no earlier answer holds.
    assert arm.scores({**FRAME, "a": np.array([7.0, 8.0, 9.0])}).tolist() == [7, 8, 9]
    assert arm.contributions(FRAME) is answer, "it is not asked twice"


def test_an_arm_explains_and_names_its_inputs(arm_of: Any) -> None:
    arm = arm_of(ALWAYS)
    answer = arm.contributions(FRAME)
    assert answer.values.tolist() == [[0.5], [1.0], [1.5]]
    assert arm.inputs == ("a",)


def test_a_worker_that_was_dead_before_is_not_revived_to_explain(arm_of: Any) -> None:
    arm = arm_of(ALWAYS)
    arm.environment()
    os.kill(arm._worker.pid, 9)
    with pytest.raises(ModelFault):
        _ask_on(arm)
    answer = arm.contributions(FRAME)
    assert isinstance(answer, NoContributions)
    assert "SIGKILL" in answer.reason


def _ask_on(arm: VersionArm) -> None:
    """Ask again and again: what is on its way when a signal comes may still be answered."""
    for at in range(1000):
        arm.scores({"a": [float(at)]})
