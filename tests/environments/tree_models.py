"""Trains real tree models and saves them as MLflow models: `python tree_models.py FOLDER`.

Runs in the environment of `tree-requirements.txt`, and imports nothing of the project.
"""
# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201 - it meets no type checker, and MLflow says what its methods take

from __future__ import annotations

import json
import sys
from pathlib import Path

import lightgbm
import mlflow.lightgbm
import mlflow.pyfunc
import mlflow.xgboost
import numpy
import pandas
import xgboost
from mlflow.models import infer_signature

MANY = '''
import pickle
from pathlib import Path


class Many:
    """Holds many models, one at a time: the one whose place in the shelf the frame names."""

    def __init__(self, shelf):
        self.shelf = shelf

    def predict(self, frame):
        self.booster, self.model = self.shelf[int(frame["which"].iloc[0])]
        return frame["which"]


def _load_pyfunc(path):
    import lightgbm, xgboost
    return Many(pickle.loads(Path(path).read_bytes()))
'''


class Linear(mlflow.pyfunc.PythonModel):
    """Twice one feature, less another; tells so itself."""

    def predict(self, context, model_input, params=None):
        return 2 * model_input["a b"] - model_input["shelf"]

    def contributions(self, frame):
        return pandas.DataFrame({"shelf": -frame["shelf"], "a b": 2 * frame["a b"]})


def lightgbm_gain(model):
    """Gain and splits of each feature, in order, as LightGBM itself adds them up."""
    return [
        model.feature_importance("gain").tolist(),
        model.feature_importance("split").tolist(),
    ]


def xgboost_gain(model, features):
    """Gain and splits of each feature, in order, as XGBoost itself adds them up."""
    names = model.feature_names or [f"f{i}" for i in range(len(features.columns))]
    gain, splits = (model.get_score(importance_type=one) for one in ("total_gain", "weight"))
    return [[gain.get(name, 0) for name in names], [splits.get(name, 0) for name in names]]


def main(folder: Path) -> None:
    random = numpy.random.default_rng(3)
    rows = 400
    features = pandas.DataFrame(
        {
            "a b": random.normal(size=rows),
            "shelf": random.integers(0, 5, rows).astype(float),
            "gaps": numpy.where(random.random(rows) < 0.3, numpy.nan, random.normal(size=rows)),
        }
    )
    worth = features["a b"] + (features["shelf"] == 2) + features["gaps"].fillna(-2)
    grade = (worth > worth.quantile(0.7)).astype(int)
    groups = [20] * (rows // 20)
    quiet = {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5}
    quiet |= {"min_data_per_group": 5, "cat_smooth": 1}  # else it splits no category this small

    ranker = lightgbm.train(
        {"objective": "lambdarank", **quiet},
        lightgbm.Dataset(features, label=grade, group=groups, categorical_feature=["shelf"]),
        30,
    )
    data = xgboost.DMatrix(features, label=grade)
    boosted = xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 30)
    words = features.assign(shelf=("shelf " + features["shelf"].astype(str)).astype("category"))
    worded = lightgbm.train({"objective": "regression", **quiet}, lightgbm.Dataset(words, worth), 9)
    coded = xgboost.DMatrix(words, label=worth, enable_categorical=True)
    worded_x = xgboost.train({"tree_method": "hist"}, coded, 9)
    bare = lightgbm.train(quiet, lightgbm.Dataset(features.to_numpy(), worth), 9)
    bare_x = xgboost.train({}, xgboost.DMatrix(features.to_numpy(), label=worth), 9)
    classes = numpy.arange(rows) % 3
    several = lightgbm.train(
        {"objective": "multiclass", "num_class": 3, **quiet}, lightgbm.Dataset(features, classes), 2
    )
    other = lightgbm.train(quiet, lightgbm.Dataset(features.add_prefix("scaled "), worth), 2)
    scikit = lightgbm.LGBMRanker(n_estimators=9, verbosity=-1).fit(features, grade, group=groups)
    scikit_x = xgboost.XGBRegressor(n_estimators=9, missing=-1.0).fit(features.fillna(-1), worth)

    inputs = infer_signature(features, worth)
    common = {"signature": inputs, "pip_requirements": ["lightgbm"]}
    mlflow.lightgbm.save_model(ranker, folder / "lightgbm", **common)
    mlflow.xgboost.save_model(boosted, folder / "xgboost", **common)
    dart = xgboost.train({"booster": "dart", "nthread": 1, "rate_drop": 0.1}, data, 9)
    files = folder / "files"
    files.mkdir()
    for name, model in {"boosted": boosted, "dart": dart, "bare": bare_x}.items():
        for ending in ("json", "ubj"):
            model.save_model(files / f"{name}.{ending}")
    xgboost.train({"booster": "gblinear"}, data, 2).save_model(files / "linear.json")
    lightgbm.train({"linear_tree": True, **quiet}, lightgbm.Dataset(features, worth), 3).save_model(
        files / "linear.txt"
    )
    for name, model in {"ranker": ranker, "bare": bare, "other": other}.items():
        model.save_model(files / f"{name}.txt")
    scikit_x.save_model(files / "scikit.ubj")
    gains = {
        f"{name}.txt": lightgbm_gain(one) for name, one in (("ranker", ranker), ("bare", bare))
    }
    for name, model in {"boosted": boosted, "dart": dart, "bare": bare_x}.items():
        gains |= {f"{name}.{ending}": xgboost_gain(model, features) for ending in ("json", "ubj")}
    gains["scikit.ubj"] = xgboost_gain(scikit_x.get_booster(), features)
    mlflow.pyfunc.save_model(folder / "linear", python_model=Linear(), **common)
    shelf = {
        "LGBMRanker": (None, scikit),
        "XGBRegressor": (None, scikit_x),
        "LightGBM on words": (worded, None),
        "XGBoost on words": (worded_x, None),
        "LightGBM on a matrix": (bare, None),
        "XGBoost on a matrix": (bare_x, None),
        "three classes": (several, None),
        "other names": (other, None),
        "a number": (1, "text"),
    }
    import pickle

    (folder / "many.pkl").write_bytes(pickle.dumps(list(shelf.values())))
    (folder / "many.py").write_text(MANY, encoding="utf-8")
    mlflow.pyfunc.save_model(
        folder / "many",
        loader_module="many",
        code_paths=[str(folder / "many.py")],
        data_path=str(folder / "many.pkl"),
        pip_requirements=["lightgbm"],
    )
    matrix = features.to_numpy()
    raw = {
        "lightgbm": ranker.predict(features, raw_score=True),
        "xgboost": boosted.predict(data, output_margin=True),
        "LGBMRanker": scikit.predict(features, raw_score=True),
        "XGBRegressor": scikit_x.predict(features.fillna(-1)),
        "LightGBM on words": worded.predict(words, raw_score=True),
        "XGBoost on words": worded_x.predict(coded, output_margin=True),
        "LightGBM on a matrix": bare.predict(matrix, raw_score=True),
        "XGBoost on a matrix": bare_x.predict(xgboost.DMatrix(matrix), output_margin=True),
    }
    columns = features.astype(object).where(features.notna(), None)
    told = {
        "columns": {name: columns[name].tolist() for name in columns},
        "words": words["shelf"].astype(str).tolist(),
        "shelf": list(shelf),
        "gains": gains,
        "raw": {name: values.tolist() for name, values in raw.items()},
    }
    (folder / "told.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
