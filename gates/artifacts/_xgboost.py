"""XGBoost's JSON and UBJSON formats: which feature each split of its trees is on, and its gain."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from gates.artifacts._forest import Forest, Unreadable
from gates.artifacts._ubjson import Malformed, read_ubjson

__all__ = ["read_xgboost"]


def read_xgboost(data: bytes) -> Forest:
    """What a model file that begins with `{` says of its splits.

    Gains are those of `Booster.get_score(importance_type="total_gain")`.

    Args:
        data: The file.

    Raises:
        Unreadable: It is no such file, or its model has no trees.
    """
    learner = _found(_document(data), "learner")
    model = _found(learner, "gradient_booster")
    if model.get("name") == "gblinear":
        raise Unreadable("it is a linear model, which splits on nothing")
    # The trees of `dart` stand one floor further down.
    trees = _found(model.get("gbtree", model), "model").get("trees")
    names = learner.get("feature_names") or []
    width = _found(learner, "learner_model_param").get("num_feature")
    try:
        splits = [_splits(tree) for tree in trees or ()]
        feature, gain = (np.concatenate([[], *some]) for some in zip(*splits, strict=True))
        return Forest.of(int(width or 0), tuple(map(str, names)), feature.astype(np.int64), gain)
    except (TypeError, ValueError, KeyError, OverflowError) as problem:
        raise Unreadable("it is no XGBoost model of trees") from problem


def _splits(tree: Any) -> tuple[Any, Any]:  # noqa: ANN401 - as it came from the file
    with np.errstate(invalid="ignore"):  # what is no whole number is no feature either
        inner = np.asarray(tree["left_children"]).astype(np.int64) != -1
        feature = np.asarray(tree["split_indices"]).astype(np.int64)
    gain = np.asarray(tree["loss_changes"], np.float64)
    if not inner.shape == feature.shape == gain.shape:
        raise ValueError("columns of unequal length")
    return feature[inner], gain[inner]


def _document(data: bytes) -> Any:  # noqa: ANN401 - as it came from the file
    try:
        # UBJSON says the type of a key's length where JSON has a quotation mark or white space.
        return read_ubjson(data) if data[1:2] in b"iUIlL" else json.loads(data)
    except (Malformed, ValueError, RecursionError) as problem:
        raise Unreadable(f"it is no JSON and no UBJSON: {problem}") from problem


def _found(value: Any, key: str) -> dict[str, Any]:  # noqa: ANN401 - as it came from the file
    inner = value.get(key) if isinstance(value, dict) else None
    if not isinstance(inner, dict):
        raise Unreadable("it is no XGBoost model of trees")
    return inner
