"""A search that is stopped goes on where it was; two never share a state file."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gates.bisection import Trial
from gates.bisection.bench import Failure
from gates.bisection.journal import open_journal
from gates.errors import InputError, UsageError

from .conftest import QUERIES, Case
from .shop import write_golden
from .test_search import labels
from .wheels import model

GATES = str(Path(sys.executable).parent / "gates")
KEY = {"old lock": "sha256:a", "model": "sha256:b", "digest": "sha256:c"}
ONE = Trial(("idna",), "same", None, None, 1.5)


def command(case: Case, *more: str) -> list[str]:
    """The command line of a case whose cause is one of eight changes."""
    old, new = case.folder / "old.txt", case.folder / "new.txt"
    if not old.exists():
        case.make()
        model(case.folder / "model", labels("beta.VALUE == 2"))
        write_golden(case.folder / "golden", QUERIES)
    options = ["--model", str(case.folder / "model"), "--golden", str(case.folder / "golden")]
    options += ["--project", str(case.folder), "--cache", str(case.cache)]
    options += ["--state", str(case.folder / "state.json")]
    return [GATES, "lock", "bisect", str(old), str(new), *options, *more]


def trials(path: Path) -> list[dict[str, Any]]:
    with contextlib.suppress(FileNotFoundError):
        return list(json.loads(path.read_text())["trials"])
    return []


def test_a_killed_search_goes_on_and_repeats_no_finished_test(case: Case) -> None:
    case = replace(case, cache=case.folder / "cache")
    state = case.folder / "state.json"
    running = subprocess.Popen(
        command(case), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    end = time.monotonic() + 120
    while len(trials(state)) < 3 and running.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    before = trials(state)
    assert len(before) >= 3

    again = subprocess.run(command(case, "--json"), capture_output=True, text=True, check=False)
    assert again.returncode == 1, again.stderr
    said = json.loads(again.stdout)
    assert said["answer"] == "beta 1 → 2 alone changes 2 of 5 labels"
    assert [{**one, "kept": False} for one in said["tests"][: len(before)]] == before
    assert [one["kept"] for one in said["tests"]] == [
        at < len(before) for at in range(len(said["tests"]))
    ]
    made = [tuple(one["changes"]) for one in said["tests"]]
    assert len(set(made)) == len(made)


def test_of_two_at_once_the_second_says_so(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with (
        open_journal(path, KEY, fresh=False),
        pytest.raises(UsageError, match="another process is at work on the state file"),
        open_journal(path, KEY, fresh=False),
    ):
        pass
    with open_journal(path, KEY, fresh=False):
        pass


def test_what_was_added_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.json"
    with open_journal(path, KEY, fresh=False) as journal:
        journal.add(ONE)
    with open_journal(path, KEY, fresh=False) as journal:
        assert journal.find(frozenset({"idna"})) == replace(ONE, kept=True)
    with open_journal(path, KEY, fresh=True) as journal:
        assert journal.trials == []


def test_what_could_not_be_built_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with open_journal(path, KEY, fresh=False) as journal:
        journal.add(replace(ONE, shows="unresolved", failure=Failure("not-built", "no network")))
        journal.add(replace(ONE, changes=("six",), failure=Failure("died", "was killed")))
    with open_journal(path, KEY, fresh=False) as journal:
        assert [one.changes for one in journal.trials] == [("six",)]


def test_the_state_of_another_bisection_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with open_journal(path, KEY, fresh=False) as journal:
        journal.add(ONE)
    other = {**KEY, "model": "sha256:z", "digest": "sha256:y"}
    with (
        pytest.raises(UsageError, match="is of another bisection: its model is not this one's"),
        open_journal(path, other, fresh=False),
    ):
        pass
    with open_journal(path, other, fresh=True) as journal:
        assert journal.trials == []


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("content", ["", "{", "{}", '{"schema": "mlgates.evidence/1"}', "\0"])
def test_a_file_that_is_no_state_is_left_alone(tmp_path: Path, content: str, fresh: bool) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    with (
        pytest.raises(InputError, match=r"state\.json: (is not JSON|has schema)"),
        open_journal(path, KEY, fresh=fresh),
    ):
        pass
    assert path.read_text() == content


def test_a_state_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(UsageError, match="cannot be made"),
        open_journal(tmp_path / "file" / "state.json", KEY, fresh=False),
    ):
        pass
