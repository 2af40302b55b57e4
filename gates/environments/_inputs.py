"""What of a frame a model is asked about: the columns it names, and how many rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gates.domain.subject import Columns
from gates.environments.mlmodel import WHOLE_NUMBERS, ModelFile
from gates.errors import ModelFault

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["rows_of", "select_inputs"]


def select_inputs(model: ModelFile, columns: Columns, role: str) -> Columns:
    """The columns that a model names, in its order, and no others; all when it names none.

    One that names a single column is sent a single column of texts under that name.

    Raises:
        ModelFault: It asks for a column that the frame does not have, or for whole numbers that
            are none.
    """
    wanted = model.input_columns
    if wanted is None:
        return columns
    if len(wanted) == len(columns) == 1 and all(map(_is_text, columns.values())):
        return dict(zip(wanted, columns.values(), strict=True))
    missing = [n for n in wanted if n not in columns and n not in model.optional_columns]
    if missing:  # the worker is well: it is only not asked
        raise ModelFault(
            "missing-input",
            f"the {role} asks for {', '.join(missing)}, which the input does not have "
            f"(it has {', '.join(columns)})",
        )
    for name in wanted:
        if name in columns and model.input_types.get(name) in WHOLE_NUMBERS:
            _need_whole_numbers(name, columns[name], role)
    return {name: columns[name] for name in wanted if name in columns}


def _need_whole_numbers(name: str, values: Sequence[Any] | NDArray[Any], role: str) -> None:
    """A whole number cannot be missing in a frame: MLflow refuses the whole of it."""
    unfit = np.flatnonzero(~_are_whole(values))
    if unfit.size:
        held = values[unfit[0]]
        what = "no value" if held is None or held != held else f"{held!s:.40}"  # NaN is not itself
        raise ModelFault(
            "missing-input",
            f"the {role}'s signature asks for whole numbers in {name}, and {unfit.size} of "
            f"{len(values)} rows hold none (row {unfit[0]} holds {what}); log the model with "
            "floats in that column, as it must have been trained if values can be missing",
        )


def _are_whole(values: Sequence[Any] | NDArray[Any]) -> NDArray[np.bool_]:
    try:
        numbers = np.asarray(values, np.float64)  # None becomes NaN
    except (TypeError, ValueError):
        return np.zeros(len(values), bool)  # texts
    whole: NDArray[np.bool_] = np.isfinite(numbers) & (numbers == np.round(numbers))
    return whole


def rows_of(columns: Columns) -> int:
    """How many rows a frame has."""
    return len(next(iter(columns.values()), ()))


def _is_text(values: Sequence[Any] | NDArray[Any]) -> bool:
    return bool(len(values)) and isinstance(values[0], str)
