"""A folder that is held stays; one that nobody holds goes at once and whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gates.system.cached_folders import hold, is_held, remove, size_of, used
from gates.system.file_locks import holders


class Owner:
    """Somebody who uses a folder."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "kept"
    (made / "deep").mkdir(parents=True)
    (made / "deep" / "file").write_bytes(b"12345")
    (made / "link").symlink_to("deep")
    return made


def test_it_stays_while_its_owner_lives(folder: Path, tmp_path: Path) -> None:
    owner: Owner | None = Owner()
    assert hold(folder, owner)
    assert is_held(folder)
    assert holders(folder) in ((os.getpid(),), ())
    assert not remove(folder, tmp_path / "aside", patience=0.05)
    assert (folder / "deep" / "file").exists()
    owner = None
    assert not is_held(folder)
    assert remove(folder, tmp_path / "aside")
    assert list(tmp_path.iterdir()) == []


def test_any_number_may_hold_it(folder: Path, tmp_path: Path) -> None:
    owner = Owner()
    with used(folder), used(folder):
        assert hold(folder, owner)
    assert not remove(folder, tmp_path / "aside")


def test_what_is_not_there_is_not_held_and_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert not hold(gone, Owner())
    assert not is_held(gone)
    assert holders(gone) == ()
    assert remove(gone, tmp_path / "aside")
    with used(gone):
        pass


def test_where_it_cannot_be_renamed_it_goes_where_it_is(folder: Path, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    (aside / "in the way").touch()
    assert remove(folder, aside)
    assert [path.name for path in tmp_path.iterdir()] == ["aside"]


def test_its_size_is_that_of_its_files(folder: Path) -> None:
    assert size_of(folder) == 5
    (folder / "deep" / "loop").symlink_to("loop")
    assert size_of(folder) == 9
