"""The two processes above a model's: they end what it has started, and stop it when told.

Part of the worker: standard library only, Python 3.9 and later, loaded by its place; `cage` says
what each is for. A stopped process cannot wake itself: the timers and descriptors that would send
it SIGCONT are refused with the layer `system-calls`.

Sources: pid_namespaces(7), signal(7), proc(5).
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import shutil
import signal
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

_STOP, _GO_ON = b"S", b"C"  # orders
_SIGNALS = {_STOP: signal.SIGSTOP, _GO_ON: signal.SIGCONT}
_DONE, _REFUSED, _ENDED = b"D", b"N", b"E"
_MESSAGE_BYTES = 5  # a word, and how the model ended
_TRIES = 200


def supervise(
    keeper: int, lifeline: tuple[int, int | None], heard: int, orders: int | None, scratch: str
) -> NoReturn:
    """The supervisor's whole life: wait for the model's end or the gate's, and end what is left.

    Args:
        keeper: The keeper's process.
        lifeline: What breaks when the gate ends, and where its orders are answered; None where what
            comes through it is for the model.
        heard: Where the keeper tells.
        orders: Where the keeper takes orders, when all below it is in a PID namespace of its own.
        scratch: The worker's folder, which is removed.
    """
    gate, answers = lifeline
    poller = select.poll()
    # What is in a lifeline without answers is for the model: only its end is waited for.
    poller.register(gate, 0 if answers is None else select.POLLIN)
    poller.register(heard, select.POLLIN)
    told = b""
    while not told:
        events = dict(poller.poll())
        if gate in events:
            order = os.read(gate, 1) if events[gate] & select.POLLIN else b""
            if not order:
                break
            if orders is None:
                _answer(answers, _obey_below(order, keeper))
            else:
                _write(orders, order)
        if heard in events:
            message = os.read(heard, _MESSAGE_BYTES)
            if message[:1] == _ENDED or not message:
                told = message or _ENDED
            else:
                _answer(answers, message[:1])
    with contextlib.suppress(ProcessLookupError):
        os.kill(keeper, signal.SIGKILL)  # and with it all its namespace
    own = os.waitpid(keeper, 0)[1]
    _end_all_children()
    shutil.rmtree(scratch, ignore_errors=True)  # a killed gate does not
    _end_like(struct.unpack("=i", told[1:])[0] if len(told) == _MESSAGE_BYTES else own)


def _answer(answers: int | None, word: bytes) -> None:
    if answers is not None:
        _write(answers, word)


def keep(model: int, told: int, ordered: int) -> NoReturn:
    """The keeper's whole life: reap, obey, and tell how the model ended.

    Args:
        model: The model's process.
        told: Where the supervisor hears answers, and at last that end.
        ordered: Where orders come from.
    """
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poller = select.poll()
    for end in (woken, ordered):
        poller.register(end, select.POLLIN)
    while True:
        _reap(model, told)
        for end, _ in poller.poll():
            if end == woken:
                os.read(woken, 512)
                continue
            order = os.read(ordered, 1)
            if not order:
                poller.unregister(ordered)  # the supervisor is gone, and soon this process is
            elif order in _SIGNALS:
                os.write(told, _obey_all(order) + bytes(4))


def _reap(model: int, told: int) -> None:
    child = -1
    while child:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if child == model:
            os.write(told, _ENDED + struct.pack("=i", status))
            os._exit(0)


def _obey_all(order: bytes) -> bytes:
    """Do what is ordered with all others of this process's own PID namespace."""
    return _obey(order, _all_others, -1)


def _obey_below(order: bytes, keeper: int) -> bytes:
    """Do what is ordered with what the keeper has started, where there is no PID namespace."""
    return _obey(order, lambda: _below(keeper), None)


def _obey(order: bytes, list_them: Callable[[], list[int] | None], to_all: int | None) -> bytes:
    """Stop, or go on with, the processes that `list_them` finds.

    Signals come one after the other: before it stopped, a process may have started another, or
    woken one that had stopped. So they are sent until two looks find the same ones, all stopped.

    Args:
        order: What to do.
        list_them: Looks for them; None where the system does not list them.
        to_all: What one signal to all of them is sent to, if there is such a thing.
    """
    calm = None
    for _ in range(_TRIES):
        if to_all is not None and order in _SIGNALS:
            _signal(to_all, _SIGNALS[order])
        found = list_them() if order in _SIGNALS else None
        if found is None:
            return _REFUSED
        for process in found if to_all is None else ():
            _signal(process, _SIGNALS[order])
        if order != _STOP:
            return _DONE
        stopped = found if all(map(_has_stopped, found)) else None
        if stopped is not None and stopped == calm:
            return _DONE
        calm = stopped
        time.sleep(0.001)
    return _REFUSED


def _all_others() -> list[int] | None:
    """The other processes of the PID namespace; None where `/proc` shows another one's."""
    try:
        if Path("/proc/self").resolve().name != str(os.getpid()):
            return None
        return sorted(int(one.name) for one in Path("/proc").glob("[0-9]*") if one.name != "1")
    except OSError:
        return None


def _below(keeper: int) -> list[int] | None:
    """The processes that come of this one but the keeper; None where the system does not list them.

    Those whose parent has ended are this process's own children: it is their subreaper.
    """
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            parents[int(stat.parent.name)] = int(stat.read_bytes().rpartition(b")")[2].split()[1])
    if os.getpid() not in parents:
        return None
    found, more = {os.getpid()}, {os.getpid()}
    while more:
        more = {child for child, parent in parents.items() if parent in found} - found
        found |= more
    return sorted(found - {os.getpid(), keeper})


def _has_stopped(process: int) -> bool:
    """Whether all its threads have: the first may have ended before the others."""
    states = []
    for stat in Path("/proc", str(process)).glob("task/[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            states.append(stat.read_bytes().rpartition(b")")[2].split()[0])
    return all(state in (b"T", b"t", b"Z", b"X") for state in states)


def _end_all_children() -> None:
    for _ in range(200):
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        for child in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        time.sleep(0.005)


def _children() -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int(stat.read_bytes().rpartition(b")")[2].split()[1]) == os.getpid():
                yield int(stat.parent.name)


def _end_like(status: int) -> NoReturn:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if os.getpid() == 1:
            os._exit(128 + number)  # a container's first process cannot kill itself
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        time.sleep(1)
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)


def _write(end: int, words: bytes) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        os.write(end, words)


def _signal(process: int, number: int) -> None:
    with contextlib.suppress(OSError):  # it has ended
        os.kill(process, number)
