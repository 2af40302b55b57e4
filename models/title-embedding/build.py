"""Train the title embedding and save it as an MLflow model.

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
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import Normalizer

from title_embedding import TitleEmbedding


def train(params: dict) -> Pipeline:
    """TF-IDF over letters, reduced to few dimensions; what a word repeats hardly counts."""
    corpus = pandas.read_csv("data/training.csv", dtype=str)["text"]
    letters = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=tuple(params["letters"]),
        lowercase=params["lowercase"],
        min_df=2,
        sublinear_tf=True,
    )
    dimensions = TruncatedSVD(params["dimensions"], algorithm="arpack", random_state=0)
    parts = [("letters", letters), ("dimensions", dimensions), ("length", Normalizer())]
    return Pipeline(parts).fit(corpus)


def main(output: str) -> None:
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    pipeline = train(params)
    example = pandas.DataFrame({"text": ["steel kettle"]})
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "pipeline.joblib")
        joblib.dump(pipeline, data)
        mlflow.pyfunc.save_model(
            output,
            loader_module="title_embedding",
            data_path=str(data),
            code_paths=["title_embedding.py"],
            signature=infer_signature(example, TitleEmbedding(pipeline).predict(example)),
            pip_requirements=Path("requirements.in").read_text(encoding="utf-8").split(),
        )


if __name__ == "__main__":
    main(sys.argv[1])
