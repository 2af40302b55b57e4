"""`gates lock diff` as people call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import CommandLine, Shelf
from tests.locks.wheels import make_wheel, only_from

SHA, OTHER = (f"--hash=sha256:{digit * 64}" for digit in "ab")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Two model folders, `old` and `new`."""
    old = f"app==1.0 {SHA}\n    # via -r requirements.in\nlib==1.4 {SHA}\n    # via app\n"
    new = f"app==2.0 {SHA}\n    # via -r requirements.in\nlib==1.3 {SHA}\n    # via app\n"
    for name, lock in (("old", old), ("new", new)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "requirements.in").write_text("app\n", encoding="utf-8")
        (folder / "requirements.txt").write_text(lock, encoding="utf-8")
    return tmp_path


def test_changes_by_how_far_they_go_with_who_asks_for_them(
    gates: CommandLine, models: Path
) -> None:
    answer = gates("lock", "diff", str(models / "old"), str(models / "new" / "requirements.txt"))
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "major",
        "  app  1.0 → 2.0    asked for",
        "",
        "minor",
        "  lib  1.4 → 1.3 ↓  via app",
        "",
        (
            "2 changes: 1 major (app 1.0 → 2.0), 1 minor, 0 patch, 0 added, 0 removed; "
            "1 downgraded (lib 1.4 → 1.3); no files swapped"
        ),
    ]


def test_an_exit_code_for_differences_only_when_it_is_wanted(
    gates: CommandLine, models: Path
) -> None:
    old, new = str(models / "old"), str(models / "new")
    assert gates("lock", "diff", old, new).code == 0
    assert gates("lock", "diff", old, new, "--exit-code").code == 1
    same = gates("lock", "diff", old, old, "--exit-code")
    assert (same.code, same.out) == (0, "no changes; no files swapped\n")


def test_swapped_files_are_loud_and_never_exit_with_0(gates: CommandLine, models: Path) -> None:
    lock = models / "new" / "requirements.txt"
    text = (models / "old" / "requirements.txt").read_text(encoding="utf-8")
    lock.write_text(text.replace(SHA, OTHER, 1), encoding="utf-8")
    answer = gates("lock", "diff", str(models / "old"), str(models / "new"))
    assert answer.code == 1
    assert answer.out.startswith("FILES SWAPPED: the same version, and none of the same files.")
    assert answer.out.endswith("1 FILES SWAPPED (app 1.0)\n")


def test_long_names_and_chains_stay_readable_in_80_columns(
    gates: CommandLine, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    long = "opentelemetry-semantic-conventions-of-everything"
    lock = models / "new" / "requirements.txt"
    with lock.open("a", encoding="utf-8") as stream:
        stream.write(f"{long}==1.0 {SHA}\n    # via lib\nleaf==1.0 {SHA}\n    # via {long}\n")
    out = gates("lock", "diff", str(models / "old"), str(models / "new")).out
    lines = out.splitlines()
    assert max(len(one) for one in lines[:-1]) <= 80
    assert any(one.startswith(f"  {long}  1.0 ") for one in lines)
    assert f"      via app → lib → {long}" in lines


def test_json_alone_on_stdout(gates: CommandLine, models: Path) -> None:
    answer = gates("lock", "diff", str(models / "old"), str(models / "new"), "--json")
    said = json.loads(answer.out)
    assert said["files_swapped"] == 0
    assert said["old"]["path"].endswith("old/requirements.txt")
    assert said["summary"].startswith("2 changes: 1 major")
    assert [one["name"] for one in said["changes"]] == ["app", "lib"]
    assert said["changes"][1] == {
        "name": "lib",
        "old": "1.4",
        "new": "1.3",
        "kind": "downgraded",
        "level": "minor",
        "direct": False,
        "chain": ["app", "lib"],
        "old_licence": "",
        "new_licence": "",
        "relicensed": None,
    }


def test_lines_that_are_no_pins_are_not_passed_over_in_silence(
    gates: CommandLine, models: Path
) -> None:
    new = models / "new" / "requirements.txt"
    new.write_text(f"app>=1\nlate==1 {SHA}\n", encoding="utf-8")
    out = gates("lock", "diff", str(models / "old"), str(models / "new")).out
    assert "new/requirements.txt: 1 of its lines are no pins and were not compared" in out


def test_a_file_without_any_pin_is_no_lock(gates: CommandLine, models: Path) -> None:
    (models / "new" / "requirements.txt").write_text("app>=1\n", encoding="utf-8")
    answer = gates("lock", "diff", str(models / "old"), str(models / "new"))
    assert answer.code == 2
    assert "new/requirements.txt:1: none of its lines is a pin" in answer.err


def test_the_markers_of_another_python(gates: CommandLine, models: Path) -> None:
    lock = models / "new" / "requirements.txt"
    text = (models / "old" / "requirements.txt").read_text(encoding="utf-8")
    lock.write_text(f"{text}late==1 ; python_version >= '3.13' {SHA}\n", encoding="utf-8")
    both = str(models / "old"), str(models / "new")
    assert "no changes" in gates("lock", "diff", *both, "--python", "3.11").out
    assert "1 added" in gates("lock", "diff", *both, "--python", "3.13").out
    assert gates("lock", "diff", *both, "--python", "3").code == 2


def test_a_lock_that_is_not_there_is_named(gates: CommandLine, models: Path) -> None:
    answer = gates("lock", "diff", str(models / "old"), str(models / "gone"))
    assert answer.code == 2
    assert "gone: there is no such file" in answer.err


def test_environments_know_licences_and_who_really_needs_what(
    gates: CommandLine, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = models / "wheels"
    wheels.mkdir()
    only_from(wheels, models, monkeypatch)
    for side, version, licence in (("old", "1.0", "MIT"), ("new", "1.1", "GPL-3.0-only")):
        app = make_wheel(wheels, "app", version, "Requires-Dist: lib")
        lib = make_wheel(wheels, "lib", version, f"License-Expression: {licence}")
        lock = f"app=={version} --hash={app}\nlib=={version} --hash={lib}\n    # via liar\n"
        (models / side / "requirements.txt").write_text(lock, encoding="utf-8")
    cache = ["--cache", str(models / "cache")]
    both = str(models / "old"), str(models / "new")
    answer = gates("lock", "diff", *both, "--environments", cache)
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[1:4] == [
        "  app  1.0 → 1.1  asked for",
        "  lib  1.0 → 1.1  via app",
        "      licence MIT → GPL-3.0-only",
    ]
    assert "1 of another licence (lib MIT → GPL-3.0-only)" in answer.out
    assert len(list((models / "cache" / "envs").glob("*.lock"))) == 2


def test_registered_versions_are_compared(gates: CommandLine, shelf: Shelf) -> None:
    answer = gates(
        "lock", "diff", shelf.uri("weak"), shelf.uri("good"), shelf.options(), "--exit-code"
    )
    assert (answer.code, answer.out) == (0, "no changes; no files swapped\n")
