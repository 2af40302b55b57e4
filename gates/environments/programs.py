"""A program in the cage of a worker that is no model: a team's own tests.

It is launched as a model's worker is, by `worker.py`, which closes the cage and then starts the
program in its own place: with the interpreter that it is given, and the numbers of its two pipes
and the hello as arguments. It never runs outside the cage.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from gates.domain.judging import Layer
from gates.environments import _faults
from gates.environments._child import Child
from gates.environments._exchange import Late, WorkerGone
from gates.environments._idle import LIVING
from gates.environments._layers import lacking, layers_told
from gates.environments.frames import BadFrame, decode_message
from gates.environments.launching import Limits, start_child
from gates.errors import GatesError
from gates.system.commands import last_lines

__all__ = ["CagedProgram"]


class CagedProgram:
    """A program in a cage, asked over two pipes. After a fault it is ended, and says so again.

    Use `start`, and `close` it.

    Attributes:
        role: What messages call it.
    """

    def __init__(self, child: Child, limits: Limits, role: str) -> None:
        self._child = child
        self._limits = limits
        self.role = role
        self._layers: Mapping[Layer, str] | None = None
        self._fault: GatesError | None = None
        self._paused = False
        LIVING.add(self)

    @classmethod
    def start(
        cls,
        program: Path,
        python: Path,
        hello: Mapping[str, Any],
        limits: Limits,
        *,
        reads: Path,
        sees: Sequence[Path],
        role: str,
    ) -> Self:
        """Start a program; returns at once.

        Args:
            program: Its file.
            python: The interpreter that runs it; its environment is seen in the cage.
            hello: What it is told, as its last argument, beside what the cage needs to know.
            limits: What it may use.
            reads: A folder of which it must be able to read every file.
            sees: Files and folders that it sees besides; those that do not exist are left out.
            role: What messages call it.

        Raises:
            GatesError: It does not start.
        """
        cage = {
            "program": str(program),
            "shown": [str(one) for one in (program.parent, *sees) if one.exists()],
            "memory_bytes": limits.memory_mb << 20,
            "file_bytes": limits.file_mb << 20,
            "scratch_bytes": limits.scratch_mb << 20,
            "require": limits.require,
        }
        try:
            child = start_child(python, python, reads, {**hello, **cage})
        except OSError as error:
            raise GatesError(f"{role}: {python} does not start: {error.strerror}") from error
        return cls(child, limits, role)

    @property
    def log(self) -> str:
        """The end of what it wrote, at most 64 KiB."""
        return self._child.log

    def ask(self, request: bytes | None, seconds: float, *, most: int) -> bytes:
        """Send a payload and wait for one; nothing that comes back is believed yet.

        Args:
            request: What is sent; None only waits.
            seconds: How long it may take.
            most: How many bytes may come.

        Raises:
            GatesError: It died, hung, broke the protocol or lacks a layer that is required.
        """
        self._enter()
        return self._ask(request, seconds, most)

    def _enter(self) -> None:
        """Read the cage's own word, said before anything of the project has run."""
        if self._fault is not None:
            raise self._fault
        if self._layers is not None:
            return
        word = self._ask(None, self._limits.start_seconds, 1 << 20, more_to_come=True)
        try:
            layers = layers_told(decode_message(word) or {}, self._child.layers)
        except BadFrame:
            layers = None
        if layers is None:
            raise self._fail("broke the protocol: no proper first word")
        missing = lacking(self._limits.require, layers)
        if missing:
            raise self._fail(missing)
        self._layers = layers

    def _ask(
        self, request: bytes | None, seconds: float, most: int, *, more_to_come: bool = False
    ) -> bytes:
        if self._paused:
            self._child.resume()
            self._paused = False
        deadline = time.monotonic() + seconds
        try:
            return self._child.exchange(request, deadline, most=most, more_to_come=more_to_come)
        except Late as late:
            raise self._fail(f"said nothing for {seconds:g} s") from late
        except WorkerGone as gone:
            code, starved = self._child.returncode, self._child.starved
            self._child.end()
            _, how = _faults.ending(code, self._child.log, oom_killed=starved)
            raise self._fail(f"died: {how}") from gone
        except BadFrame as fault:
            raise self._fail(f"broke the protocol: {fault.what}") from fault

    def refuse(self, what: str) -> GatesError:
        """End it for what it sent; the error to raise.

        Args:
            what: What is wrong with that.
        """
        return self._fail(f"broke the protocol: {what}")

    def pause(self) -> str:
        """Take it off the processors until it is asked again; why not, empty when it is off."""
        if self._paused or self._fault is not None:
            return ""
        try:
            self._enter()
        except GatesError:
            return ""
        layers = self._layers or {}
        reason = self._child.pause(filtered=not layers.get("system-calls", "off"))
        self._paused = not reason
        return reason

    def close(self) -> None:
        """End it and all it started, and leave nothing of it."""
        if self._fault is None:
            self._fault = GatesError(f"{self.role}: their process has been closed")
        self._child.end()

    def _fail(self, what: str) -> GatesError:
        self._child.end()
        wrote = last_lines(self._child.log, count=8)
        self._fault = GatesError(
            f"{self.role}: their process {what}", advice=f"it wrote:\n{wrote}" if wrote else ""
        )
        return self._fault
