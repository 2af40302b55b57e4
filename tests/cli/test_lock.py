"""`gates lock check` as people call it: exit codes, words, JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.locks.osv import osv
from tests.locks.samples import CLEAN


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text(CLEAN)
    (tmp_path / "requirements.in").write_text("six\nidna\n")
    return tmp_path


def advisories(folder: Path, *records: object) -> str:
    path = folder / "osv.json"
    path.write_text(json.dumps(records))
    return str(path)


def today() -> str:
    return datetime.now(UTC).isoformat()


def test_a_clean_lock_says_how_much_was_looked_at(gates: CommandLine, folder: Path) -> None:
    answer = gates("lock", "check", str(folder))
    assert answer.code == 0
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    hold = "2 constraints of requirements.in hold"
    assert lines == [
        "unpinned 0 of 2 wrong requirements pinned to one version",
        "unhashed 0 of 2 wrong requirements with hashes",
        "unsatisfied 0 of 2 wrong lines of the input satisfied",
        "base-image nothing to find no Dockerfile is beside the lock",
        f"{folder}/requirements.txt: 2 requirements, all pinned and hashed, {hold}",
    ]


def test_a_problem_has_its_place_and_the_kind_its_count(gates: CommandLine, folder: Path) -> None:
    (folder / "requirements.in").write_text("six<1\nidna\n")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY --from=nginx a b\n")
    answer = gates("lock", "check", str(folder))
    assert answer.code == 1
    path = folder / "requirements.txt"
    assert f"{path}:2: unsatisfied: requirements.in:1 asks for `six<1`" in answer.out
    assert f"{path}: base-image: Dockerfile:2 takes the image `nginx`" in answer.out
    assert "1 of 2 wrong" in answer.out
    assert answer.out.splitlines()[-1] == f"2 problems in {path}"


def test_json_says_of_every_kind_what_was_looked_at_or_why_not(
    gates: CommandLine, folder: Path
) -> None:
    said = json.loads(gates("lock", "check", str(folder), "--json").out)
    assert said["looked_at"] == {"unpinned": 2, "unhashed": 2, "unsatisfied": 2, "base-image": 0}
    assert said["nothing"] == {"base-image": "no Dockerfile is beside the lock"}
    assert said["absent"]["advisories"] == "no source of advisories was named"
    assert said["absent"]["environment"] == "the environment was not looked at"
    assert (said["requirements"], said["inputs"], said["problems"]) == (2, 2, [])


def test_known_advisories_are_problems(gates: CommandLine, folder: Path) -> None:
    source = advisories(folder, osv("CVE-1", modified=today()))
    answer = gates("lock", "check", str(folder), "--advisories", source)
    assert answer.code == 1
    assert "advisories: six 1.17.0 has the advisory CVE-1; fixed in 99" in answer.out


def test_advisories_that_cannot_be_had_leave_the_answer_open(
    gates: CommandLine, folder: Path
) -> None:
    old = advisories(folder, osv("CVE-1", "other", modified="2020-01-01T00:00:00Z"))
    for source, why in ((str(folder / "gone"), "there is no such file"), (old, "days old")):
        answer = gates("lock", "check", str(folder), "--advisories", source)
        assert answer.code == 3
        assert why in answer.out
        assert answer.out.splitlines()[-1].endswith("; could not be looked at: advisories")
    age = ("--advisories-max-age", "99999")
    assert gates("lock", "check", str(folder), "--advisories", old, age).code == 0
    # What is wrong is wrong, whatever else could not be looked at.
    (folder / "requirements.in").write_text("six<1\n")
    assert gates("lock", "check", str(folder), "--advisories", "gone").code == 1


def test_an_artifact_must_say_the_same_versions(gates: CommandLine, folder: Path) -> None:
    model = folder / "model"
    model.mkdir()
    assert gates("lock", "check", str(folder), "--artifact", str(model)).code == 3
    (model / "requirements.txt").write_text("six==1.16.0\n")
    answer = gates("lock", "check", str(folder), "--artifact", str(model))
    assert answer.code == 1
    assert "recorded: requirements.txt:1 says six 1.16.0, but the lock pins 1.17.0" in answer.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--artifact", "gone"], "--artifact gone: there is no such file or folder"),
        (["--environment", "--code", "gone"], "--code gone: there is no such file or folder"),
        (["--code", "."], "--code needs --environment"),
        (["--python", "three"], "`three` is not a Python version"),
        (["--advisories-max-age", "-1"], "Invalid value"),
        (["--input", "gone.in"], "gone.in: there is no such file"),
    ],
)
def test_bad_input_is_told_in_words(
    gates: CommandLine, folder: Path, options: list[str], words: str
) -> None:
    answer = gates("lock", "check", str(folder), options)
    assert answer.code == 2
    assert words in answer.err


@pytest.fixture
def real(folder: Path) -> Path:
    """A lock of one small real distribution, six 1.17.0, with the hashes of its files."""
    lock = Path(__file__).parents[2] / "scripts" / "requirements.txt"
    text = lock.read_text()
    start = text.index("\nsix==")
    block = text[start + 1 :].split("# via")[0].rstrip()
    (folder / "requirements.txt").write_text(block + "\n")
    (folder / "requirements.in").write_text("six\n")
    (folder / "ranker.py").write_text("import json\nimport six\n")
    return folder


def test_the_environment_tells_what_is_installed_needed_and_imported(
    gates: CommandLine, real: Path
) -> None:
    options = ["--environment", "--cache", str(real / ".cache"), "--json"]
    answer = gates("lock", "check", str(real), options)
    assert answer.code == 0, answer.err
    said = json.loads(answer.out)["looked_at"]
    assert (said["environment"], said["unneeded"], said["imports"]) == (1, 1, 2)

    (real / "requirements.in").write_text("# nothing\n")
    (real / "ranker.py").write_text("import scipy\n")
    answer = gates("lock", "check", str(real), options)
    assert answer.code == 1
    assert {one["kind"] for one in json.loads(answer.out)["problems"]} == {"unneeded", "imports"}

    elsewhere = real / "ranker"
    elsewhere.mkdir()
    (elsewhere / "main.py").write_text("import six\n")
    answer = gates("lock", "check", str(real), options, "--code", str(elsewhere))
    assert [one["kind"] for one in json.loads(answer.out)["problems"]] == ["unneeded"]


def test_an_environment_that_cannot_be_built_leaves_the_answer_open(
    gates: CommandLine, folder: Path
) -> None:
    options = ["--environment", "--python", "3.99", "--cache", str(folder / ".cache")]
    answer = gates("lock", "check", str(folder), options, "--json")
    assert answer.code == 3
    absent = json.loads(answer.out)["absent"]
    assert "3.99" in absent["environment"]
    assert absent["environment"] == absent["unneeded"] == absent["imports"]


def test_a_lock_without_hashes_is_not_installed(gates: CommandLine, folder: Path) -> None:
    (folder / "requirements.txt").write_text("six==1.17.0\nidna==3.10\n")
    options = ["--environment", "--cache", str(folder / ".cache"), "--json"]
    answer = gates("lock", "check", str(folder), options)
    assert answer.code == 1
    assert "is not installed" in json.loads(answer.out)["absent"]["environment"]
    assert not (folder / ".cache").exists()
