"""Would the resolvers give this lock again? Asked of the real ones, with an index made here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gates.domain.lock_report import LockReport
from gates.locks.lock import read_lock
from gates.locks.markers import RUNNING_PYTHON
from gates.locks.resolve import resolve_again

from .samples import Make, Write
from .wheels import Index, make_wheel, served

OTHER = "3.12" if RUNNING_PYTHON != "3.12" else "3.11"


@pytest.fixture
def index(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index with two versions of shelf and plank."""
    for version in ("1.0", "2.0"):
        make_wheel(wheels, "plank", version)
        make_wheel(wheels, "shelf", version, "Requires-Dist: plank")
    monkeypatch.delenv("UV_FIND_LINKS")
    monkeypatch.delenv("UV_NO_INDEX")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with served(wheels) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        yield index


class Case:
    """A requirements.in with its lock, hashes filled in from the wheels."""

    def __init__(self, write: Write, wheels: Path) -> None:
        self._write, self._wheels = write, wheels

    def __call__(
        self, asked: str, *pinned: str, python: str | None = None, offline: bool = False
    ) -> LockReport:
        lines = []
        for pin in pinned:
            name, _, rest = pin.partition("==")
            version, _, digest = rest.partition(" ")
            digest = digest or f"--hash={self.hash(name, version)}"
            lines.append(f"{name}=={version} {digest}\n")
        lock = read_lock(self._write("".join(lines), "requirements.txt"))
        return resolve_again(lock, self._write(asked), python=python, offline=offline)

    def hash(self, name: str, version: str) -> str:
        content = (self._wheels / f"{name}-{version}-py3-none-any.whl").read_bytes()
        return f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.fixture
def again(write: Write, wheels: Path) -> Case:
    return Case(write, wheels)


def said(report: LockReport) -> list[tuple[str, str, str]]:
    return [(one.kind, one.requirement, one.message) for one in report.problems]


@pytest.mark.usefixtures("index")
def test_a_lock_that_is_still_valid_is_clean_though_there_is_something_newer(again: Case) -> None:
    report = again("shelf\n", "plank==1.0", "shelf==2.0")
    assert said(report) == []
    assert report.looked_at == {"resolution": 2, "yanked": 2}
    assert report.absent == {}


@pytest.mark.usefixtures("index")
def test_a_pin_that_no_resolver_would_give_is_named_with_what_they_say(again: Case) -> None:
    report = again("shelf<2\nplank>1\n", "shelf==2.0", "plank==2.0")
    assert said(report) == [
        ("resolution", "shelf", "uv and pip-tools would pin shelf 1.0, the lock has 2.0")
    ]
    assert report.problems[0].line == 1
    assert report.looked_at["resolution"] == 2


@pytest.mark.usefixtures("index")
def test_pins_too_few_and_too_many(again: Case, make: Make) -> None:
    make("nail", "1.0")
    report = again("shelf\n", "shelf==2.0", "nail==1.0")
    assert said(report) == [
        ("resolution", "nail", "uv and pip-tools would leave nail out, the lock has 1.0"),
        ("resolution", "plank", "uv and pip-tools would pin plank 2.0, the lock leaves it out"),
    ]


def test_a_version_that_the_index_lost(index: Index, again: Case, wheels: Path) -> None:
    pin = f"plank==1.0 --hash={again.hash('plank', '1.0')}"
    (wheels / "plank-1.0-py3-none-any.whl").unlink()
    (message,) = (one.message for one in again("plank\n", pin).problems)
    assert message == (
        "uv and pip-tools would pin plank 2.0, the lock has 1.0; "
        "the index does not have that version any more"
    )


@pytest.mark.usefixtures("index")
def test_resolvers_that_disagree_are_each_quoted(again: Case, make: Make) -> None:
    make("a", "1.0")
    make("a", "2.0", "Requires-Dist: b<2")
    make("b", "1.0")
    make("b", "2.0")
    # Neither pin is valid, so both start afresh, and uv decides in the order of the file.
    lost = "--hash=sha256:" + "0" * 64
    report = again("b\na\n", f"a==3.0 {lost}", f"b==3.0 {lost}")
    assert [one[2] for one in said(report)] == [
        (
            "uv and pip-tools disagree about a: uv would pin a 1.0, pip-tools would pin a 2.0; "
            "the lock has 3.0; the index does not have that version any more"
        ),
        (
            "uv and pip-tools disagree about b: uv would pin b 2.0, pip-tools would pin b 1.0; "
            "the lock has 3.0; the index does not have that version any more"
        ),
    ]


