"""One clean lock with all it must agree with, and what betrays each way of tampering with it.

`test_verify.py` has the ways that the lock, its input and the repository alone betray.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gates.domain.lock_report import Distribution, LockReport
from gates.errors import LockError
from gates.locks.advisories import read_advisories
from gates.locks.lock import read_lock
from gates.locks.markers import target_environment
from gates.locks.verify import verify

from .osv import NOW, osv
from .samples import SHA, Write

HASH = f"--hash=sha256:{'5' * 64}"
CLEAN = f"""\
# begin
attrs==25.1.0 {SHA}
idna==3.10 {HASH}
six==1.17.0 {SHA}
# end
"""
INSTALLED = (
    Distribution("attrs", "25.1.0", ("six",), ("attr", "attrs")),
    Distribution("idna", "3.10", (), ("idna",)),
    Distribution("six", "1.17.0", (), ("six",)),
)


@pytest.fixture
def world(write: Write) -> Path:
    write("attrs\nidna>=3,<4\n", "requirements.in")
    write("import attr, idna\n", "ranker.py")
    write(f"FROM base@sha256:{'a' * 64}\n", "Dockerfile")
    write("flavors: {ours: {attrs_version: 25.1.0, python_version: 3.12.1}}\n", "model/MLmodel")
    known = [osv("CVE-1", "idna", fixed="3.9"), osv("CVE-2", "attrs", fixed="25")]
    known.append(osv("Y-1", "six", fixed="1.16", database_specific={"yanked": True}))
    write(json.dumps(known), "osv.json")
    return write(CLEAN, "requirements.txt").parent


def report(world: Path, *more: Distribution) -> LockReport:
    """The report on the lock in a folder; what else is installed goes in `more`."""
    held = {one.name: one for one in (*INSTALLED, *more)}
    return verify(
        read_lock(world / "requirements.txt"),
        inputs=world / "requirements.in",
        installed=tuple(held.values()),
        repository=None,
        environment=target_environment("3.12"),
        code=[world],
        artifact=world / "model",
        folder=world,
        advisories=read_advisories(str(world / "osv.json"), max_age_days=30, now=NOW),
    )


def test_the_clean_lock_agrees_with_all_of_it(world: Path) -> None:
    found = report(world)
    assert found.problems == ()
    assert set(found.absent) == {"after-the-fact", "files", "repository", "resolution"}


TAMPERED = {
    "a pin nobody needs": (
        "# end",
        f"miner==1 {SHA}",
        "unneeded",
        "miner 1 is pinned, but nothing asks for it",
    ),
    "a pin that is needed, gone": (
        f"idna==3.10 {HASH}",
        "",
        "unsatisfied environment",
        "requirements.in:2 asks for `idna<4,>=3`, which the lock does not pin",
    ),
    "a pin that another pin needs, gone": (
        f"six==1.17.0 {SHA}",
        "",
        "environment",
        "six 1.17.0 is installed but not locked for this Python",
    ),
    "a hash of other letters": (HASH, HASH[:-1] + "g", "unhashed", "more than hexadecimal digits"),
    "a hash under another name": (
        HASH,
        HASH.replace("sha256", "sha512"),
        "unhashed",
        "sha512 has 128 hexadecimal digits, this has 64",
    ),
    "a hash without a name": (HASH, "--hash=" + "5" * 64, "unhashed", "the algorithm must be"),
    "a pin with a way out": (
        "idna==3.10",
        "idna==3.10,!=3.11",
        "unpinned unsatisfied environment",
        "idna is not pinned to one version: it accepts `!=3.11,==3.10`",
    ),
    "a wheel from a folder": (
        "# end",
        f"./wheels/six-1.17.0-py3-none-any.whl {SHA}",
        "unpinned",
        "is a URL, checkout or path, not a version",
    ),
    "downgraded within what is asked": (
        "idna==3.10",
        "idna==3.8",
        "environment advisories",
        "idna 3.8 has the advisory CVE-1; fixed in 3.9",
    ),
    "a release that was taken back": (
        "six==1.17.0",
        "six==1.15.0",
        "environment yanked",
        "six 1.15.0 was taken back by its authors (Y-1)",
    ),
    "a build of one's own": (
        "six==1.17.0",
        "six==1.17.0+ours",
        "environment",
        "six 1.17.0 is installed, but 1.17.0+ours is locked",
    ),
    "an epoch that beats every version": (
        "idna==3.10",
        "idna==1!3.10",
        "unsatisfied environment",
        "requirements.in:2 asks for `idna<4`, but the lock pins 1!3.10",
    ),
    "a marker that hides a pin on the target Python": (
        "idna==3.10",
        "idna==3.10 ; python_version < '3.12'",
        "unsatisfied environment",
        'asks for `idna<4,>=3`, which the lock pins only where `python_version < "3.12"`',
    ),
    "another pin for the target Python alone": (
        f"six==1.17.0 {SHA}",
        f"six==1.17.0 ; python_version<'3.12' {SHA}\nsix==1.16.0 ; python_version>='3.12' {SHA}",
        "environment",
        "six 1.17.0 is installed, but 1.16.0 is locked",
    ),
    "another version than the model was made with": (
        "attrs==25.1.0",
        "attrs==25.2.0",
        "environment recorded",
        "MLmodel, ours.attrs_version says attrs 25.1.0, but the lock pins 25.2.0",
    ),
}


@pytest.mark.parametrize(("old", "new", "kinds", "message"), TAMPERED.values(), ids=TAMPERED)
def test_a_tampered_lock_is_caught_with_its_own_message(
    world: Path, write: Write, old: str, new: str, kinds: str, message: str
) -> None:
    assert CLEAN.count(old) == 1
    write(CLEAN.replace(old, new), "requirements.txt")
    miner = [Distribution("miner", "1")] if "miner" in new else []
    found = report(world, *miner)
    assert {problem.kind for problem in found.problems} == set(kinds.split())
    assert message in " | ".join(problem.message for problem in found.problems)


DISGUISED = {
    "a Cyrillic letter": ("six==", "\N{CYRILLIC SMALL LETTER DZE}ix==", "is not a requirement"),
    "a letter without width": ("six==", "six\u200b==", "is not a requirement"),
    "a digit of another script": ("1.17.0", "1.\N{ARABIC-INDIC DIGIT ONE}7.0", "not a requirement"),
    "a line end only some see": ("# end", "# end\u2028evil==1", "it holds the control character"),
    "a backspace": ("six==", "sixx\b==", "it holds the control character"),
    "a comment that goes on": (HASH, f"{HASH} # fine \\", "a comment ends in a backslash"),
    "a requirement that goes on": ("# end", "six==1 \\", "the file ends inside"),
    "an index of its own": ("# end", f"evil==1 --index-url=https://x {SHA}", "has no place after"),
    "a way around hashes": ("# begin", "--no-deps", "the option `--no-deps` has no place here"),
}


@pytest.mark.parametrize(("old", "new", "message"), DISGUISED.values(), ids=DISGUISED)
def test_a_disguised_line_is_no_lock_at_all(
    world: Path, write: Write, old: str, new: str, message: str
) -> None:
    assert CLEAN.count(old) == 1
    write(CLEAN.replace(old, new), "requirements.txt")
    with pytest.raises(LockError, match=message):
        report(world)


AROUND = {
    "an import nobody provides": (
        "ranker.py",
        "import scipy\n",
        "imports",
        "ranker.py:1 imports scipy, which no locked distribution provides",
    ),
    "a model made elsewhere": (
        "model/python_env.yaml",
        "python: 3.9.2\n",
        "recorded",
        "python_env.yaml says Python 3.9.2, but the lock is for Python 3.12",
    ),
    "an image that can change": (
        "Dockerfile",
        "FROM python:3.12\n",
        "base-image",
        "Dockerfile:1 takes the image `python:3.12`, which is not pinned by digest",
    ),
    "an input that asks for more": (
        "requirements.in",
        "attrs\nidna\nsix<1.17\n",
        "unsatisfied",
        "requirements.in:3 asks for `six<1.17`, but the lock pins 1.17.0",
    ),
    "an input that asks for less": (
        "requirements.in",
        "attrs\n",
        "unneeded",
        "idna 3.10 is pinned, but nothing asks for it",
    ),
}


@pytest.mark.parametrize(("name", "text", "kind", "message"), AROUND.values(), ids=AROUND)
def test_what_no_longer_agrees_with_the_lock_is_caught(
    world: Path, write: Write, name: str, text: str, kind: str, message: str
) -> None:
    write(text, name)
    (problem,) = report(world).problems
    assert problem.kind == kind
    assert problem.message.startswith(message)
