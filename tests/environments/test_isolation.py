"""A model sees nothing of the gate's, reaches nobody, and nothing it starts outlives it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import pytest

from gates.domain.judging import Layer
from gates.environments.cache import Environment
from gates.environments.launching import Limits, scrubbed_environment
from gates.errors import ModelFault

from .conftest import StartWorker
from .toy_models import write_model

FRAME = {"a": [1.0]}


def is_gone(pid: int) -> bool:
    """Wait for a process to end."""
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state.split()[0] in "ZX":
            return True
        time.sleep(0.01)
    return False


def descendants(pid: int) -> set[int]:
    """The processes that a process has started, and those that they have."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            parents[int(stat.parent.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def test_a_model_sees_no_token_of_the_gate(
    start: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MLFLOW_TRACKING_TOKEN", "AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "a secret")
    seen = start("return [f'{k}={v}' for k, v in os.environ.items()]").predict(FRAME)["prediction"]
    assert not [line for line in seen if "secret" in line]
    names = {line.partition("=")[0] for line in seen}
    assert names <= {*scrubbed_environment("scratch"), "LC_CTYPE"}


def test_a_model_works_in_a_scratch_folder_that_is_removed(start: StartWorker) -> None:
    worker = start(
        "open('left.txt', 'w').close()\n"
        "import tempfile; tempfile.TemporaryFile().close()\n"
        "return [os.getcwd(), os.environ['HOME'], os.environ['TMPDIR']]"
    )
    folders = {Path(text) for text in worker.predict(FRAME)["prediction"]}
    (scratch,) = folders
    assert scratch.is_dir()
    assert (scratch / "left.txt").exists() is not worker.ready().layers["files"]
    worker.close()
    assert not scratch.exists()


def test_a_model_cannot_read_the_gates_input(start: StartWorker) -> None:
    assert start("return [sys.stdin.read()]").predict(FRAME)["prediction"] == [""]


def test_the_network_is_away_where_the_layer_is_on(start: StartWorker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        worker = start(f"""
            try: socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 5).close()
            except OSError: return [False]
            return [True]
        """)
        reached = bool(worker.predict(FRAME)["prediction"][0])
        assert reached is not worker.ready().layers["network"]


def test_every_layer_is_reported(start: StartWorker) -> None:
    layers = start().ready().layers
    assert set(layers) == {*get_args(Layer), "environment", "variables"}
    assert layers["core-dumps"]


@pytest.mark.parametrize(
    "escape", ["", "os.setsid()", "os.setsid()\n    if os.fork(): os._exit(0)"]
)
def test_what_a_model_starts_ends_with_it(start: StartWorker, escape: str) -> None:
    worker = start(f"""
mine, theirs = os.pipe()
if os.fork() == 0:
    {escape or "pass"}
    os.write(theirs, b"here")
    time.sleep(1000)
return [os.read(mine, 20).decode()]
""")
    worker.ready()
    before = descendants(worker.pid)
    worker.predict(FRAME)
    children = descendants(worker.pid)
    assert len(children) > len(before)
    worker.close()
    assert all(is_gone(child) for child in children)


def test_a_child_that_holds_the_pipes_does_not_hide_a_death(start: StartWorker) -> None:
    worker = start("if os.fork() == 0: time.sleep(1000)\nos._exit(5)")
    with pytest.raises(ModelFault, match="exited with code 5"):
        worker.predict(FRAME)


GATE = """
import sys, threading
from pathlib import Path
from gates.domain.judging import EnvironmentFacts
from gates.environments.cache import Environment
from gates.environments.launching import Limits
from gates.environments.process import Worker
facts = EnvironmentFacts("", "", "", True, 0)
python = Path(sys.argv[2])
environment = Environment(Path(sys.argv[1]), python, python, facts)
workers = []
def begin():
    workers.append(Worker.start(environment, Path(sys.argv[3]), Limits(), "candidate"))
starter = threading.Thread(target=begin)
starter.start()
starter.join()
workers[0].predict({"a": [1.0]})
print(workers[0].pid, flush=True)
workers[0].predict({"a": [1.0]})
"""


def test_a_killed_gate_leaves_no_worker_and_an_ended_thread_takes_none(
    bare: Environment, tmp_path: Path
) -> None:
    model = write_model(
        tmp_path / "model",
        "self.calls = getattr(self, 'calls', 0) + 1\n"
        "if self.calls == 2: time.sleep(1000)\n"
        "return [self.calls]",
    )
    command = [sys.executable, "-c", GATE, str(bare.path), str(bare.python), str(model)]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    own = {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=own) as gate:
        assert gate.stdout is not None
        worker = int(gate.stdout.readline())
        pids = [worker, *descendants(worker)]
        assert len(pids) == 3
        gate.kill()
    assert all(is_gone(pid) for pid in pids)
    assert list(scratch.iterdir()) == []


def test_a_file_beyond_the_limit_cannot_be_written(start: StartWorker) -> None:
    worker = start("""
        with open('big', 'wb') as file:
            try: os.posix_fallocate(file.fileno(), 0, 5 << 30)
            except OSError: return [False]
        return [True]
    """)
    assert list(worker.predict(FRAME)["prediction"]) == [False]


def test_a_stopped_worker_is_ended_with_its_group(start: StartWorker) -> None:
    worker = start(limits=Limits(predict_seconds=5))
    worker.predict(FRAME)
    processes = [worker.pid, *descendants(worker.pid)]
    os.kill(worker.pid, signal.SIGSTOP)
    worker.close()
    assert all(is_gone(one) for one in processes)
