"""What changed between two locks: how far, who asks for it, under which licence."""

from __future__ import annotations

import pytest

from gates.domain.lock_changes import as_rows, grouped, relicensed, summary
from gates.domain.lock_report import Distribution, LockChange
from gates.locks.diff import LockContext, diff_locks
from gates.locks.inputs import read_inputs
from gates.locks.markers import target_environment

from .samples import SHA, Locked, Write

OTHER = "--hash=sha256:" + "b" * 64
LONG = "--hash=sha512:" + "a" * 128


def line(name: str, version: str, *via: str, hashes: str = SHA) -> str:
    return f"{name}=={version} {hashes}\n" + (f"    # via {', '.join(via)}\n" if via else "")


def only_change(old: str, new: str, locked: Locked) -> LockChange:
    (change,) = diff_locks(locked(old), locked(new))
    return change


@pytest.mark.parametrize(
    ("old", "new", "kind", "level"),
    [
        ("1.26.4", "2.0.1", "upgraded", "major"),
        ("2.0.1", "1.26.4", "downgraded", "major"),
        ("1.2", "1.3", "upgraded", "minor"),
        ("1.2", "1.2.1", "upgraded", "patch"),
        ("1.2.3.4", "1.2.3.5", "upgraded", "patch"),
        ("1.2.post1", "1.2", "downgraded", "other"),
        ("1.2", "1!1.2", "upgraded", "other"),
        ("1.2+cpu", "1.2+cu12", "upgraded", "other"),
        ("1.2rc1", "1.2", "upgraded", "other"),
    ],
)
def test_how_far_a_version_moved(locked: Locked, old: str, new: str, kind: str, level: str) -> None:
    change = only_change(line("numpy", old), line("numpy", new), locked)
    assert (change.kind, change.level, change.moved) == (kind, level, f"numpy {old} → {new}")


def test_one_version_written_in_two_ways_is_no_change(locked: Locked) -> None:
    assert diff_locks(locked(line("six", "1.0")), locked(line("six", "1.0.0"))) == ()


def test_added_and_removed(locked: Locked) -> None:
    both = locked(line("idna", "3.10")), locked(line("six", "1.17"))
    assert [(one.kind, one.moved) for one in diff_locks(*both)] == [
        ("removed", "idna 3.10 → (absent)"),
        ("added", "six (absent) → 1.17"),
    ]


def test_files_are_swapped_only_when_none_is_the_same(locked: Locked) -> None:
    swapped = line("six", "1.17", hashes=SHA), line("six", "1.17", hashes=OTHER)
    assert only_change(*swapped, locked).kind == "files"
    more = line("six", "1.17", hashes=SHA), line("six", "1.17", hashes=f"{SHA} {OTHER}")
    assert only_change(*more, locked).kind == "hashes"


@pytest.mark.parametrize("hashes", ["", LONG])
def test_files_that_cannot_be_compared_are_not_called_swapped(locked: Locked, hashes: str) -> None:
    change = only_change(line("six", "1.17"), line("six", "1.17", hashes=hashes), locked)
    assert change.kind == "hashes"


def test_pins_of_another_python_are_left_aside(locked: Locked) -> None:
    forked = "six==1.16 ; python_version < '3.12' {0}\nsix==1.17 ; python_version >= '3.12' {0}\n"
    old, new = locked(line("six", "1.16")), locked(forked.format(SHA))
    assert diff_locks(old, new, target_environment("3.11")) == ()
    (change,) = diff_locks(old, new, target_environment("3.12"))
    assert change.moved == "six 1.16 → 1.17"


def test_who_asks_is_read_from_the_compilers_comments(locked: Locked) -> None:
    old = locked(
        f"""\
# via nobody: a comment at the margin is no pin's
fastapi==1.0 \\
    {SHA}
    # via mlflow
mlflow==3.0 \\
    {SHA}
    # via -r requirements.in
starlette==1.0 {SHA}
    # via
    #   fastapi
    #   uvicorn[standard]
    #   -c constraints.txt
    # another comment
uvicorn==1.0 {SHA}
    # via mlflow
numpy==1.0 {SHA}  # via Project (pyproject.toml), mlflow
lonely==1.0 {SHA}
"""
    )
    changes = diff_locks(old, locked(""))
    assert {one.name: one.chain for one in changes} == {
        "fastapi": ("mlflow", "fastapi"),
        "lonely": (),
        "mlflow": ("mlflow",),
        "numpy": ("numpy",),
        "starlette": ("mlflow", "fastapi", "starlette"),
        "uvicorn": ("mlflow", "uvicorn"),
    }
    assert [one.name for one in changes if one.direct] == ["mlflow", "numpy"]


def test_the_shortest_chain_is_given(locked: Locked) -> None:
    text = line("a", "1", "-r x.in") + line("z", "1", "-r x.in") + line("b", "1", "a")
    new = locked(text + line("c", "1", "b", "z"))
    chains = {one.name: one.chain for one in diff_locks(locked(""), new)}
    assert chains["c"] == ("z", "c")


