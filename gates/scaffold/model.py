"""What a registered version's files say of the model. They are read as data; nothing is loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gates.domain.installation import is_python_version
from gates.environments.mlmodel import (
    INPUT_TYPES,
    WHOLE_NUMBERS,
    raw_mlmodel,
    read_mlmodel,
)
from gates.system.json_files import json_value

__all__ = ["Column", "ModelFacts", "read_model"]

_MOST_BYTES = 4 << 20
_PROBABILITIES = ("predict_proba", "predict_log_proba", "decision_function")
_TEXTS = {"string", "str", "object"}
_OTHERS = {"datetime"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a signature.

    Attributes:
        name: Its name; empty when it has none.
        kind: What it holds; `whole` is a whole number.
        wide: Whether each row holds several: a vector, or probabilities.
    """

    name: str
    kind: Literal["text", "whole", "number", "other"]
    wide: bool = False


@dataclass(frozen=True)
class ModelFacts:
    """What the files say.

    Attributes:
        folder: The artifact.
        flavors: Flavour → its settings, `python_function` left out.
        predict: The method that answers, such as `predict`.
        inputs: The signature's inputs; None without a signature.
        outputs: The signature's outputs; None where it has none.
        python: The Python it was made with; None when it is not said.
        made: When, in MLflow's words; empty when it is not said.
        has_code: Whether modules of its own travel with it.
        example: Column → values of the logged input example; empty when there is none.
    """

    folder: Path
    flavors: Mapping[str, Mapping[str, Any]]
    predict: str
    inputs: tuple[Column, ...] | None
    outputs: tuple[Column, ...] | None
    python: str | None
    made: str
    has_code: bool
    example: Mapping[str, tuple[Any, ...]]

    @property
    def text_input(self) -> str | None:
        """The name of the only input, if that is text; empty when it has no name."""
        if self.inputs is None or len(self.inputs) != 1 or self.inputs[0].kind != "text":
            return None
        return self.inputs[0].name

    @property
    def gives_probabilities(self) -> bool:
        """Whether it was logged to answer a number for each class, without the classes' names."""
        return self.predict in _PROBABILITIES

    @property
    def gives_labels_only(self) -> bool:
        """Whether its signature says that it answers a label and nothing else."""
        if not self.outputs or len(self.outputs) != 1 or self.gives_probabilities:
            return False
        only = self.outputs[0]
        return only.kind in ("text", "whole") and not only.wide

    @property
    def gives_label_and_score(self) -> bool:
        """Whether its signature says that it answers `label` and `score`."""
        return {"label", "score"} <= {one.name for one in self.outputs or ()}


def read_model(folder: Path) -> ModelFacts:
    """Read what an artifact says of its model.

    Args:
        folder: The artifact.

    Raises:
        PackageError: It has no usable MLmodel.
    """
    usable, raw = read_mlmodel(folder), raw_mlmodel(folder)
    flavors = {
        str(name): settings if isinstance(settings, Mapping) else {}
        for name, settings in raw["flavors"].items()
    }
    function = flavors.pop("python_function")
    predict = function.get("predict_fn")
    signature = raw.get("signature")
    sides = signature if isinstance(signature, Mapping) else {}
    python = usable.python_version
    return ModelFacts(
        folder=folder,
        flavors=flavors,
        predict=predict if isinstance(predict, str) else "predict",
        inputs=_columns(sides.get("inputs")),
        outputs=_columns(sides.get("outputs")),
        python=python if python and is_python_version(python) else None,
        made=str(raw.get("utc_time_created") or "")[:19],
        has_code=usable.code is not None,
        example=_example(folder, raw.get("saved_input_example_info")),
    )


def _columns(side: object) -> tuple[Column, ...] | None:
    try:
        listed = json_value(side) if isinstance(side, str) else None
    except ValueError:
        return None
    if not isinstance(listed, list) or not listed:
        return None
    return tuple(_column(one) for one in listed if isinstance(one, Mapping))


def _column(spec: Mapping[str, Any]) -> Column:
    name = spec.get("name") if isinstance(spec.get("name"), str) else ""
    tensor = spec.get("tensor-spec")
    if isinstance(tensor, Mapping):
        shape = tensor.get("shape")
        wide = isinstance(shape, list) and len(shape) > 1 and shape[-1] != 1
        return Column(name or "", _kind(tensor.get("dtype")), wide)
    if spec.get("type") == "array":
        items = spec.get("items")
        return Column(
            name or "", _kind(items.get("type") if isinstance(items, Mapping) else ""), True
        )
    return Column(name or "", _kind(spec.get("type")))


def _kind(dtype: object) -> Literal["text", "whole", "number", "other"]:
    if not isinstance(dtype, str):
        return "other"
    if dtype in _TEXTS or re.fullmatch(r"<?U\d*", dtype):
        return "text"
    if dtype in _OTHERS or dtype not in INPUT_TYPES:
        return "other"
    return "whole" if dtype in WHOLE_NUMBERS else "number"


def _example(folder: Path, info: object) -> Mapping[str, tuple[Any, ...]]:
    """The logged input example, where it is a small table in JSON."""
    name = info.get("artifact_path") if isinstance(info, Mapping) else None
    if not isinstance(name, str) or Path(name).name != name:
        return {}
    path = folder / name
    try:
        if path.stat().st_size > _MOST_BYTES:
            return {}
        table = json_value(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if isinstance(table, Mapping) and isinstance(table.get("data"), list):
        names = table.get("columns")
        rows = [row for row in table["data"] if isinstance(row, list)]
        if isinstance(names, list) and all(len(row) == len(names) for row in rows):
            return {str(name): tuple(row[at] for row in rows) for at, name in enumerate(names)}
    if isinstance(table, list) and all(isinstance(one, str) for one in table):
        return {"": tuple(table)}
    return {}
