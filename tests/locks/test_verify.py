from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from gates.domain.lock_report import LockReport, ProblemKind
from gates.errors import LockError
from gates.locks.advisories import Advisories
from gates.locks.lock import Lock, read_lock
from gates.locks.markers import target_environment
from gates.locks.verify import verify

from .samples import CLEAN, SHA, Locked, Write, held, only

ROOT = Path(__file__).parents[2]


def against(lock: Lock, inputs: Path | None = None, **installed: str) -> LockReport:
    return verify(
        lock, inputs=inputs, installed=held(**installed) if installed else None, repository=None
    )


def test_a_clean_lock_has_no_problems(locked: Locked, write: Write) -> None:
    inputs = write("six>=1.16,<2\nidna\n")
    lock = locked(CLEAN)
    report = verify(
        lock,
        inputs=inputs,
        installed=held(idna="3.10", six="1.17"),
        repository=write(CLEAN, "repository/requirements.txt"),
    )
    assert report.problems == ()
    assert report.looked_at == {
        "unpinned": 2,
        "unhashed": 2,
        "unsatisfied": 2,
        "unneeded": 2,
        "environment": 2,
        "repository": 1,
    }


def test_every_kind_is_looked_at_or_says_why_not(locked: Locked) -> None:
    report = verify(locked(CLEAN), inputs=None, installed=None, repository=None)
    assert {*report.looked_at, *report.absent} == set(get_args(ProblemKind))
    assert all(report.absent.values())


def test_an_empty_lock_has_nothing_to_find_and_says_so_of_every_kind(
    locked: Locked, write: Write
) -> None:
    report = verify(
        locked("# nothing\n"),
        inputs=write("# nothing\n"),
        installed=(),
        repository=None,
        advisories=Advisories("a.zip", datetime.now(UTC), 1, {}, {}, tells_yanked=True),
    )
    assert report.problems == ()
    assert set(report.looked_at.values()) == {0}
    assert report.nothing == {
        "unpinned": "the lock holds no requirement",
        "unhashed": "the lock holds no requirement",
        "unsatisfied": "requirements.in asks for nothing",
        "environment": "the lock pins nothing for this Python, and nothing is installed",
        "unneeded": "the lock pins nothing for this Python",
        "advisories": "the lock pins nothing for this Python",
        "yanked": "the lock pins nothing for this Python",
    }


def test_what_is_locked_and_missing_altogether_was_looked_at(locked: Locked) -> None:
    report = verify(locked(CLEAN), inputs=None, installed=(), repository=None)
    assert (report.looked_at["environment"], report.count("environment")) == (2, 2)


def test_what_was_not_looked_at_says_why(locked: Locked, tmp_path: Path) -> None:
    report = verify(
        locked(CLEAN), inputs=None, installed=None, repository=tmp_path / "gone" / "x.txt"
    )
    assert report.looked_at == {"unpinned": 2, "unhashed": 2}
    assert "requirements.in" in report.absent["unsatisfied"]
    assert "requirements.in" in report.absent["unneeded"]
    assert "the environment was not looked at" in report.absent["environment"]
    assert "without 'repository'" in report.absent["repository"]


def test_lines_that_are_not_pinned_still_count_as_requirements(locked: Locked) -> None:
    report = against(locked(f"six>=1\nidna==3.10\nabc==1 {SHA}\n"))
    assert (report.looked_at["unpinned"], report.count("unpinned"), report.count("unhashed")) == (
        3,
        1,
        1,
    )


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_projects_own_lock_satisfies_its_pyproject(python: str) -> None:
    report = verify(
        read_lock(ROOT / "scripts" / "requirements.txt"),
        inputs=ROOT / "pyproject.toml",
        installed=None,
        repository=None,
        environment=target_environment(python),
    )
    assert report.problems == ()
    assert report.looked_at["unpinned"] > 100
    assert report.looked_at["unsatisfied"] > 20


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("attrs>=1", "requirements.in:1 asks for `attrs>=1`, which the lock does not pin"),
        ("six>=1.16,!=1.17,<2", "requirements.in:1 asks for `six!=1.17`, but the lock pins 1.17.0"),
        ("six[fast]", "asks for `six[fast]`, an extra the lock leaves out"),
        ("six @ https://example.org/six.whl", "by URL or path, which no pin can satisfy"),
        ("-e ./here", "asks for `-e ./here` by URL or path"),
        ("old", 'asks for `old`, which the lock pins only where `python_version < "3"`'),
    ],
)
def test_an_input_the_lock_does_not_satisfy_is_named(
    locked: Locked, write: Write, asked: str, message: str
) -> None:
    lock = locked(CLEAN + f"zope[a]==1 {SHA}\nold==1 ; python_version < '3' {SHA}\n")
    problem = only(against(lock, write(asked)))
    assert problem.kind == "unsatisfied"
    assert message in problem.message


