"""Files are written whole or not at all, by however many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from gates.errors import UsageError
from gates.system.files import temporary_beside, write_atomically


def test_of_many_threads_that_write_one_file_none_is_in_the_way_of_another(tmp_path: Path) -> None:
    path, ready = tmp_path / "new" / "file.json", Barrier(8)
    contents = [bytes([65 + at]) * 100_000 for at in range(8)]

    def write(content: bytes) -> None:
        ready.wait(30)
        for _ in range(20):
            write_atomically(path, content)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, contents))
    assert path.read_bytes() in contents
    assert list(path.parent.iterdir()) == [path]


def test_a_temporary_name_is_hidden_and_beside_its_file(tmp_path: Path) -> None:
    one, other = temporary_beside(tmp_path / "lock"), temporary_beside(tmp_path / "lock")
    assert one != other
    assert one.parent == tmp_path
    assert one.name.startswith(".lock.")


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kept").write_text("kept")
    with pytest.raises(UsageError, match="could not be written") as caught:
        write_atomically(tmp_path / "folder", b"over a folder")
    assert "free some space" in caught.value.advice
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]
    assert (tmp_path / "folder" / "kept").read_text() == "kept"
