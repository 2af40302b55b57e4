"""Why a model scored as it did: what each feature added to the score of each row.

Part of the worker: runs in the model's environment, loaded by its place, imports nothing of ours.
"""

# ruff: noqa: ANN401 - models take and give anything
from __future__ import annotations

import importlib
import sys
from typing import Any

_HOLDERS = ("lgb_model", "xgb_model", "booster", "model")  # MLflow's wrappers, a loader of its own


class Unavailable(Exception):
    """There are no contributions, and why."""


def contributions(model: Any, frame: Any) -> Any:
    """Feature → what it added to each row's raw score, with `(bias)` for what no feature did.

    A model's own `contributions` method goes before the tree model that may stand behind it.
    """
    behind = [model]
    for wrapped in ("_model_impl", "python_model"):  # as pyfunc wraps a loader's and a Python model
        behind += [getattr(behind[-1], wrapped)] if hasattr(behind[-1], wrapped) else []
    for one in behind:
        if callable(getattr(one, "contributions", None)):
            return one.contributions(frame)
    parts = [getattr(one, name, None) for one in behind for name in _HOLDERS]
    # What nobody has imported, no part can be an instance of.
    lightgbm, xgboost = sys.modules.get("lightgbm"), sys.modules.get("xgboost")
    for part in [*behind, *parts]:
        if lightgbm and isinstance(part, (lightgbm.Booster, lightgbm.LGBMModel)):
            return _by_lightgbm(getattr(part, "booster_", part), frame)
        if xgboost and isinstance(part, (xgboost.Booster, xgboost.XGBModel)):
            return _by_xgboost(xgboost, part, frame)
    raise Unavailable(
        "it is neither a LightGBM nor an XGBoost model, and has no contributions method"
    )


def _by_lightgbm(booster: Any, frame: Any) -> dict[str, Any]:
    asked = booster.feature_name()
    unnamed = asked == [f"Column_{i}" for i in range(len(asked))]
    names = _feature_columns(frame, None if unnamed else asked, len(asked))
    return _by_feature(names, booster.predict(_matrix(frame, names), pred_contrib=True))


def _by_xgboost(xgboost: Any, model: Any, frame: Any) -> dict[str, Any]:
    booster, options, trees = model, {}, (0, 0)
    if isinstance(model, xgboost.XGBModel):  # its predict heeds both, the bare booster neither
        booster, options = model.get_booster(), {"missing": model.missing}
        best = getattr(model, "best_iteration", None)
        trees = (0, 0) if best is None else (0, best + 1)
    names = _feature_columns(frame, booster.feature_names, booster.num_features())
    rows: Any = _matrix(frame, names)
    known: Any = names
    if booster.feature_names is None:  # it refuses columns that have names
        rows, known = importlib.import_module("numpy").asarray(rows), None
    data = xgboost.DMatrix(rows, feature_names=known, enable_categorical=True, **options)
    return _by_feature(names, booster.predict(data, pred_contribs=True, iteration_range=trees))


def _feature_columns(frame: Any, asked: Any, width: int) -> list[str]:
    """The frame's columns in the order of a booster's features; by place where it has no names."""
    columns = list(frame)
    if asked is None:
        if len(columns) != width:
            raise Unavailable(f"it was trained on {width} unnamed columns, not {len(columns)}")
        return columns
    written = {name.replace(" ", "_"): name for name in columns}  # as LightGBM writes them
    written.update({name: name for name in columns})
    missing = [name for name in asked if name not in written]
    if missing:
        raise Unavailable(f"its trees ask for {missing[0]}, which is not among its input columns")
    return [written[name] for name in asked]


def _matrix(frame: Any, names: list[str]) -> Any:
    if isinstance(frame, dict):
        return importlib.import_module("numpy").column_stack([frame[name] for name in names])
    texts = [name for name in names if frame[name].dtype.kind == "O"]
    return frame[names].astype(dict.fromkeys(texts, "category"))


def _by_feature(names: list[str], values: Any) -> dict[str, Any]:
    if values.ndim != 2 or values.shape[1] != len(names) + 1:
        raise Unavailable("its trees give more than one score a row")
    return {name: values[:, i] for i, name in enumerate([*names, "(bias)"])}
