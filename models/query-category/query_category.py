"""The model as it is served: a query's category and how sure the model is of it.

MLflow loads this module by name (`loader_module`); `build.py` puts it beside the trained pipeline.
"""

import unicodedata
from typing import Any

import joblib
import pandas


def normalise(text: str) -> str:
    """A query without what must not change its category: letter case and stray white space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class QueryCategory:
    """A trained pipeline behind MLflow's `predict`."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline

    def predict(self, frame: pandas.DataFrame, params: dict | None = None) -> pandas.DataFrame:
        """The most probable category of each query, and its probability."""
        share = self._pipeline.predict_proba([normalise(text) for text in frame["query"]])
        best = share.argmax(axis=1)
        return pandas.DataFrame(
            {"label": self._pipeline.classes_[best], "score": share.max(axis=1)}, index=frame.index
        )


def _load_pyfunc(path: str) -> QueryCategory:
    return QueryCategory(joblib.load(path))
