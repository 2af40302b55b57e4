"""A lock made after the fact: it is for the bytes it names, and what is odd about it is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gates.domain.judging import ModelVersion
from gates.errors import LockError
from gates.locks.late import late_lock_of, late_lock_place

DIGEST = "sha256:" + "a" * 64
VERSION = ModelVersion("intent", "3", DIGEST, "", "", {})
FACTS = {
    "uri": "models:/intent/3",
    "digest": DIGEST,
    "created": "2026-11-24T12:00:00Z",
    "source": "its logged requirements.txt",
    "command": "gates lock compile requirements.in",
    "python": "3.11.7",
    "mlgates": "0.1.0",
}


def project(tmp_path: Path, text: str, lock: bool = True) -> Path:
    folder = late_lock_place(tmp_path, "intent", "3")
    folder.mkdir(parents=True)
    (folder / "late-lock.json").write_text(text)
    if lock:
        (folder / "requirements.txt").write_text("")
    return tmp_path


def test_it_says_when_it_was_made_and_from_what(tmp_path: Path) -> None:
    found = late_lock_of(project(tmp_path, json.dumps(FACTS)), VERSION)
    assert found is not None
    assert found.lock.is_file()
    assert "after the fact by gates init on 2026-11-24" in found.words
    assert "from its logged requirements.txt" in found.words


def test_where_there_is_none_there_is_none(tmp_path: Path) -> None:
    assert late_lock_of(tmp_path, VERSION) is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"digest": "sha256:" + "b" * 64}, "made for other bytes"),
        ({"digest": "sha256:b"}, "digest"),
        ({"python": "2.7"}, "python"),
        ({"created": "yesterday"}, "created"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_facts_that_do_not_fit_are_refused_by_name(
    tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(LockError, match=says) as refused:
        late_lock_of(project(tmp_path, json.dumps({**FACTS, **change})), VERSION)
    assert "gates init --lock-only --force models:/intent/3" in refused.value.advice


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="JSON"):
        late_lock_of(project(tmp_path, "{"), VERSION)


def test_facts_without_their_lock_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="the lock is not beside it"):
        late_lock_of(project(tmp_path, json.dumps(FACTS), lock=False), VERSION)
