"""Train the product ranker and save it as an MLflow model.

Run as `python build.py OUTPUT_DIR` in this folder, in the environment of `requirements.txt`.
`params.yaml` holds everything a change to the model usually touches.
"""

import sys
from pathlib import Path

import lightgbm
import mlflow.lightgbm
import pandas
import yaml
from mlflow.models import infer_signature


def train(params: dict) -> tuple[lightgbm.Booster, pandas.DataFrame]:
    """A LambdaMART ranker, and the features it was trained on."""
    log = pandas.read_csv("data/training.csv", dtype={"query_id": str, "doc_id": str})
    log = log[~log["query_id"].isin(params["excluded_queries"])]
    features = log[params["features"]].astype("float64")
    data = lightgbm.Dataset(
        features,
        label=log["label"],
        group=log.groupby("query_id", sort=False).size().to_numpy(),
    )
    settings = {
        "objective": "lambdarank",
        "lambdarank_truncation_level": 10,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
        **params["lightgbm"],
    }
    return lightgbm.train(settings, data, num_boost_round=params["rounds"]), features


def main(output: str) -> None:
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    booster, features = train(params)
    mlflow.lightgbm.save_model(
        booster,
        output,
        signature=infer_signature(features, booster.predict(features)),
        pip_requirements=Path("requirements.in").read_text(encoding="utf-8").split(),
    )


if __name__ == "__main__":
    main(sys.argv[1])
