"""A child process on two pipes: every read and write has a deadline, its log is bounded."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from gates.environments import _faults
from gates.environments._exchange import SLICE_SECONDS, Exchange
from gates.environments.frames import framed
from gates.system.commands import clean, kill_group
from gates.system.interruption import deferred

__all__ = ["Child"]

_TAIL_BYTES = 64 << 10
_GRACE_SECONDS = 2.0
_OBEYS_SECONDS = 10.0


class Child(Exchange):
    """A started child that speaks frames on stdin and stdout.

    It leads its own session, and holds the read end of a lifeline: when this process ends, however
    it ends, the lifeline breaks and the child's supervisor ends the child. The supervisor takes
    orders through it as well, to stop the child and to let it go on.

    Args:
        command: The program and its arguments; the lifeline's descriptors are put after them.
        env: Its whole environment.
        cwd: Where it runs: its scratch folder, which is removed when it is ended.
        first: The payload it is sent at once; small enough for a pipe to hold.

    Raises:
        OSError: It could not be started.
    """

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, first: bytes
    ) -> None:
        theirs, self._lifeline = os.pipe()
        self._obeyed, answers = os.pipe()
        try:
            with deferred():
                self._process = subprocess.Popen(
                    [*command, f"{theirs},{answers}"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=dict(env),
                    cwd=cwd,
                    pass_fds=(theirs, answers),
                    start_new_session=True,
                    bufsize=0,
                )
        except BaseException:
            os.close(self._lifeline)
            os.close(self._obeyed)
            raise
        finally:
            os.close(theirs)
            os.close(answers)
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin is not None and stdout is not None and stderr is not None  # noqa: S101, PT018
        super().__init__(stdout.fileno(), stdin.fileno())
        self._in, self._out, self._err = stdin, stdout, stderr
        for stream in (stdin, stdout, stderr):
            os.set_blocking(stream.fileno(), False)
        with contextlib.suppress(BrokenPipeError):  # it has ended already: `exchange` will tell
            os.write(stdin.fileno(), framed(first))
        self._scratch = cwd
        self._oom_kills = _faults.oom_kills()
        self._ended = False
        self._stop = threading.Event()
        self._tail = bytearray()
        self._drainer = threading.Thread(target=self._drain_log, name="worker-log", daemon=True)
        self._drainer.start()

    @property
    def pid(self) -> int:
        """The process id of the child."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def starved(self) -> bool:
        """Whether the system killed some process for memory meanwhile."""
        return _faults.oom_kills() > self._oom_kills

    @property
    def log(self) -> str:
        """The end of what it wrote to stderr, at most 64 KiB."""
        return clean(bytes(self._tail))

    def pause(self, *, filtered: bool) -> str:
        """See `Exchange.pause`: a signal stops it, which timers of its own must not undo."""
        if not filtered:
            return "without the layer 'system-calls' its own timers could wake it"
        return self._order(b"S")

    def resume(self) -> None:
        """See `Exchange.resume`."""
        self._order(b"C")

    def _order(self, order: bytes) -> str:
        """Have the supervisor do something; why it did not, empty when it did."""
        if self._ended:
            return ""
        with deferred(), contextlib.suppress(BrokenPipeError):  # who has ended runs no more
            os.write(self._lifeline, order)
            poller = select.poll()
            poller.register(self._obeyed, select.POLLIN)
            if not poller.poll(_OBEYS_SECONDS * 1000):
                return f"its supervisor did not answer for {_OBEYS_SECONDS:g} s"
            if os.read(self._obeyed, 1) == b"N":
                return "this machine lists no processes, or they start faster than they are stopped"
        return ""

    def _has_ended(self) -> bool:
        return self._process.poll() is not None

    def _await_end(self) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)

    def _drain_log(self) -> None:
        poller = select.poll()
        poller.register(self._err, select.POLLIN)
        while not self._stop.is_set() or poller.poll(0):
            if poller.poll(SLICE_SECONDS * 1000):
                chunk = os.read(self._err.fileno(), 1 << 16)
                if not chunk:
                    break
                self._tail = (self._tail + chunk)[-_TAIL_BYTES:]

    def end(self) -> None:
        """End the child and all it started, close every pipe and remove its scratch folder."""
        if self._ended:
            return
        self._ended = True
        with deferred():
            os.close(self._lifeline)
            os.close(self._obeyed)
            self._await_end()
            kill_group(self._process)
            self._stop.set()
            self._drainer.join(_GRACE_SECONDS)
            for stream in (self._in, self._out, self._err):
                with contextlib.suppress(OSError):
                    stream.close()
            shutil.rmtree(self._scratch, ignore_errors=True)
