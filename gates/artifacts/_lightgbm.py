"""LightGBM's text format: which feature each split of its trees is on, and what it gained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from gates.artifacts._forest import Forest, Unreadable

if TYPE_CHECKING:
    from gates.domain.golden_set import Floats, Ints

__all__ = ["read_lightgbm"]


def read_lightgbm(stream: BinaryIO) -> Forest:
    """What a model file that begins with `tree` says of its splits.

    Gains are those of `Booster.feature_importance("gain")`, to the six digits that the file gives.

    Args:
        stream: The file, from its beginning.

    Raises:
        Unreadable: It is not such a file to its end, or splits are not all that its trees use.
    """
    names: list[str] = []
    splits: list[Ints] = []
    gains: list[Floats] = []
    ended = False
    for key, value in _lines(stream):
        if key == "feature_names":
            names = value.split(" ")
        elif key == "split_feature":
            splits.append(_numbers(value, int).astype(np.int64))
        elif key == "split_gain":
            gains.append(_numbers(value, float))
        elif key == "is_linear" and value != "0":
            raise Unreadable("its leaves are linear models, which use features without a split")
        elif key == "end of trees":
            ended = True
            break
    feature = np.concatenate([np.empty(0, np.int64), *splits])
    gain = np.concatenate([np.empty(0), *gains])
    if not ended or not names or feature.size != gain.size:
        raise Unreadable("it is no complete LightGBM model")
    unnamed = names == [f"Column_{at}" for at in range(len(names))]
    return Forest.of(len(names), () if unnamed else tuple(names), feature, gain)


def _lines(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    for line in stream:
        key, _, value = line.decode("utf-8", "replace").strip("\r\n").partition("=")
        yield key, value


def _numbers(value: str, kind: type[int | float]) -> Floats:
    try:
        return np.array([kind(one) for one in value.split()], np.float64)
    except (ValueError, OverflowError) as problem:
        raise Unreadable("it is no complete LightGBM model") from problem