@pytest.mark.usefixtures("index")
def test_a_locked_hash_that_the_index_does_not_give(again: Case) -> None:
    false = "--hash=sha256:" + "0" * 64
    true = f"--hash={again.hash('plank', '1.0')}"
    report = again("shelf\n", f"plank==1.0 {true} {false}", "shelf==2.0")
    assert said(report) == [
        (
            "resolution",
            "plank",
            (
                "1 of 2 locked hashes of plank 1.0 belongs to no file that the index has: "
                f"sha256:{'0' * 64}"
            ),
        )
    ]


def test_a_release_that_was_taken_back(index: Index, again: Case) -> None:
    index.yanked["plank-1.0-py3-none-any.whl"] = 'splinters & "worse"'
    report = again("shelf\n", "plank==1.0", "shelf==2.0")
    assert said(report) == [
        ("yanked", "plank", 'plank 1.0 was taken back by its authors: splinters & "worse"')
    ]
    assert report.looked_at == {"resolution": 2, "yanked": 2}


@pytest.mark.usefixtures("index")
def test_for_another_python_uv_alone_is_not_clean(again: Case) -> None:
    report = again("shelf\n", "plank==1.0", "shelf==2.0", python=OTHER)
    assert said(report) == []
    assert report.absent == {
        "resolution": f"pip-tools resolves only for the Python it runs in, {RUNNING_PYTHON}, "
        f"and the lock is for {OTHER}"
    }
    assert report.looked_at == {"yanked": 2}


@pytest.mark.usefixtures("index")
def test_for_another_python_what_uv_finds_counts(again: Case) -> None:
    report = again("shelf<2\n", "plank==1.0", "shelf==2.0", python=OTHER)
    assert said(report) == [("resolution", "shelf", "uv would pin shelf 1.0, the lock has 2.0")]
    assert report.absent == {}


def test_an_index_that_cannot_be_reached_is_a_reason(
    wheels: Path, make: Make, again: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("plank", "1.0")
    monkeypatch.delenv("UV_FIND_LINKS")
    monkeypatch.delenv("UV_NO_INDEX")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://me:secret-word@127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("PIP_RETRIES", "0")
    report = again("plank\n", "plank==1.0")
    assert report.looked_at == {}
    assert set(report.absent) == {"resolution", "yanked"}
    assert "uv could not resolve it (exit code 2): error:" in report.absent["resolution"]
    assert "pip-tools could not resolve it" in report.absent["resolution"]
    assert "pip-tools" not in report.absent["yanked"]
    assert "secret-word" not in str(report)
    assert "/gates-resolve-" not in str(report)


def test_offline_only_folders_and_what_is_cached_are_looked_at(
    wheels: Path, make: Make, again: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("plank", "1.0")
    report = again("plank\n", "plank==1.0", offline=True)
    assert report.looked_at == {"resolution": 1, "yanked": 1}
    monkeypatch.delenv("UV_NO_INDEX")
    report = again("plank\n", "plank==1.0", offline=True)
    assert report.absent == {"resolution": "pip-tools cannot resolve offline from an index"}


@pytest.mark.usefixtures("index")
def test_what_comes_as_source_only_is_not_built_and_not_judged(
    again: Case, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    (wheels / "plank-3.0.tar.gz").write_bytes(b"its setup.py must not run")
    report = again("plank\n", "plank==3.0 --hash=sha256:" + "0" * 64)
    assert said(report) == []
    assert "plank 3.0 is out of reach" in report.absent["resolution"]
    assert "no usable wheels" in report.absent["resolution"]


@pytest.mark.usefixtures("index")
def test_an_index_that_the_inputs_name_is_not_asked(again: Case) -> None:
    report = again("--index-url http://127.0.0.1:9/\nshelf\n", "plank==1.0", "shelf==2.0")
    assert report.problems == ()
    assert report.looked_at["resolution"] == 2


@pytest.mark.usefixtures("index")
def test_constraints_extras_and_markers_of_the_inputs_count(
    again: Case, make: Make, write: Write
) -> None:
    make("box", "1.0", "Provides-Extra: lid", "Requires-Dist: shelf ; extra == 'lid'")
    write("plank<2\n", "limits.txt")
    asked = "-c limits.txt\nbox[lid]\nnever ; python_version < '3'\n"
    report = again(asked, "box==1.0", "plank==1.0", "shelf==2.0")
    assert report.problems == ()
    assert report.looked_at["resolution"] == 3
    report = again(asked, "box==1.0", "plank==2.0", "shelf==2.0")
    assert [one.message for one in report.problems] == [
        "uv and pip-tools would pin plank 1.0, the lock has 2.0"
    ]


def test_without_inputs_or_with_a_url_nothing_can_be_resolved(write: Write) -> None:
    lock = read_lock(write("", "requirements.txt"))
    report = resolve_again(lock, None)
    assert report.absent["resolution"] == "there is no requirements.in to resolve"
    report = resolve_again(lock, write("six\n-e .\n"))
    assert report.absent["yanked"] == (
        "requirements.in:2 asks for a URL or path, which no index resolves"
    )
