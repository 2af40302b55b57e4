"""A worker's word on its cage is read with care, and a card's demand is told in full."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from gates.card.policy import EnvironmentPolicy
from gates.domain.judging import Layer
from gates.environments._layers import lacking, layers_told
from gates.environments.cache import Environment, EnvironmentCache
from gates.environments.launching import Limits
from gates.environments.process import Worker
from gates.errors import ModelFault
from tests.arms import open_arm

from .toy_models import write_model

ALL_ON: dict[Layer, str] = dict.fromkeys(get_args(Layer), "")


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"layers": None},
        {"layers": {}},
        {"layers": {**ALL_ON, "network": True}},
        {"layers": {**ALL_ON, "more": ""}},
        {"layers": {name: "" for name in ALL_ON if name != "files"}},
    ],
)
def test_a_word_that_does_not_name_each_layer_is_none(message: dict[str, Any]) -> None:
    assert layers_told(message, {}) is None


def test_reasons_are_fit_for_a_report() -> None:
    told = layers_told({"layers": {**ALL_ON, "files": "mount:\n\x1b[31m" + "x" * 10_000}}, {})
    assert told is not None
    assert told["files"].startswith("mount: [31mxxx")
    assert len(told["files"]) <= 500


def test_what_is_required_and_on_lacks_nothing() -> None:
    assert lacking(tuple(ALL_ON), ALL_ON) == ""
    assert lacking((), {**ALL_ON, "user": "no"}) == ""


def test_all_that_is_lacking_is_told_with_why_and_what_to_do() -> None:
    layers = {**ALL_ON, "network": "unshare: no", "files": "unshare: no", "user": "not root"}
    sentence = lacking(("network", "user", "memory"), layers)
    assert sentence.startswith(
        "was not loaded: the card requires the layers 'network', 'user', which this machine does "
        "not give (unshare: no; not root): run the gate on Linux"
    )
    assert "run the gate as root" in sentence
    assert "'files'" not in sentence


def test_an_arm_hands_the_cards_demand_to_its_worker(
    bare: Environment, cache: EnvironmentCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_model(tmp_path / "model")
    (model / "gates").mkdir()
    (model / "gates" / "requirements.txt").write_text("# nothing\n", encoding="utf-8")
    arm = open_arm(
        model, cache, tmp_path, policy=EnvironmentPolicy(require=("network", "core-dumps"))
    )
    asked: list[Limits] = []

    def start(_: Environment, __: Path, limits: Limits, ___: str) -> Worker:
        asked.append(limits)
        raise ModelFault("uncaged", "the candidate was not loaded")

    monkeypatch.setattr(Worker, "start", start)
    with pytest.raises(ModelFault, match="not loaded"):
        arm.scores({"a": [1.0]})
    assert asked[0].require == ("network", "core-dumps")
