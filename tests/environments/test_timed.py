"""A version is timed, and its memory read, in a worker that nothing else has asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gates.card.policy import EnvironmentPolicy
from gates.domain.judging import Bound, ModelVersion, Outcome, Role, judge
from gates.environments.cache import Environment, EnvironmentCache
from gates.errors import ModelFault
from gates.run.arm import VersionArm
from tests.arms import open_arm
from tests.checks.subjects import FakeSubject, golden_set, run

from .conftest import StartWorker
from .toy_models import write_model

ArmOf = Callable[..., VersionArm]
FRAME = {"a": np.array([1.0, 2.0])}
COUNTING = """
self.asked = getattr(self, 'asked', 0) + 1
return [float(self.asked)] * len(x['a'])
"""


@pytest.fixture
def arm_of(bare: Environment, cache: EnvironmentCache, tmp_path: Path) -> Iterator[ArmOf]:
    """An arm of a toy model whose environment holds nothing."""
    arms: list[VersionArm] = []

    def make(predict: str, *, role: Role = "candidate", load: str = "") -> VersionArm:
        model = write_model(tmp_path / f"{role}{len(arms)}", predict, load=load)
        (model / "gates").mkdir()
        (model / "gates" / "requirements.txt").write_text("# nothing\n", encoding="utf-8")
        arm = open_arm(
            model,
            cache,
            tmp_path,
            role=role,
            version=ModelVersion("toy", str(len(arms) + 1), "sha256:m", "sha256:l"),
            policy=EnvironmentPolicy(predict_seconds=20),
        )
        arms.append(arm)
        return arm

    yield make
    for arm in arms:
        arm.close()


def test_a_model_that_waits_takes_at_least_as_long(start: StartWorker) -> None:
    waiting = start("time.sleep(0.02)\nreturn x['a']")
    assert waiting.timed(FRAME) >= 0.02


def test_what_is_timed_is_asked_each_time_and_leaves_the_worker_well(start: StartWorker) -> None:
    worker = start(COUNTING)
    for _ in range(3):
        assert worker.timed(FRAME) > 0
    assert list(worker.predict(FRAME)["prediction"]) == [4, 4]


def test_memory_that_a_model_held_once_is_in_its_peak(start: StartWorker) -> None:
    held = "whole = bytearray(os.urandom(1 << 20) * 96)\ndel whole"
    small, large = start(), start(load=held)
    before, after = small.peak_memory(), large.peak_memory()
    assert before is not None
    assert after is not None
    assert 1 << 20 < before < 96 << 20
    assert after - before > 80 << 20
    assert list(large.predict(FRAME)["prediction"]) == [1, 2]


@pytest.mark.parametrize("peak", ["'much'", "-1", "True", "1.5", "{}"])
def test_a_model_that_makes_its_worker_lie_about_memory_in_no_number_is_found_out(
    start: StartWorker, peak: str
) -> None:
    worker = start(load=f"sys.modules['__main__'].peak_bytes = lambda: {peak}")
    with pytest.raises(ModelFault, match="no proper answer about its memory"):
        worker.peak_memory()


def test_a_python_that_cannot_tell_its_memory_says_so(start: StartWorker) -> None:
    worker = start(load="sys.modules['resource'] = None")
    assert worker.peak_memory() is None


def test_an_arm_is_timed_in_a_process_that_no_other_check_has_asked(arm_of: ArmOf) -> None:
    arm = arm_of(COUNTING)
    assert arm.scores(FRAME).tolist() == [1, 1]
    for _ in range(4):
        arm.timed(FRAME)
    assert arm.scores({"a": np.array([3.0])}).tolist() == [2]


def test_a_version_that_cannot_answer_has_no_time_and_is_named(arm_of: ArmOf) -> None:
    arm = arm_of("raise ValueError('no such shelf')", role="champion")
    with pytest.raises(ModelFault, match=r"champion models:/toy/1: .*no such shelf"):
        arm.timed(FRAME)


def test_a_slow_path_in_a_real_worker_fails_the_ratio(arm_of: ArmOf) -> None:
    golden = golden_set(
        lists=[{"a": 1.0, "b": 0.0}] * 5, features={"a": [float(n) for n in range(10)]}
    )
    slow = arm_of("time.sleep(0.02)\nreturn x['a']")
    quick = arm_of("return x['a']", role="champion")
    subject = FakeSubject(golden, slow, quick)  # type: ignore[arg-type]  # arms both
    result = run("latency", subject, "p50.ratio", requests=60, warmup=5, batches=[], steady=100)
    ratio = result["p50.ratio"]
    assert judge(Bound("latency", "p50.ratio", maximum=2.0), ratio).outcome is Outcome.FAIL
    assert result["p50"].lower is not None
    assert result["p50"].lower >= 20
    assert result["peak-memory.ratio"].value is not None
