from __future__ import annotations

from pathlib import Path

import pytest

from gates.errors import RegistryError
from gates.registry._filelock import file_lock


def test_a_lock_is_held_by_one_and_free_again_after(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "one"
    with (
        file_lock(path),
        pytest.raises(RegistryError, match="another process has held"),
        file_lock(path, timeout=0.1),
    ):
        pytest.fail("two held it")
    with file_lock(path, timeout=0.1):
        assert path.exists()


def test_a_lock_is_let_go_of_when_its_holder_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyError), file_lock(tmp_path / "one"):
        raise KeyError
    with file_lock(tmp_path / "one", timeout=0.1):
        pass


def test_a_lock_that_cannot_be_made_is_an_error_we_know(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RegistryError, match="cannot be made"), file_lock(tmp_path / "file" / "one"):
        pass