@pytest.mark.parametrize(
    "asked",
    [
        "attrs ; python_version < '3'",
        "six[fast]",
        "six>=1.17.0rc1",
        "# nothing",
        "--pre",
    ],
)
def test_an_input_the_lock_cannot_break_is_no_problem(
    locked: Locked, write: Write, asked: str
) -> None:
    assert against(locked(CLEAN), write(asked)).problems == ()


def test_a_constraint_limits_what_is_pinned_and_asks_for_nothing(
    locked: Locked, write: Write
) -> None:
    write("six<1.17\nattrs>=1\n", "limits.txt")
    report = against(locked(CLEAN), write("six\n-c limits.txt\n"))
    assert only(report).message == "limits.txt:1 asks for `six<1.17`, but the lock pins 1.17.0"
    assert only(report).line == 2


def test_an_empty_lock_has_no_requirements_and_satisfies_nothing(
    locked: Locked, write: Write
) -> None:
    report = against(locked("# empty\n"), write("six\nidna\n"))
    assert report.looked_at["unsatisfied"] == report.count("unsatisfied") == 2
    assert against(locked("")).problems == ()


@pytest.mark.parametrize(
    ("installed", "message"),
    [
        ({"six": "1.17.0"}, "idna 3.10 is locked but not installed"),
        ({"six": "1.17.0", "idna": "3.10", "pip": "25"}, "pip 25 is installed but not locked"),
        ({"six": "1.16.0", "idna": "3.10"}, "six 1.16.0 is installed, but 1.17.0 is locked"),
        ({"six": "1.17.0+cpu", "idna": "3.10"}, "six 1.17.0+cpu is installed, but 1.17.0"),
        ({"six": "newest", "idna": "3.10"}, "six newest is installed, but 1.17.0 is locked"),
    ],
)
def test_an_environment_that_differs_is_told(
    locked: Locked, installed: dict[str, str], message: str
) -> None:
    problem = only(against(locked(CLEAN), None, **installed))
    assert problem.kind == "environment"
    assert message in problem.message


def test_the_environment_is_compared_for_its_own_python(locked: Locked) -> None:
    lock = locked(
        f"six==1.16 ; python_version < '3.12' {SHA}\nsix==1.17 ; python_version >= '3.12' {SHA}\n"
    )

    def report(python: str) -> LockReport:
        return verify(
            lock,
            inputs=None,
            installed=held(six="1.17"),
            repository=None,
            environment=target_environment(python),
        )

    assert report("3.12").problems == ()
    assert only(report("3.11")).message == "six 1.17 is installed, but 1.16 is locked"


def test_two_pins_of_one_name_for_one_python_are_unpinned(locked: Locked) -> None:
    lock = locked(f"six==1.16 {SHA}\nidna==3.10 {SHA}\nSix==1.17 ; python_version > '3' {SHA}\n")
    problem = only(against(lock))
    assert (problem.kind, problem.line) == ("unpinned", 3)
    assert problem.message == (
        "six is pinned 2 times for the same Python: 1.16 (line 1), 1.17 (line 3)"
    )


