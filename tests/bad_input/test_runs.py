"""Runs that are disturbed: killed workers, full disks, lost stores, interruptions, company."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gates.environments.process import Worker
from gates.evidence.evidence import Evidence
from gates.run.session import GateSession
from tests.bad_input.conftest import Refusals, World, finish, start
from tests.conftest import CommandLine
from tests.losing import lose
from tests.toys import MODEL, set_params

HELLO_TIMEOUT = 60.0


def _descendants(root: int) -> list[int]:
    """Processes that this one started, directly or not, and that still run."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, ppid = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[int(stat.parent.name)] = int(ppid)
    found: list[int] = []
    left = [root]
    while left:
        here = left.pop()
        children = [pid for pid, parent in parents.items() if parent == here]
        found += children
        left += children
    return found


def _models(root: int) -> list[int]:
    """Of those, the ones that hold a model: they have no children and run `worker.py`."""
    found = []
    for pid in _descendants(root):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"worker.py" in command and not _descendants(pid):
            found.append(pid)
    return found


def test_two_gates_at_once_come_to_the_same_verdict_in_folders_of_their_own(
    gated_once: World,
) -> None:
    first, second = gated_once.runs["first"], gated_once.runs["second"]
    assert (first.code, second.code) == (0, 0), first.err + second.err
    one, other = json.loads(first.out), json.loads(second.out)
    assert one["bounds"] == other["bounds"]
    assert one["mlflow_run"] != other["mlflow_run"]
    folders = {Path(said["evidence"]).parent for said in (one, other)}
    assert len(folders) == 2
    for folder in folders:
        assert {path.name for path in folder.iterdir()} >= {"evidence.json", "report.html"}
        assert not list(folder.glob(".*.tmp"))


def test_a_gate_beside_another_one_still_fails_what_must_fail(gated_once: World) -> None:
    assert gated_once.runs["shuffled"].code == 1


@pytest.mark.parametrize("whom", ["model", "supervisor"])
def test_a_worker_killed_from_outside_leaves_its_checks_undecided_and_the_gate_goes_on(
    world: World, gates: CommandLine, monkeypatch: pytest.MonkeyPatch, whom: str
) -> None:
    predict = Worker.predict

    def killed_meanwhile(self: Worker, columns: Any) -> Any:
        victim = _models(self.pid)[0] if whom == "model" else self.pid
        threading.Timer(0.2, os.kill, (victim, signal.SIGKILL)).start()
        return predict(self, columns)

    monkeypatch.setattr(Worker, "predict", killed_meanwhile)
    answer = gates("run", world.uri("hangs"), world.options(), "--json")
    assert answer.code == 3, answer.out + answer.err
    said = json.loads(answer.out)
    outcomes = {one["id"]: one["outcome"] for one in said["bounds"]}
    assert outcomes["lockfile::unpinned"] == "PASS"
    assert outcomes["behaviour::must-be-first"] == "UNDECIDED"
    assert any("died while predicting: it was killed by SIGKILL" in r for r in said["reasons"])
    assert _models(os.getpid()) == []


