from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.postgres import new_database, running_cluster

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.requires_postgres))
"""The kinds of database a service may have."""


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The URL of a real PostgreSQL server."""
    with running_cluster() as url:
        yield url


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deep' / 'service.db'}"
    return new_database(request.getfixturevalue("cluster"))
