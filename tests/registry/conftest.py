from __future__ import annotations

from pathlib import Path

import pytest

from gates.registry.mlflow import MlflowRegistry

from .stores import embedded


@pytest.fixture
def store(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> MlflowRegistry:
    """An embedded store of this test's own."""
    return embedded(tmp_path, tmp_path_factory)


@pytest.fixture(params=["embedded", "server"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> MlflowRegistry:
    """Each kind of registry in turn; the server's one is shared, so tests use their own names."""
    if request.param == "embedded":
        found: MlflowRegistry = request.getfixturevalue("store")
        return found
    return MlflowRegistry(request.getfixturevalue("server"), tmp_path / "cache")


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A model name that no other test uses."""
    return str(request.node.originalname)
