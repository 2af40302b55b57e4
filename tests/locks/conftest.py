from __future__ import annotations

from pathlib import Path

import pytest

from gates.locks.lock import read_lock

from .samples import Locked, Make, Write
from .wheels import make_wheel, only_from


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write text to a file under the test's folder."""

    def writer(text: str, name: str = "requirements.in") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return writer


@pytest.fixture
def locked(write: Write) -> Locked:
    """Read a lock from its text."""
    return lambda text: read_lock(write(text, "requirements.txt"))


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all that resolvers see."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    only_from(folder, tmp_path, monkeypatch)
    return folder


@pytest.fixture
def make(wheels: Path) -> Make:
    """Put a wheel into the folder; gives its hash."""
    return lambda name, version, *needs: make_wheel(wheels, name, version, *needs)