@pytest.mark.parametrize(
    ("theirs", "message"),
    [
        (CLEAN.replace("3.10", "3.9"), "1 pin differs (repository → this lock): idna 3.9 → 3.10"),
        (CLEAN.replace("six==1.17.0", "attrs==25.1"), "attrs 25.1 → absent, six absent → 1.17.0"),
        (CLEAN.replace("a" * 64, "b" * 64), "the same pins, but other hashes"),
        (
            "".join(f"{name}==1 {SHA}\n" for name in ("idna", "six", "xx", "yy")),
            "4 pins differ (repository → this lock): idna 1 → 3.10, six 1 → 1.17.0, xx 1 → abs",
        ),
    ],
)
def test_a_lock_that_is_not_the_repositorys_says_what_differs(
    locked: Locked, write: Write, theirs: str, message: str
) -> None:
    repository = write(theirs, "repository/requirements.txt")
    report = verify(locked(CLEAN), inputs=None, installed=None, repository=repository)
    assert only(report).kind == "repository"
    assert message in only(report).message


def compiled(name: str, version: str, digit: str) -> str:
    hashes = f"    --hash=sha256:{digit * 64} \\\n    --hash=sha256:{digit * 63}f\n"
    return f"{name}=={version} \\\n{hashes}    # via -r requirements.in\n"


PINS = (("attrs", "25.1.0", "1"), ("idna", "3.10", "2"), ("six", "1.17.0", "3"))
COMPILED = "".join(["# begin\n", *(compiled(*pin) for pin in PINS), "# end\n"])
TAMPERED = {
    "loosened": ("six==1.17.0", "six>=1.17.0", "unpinned unsatisfied", "accepts `>=1.17.0`"),
    "wildcard": ("six==1.17.0", "six==1.*", "unpinned unsatisfied", "accepts `==1.*`"),
    "url": (
        "six==1.17.0",
        "six @ https://example.org/six.whl",
        "unpinned unsatisfied",
        "is a URL, checkout or path",
    ),
    "editable": ("# end", "-e .", "unpinned", "an editable install takes whatever"),
    "include": ("# begin", "-r extra.txt", "unpinned", "it includes another file"),
    "hashes dropped": (
        compiled("attrs", "25.1.0", "1"),
        "attrs==25.1.0\n",
        "unhashed",
        "attrs 25.1.0 has no hash",
    ),
    "weak hash": ("sha256:" + "2" * 64, "md5:" + "2" * 32, "unhashed", "must be sha256"),
    "short hash": ("2" * 64, "2" * 40, "unhashed", "64 hexadecimal digits, this has 40"),
    "downgraded": (
        "six==1.17.0",
        "six==1.15.0",
        "unsatisfied",
        "requirements.in:3 asks for `six>=1.16`, but the lock pins 1.15.0",
    ),
    "typosquatted": (
        "idna==3.10",
        "idnaa==3.10",
        "unsatisfied",
        "requirements.in:2 asks for `idna<4`, which the lock does not pin",
    ),
    "second pin": ("# end", f"six==1.16.0 {SHA}", "unpinned", "six is pinned 2 times"),
    "marker narrowed": (
        "six==1.17.0",
        "six==1.17.0 ; sys_platform == 'win32'",
        "unsatisfied",
        'which the lock pins only where `sys_platform == "win32"`',
    ),
    "hash swapped": ("3" * 64, "4" * 64, "", "the same pins, but other hashes"),
}


@pytest.mark.parametrize(("old", "new", "kinds", "message"), TAMPERED.values(), ids=TAMPERED)
def test_a_tampered_lock_is_caught_with_its_own_message(
    locked: Locked, write: Write, old: str, new: str, kinds: str, message: str
) -> None:
    inputs = write("attrs\nidna<4\nsix>=1.16\n")
    repository = write(COMPILED, "repository/requirements.txt")
    lock = locked(COMPILED)
    assert verify(lock, inputs=inputs, installed=None, repository=repository).problems == ()

    tampered = locked(COMPILED.replace(old, new))
    report = verify(tampered, inputs=inputs, installed=None, repository=repository)
    assert {problem.kind for problem in report.problems} == {*kinds.split(), "repository"}
    assert message in " | ".join(problem.message for problem in report.problems)


def test_a_truncated_lock_is_an_error(locked: Locked) -> None:
    with pytest.raises(LockError, match="the file ends inside this requirement"):
        locked(COMPILED[: COMPILED.rindex("    --hash")])
