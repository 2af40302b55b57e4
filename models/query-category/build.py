"""Train the query classifier and save it as an MLflow model.

Run as `python build.py OUTPUT_DIR` in this folder, in the environment of `requirements.txt`.
`params.yaml` holds everything a change to the model usually touches.
"""

import sys
import tempfile
from pathlib import Path

import joblib
import mlflow.pyfunc
import pandas
import yaml
from mlflow.models import infer_signature
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline

from query_category import QueryCategory, normalise


def train(params: dict) -> Pipeline:
    """TF-IDF over words, and letters where asked for, into a logistic regression."""
    log = pandas.read_csv("data/training.csv", dtype=str)
    parts = [
        (name, TfidfVectorizer(analyzer=analyzer, ngram_range=tuple(params[name]), lowercase=False))
        for name, analyzer in (("words", "word"), ("letters", "char_wb"))
        if params[name]
    ]
    pipeline = Pipeline(
        [
            ("features", FeatureUnion(parts)),
            ("classes", LogisticRegression(C=params["C"], max_iter=1000)),
        ]
    )
    return pipeline.fit(log["query"].map(normalise), log["category"])


def main(output: str) -> None:
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    pipeline = train(params)
    example = pandas.DataFrame({"query": ["steel kettle"]})
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "pipeline.joblib")
        joblib.dump(pipeline, data)
        mlflow.pyfunc.save_model(
            output,
            loader_module="query_category",
            data_path=str(data),
            code_paths=["query_category.py"],
            signature=infer_signature(example, QueryCategory(pipeline).predict(example)),
            pip_requirements=Path("requirements.in").read_text(encoding="utf-8").split(),
        )


if __name__ == "__main__":
    main(sys.argv[1])
