"""Questions and answers in frames over two descriptors, each with a deadline."""

from __future__ import annotations

import contextlib
import os
import select
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping

from gates.domain.judging import Layer
from gates.environments.frames import MAX_FRAME_BYTES, BadFrame, framed, payload_length
from gates.system.interruption import checkpoint, deferred

__all__ = ["SLICE_SECONDS", "Exchange", "Late", "WorkerGone"]

SLICE_SECONDS = 0.1


class WorkerGone(Exception):
    """The other side has ended, or has closed its pipe."""


class Late(Exception):
    """The deadline has passed."""


class Exchange(ABC):
    """The gate's half of a conversation with a worker.

    Args:
        reads: The descriptor that answers come from, not blocking.
        writes: The descriptor that questions go to, not blocking.
    """

    def __init__(self, reads: int, writes: int) -> None:
        self._reads = reads
        self._writes = writes
        self._read = bytearray()

    @property
    def layers(self) -> Mapping[Layer, str]:
        """Layers that the gate itself gave it → why one is off, empty when it is on.

        Empty where the worker is to tell.
        """
        return {}

    @property
    @abstractmethod
    def pid(self) -> int:
        """The id, on its machine, of the process that leads the worker."""

    @property
    @abstractmethod
    def returncode(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""

    @property
    @abstractmethod
    def starved(self) -> bool:
        """Whether a process that may be the worker's was killed for want of memory."""

    @property
    @abstractmethod
    def log(self) -> str:
        """The end of what it wrote to stderr, at most 64 KiB."""

    @abstractmethod
    def pause(self, *, filtered: bool) -> str:
        """Stop the worker and all it started, until `resume`, so that it takes no processor time.

        Args:
            filtered: Whether the layer `system-calls` is on.

        Returns:
            Why that cannot be; empty when it has stopped, or has ended.
        """

    @abstractmethod
    def resume(self) -> None:
        """Let it go on."""

    @abstractmethod
    def end(self) -> None:
        """End the worker and all it started, and leave nothing. A second call does nothing."""

    @abstractmethod
    def _has_ended(self) -> bool:
        """Whether it has ended, although its pipe may still be open."""

    @abstractmethod
    def _await_end(self) -> None:
        """Give it, having closed its pipe, a moment to end."""

    def _feed(self, chunk: bytes) -> None:
        """Take in what was read."""
        self._read += chunk

    def exchange(
        self,
        request: bytes | None,
        deadline: float,
        *,
        most: int = MAX_FRAME_BYTES,
        more_to_come: bool = False,
    ) -> bytes:
        """Send one payload (or nothing) and wait for one.

        Args:
            request: The payload to send; None only waits.
            deadline: The `time.monotonic()` at which to give up.
            most: How long the answer may be.
            more_to_come: Whether another payload may follow at once, unasked.

        Raises:
            KeyboardInterrupt: The gate was interrupted.
            Late: The deadline passed.
            Gone: The worker ended or closed its pipe.
            TooLarge: It announced a longer answer, which is not read.
            BadFrame: It wrote something that is not a frame, or that nobody asked for.
        """
        with deferred():
            return self._exchanged(request, deadline, most, more_to_come=more_to_come)

    def _exchanged(
        self, request: bytes | None, deadline: float, most: int, *, more_to_come: bool
    ) -> bytes:
        left = memoryview(b"" if request is None else framed(request))
        if request is not None and self._readable():
            self._take()
            if self._read:
                raise BadFrame("it wrote to the gate's pipe without having been asked")
        while len(self._read) < 8 or len(self._read) < 8 + payload_length(self._read, most):
            readable, writable = self._wait(deadline, writing=bool(left))
            if readable:
                self._take()
            if writable and not self._read:
                left = self._give(left)
        return self._take_payload(bool(left), more_to_come)

    def _readable(self) -> bool:
        poller = select.poll()
        poller.register(self._reads, select.POLLIN)
        return bool(poller.poll(0))

    def _wait(self, deadline: float, *, writing: bool) -> tuple[bool, bool]:
        """Wait until there is something to read, or room to write, or a moment has passed."""
        checkpoint()
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise Late
        wanted = {self._reads: select.POLLIN}
        if writing:
            wanted[self._writes] = wanted.get(self._writes, 0) | select.POLLOUT
        poller = select.poll()
        for descriptor, mask in wanted.items():
            poller.register(descriptor, mask)
        events = dict(poller.poll(min(remaining, SLICE_SECONDS) * 1000))
        if not events and self._has_ended():
            raise WorkerGone  # something it started may still hold the pipe open
        readable = bool(events.get(self._reads, 0) & ~select.POLLOUT)
        return readable, writing and bool(events.get(self._writes, 0) & ~select.POLLIN)

    def _take(self) -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                chunk = os.read(self._reads, 1 << 20)
            except ConnectionError:
                chunk = b""
            if not chunk:
                self._await_end()
                raise WorkerGone
            self._feed(chunk)

    def _give(self, left: memoryview) -> memoryview:
        try:
            return left[os.write(self._writes, left[: 1 << 20]) :]
        except BlockingIOError:
            return left
        except ConnectionError:
            return left[:0]  # it reads no more; what it says last, and its end, are still to come

    def _take_payload(self, unsent: bool, more_to_come: bool) -> bytes:
        end = 8 + payload_length(self._read)
        with memoryview(self._read) as view:  # a slice of the bytes would be copied twice
            payload, rest = bytes(view[8:end]), len(view) - end
        del self._read[:end]
        if rest and not more_to_come:
            raise BadFrame(f"it wrote {rest} bytes after its answer")
        if unsent and not payload.startswith(b"json"):
            raise BadFrame("it answered before it had read the question")
        return payload
