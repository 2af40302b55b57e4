"""While one version is timed no other works: it is stopped, and cannot wake itself."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from gates.environments.launching import WORKER
from gates.environments.process import Worker
from gates.errors import ModelFault

from .conftest import StartWorker
from .test_isolation import descendants

FRAME = {"a": [1.0]}
WAITING = "time.sleep(0.3)\nreturn x['a']"
BUSY = {
    "a thread": """
def burn():
    while True: pass
threading.Thread(target=burn, daemon=True).start()
""",
    "a process of its own session": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: pass
    os._exit(0)
""",
    "many processes": """
for _ in range(8):
    if os.fork() == 0:
        while True: pass
""",
    "one that wakes another": """
parent = os.getpid()
if os.fork() == 0:
    while True:
        try: os.kill(parent, signal.SIGCONT)
        except OSError: os._exit(0)
def burn():
    while True: pass
threading.Thread(target=burn, daemon=True).start()
""",
    "one that sets itself alarms": """
import ctypes
libc = ctypes.CDLL(None)
event = (ctypes.c_int * 16)()
event[2], event[3] = signal.SIGCONT, 0  # sigev_signo, SIGEV_SIGNAL
timer = ctypes.c_void_p()
if libc.timer_create(1, event, ctypes.byref(timer)) == 0:
    libc.timer_settime(timer, 0, (ctypes.c_long * 4)(0, 1000000, 0, 1000000), None)
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
def burn():
    while True: pass
threading.Thread(target=burn, daemon=True).start()
""",
    "one whose first thread has ended": """
import _thread, ctypes
if os.fork() == 0:
    def burn():
        while True: pass
    threading.Thread(target=burn).start()
    ctypes.CDLL(None).pthread_exit(None)
""",
}


def ticks(worker: Worker) -> int:
    """The processor time that all its processes have taken."""
    total = 0
    for process in descendants(worker.pid):
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        total += sum(map(int, fields.split()[11:13]))
    return total


def states(worker: Worker) -> set[str]:
    """The states of the threads of all its processes but the two that hold no model."""
    keeper = min(descendants(worker.pid))
    return {
        stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        for process in descendants(keeper)
        for stat in Path(f"/proc/{process}/task").glob("*/stat")
    }


@pytest.mark.parametrize("kind", BUSY)
def test_a_version_that_goes_on_working_takes_nothing_from_the_others_turn(
    start: StartWorker, kind: str
) -> None:
    busy = start(f"{BUSY[kind]}\nreturn [os.getpid()]")
    timed = start(WAITING)
    assert busy.predict(FRAME)
    before = ticks(busy)
    time.sleep(0.5)
    running = ticks(busy)
    assert running > before  # it is as busy as it says
    timed.timed(FRAME)  # from here on it is stopped
    stopped = ticks(busy)
    for _ in range(3):
        timed.timed(FRAME)
    assert ticks(busy) == stopped
    assert busy.timed(FRAME) > 0  # and goes on when it is asked
    assert list(timed.predict(FRAME)["prediction"]) == [1.0]


def test_who_wakes_another_just_before_it_stops_has_woken_nobody(start: StartWorker) -> None:
    woken = """
parent = os.getpid()
for _ in range(0 if hasattr(os, "woken") else 2):
    if os.fork() == 0:
        while True:
            try: os.kill(parent, signal.SIGCONT)
            except OSError: os._exit(0)
os.woken = True
"""
    busy, timed = start(f"{woken}return x['a']"), start("return x['a']")
    for _ in range(40):
        busy.timed(FRAME)
        timed.timed(FRAME)
        assert states(busy) == {"T"}


def test_both_are_timed_in_turns(start: StartWorker) -> None:
    one, other = start(BUSY["a thread"] + "return x['a']"), start("return x['a']")
    for _ in range(5):
        assert one.timed(FRAME) > 0
        assert other.timed(FRAME) > 0
    one.close()
    assert other.timed(FRAME) > 0


def test_a_stopped_worker_ends_like_any(start: StartWorker) -> None:
    busy, timed = start(BUSY["many processes"] + "return x['a']"), start()
    busy.predict(FRAME)
    timed.timed(FRAME)
    processes = descendants(busy.pid)
    busy.close()
    assert not [one for one in processes if Path(f"/proc/{one}").exists()]


def test_one_that_died_is_no_reason_not_to_time_another(start: StartWorker) -> None:
    dead, timed = start("os._exit(3)"), start()
    with pytest.raises(ModelFault):
        dead.predict(FRAME)
    killed = start()
    killed.ready()
    os.kill(killed.pid, 9)
    assert timed.timed(FRAME) > 0


def test_where_the_other_cannot_be_stopped_no_time_is_told(
    start: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle, timed = start(), start()
    idle.ready()
    monkeypatch.setattr(idle._child, "pause", lambda **_: "no freezer here")
    with pytest.raises(ModelFault, match="cannot be timed: nothing stops the candidate") as fault:
        timed.timed(FRAME)
    assert (fault.value.kind, fault.value.breach) == ("not-alone", False)
    assert "no freezer here" in fault.value.what
    assert list(timed.predict(FRAME)["prediction"]) == [1.0]


def test_without_the_filter_a_signal_is_not_believed_to_stop_it(start: StartWorker) -> None:
    worker = start()
    worker.ready()
    assert "timers could wake it" in worker._child.pause(filtered=False)


BELOW = f"""
import importlib.util, os, sys, time
from pathlib import Path
place = {str(WORKER.with_name("supervisor.py"))!r}
spec = importlib.util.spec_from_file_location("supervisor", place)
supervisor = importlib.util.module_from_spec(spec)
spec.loader.exec_module(supervisor)
import ctypes
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
keeper = os.fork()
if keeper == 0:
    for own_session in (False, True, True):
        if os.fork() == 0:
            if own_session:
                os.setsid()
                if os.fork():
                    os._exit(0)
            end = time.monotonic() + 2
            while time.monotonic() < end:  # one that starts others all the time
                if os.fork() == 0:
                    os._exit(0)
                try:
                    while os.waitpid(-1, os.WNOHANG)[0]: pass
                except ChildProcessError: pass
            while True: pass
    while True: os.wait()
time.sleep(0.5)
word = supervisor._obey_below(b"S", keeper)
def spent():
    below = supervisor._below(keeper)
    texts = []
    for one in below:
        try:
            texts.append(Path(f"/proc/{{one}}/stat").read_text().rpartition(")")[2].split())
        except OSError: pass  # one that runs may end meanwhile
    return len(texts), sum(int(one[11]) + int(one[12]) for one in texts)
first = spent()
time.sleep(0.5)
second = spent()
supervisor._obey_below(b"C", keeper)
time.sleep(0.5)
third = spent()
os.kill(keeper, 9)
print(word.decode(), first[0] >= 3, first == second, third[1] > second[1], flush=True)
supervisor._end_all_children()
"""


def test_without_a_namespace_all_that_comes_of_it_is_stopped_too() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BELOW)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["D", "True", "True", "True"], done.stderr
