"""Interruptions: raised where they come, and again where Python has lost one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gates.system.commands import run_streamed
from gates.system.interruption import (
    checkpoint,
    deferred,
    has_come,
    in_threads,
    interrupted_by,
    result_of,
)
from tests.losing import lose, sharp_poll


class _Stopped(KeyboardInterrupt):
    pass


@pytest.fixture
def dropped(monkeypatch: pytest.MonkeyPatch) -> list[type[BaseException] | None]:
    """Kinds of errors that Python dropped, since nobody could be given them."""
    kinds: list[type[BaseException] | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: kinds.append(lost.exc_type))
    return kinds


def test_a_signal_interrupts_at_once_and_what_was_there_before_comes_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
    with interrupted_by((signal.SIGTERM,), _Stopped) as came:
        with pytest.raises(_Stopped):
            time.sleep(60)
        assert has_come()
    assert came == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is before
    assert not has_come()
    checkpoint()


def test_an_interruption_that_was_lost_comes_again_at_the_next_checkpoint(
    dropped: list[type[BaseException] | None],
) -> None:
    with interrupted_by((signal.SIGTERM,), _Stopped):
        checkpoint()
        lose(signal.SIGTERM)
        assert dropped == [_Stopped]
        assert has_come()
        with pytest.raises(_Stopped):
            checkpoint()
        # It stands as long as the block does: whoever swallows it meets it again.
        with pytest.raises(_Stopped):
            checkpoint()
    checkpoint()


def test_an_inner_block_takes_only_its_own_interruption_with_it(
    dropped: list[type[BaseException] | None],
) -> None:
    with interrupted_by((signal.SIGTERM,)):
        lose(signal.SIGTERM)
        with interrupted_by((signal.SIGALRM,), _Stopped):
            lose(signal.SIGALRM)
            with pytest.raises(_Stopped):
                checkpoint()
        with pytest.raises(KeyboardInterrupt) as caught:
            checkpoint()
    assert caught.type is KeyboardInterrupt
    assert dropped == [KeyboardInterrupt, _Stopped]


def test_a_signal_that_the_process_was_started_to_ignore_is_still_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with interrupted_by((signal.SIGTERM,), _Stopped) as came:
            signal.raise_signal(signal.SIGTERM)
        assert came == []
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_program_that_is_waited_for_ends_when_the_signal_comes_where_errors_are_dropped(
    dropped: list[type[BaseException] | None], tmp_path: Path
) -> None:
    where = tmp_path / "pid"

    def meanwhile(line: str) -> None:
        where.write_text(line)
        lose(signal.SIGTERM)

    with pytest.raises(_Stopped), interrupted_by((signal.SIGTERM,), _Stopped):
        run_streamed(
            ["sh", "-c", "echo $$; exec sleep 600"],
            env={"PATH": os.environ["PATH"]},
            cwd=None,
            timeout=120.0,
            progress=meanwhile,
        )
    assert dropped == []
    with pytest.raises(ProcessLookupError):
        os.kill(int(where.read_text()), 0)


def test_a_deferred_interruption_comes_when_what_was_begun_is_in_safe_hands() -> None:
    made: list[str] = []

    def make() -> None:
        with deferred(), deferred():
            signal.raise_signal(signal.SIGTERM)
            made.append("made")
        made.append("never")

    with interrupted_by((signal.SIGTERM,), _Stopped), pytest.raises(_Stopped):
        make()
    assert made == ["made"]
    with interrupted_by((signal.SIGTERM,), _Stopped), pytest.raises(_Stopped):
        signal.raise_signal(signal.SIGTERM)


def test_an_error_of_its_own_ends_a_deferring_block_as_it_is() -> None:
    def fail() -> None:
        with deferred():
            signal.raise_signal(signal.SIGTERM)
            raise ValueError("its own")

    with interrupted_by((signal.SIGTERM,), _Stopped):
        with pytest.raises(ValueError, match="its own"):
            fail()
        with pytest.raises(_Stopped):
            checkpoint()


def test_another_thread_that_defers_does_not_keep_the_main_one_from_being_interrupted() -> None:
    inside, done = threading.Event(), threading.Event()

    def defer() -> None:
        with deferred():
            inside.set()
            done.wait(30)

    other = threading.Thread(target=defer)
    other.start()
    inside.wait(30)
    with interrupted_by((signal.SIGTERM,), _Stopped), pytest.raises(_Stopped):
        signal.raise_signal(signal.SIGTERM)
    done.set()
    other.join()


def test_a_program_that_was_being_started_when_the_signal_came_does_not_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begin = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] = begin(*arguments, **options)
        (tmp_path / "pid").write_text(str(process.pid))
        signal.raise_signal(signal.SIGTERM)
        return process

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with interrupted_by((signal.SIGTERM,), _Stopped), pytest.raises(_Stopped):
        run_streamed(
            ["sleep", "600"],
            env={"PATH": os.environ["PATH"]},
            cwd=None,
            timeout=120.0,
            progress=lambda _: None,
        )
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_signal_in_the_midst_of_looking_whether_a_program_has_ended_does_no_harm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sharp_poll(monkeypatch)
    with interrupted_by((signal.SIGTERM,), _Stopped), pytest.raises(_Stopped):
        run_streamed(
            ["sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 60"],
            env={"PATH": os.environ["PATH"]},
            cwd=None,
            timeout=50.0,
            progress=lambda _: None,
        )
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_an_interruption_that_came_before_does_not_come_again_from_cleaning_up(
    dropped: list[type[BaseException] | None],
) -> None:
    with interrupted_by((signal.SIGTERM,), _Stopped):
        lose(signal.SIGTERM)
        with deferred():
            pass
    assert dropped == [_Stopped]


class _Sharp(threading.Condition):
    """A signal comes whenever the main thread has just taken its lock."""

    def __enter__(self) -> bool:
        entered = super().__enter__()
        if threading.current_thread() is threading.main_thread():
            signal.raise_signal(signal.SIGTERM)
        return entered


def test_a_wait_for_another_thread_is_interrupted_and_leaves_it_free_to_end() -> None:
    future: Future[str] = Future()
    future._condition = _Sharp()
    done = threading.Event()

    def end() -> None:
        future.set_result("ended")
        done.set()

    with interrupted_by((signal.SIGTERM,), _Stopped), pytest.raises(_Stopped):
        result_of(future)
    other = threading.Thread(target=end, daemon=True)
    other.start()
    assert done.wait(10), "the lock of the future is still taken"


def test_a_wait_gives_what_the_other_thread_gave() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert result_of(pool.submit(lambda: 7)) == 7
        with pytest.raises(ZeroDivisionError):
            result_of(pool.submit(lambda: 1 // 0))


def test_threads_give_their_results_in_order_and_their_first_error() -> None:
    assert in_threads(lambda one: one * 2, [3, 1, 2], most=2) == [6, 2, 4]
    assert in_threads(lambda one: one, []) == []
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda one: 1 // one, [1, 0])


_READING = """\
import io, os, random, signal, threading, time
import pyarrow.csv
import {module}

came = sent = lost = 0

def count(number, frame):
    global came
    came += 1

def send():
    global sent, lost
    for _ in range(400):
        time.sleep(random.random() * 0.002)
        os.kill(os.getpid(), signal.SIGTERM)
        sent, end = sent + 1, time.monotonic() + 5.0
        while came < sent and time.monotonic() < end:
            time.sleep(0.0005)
        lost += sent - came
        sent = came

signal.signal(signal.SIGTERM, count)
sender = threading.Thread(target=send)
sender.start()
rows = b"a,b\\n" + b"1,2\\n" * 2_000
while sender.is_alive():
    pyarrow.csv.read_csv(io.BytesIO(rows))
print(came, lost)
"""


@pytest.mark.parametrize("module", ["gates.golden.files", "gates.comparison.files._text"])
def test_no_signal_is_lost_while_arrow_reads(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _READING.format(module=module)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.split() == ["400", "0"], done.stdout + done.stderr[-2_000:]
