"""A candidate whose files would run commands is never loaded, and the verdict says why."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gates.card.policy import EnvironmentPolicy
from gates.environments.cache import EnvironmentCache
from gates.errors import LockError, ModelFault
from gates.run.arm import VersionArm
from tests.arms import open_arm
from tests.artifacts.samples import Calls, stack_global, zipped
from tests.conftest import CommandLine, Shelf
from tests.environments.toy_models import write_model
from tests.toys import MODEL, copy_project

UNKNOWN = stack_global("shop.features", "Normaliser")

MakeArm = Callable[[bytes, EnvironmentPolicy], VersionArm]


@pytest.fixture
def arm_with(tmp_path: Path) -> Iterator[MakeArm]:
    """An arm whose artifact holds a file; its lock cannot be built, so that nothing ever starts."""
    arms: list[VersionArm] = []

    def make(content: bytes, policy: EnvironmentPolicy) -> VersionArm:
        folder = write_model(tmp_path / f"model{len(arms)}")
        (folder / "extra.bin").write_bytes(content)
        (folder / "gates").mkdir()
        (folder / "gates" / "requirements.txt").write_text("nothing-pinned\n", encoding="utf-8")
        arms.append(open_arm(folder, EnvironmentCache(tmp_path / "cache"), tmp_path, policy=policy))
        return arms[-1]

    yield make
    for one in arms:
        one.close()


@pytest.mark.parametrize(
    ("refuse", "content", "refused"),
    [
        ("critical", pickle.dumps(Calls(os.system, "id")), True),
        ("critical", UNKNOWN, False),
        ("medium", UNKNOWN, True),
        ("high", UNKNOWN, False),
        ("never", pickle.dumps(Calls(os.system, "id")), False),
        ("critical", b"7z\xbc\xaf\x27\x1c", False),
        ("high", b"7z\xbc\xaf\x27\x1c", True),
    ],
)
def test_the_card_says_what_is_not_loaded(
    refuse: str, content: bytes, refused: bool, arm_with: MakeArm
) -> None:
    arm = arm_with(content, EnvironmentPolicy.model_validate({"refuse": refuse}))
    with pytest.raises(ModelFault if refused else LockError) as raised:
        arm.scores({"a": [1.0]})
    if refused:
        assert isinstance(raised.value, ModelFault)
        assert (raised.value.kind, raised.value.breach) == ("refused", False)
        assert "the candidate was not loaded: extra.bin " in raised.value.what


def test_what_the_card_allows_is_not_refused(arm_with: MakeArm) -> None:
    policy = EnvironmentPolicy(refuse="medium", allow=("shop.features.Normaliser",))
    with pytest.raises(LockError):
        arm_with(UNKNOWN, policy).scores({"a": [1.0]})


def test_many_reasons_are_named_in_part(arm_with: MakeArm) -> None:
    members = {f"{at}.pkl": pickle.dumps(Calls(os.system, f"{at}")) for at in range(9)}
    with pytest.raises(ModelFault, match=r"extra\.bin: 0\.pkl calls .* and 6 more$"):
        arm_with(zipped(members), EnvironmentPolicy()).scores({"a": [1.0]})


def test_a_run_fails_on_the_artifact_and_leaves_what_needed_the_model_undecided(
    gates: CommandLine, shelf: Shelf, tmp_path: Path
) -> None:
    project = copy_project(shelf.project, tmp_path / "shop")
    marker = tmp_path / "loaded"
    hostile = pickle.dumps(Calls(os.system, f"touch {marker}"))
    build = project / "models" / MODEL / "build.py"
    honest = build.read_text()
    card = project / "model_cards" / f"{MODEL}.md"
    card.write_text(card.read_text().replace("checks:\n", "checks:\n  artifact: {}\n"))
    options = ["--project", str(project), "--cache", str(shelf.cache)]
    options += ["--tracking-uri", f"sqlite:///{tmp_path / 'store.db'}"]
    assert gates("package", MODEL, options).code == 0
    build.write_text(f"{honest}\n(output / 'weights.bin').write_bytes({hostile!r})\n")
    assert gates("package", MODEL, options).code == 0
    run = ["run", f"models:/{MODEL}/2", "--champion", f"models:/{MODEL}/1", "--json"]
    answer = gates(run, options)
    assert answer.code == 1, answer.out + answer.err
    said = json.loads(answer.out)
    outcomes = {one["id"]: one["outcome"] for one in said["bounds"]}
    assert outcomes["artifact::critical"] == "FAIL"
    assert outcomes["artifact::high"] == "PASS"
    assert outcomes["lockfile::unpinned"] == "PASS"
    assert outcomes["behaviour::must-be-first"] == "UNDECIDED"
    why = next(one["reason"] for one in said["bounds"] if one["id"] == "behaviour::must-be-first")
    assert why.startswith("refused: ")
    assert "the candidate was not loaded: weights.bin calls" in why
    assert not marker.exists()