def test_what_a_person_asked_for_is_direct_in_either_lock(write: Write, locked: Locked) -> None:
    old, new = locked(line("a", "1") + line("b", "1", "a")), locked(line("b", "2"))
    asked_old = LockContext(read_inputs(write("a\n", "old.in")))
    write("b<3\n", "limits.txt")
    asked_new = LockContext(read_inputs(write("-c limits.txt\n", "new.in")))
    changes = diff_locks(old, new, of_old=asked_old, of_new=asked_new)
    assert {one.name: (one.direct, one.chain) for one in changes} == {
        "a": (True, ("a",)),
        "b": (False, ("a", "b")),
    }


def test_chains_of_an_environment_follow_extras_and_markers(write: Write, locked: Locked) -> None:
    installed = (
        Distribution("app", "1", ("lib[Fast]>=1", "old ; python_version < '3'", "not a line!")),
        Distribution("lib", "1", ("speed ; extra == 'fast'", "docs ; extra == 'docs'")),
        Distribution("speed", "1", ("Deep_Down",)),
        *(Distribution(name, "1") for name in ("deep-down", "docs", "old")),
    )
    new = locked("".join(line(one.name, "1", "liar") for one in installed))
    known = LockContext(read_inputs(write("app\n")), installed)
    chains = {one.name: one.chain for one in diff_locks(locked(""), new, of_new=known)}
    assert chains == {
        "app": ("app",),
        "lib": ("app", "lib"),
        "speed": ("app", "lib", "speed"),
        "deep-down": ("app", "lib", "speed", "deep-down"),
        "docs": (),
        "old": (),
    }


def with_licences(
    old: str, new: str, locked: Locked, versions: tuple[str, str]
) -> list[LockChange]:
    sides = [
        LockContext(installed=[Distribution("six", version, licence=licence)])
        for version, licence in zip(versions, (old, new), strict=True)
    ]
    old_lock, new_lock = (locked(line("six", version)) for version in versions)
    return list(diff_locks(old_lock, new_lock, of_old=sides[0], of_new=sides[1]))


@pytest.mark.parametrize(
    ("old", "new", "how"),
    [
        ("MIT", "GPL-3.0-only", "changed"),
        ("GPL-3.0-only", "GPL-3.0-or-later", "changed"),
        ("BSD-2-Clause", "BSD-3-Clause", "changed"),
        ("MIT", "MIT AND GPL-3.0", "changed"),
        ("MIT", "", "changed"),
        ("MIT License", "MIT", "reworded"),
        ("BSD License", "BSD-3-Clause", "reworded"),
        ("Apache Software License", "Apache-2.0", "reworded"),
        ("MIT", "MIT", ""),
    ],
)
def test_another_licence_is_told_from_other_words(
    locked: Locked, old: str, new: str, how: str
) -> None:
    (change,) = with_licences(old, new, locked, ("1", "2"))
    assert relicensed(change) == how
    assert ("of another licence" in summary([change])) == (how == "changed")


def test_a_licence_that_changed_alone_is_a_change(locked: Locked) -> None:
    (change,) = with_licences("MIT", "", locked, ("1", "1"))
    assert (change.kind, change.new_licence) == ("licence", "none stated")
    assert with_licences("MIT", "MIT", locked, ("1", "1")) == []


CHANGES = (
    LockChange("added", "", "1.0", "added", chain=("top", "mid", "added"), new_licence="MIT"),
    LockChange("certifi", "2024.7.4", "2024.7.4", "files"),
    LockChange("extra-files", "1", "1", "hashes"),
    LockChange("flask", "3.0", "2.9", "downgraded", "major"),
    LockChange("numpy", "1.26.4", "2.0.1", "upgraded", "major", True, ("numpy",), "BSD", "GPL"),
    LockChange("patched", "1.0.0", "1.0.1", "upgraded", "patch"),
)


def test_swapped_files_come_first_and_direct_before_transitive() -> None:
    assert [
        (name, [one.name for one in members]) for name, members in grouped(CHANGES).items()
    ] == [
        ("files swapped", ["certifi"]),
        ("major", ["numpy", "flask"]),
        ("patch", ["patched"]),
        ("added", ["added"]),
        ("files", ["extra-files"]),
    ]


def test_all_changes_in_one_line() -> None:
    assert summary(CHANGES) == (
        "6 changes: 2 major (numpy 1.26.4 → 2.0.1, flask 3.0 → 2.9), 0 minor, 1 patch, 1 added, "
        "0 removed, 1 with files more or fewer; 1 downgraded (flask 3.0 → 2.9); "
        "1 of another licence (numpy BSD → GPL); 1 FILES SWAPPED (certifi 2024.7.4)"
    )
    assert summary(()) == "no changes; no files swapped"


def test_changes_as_a_table() -> None:
    columns, rows = as_rows(CHANGES)
    assert len(columns) == 6
    assert rows[1:3] == [
        ["major", "numpy", "1.26.4", "2.0.1", "requirements.in", "BSD → GPL"],
        ["major, downgraded", "flask", "3.0", "2.9", "", ""],
    ]
    assert rows[4] == ["added", "added", "", "1.0", "top → mid", "MIT"]
