"""A JSON file is read as what it should hold, or refused in one sentence; nothing else comes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.errors import EvidenceError, InputError
from gates.system.json_files import JsonFile, json_value


@dataclass(frozen=True)
class Note:
    """What a file of the tests holds."""

    name: str
    marks: tuple[int, ...] = ()
    schema: str = "notes/2"


def from_first(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": value["title"], "marks": [value["mark"]]}


NOTES = JsonFile(
    Note,
    "notes/2",
    EvidenceError,
    advice="write it again",
    older={"notes/1": from_first},
    most_bytes=10_000,
)


def test_it_gives_what_the_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "note.json"
    path.write_text('{"schema": "notes/2", "name": "größe", "marks": [1, 2]}', encoding="utf-8")
    assert NOTES.read(path) == Note("größe", (1, 2))
    assert NOTES.read_if_there(path) == Note("größe", (1, 2))


def test_a_file_of_an_earlier_schema_is_brought_up(tmp_path: Path) -> None:
    path = tmp_path / "note.json"
    path.write_text('{"schema": "notes/1", "title": "old", "mark": 3}')
    assert NOTES.read(path) == Note("old", (3,))


def test_a_missing_file_is_none_or_an_error(tmp_path: Path) -> None:
    assert NOTES.read_if_there(tmp_path / "none.json") is None
    with pytest.raises(EvidenceError, match=r"none\.json: cannot be read: no such file"):
        NOTES.read(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not JSON"),
        (b"\0", "is not JSON"),
        (b'{"schema": "notes/2", "name": "a"', "is not JSON"),
        (b"\xff\xfe{}", "is not JSON"),
        ('{"schema": "notes/2", "name": "ä"}'.encode("latin-1"), "is not JSON"),
        (b'{"schema": "notes/2", "name": "a", "marks": [NaN]}', "is not JSON"),
        (b'{"schema": "notes/2", "name": "a", "marks": [' + b"9" * 5_000 + b"]}", "is not JSON"),
        (b"[" * 9_000, "is not JSON"),
        (b"[" * 90 + b"]" * 90, "is not JSON"),
        (b"[]", "has schema None; this gate reads 'notes/2' and 'notes/1'"),
        (b'{"schema": ["notes/2"]}', "has schema ['notes/2']"),
        (b'{"schema": "notes/9"}', "has schema 'notes/9'"),
        (b'{"schema": "notes/2"}', "is damaged at 'name': Field required"),
        (b'{"schema": "notes/2", "name": 5}', "is damaged at 'name'"),
        (b'{"schema": "notes/2", "name": "a", "marks": ["x"]}', "is damaged at 'marks.0'"),
        (b'{"schema": "notes/1"}', "is damaged: it is not of schema 'notes/1'"),
        (b" " * 10_001, "is larger than the 10,000 bytes that such a file may have"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_and_what_to_do(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "note.json"
    path.write_bytes(content)
    with pytest.raises(EvidenceError) as refused:
        NOTES.read(path)
    assert refused.value.what.startswith(says)
    assert refused.value.path == path
    assert "write it again" in refused.value.advice
    with pytest.raises(EvidenceError):
        NOTES.read_if_there(path)


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="cannot be read: Is a directory"):
        NOTES.read(tmp_path)


def test_advice_may_depend_on_the_file(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError) as refused:
        NOTES.read(tmp_path / "none.json", advice="make models:/a/1 again")
    assert refused.value.advice == "make models:/a/1 again"


def test_without_a_schema_the_class_alone_decides(tmp_path: Path) -> None:
    (tmp_path / "note.json").write_text('{"name": "a"}')
    assert JsonFile(Note).read(tmp_path / "note.json") == Note("a")
    (tmp_path / "note.json").write_text("5")
    with pytest.raises(InputError, match=r"note\.json: is "):
        JsonFile(Note).read(tmp_path / "note.json")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)  # fmt: skip


@given(json_values)
def test_what_was_written_as_json_is_the_same_value(value: object) -> None:
    assert json_value(json.dumps(value)) == value
    assert json_value(json.dumps(value, ensure_ascii=True).encode()) == value


@given(st.binary())
def test_any_bytes_are_a_value_or_a_value_error(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        json_value(content)


@pytest.mark.parametrize("depth", [63, 64, 65, 500, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_bounded_however_it_is_made(depth: int, opening: str, closing: str) -> None:
    text = opening * depth + "1" + closing * depth
    if depth <= 64:
        json_value(text)
    else:
        with pytest.raises(ValueError, match="nested too deep"):
            json_value(text)
