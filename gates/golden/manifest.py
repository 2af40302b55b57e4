"""`manifest.yaml`: where a golden set comes from, and what its columns mean."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from gates.domain.golden_set import Manifest
from gates.domain.tasks.written import WrittenTask
from gates.errors import GoldenError
from gates.golden.files import read_text
from gates.system.strict_yaml import Lines, parse
from gates.system.yaml_values import yaml_value

__all__ = ["read_manifest"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Grades(_Strict):
    max: float = Field(default=3, gt=0, allow_inf_nan=False)
    aggregate: Literal["median"] = "median"


class _Sheet(_Strict):
    name: str = Field(min_length=1)
    task: WrittenTask
    description: str
    synthetic: bool
    source: str | list[str]
    sampling: str
    grades: _Grades = _Grades()
    inputs: list[str] = Field(min_length=1)
    text_inputs: list[str] = []
    slices: list[str] = []
    attributes: list[str] = []
    cluster: str | None = Field(default=None, min_length=1)
    titles: str | None = None


def _check_names(path: Path, sheet: _Sheet, lines: Lines) -> None:
    task = sheet.task
    columns = [[one] for one in task.text_columns]
    if not task.has_candidates and sheet.inputs not in columns:
        choice = " or ".join(f"`inputs: [{one}]`" for one in task.text_columns)
        which = ": the column the model reads" if len(columns) > 1 else ""
        raise GoldenError(
            f"{task.called} set is given {task.items} alone, not {', '.join(sheet.inputs)}",
            path=path,
            line=lines.of("inputs"),
            advice=f"Write {choice}{which}.",
        )
    if sheet.attributes and not task.has_candidates:
        raise GoldenError(
            f"{task} sets have no documents that could have attributes",
            path=path,
            line=lines.of("attributes"),
            advice="Leave `attributes` out.",
        )
    for at, name in enumerate(sheet.text_inputs):
        if not task.has_candidates or name not in sheet.inputs:
            raise GoldenError(
                f"`text_inputs` names `{name}`, which is no feature of the candidates",
                path=path,
                line=lines.of("text_inputs", at),
                advice="Name those of a ranker's `inputs` that hold text, such as a brand.",
            )
    listed = {
        "inputs": sheet.inputs,
        "text_inputs": sheet.text_inputs,
        "slices": sheet.slices,
        "attributes": sheet.attributes,
    }
    for key, names in listed.items():
        for at, name in enumerate(names):
            if name in names[:at]:
                raise GoldenError(
                    f"`{key}` names `{name}` twice",
                    path=path,
                    line=lines.of(key, at),
                    advice="Name it once.",
                )


def read_manifest(path: Path) -> Manifest:
    """Read and check a golden set's `manifest.yaml`.

    Returns:
        The manifest; `raw` holds the file as parsed.

    Raises:
        GoldenError: It is missing, not YAML, or has an unknown, missing or wrong key.
    """
    text = read_text(path)
    sheet, lines = parse(text, _Sheet, path=path, error=GoldenError)
    _check_names(path, sheet, lines)
    return Manifest(
        name=sheet.name,
        task=sheet.task,
        description=sheet.description,
        synthetic=sheet.synthetic,
        inputs=tuple(sheet.inputs),
        text_inputs=tuple(sheet.text_inputs),
        slices=tuple(sheet.slices),
        attributes=tuple(sheet.attributes),
        cluster=sheet.cluster or "",
        max_grade=sheet.grades.max,
        sampling=sheet.sampling,
        raw=yaml_value(text),
    )
