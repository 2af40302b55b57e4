"""A child process on two pipes: every read and write has a deadline, its log is bounded."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from gates.commands import clean, kill_group
from gates.environments.frames import BadFrame, framed, payload_length

__all__ = ["Child", "Gone", "Late"]

_SLICE_SECONDS = 0.1
_TAIL_BYTES = 64 << 10
_GRACE_SECONDS = 2.0


class Gone(Exception):
    """The child has ended, or has closed its pipe."""


class Late(Exception):
    """The deadline has passed."""


class Child:
    """A started child that speaks frames on stdin and stdout.

    It leads its own session, and holds the read end of a lifeline: when this process ends, however
    it ends, the lifeline breaks and the child's supervisor ends the child.

    Args:
        command: The program and its arguments; the lifeline's descriptor is put after them.
        env: Its whole environment.
        cwd: Where it runs.
        first: The payload it is sent at once; small enough for a pipe to hold.

    Raises:
        OSError: It could not be started.
    """

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, first: bytes
    ) -> None:
        theirs, self._lifeline = os.pipe()
        try:
            self._process = subprocess.Popen(
                [*command, str(theirs)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(env),
                cwd=cwd,
                pass_fds=(theirs,),
                start_new_session=True,
                bufsize=0,
            )
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(theirs)
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin is not None and stdout is not None and stderr is not None  # noqa: S101, PT018
        self._in, self._out, self._err = stdin, stdout, stderr
        for stream in (stdin, stdout, stderr):
            os.set_blocking(stream.fileno(), False)
        with contextlib.suppress(BrokenPipeError):  # it has ended already: `exchange` will tell
            os.write(stdin.fileno(), framed(first))
        self._read = bytearray()
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
    def log(self) -> str:
        """The end of what it wrote to stderr, at most 64 KiB."""
        return clean(bytes(self._tail))

    def exchange(
        self, request: bytes | None, deadline: float, *, more_to_come: bool = False
    ) -> bytes:
        """Send one payload (or nothing) and wait for one.

        Args:
            request: The payload to send; None only waits.
            deadline: The `time.monotonic()` at which to give up.
            more_to_come: Whether another payload may follow at once, unasked.

        Raises:
            Late: The deadline passed.
            Gone: The child ended or closed its pipe.
            BadFrame: It wrote something that is not a frame, or that nobody asked for.
        """
        left = memoryview(b"" if request is None else framed(request))
        if request is not None and self._readable():
            self._take()
            raise BadFrame("it wrote to the gate's pipe without having been asked")
        while True:
            if len(self._read) >= 8 and len(self._read) >= 8 + payload_length(self._read):
                return self._take_payload(bool(left), more_to_come)
            if self._wait(deadline, writing=bool(left)):
                self._take()
            elif left:
                left = self._give(left)

    def _readable(self) -> bool:
        poller = select.poll()
        poller.register(self._out, select.POLLIN)
        return bool(poller.poll(0))

    def _wait(self, deadline: float, *, writing: bool) -> bool:
        """Wait until there is something to read (True) or, perhaps, room to write (False)."""
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise Late
        poller = select.poll()
        poller.register(self._out, select.POLLIN)
        if writing:
            poller.register(self._in, select.POLLOUT)
        events = poller.poll(min(remaining, _SLICE_SECONDS) * 1000)
        if not events and self._process.poll() is not None:
            raise Gone  # something it started may still hold the pipe open
        return any(descriptor == self._out.fileno() for descriptor, _ in events)

    def _take(self) -> None:
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(self._out.fileno(), 1 << 20)
            if not chunk:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_GRACE_SECONDS)
                raise Gone
            self._read += chunk

    def _give(self, left: memoryview) -> memoryview:
        try:
            return left[os.write(self._in.fileno(), left[: 1 << 20]) :]
        except BlockingIOError:
            return left
        except BrokenPipeError:
            return left[:0]  # it reads no more; what it says last, and its end, are still to come

    def _take_payload(self, unsent: bool, more_to_come: bool) -> bytes:
        end = 8 + payload_length(self._read)
        payload, rest = bytes(self._read[8:end]), len(self._read) - end
        del self._read[:end]
        if rest and not more_to_come:
            raise BadFrame(f"it wrote {rest} bytes after its answer")
        if unsent and not payload.startswith(b"json"):
            raise BadFrame("it answered before it had read the question")
        return payload

    def _drain_log(self) -> None:
        poller = select.poll()
        poller.register(self._err, select.POLLIN)
        while not self._stop.is_set() or poller.poll(0):
            if poller.poll(_SLICE_SECONDS * 1000):
                chunk = os.read(self._err.fileno(), 1 << 16)
                if not chunk:
                    break
                self._tail = (self._tail + chunk)[-_TAIL_BYTES:]

    def end(self) -> None:
        """End the child and all it started, and close every pipe. A second call does nothing."""
        if self._ended:
            return
        self._ended = True
        os.close(self._lifeline)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)
        kill_group(self._process)
        self._stop.set()
        self._drainer.join(_GRACE_SECONDS)
        for stream in (self._in, self._out, self._err):
            with contextlib.suppress(OSError):
                stream.close()
