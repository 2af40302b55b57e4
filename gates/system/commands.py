"""Running a program to its end: output streamed and bounded, time limited, nothing left behind."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gates.system.interruption import checkpoint, deferred

__all__ = ["Finished", "clean", "kill_group", "last_lines", "run_streamed"]

_KEPT_BYTES = 1 << 20
_SLICE_SECONDS = 0.1
_CREDENTIALS = re.compile(r"//[^/@\s]+@")


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Attributes:
        returncode: Its exit code, negative for a signal; None when it ran out of time.
        output: The end of what it wrote (stdout and stderr as they came), at most 1 MiB.
    """

    returncode: int | None
    output: str

    @property
    def how(self) -> str:
        """The ending in words."""
        if self.returncode is None:
            return "it ran out of time"
        return f"exit code {self.returncode}"


def run_streamed(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None,
    timeout: float,
    progress: Callable[[str], None],
    pass_fds: Sequence[int] = (),
) -> Finished:
    """Run a program in its own process group, and end the whole group with it.

    Args:
        command: The program and its arguments.
        env: Its whole environment.
        cwd: Where it runs; None for here.
        timeout: Seconds it may take.
        progress: Told each line as it comes.
        pass_fds: Open files it inherits.

    Raises:
        KeyboardInterrupt: This process was interrupted.
        OSError: It could not be started.
    """
    deadline = time.monotonic() + timeout
    output = _Output(progress)
    with deferred():
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            pass_fds=pass_fds,
            start_new_session=True,
        )
        try:
            in_time = _drain(process, output, deadline)
        finally:
            if process.stdout is not None:
                process.stdout.close()
            kill_group(process)
    return Finished(process.returncode if in_time else None, output.text())


def _drain(process: subprocess.Popen[bytes], output: _Output, deadline: float) -> bool:
    if process.stdout is None:
        return True
    source = process.stdout.fileno()
    poller = select.poll()
    poller.register(source, select.POLLIN)
    open_ = True
    while True:
        checkpoint()
        if time.monotonic() > deadline:
            return False
        if not open_:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_SLICE_SECONDS)
        elif poller.poll(_SLICE_SECONDS * 1000):
            chunk = os.read(source, 1 << 16)
            output.feed(chunk)
            open_ = bool(chunk)
            continue
        # A background child may hold the pipe open for ever: the program's own end is the end.
        if process.poll() is not None:
            output.feed(b"")
            return True


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads its own group, and all who are still in that group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _Output:
    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._kept = bytearray()
        self._line = b""

    def feed(self, chunk: bytes) -> None:
        self._kept += chunk
        del self._kept[:-_KEPT_BYTES]
        *lines, self._line = (self._line + chunk).split(b"\n")
        if not chunk or len(self._line) > _KEPT_BYTES:
            lines.append(self._line)
            self._line = b""
        for line in lines:
            text = clean(line)[:1000].rstrip()
            if text:
                self._progress(text)

    def text(self) -> str:
        return clean(bytes(self._kept))


def clean(text: bytes | str) -> str:
    """Make what a foreign program wrote fit to show.

    Without control characters that could drive a terminal, without half surrogates, and without
    the credentials that index addresses may carry.
    """
    if isinstance(text, str):
        text = text.encode("utf-8", "replace")
    decoded = _CREDENTIALS.sub("//***@", text.decode("utf-8", "replace"))
    return "".join(c for c in decoded if c.isprintable() or c in "\n\t")


def last_lines(text: str, count: int = 15) -> str:
    """The last lines of a log, blank ones left out, each cut to 400 letters and indented by two."""
    lines = [line[:400] for line in text.splitlines() if line.strip()]
    return "\n".join(f"  {line}" for line in lines[-count:])
