"""What a registered model is for is found out from what was logged with it, or said not to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gates.domain.tasks import TASKS
from gates.scaffold.detection import find_task
from gates.scaffold.model import read_model
from gates.scaffold.tasks.ranking import RankingScaffold
from tests.logged import TEXT_TO_LABEL, model_folder

TEXT = [{"type": "string", "name": "query"}]
NUMBERS = [{"type": "double", "name": "bm25"}, {"type": "long", "name": "clicks"}]
ONE_NUMBER = [{"type": "double"}]
VECTOR = [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 384]}}]
LIST = [{"type": "array", "items": {"type": "double"}}]
STRINGS = [{"type": "tensor", "tensor-spec": {"dtype": "object", "shape": [-1]}}]
LABEL_AND_SCORE = [{"type": "string", "name": "label"}, {"type": "double", "name": "score"}]


@pytest.mark.parametrize(
    ("signature", "task"),
    [
        (TEXT_TO_LABEL, "classification"),
        ((TEXT, STRINGS), "classification"),
        ((TEXT, LABEL_AND_SCORE), "classification"),
        ((TEXT, [{"type": "long"}]), "classification"),
        ((TEXT, VECTOR), "embedding"),
        ((TEXT, LIST), "embedding"),
        ((TEXT, ONE_NUMBER), None),
        ((NUMBERS, ONE_NUMBER), None),
        (None, None),
    ],
)
def test_a_signature_tells_what_it_can(tmp_path: Path, signature: Any, task: str | None) -> None:
    model = read_model(model_folder(tmp_path / "m", data={}, signature=signature))
    found = find_task(model, {})
    assert found.task is (TASKS[task] if task else None)
    assert found.looked_at


@pytest.mark.parametrize("objective", ["lambdarank", "rank:ndcg", "rank_xendcg"])
def test_a_ranking_objective_of_the_run_tells_a_ranker(tmp_path: Path, objective: str) -> None:
    model = read_model(model_folder(tmp_path / "m", data={}, signature=(NUMBERS, ONE_NUMBER)))
    found = find_task(model, {"objective": objective})
    assert found.task is TASKS["ranking"]
    assert objective in found.because


def test_a_lightgbm_text_file_tells_a_ranker(tmp_path: Path) -> None:
    folder = model_folder(
        tmp_path / "m",
        data={},
        signature=(NUMBERS, ONE_NUMBER),
        flavors={"lightgbm": {"lgb_version": "4.6.0"}},
    )
    (folder / "model.lgb").write_text("tree\nversion=v4\nobjective=lambdarank\n")
    found = find_task(read_model(folder), {})
    objective = "model.lgb names the objective lambdarank"
    assert (found.task, found.because) == (TASKS["ranking"], objective)


def test_probabilities_without_names_are_a_classifier_not_an_embedding(tmp_path: Path) -> None:
    folder = model_folder(
        tmp_path / "m",
        data={},
        signature=(TEXT, VECTOR),
        function={"predict_fn": "predict_proba"},
    )
    model = read_model(folder)
    assert find_task(model, {}).task is TASKS["classification"]
    assert model.gives_probabilities


@pytest.mark.parametrize(
    ("predict", "line"),
    [("predict_proba", "  answer: {score: 1}"), ("decision_function", ""), ("predict", "")],
)
def test_a_ranker_of_chances_takes_the_second_column(
    tmp_path: Path, predict: str, line: str
) -> None:
    function = {"predict_fn": predict}
    folder = model_folder(tmp_path / "m", data={}, signature=None, function=function)
    lines = RankingScaffold().environment(read_model(folder))
    assert "".join(lines).partition("  #")[0] == line


@pytest.mark.parametrize(
    ("flavors", "task"),
    [
        ({"sentence_transformers": {}}, "embedding"),
        ({"transformers": {"task": "text-classification"}}, "classification"),
        ({"transformers": {"task": "feature-extraction"}}, "embedding"),
    ],
)
def test_some_flavours_tell_a_task(tmp_path: Path, flavors: Any, task: str) -> None:
    folder = model_folder(tmp_path / "m", data={}, signature=None, flavors=flavors)
    assert find_task(read_model(folder), {}).task is TASKS[task]


@pytest.mark.parametrize("text", ["[]", "{}", '"x"', "[1]", "not json", '[{"type": {}}]', "[[]]"])
def test_a_signature_that_makes_no_sense_tells_nothing(tmp_path: Path, text: str) -> None:
    import yaml

    folder = model_folder(tmp_path / "m", data={}, signature=None)
    written = yaml.safe_load((folder / "MLmodel").read_text())
    written["signature"] = {"outputs": text}
    (folder / "MLmodel").write_text(yaml.safe_dump(written))
    assert find_task(read_model(folder), {}).task is None
