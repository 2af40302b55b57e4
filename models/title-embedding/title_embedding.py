"""The model as it is served: a vector of length 1 for each text, near those of alike texts.

MLflow loads this module by name (`loader_module`); `build.py` puts it beside the trained pipeline.
"""

import unicodedata
from typing import Any

import joblib
import numpy
import pandas


class TitleEmbedding:
    """A trained pipeline behind MLflow's `predict`."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline

    def predict(self, frame: pandas.DataFrame, params: dict | None = None) -> numpy.ndarray:
        """A row of numbers for each text, float64[rows, dimensions]."""
        texts = [unicodedata.normalize("NFKC", text) for text in frame["text"]]
        return self._pipeline.transform(texts)


def _load_pyfunc(path: str) -> TitleEmbedding:
    return TitleEmbedding(joblib.load(path))
