"""Embedded stores and toy models, for every test that needs a registry."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gates.registry.mlflow import MlflowRegistry

MLMODEL = """\
flavors:
  python_function:
    loader_module: toy
    code: code
    python_version: 3.11.7
"""


def embedded(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> MlflowRegistry:
    """Open a fresh store: a copy of one made once, since making one takes over a second."""
    template = tmp_path_factory.getbasetemp() / "template" / "mlflow.db"
    if not template.exists():
        MlflowRegistry(f"sqlite:///{template}", template.parent)._connection.client  # noqa: B018
    store = tmp_path / "store"
    store.mkdir()
    shutil.copyfile(template, store / "mlflow.db")
    return MlflowRegistry(f"sqlite:///{store / 'mlflow.db'}", tmp_path / "cache")


def toy_model(folder: Path, text: str = "one") -> Path:
    """Write the smallest artifact that looks like a packaged model."""
    (folder / "code").mkdir(parents=True)
    (folder / "gates").mkdir()
    (folder / "MLmodel").write_text(MLMODEL)
    (folder / "code" / "toy.py").write_text(f"TEXT = {text!r}\n")
    (folder / "gates" / "requirements.txt").write_text("# nothing\n")
    return folder
