"""Tiny real models: an MLmodel file and one Python module, written where a test asks."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path


def write_model(
    folder: Path, predict: str = "return x['a']", *, load: str = "", explain: str = "", **extra: str
) -> Path:
    """A model folder whose module `toy` runs `load` when loaded and `predict` on a frame `x`.

    With `explain` it has a method `contributions` of that body.
    """
    code = folder / "code"
    code.mkdir(parents=True)
    source = [
        "import os, signal, socket, sys, threading, time",
        "class Model:",
        "    def predict(self, x):",
        textwrap.indent(textwrap.dedent(predict).strip(), " " * 8),
        *_method("contributions", explain),
        "def _load_pyfunc(path):",
        textwrap.indent(textwrap.dedent(load).strip() or "pass", " " * 4),
        "    return Model()",
    ]
    (code / "toy.py").write_text("\n".join(source) + "\n", encoding="utf-8")
    flavor = {"loader_module": "toy", "code": "code", "python_version": "3.11.7"}
    write_mlmodel(folder, {"flavors": {"python_function": {**flavor, **extra}}})
    return folder


def _method(name: str, body: str) -> list[str]:
    inside = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
    return [f"    def {name}(self, x):", inside] if body else []


def write_mlmodel(folder: Path, content: dict[str, object]) -> Path:
    """An MLmodel file; JSON is YAML as well."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "MLmodel"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def signature(*names: str) -> dict[str, str]:
    """An MLflow signature of float columns."""
    return {"inputs": json.dumps([{"type": "double", "name": name} for name in names])}
