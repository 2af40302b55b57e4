"""`gates lock compile` as people call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gates.locks.markers import RUNNING_PYTHON
from tests.conftest import CommandLine
from tests.locks.wheels import make_wheel, only_from

MADE_BY = f"#    gates lock compile --universal --python {RUNNING_PYTHON} requirements.in\n"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model folder that asks for shelf, which needs plank; of both there is one version."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    only_from(wheels, tmp_path, monkeypatch)
    make_wheel(wheels, "plank", "1.0")
    make_wheel(wheels, "shelf", "1.0", "Requires-Dist: plank")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "requirements.in").write_text("shelf\n", encoding="utf-8")
    return folder


def test_a_lock_is_written_beside_its_inputs_and_then_kept(
    gates: CommandLine, model: Path, tmp_path: Path
) -> None:
    lock = model / "requirements.txt"
    answer = gates("lock", "compile", str(model), "--universal")
    assert answer.code == 0, answer.err
    assert answer.out == (
        f"wrote {lock}: 2 requirements for every platform, Python {RUNNING_PYTHON} and later, "
        "by uv\n"
    )
    assert MADE_BY in lock.read_text(encoding="utf-8")
    make_wheel(tmp_path / "wheels", "plank", "2.0")
    again = gates("lock", "compile", str(model / "requirements.in"))
    assert again.out.startswith(f"no changes; no files swapped\nunchanged: {lock}: 2 requirements")


def test_what_changed_is_shown_and_options_are_taken_from_the_header(
    gates: CommandLine, model: Path, tmp_path: Path
) -> None:
    gates("lock", "compile", str(model), "--universal")
    make_wheel(tmp_path / "wheels", "plank", "2.0")
    answer = gates("lock", "compile", str(model), "-P", "plank")
    assert answer.out.startswith("major\n  plank  1.0 → 2.0  via shelf\n\n1 change: 1 major")
    text = (model / "requirements.txt").read_text(encoding="utf-8")
    assert MADE_BY in text
    assert "plank==2.0" in text
    narrow = gates("lock", "compile", str(model), "--no-universal", "--resolver", "pip-tools")
    assert narrow.code == 0, narrow.err
    assert f"for this platform, Python {RUNNING_PYTHON}, by pip-tools" in narrow.out


def test_what_is_no_longer_asked_for_is_shown_as_asked_for_before(
    gates: CommandLine, model: Path
) -> None:
    gates("lock", "compile", str(model))
    (model / "requirements.in").write_text("plank\n", encoding="utf-8")
    answer = gates("lock", "compile", str(model))
    assert answer.out.startswith("removed\n  shelf  1.0  asked for\n")
    assert ": 1 requirement for this platform" in answer.out


def test_checking_writes_nothing_and_says_whether_it_would(
    gates: CommandLine, model: Path, tmp_path: Path
) -> None:
    lock = model / "requirements.txt"
    answer = gates("lock", "compile", str(model), "--check", "--json")
    assert answer.code == 1
    assert not lock.exists()
    said = json.loads(answer.out)
    assert (said["would_change"], said["written"], said["requirements"]) == (True, False, 2)
    gates("lock", "compile", str(model))
    current = gates("lock", "compile", str(model), "--check")
    assert current.code == 0
    assert f"{lock} is what compiling it gives" in current.out
    before = lock.read_bytes()
    make_wheel(tmp_path / "wheels", "shelf", "2.0", "Requires-Dist: plank")
    answer = gates("lock", "compile", str(model), "--check", "--upgrade")
    assert answer.code == 1
    assert f"{lock} would change" in answer.out
    assert lock.read_bytes() == before


def test_both_resolvers_are_asked(gates: CommandLine, model: Path) -> None:
    assert "by uv and pip-tools" in gates("lock", "compile", str(model), "--both").out
    assert "by uv and pip-tools" in gates("lock", "compile", str(model)).out
    wrong = gates("lock", "compile", str(model), "--both", "--resolver", "uv")
    assert wrong.code == 2
    assert "exclude each other" in wrong.err


def test_a_date_is_remembered_until_something_is_to_be_upgraded(
    gates: CommandLine, model: Path
) -> None:
    lock = model / "requirements.txt"
    dated = ["--exclude-newer", "2026-01-01"]
    assert gates("lock", "compile", str(model), dated, "-o", str(lock)).code == 0
    assert "--exclude-newer 2026-01-01" in lock.read_text(encoding="utf-8")
    gates("lock", "compile", str(model))
    assert "--exclude-newer 2026-01-01" in lock.read_text(encoding="utf-8")
    gates("lock", "compile", str(model), "--upgrade")
    assert "--exclude-newer" not in lock.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("asked", "says"),
    [("shelf>=7\n", "uv cannot resolve it"), ("shelf=>7\n", "requirements.in:1: `shelf=>7`")],
)
def test_inputs_that_cannot_be_compiled_leave_the_lock(
    gates: CommandLine, model: Path, asked: str, says: str
) -> None:
    gates("lock", "compile", str(model))
    before = (model / "requirements.txt").read_bytes()
    (model / "requirements.in").write_text(asked, encoding="utf-8")
    answer = gates("lock", "compile", str(model), "--json")
    assert answer.code == 2
    assert says in answer.err
    assert json.loads(answer.out)["error"]["kind"] == "LockError"
    assert (model / "requirements.txt").read_bytes() == before


def test_what_is_not_there_or_is_the_lock_itself_is_named(gates: CommandLine, model: Path) -> None:
    gone = gates("lock", "compile", str(model / "gone.in"))
    assert (gone.code, "gone.in: there is no such file" in gone.err) == (2, True)
    lock = gates("lock", "compile", str(model / "requirements.txt"))
    assert (lock.code, "is no requirements.in" in lock.err) == (2, True)