@pytest.fixture
def full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on a disk with room for a few small files; where we may not mount one, a faked one.

    The fake says what a full disk says, when what was written is to reach the disk.
    """
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(folder)]
    if os.getuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0:
        yield folder
        subprocess.run(["umount", str(folder)], check=True)
        return
    sync = os.fsync

    def full(descriptor: int) -> None:
        if os.fstat(descriptor).st_size > 16_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    yield folder


def test_a_full_disk_leaves_no_half_written_evidence(
    world: World, refused: Refusals, full_disk: Path
) -> None:
    says = ["evidence.json could not be written: No space left on device", "free some space"]
    where = ["--output", str(full_disk)]
    refused(world, "run", world.uri("good"), world.options(), where, says=says)
    assert list(full_disk.iterdir()) == []


def test_an_output_that_is_no_folder_is_found_out_before_anything_runs(
    world: World, refused: Refusals
) -> None:
    says = [f"{world.card}/", "run.json could not be written: Not a directory", "another folder"]
    where = ["--output", str(world.card)]
    refused(world, "run", world.uri("good"), world.options(), where, says=says)


def test_an_outcome_that_cannot_be_logged_is_still_there_and_says_so(
    world: World, gates: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A version of this test's own: of one that was gated before, only recorded evidence counts.
    set_params(world.project, weights={"good": 1.0, "noise": 0.01})
    uri = json.loads(gates("package", MODEL, world.options(), "--json").out)["uri"]
    store, aside = world.project / ".gates" / "mlflow.db", tmp_path / "aside.db"
    conclude = GateSession.conclude

    def without_the_store(self: GateSession) -> Evidence:
        store.rename(aside)
        store.write_text("gone")
        return conclude(self)

    monkeypatch.setattr(GateSession, "conclude", without_the_store)
    answer = gates("run", uri, world.options(), "--json")
    assert answer.code == 0, answer.out + answer.err
    said = json.loads(answer.out)
    assert "could not be logged to MLflow" in said["warning"]
    assert "could not be logged to MLflow" in answer.err
    aside.replace(store)
    # The evidence alone is enough, once the store is back.
    promotion = ["promote", uri, "--why", "x", "--evidence", said["evidence"]]
    answer = gates(promotion, world.options())
    assert answer.code == 0, answer.err


def _until(happens: Callable[[], object]) -> None:
    end = time.monotonic() + HELLO_TIMEOUT
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_a_stopped_gate_leaves_no_verdict_and_no_worker(world: World) -> None:
    card = world.card
    card.write_text(card.read_text().replace("predict_seconds: 5", "predict_seconds: 500"))
    before = world.state()
    command = ["run", world.uri("hangs"), *world.options(), "--json"]
    # A suite run in the background may ignore Ctrl-C, and its children would inherit that.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = {signal.SIGINT: start(command), signal.SIGTERM: start(command)}
    signal.signal(signal.SIGINT, ours)
    for number, process in running.items():
        _stop_once_it_predicts(process, number)
    assert world.state() == before


def _stop_once_it_predicts(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Two models, each under its supervisor, and then the signal."""
    _until(lambda: len(_models(process.pid)) == 2 and len(_descendants(process.pid)) >= 4)
    started = _descendants(process.pid)
    process.send_signal(number)
    answer = finish(process)
    assert answer.code == 128 + number, answer.err
    assert f"stopped by {number.name} before it was done" in answer.err
    assert "leaves no verdict" in json.loads(answer.out)["error"]["advice"]
    _until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("whose", "call"), [(Worker, "predict"), (GateSession, "conclude")])
def test_a_gate_that_lost_its_interruption_stops_all_the_same(
    world: World, gates: CommandLine, monkeypatch: pytest.MonkeyPatch, whose: type, call: str
) -> None:
    before = world.state()
    method = getattr(whose, call)
    lost: list[str] = []

    def after_losing_it(*arguments: Any) -> Any:
        if not lost:
            lose(signal.SIGTERM)
            lost.append(call)
        return method(*arguments)

    monkeypatch.setattr(whose, call, after_losing_it)
    answer = gates("run", world.uri("good"), world.options(), "--json")
    assert lost
    assert answer.code == 143, answer.out + answer.err
    assert "stopped by SIGTERM before it was done" in answer.err
    assert world.state() == before


def test_a_stopped_packaging_registers_nothing_and_leaves_no_build(world: World) -> None:
    before = world.state()
    begun = world.model / "begun"
    (world.model / "build.py").write_text(
        "import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(600)\n"
    )
    process = start("package", MODEL, world.options())
    _until(begun.exists)
    started = _descendants(process.pid)
    assert started
    process.send_signal(signal.SIGTERM)
    answer = finish(process)
    assert answer.code == 143, answer.err
    _until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))
    assert world.state()["model_versions"] == before["model_versions"]


def test_a_signing_key_that_cannot_sign_is_found_out_before_anything_runs(
    world: World, refused: Refusals, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, what in (("gone.pem", "cannot be read: No such file"), ("toy.md", "is not an")):
        key = world.card.with_name(name)
        if name == "toy.md":
            key.write_text("no key at all")
        monkeypatch.setenv("GATES_SIGNING_KEY", str(key))
        says = [f"the signing key {key} {what}", "openssl genpkey -algorithm ed25519"]
        refused(world, "run", world.uri("good"), world.options(), says=says)
