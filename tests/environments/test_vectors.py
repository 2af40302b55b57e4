"""Real models of texts: their vectors come out of their own environments, whole or by a fault."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gates.environments.cache import Environment
from gates.environments.launching import Limits
from gates.environments.outputs import as_vectors
from gates.environments.process import Worker
from gates.errors import ModelFault

from .toy_models import write_model

TEXTS = ["red desk", "desk red", "blue lamp", "red desk red"]

# Each word adds one to a place of its own; no library at all.
HASHING = """
    import zlib
    def vector(text):
        found = [0.0] * 8
        for word in text.split():
            found[zlib.crc32(word.encode()) % 8] += 1.0
        return found
    return [vector(text) for text in x['text']]
"""
NUMPY = """
    import numpy as np, zlib
    rows = [[zlib.crc32(word.encode()) % 8 for word in text.split()] for text in x['text']]
    return np.array([np.bincount(row, minlength=8) for row in rows], dtype='float32')
"""
PANDAS = """
    import pandas as pd
    rows = [[float(len(text)), float(text.count('e'))] for text in x['text']]
    return pd.DataFrame({'vector': rows})
"""


def vectors(environment: Environment, folder: Path, predict: str) -> Any:
    model = write_model(folder / "model", predict)
    with Worker.start(environment, model, Limits(), "candidate") as worker:
        return as_vectors(worker.predict({"text": TEXTS}), len(TEXTS))


def test_a_model_without_any_library_gives_vectors(bare: Environment, tmp_path: Path) -> None:
    found = vectors(bare, tmp_path, HASHING)
    assert found.shape == (4, 8)
    assert (found[0] == found[1]).all()
    assert found.sum(axis=1).tolist() == [2, 2, 2, 3]


def test_numpy_gives_the_same_vectors_as_plain_python(
    bare: Environment, data: Environment, tmp_path: Path
) -> None:
    plain = vectors(bare, tmp_path / "plain", HASHING)
    arrow = vectors(data, tmp_path / "arrow", NUMPY)
    assert (plain == arrow).all()
    assert arrow.dtype == np.float64


def test_a_frame_with_one_column_of_lists_gives_vectors(data: Environment, tmp_path: Path) -> None:
    assert vectors(data, tmp_path, PANDAS).tolist() == [[8, 2], [8, 2], [9, 1], [12, 3]]


@pytest.mark.parametrize(
    ("predict", "kind", "words"),
    [
        (
            "return [[1.0, float('nan') if 'lamp' in t else 0.0] for t in x['text']]",
            "nan",
            "1 of 4 vectors that hold numbers that are NaN or missing; the first is in row 2",
        ),
        ("return [[1.0] * len(t) for t in x['text']]", "wrong-type", "lists of different lengths"),
        ("return [[1.0, 2.0] for t in x['text'][1:]]", "wrong-rows", "3 rows for 4 given"),
        ("return [[1.0, 2.0], None, [1.0, 2.0], [1.0, 2.0]]", "wrong-type", "returned list"),
        ("return [float(len(t)) for t in x['text']]", "wrong-type", "a vector is a list of two"),
    ],
)
def test_a_broken_vector_is_a_fault_by_name(
    bare: Environment, tmp_path: Path, predict: str, kind: str, words: str
) -> None:
    with pytest.raises(ModelFault, match=words) as caught:
        vectors(bare, tmp_path, predict)
    assert (caught.value.kind, caught.value.breach) == (kind, True)


def test_vectors_of_many_dimensions_fit_a_frame(bare: Environment, tmp_path: Path) -> None:
    found = vectors(bare, tmp_path, "return [[float(i)] * 1536 for i, t in enumerate(x['text'])]")
    assert found.shape == (4, 1536)
    assert math.isclose(found[3].sum(), 3 * 1536)
