"""What of a frame a model is asked about: the columns it names, and how many rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gates.domain.subject import Columns
from gates.environments.mlmodel import ModelFile
from gates.errors import ModelFault

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["rows_of", "select_inputs"]


def select_inputs(model: ModelFile, columns: Columns, role: str) -> Columns:
    """The columns that a model names, in its order, and no others; all when it names none.

    One that names a single column is sent a single column of texts under that name.

    Raises:
        ModelFault: It asks for a column that the frame does not have.
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
    return {name: columns[name] for name in wanted if name in columns}


def rows_of(columns: Columns) -> int:
    """How many rows a frame has."""
    return len(next(iter(columns.values()), ()))


def _is_text(values: Sequence[Any] | NDArray[Any]) -> bool:
    return bool(len(values)) and isinstance(values[0], str)
