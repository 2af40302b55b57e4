"""A gate's process, watched: how far it is, whether it may go on, and what came of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from gates.run.request import RunRequest
from gates.system.json_files import json_value

__all__ = ["GateProgress", "JobGone", "Phase", "Running", "watch"]

Phase = Literal["started", "built", "measured", "ended"]

_ORDER: tuple[Phase, ...] = ("started", "built", "measured", "ended")
_SECRET = ("GATES_SERVE_", "GATES_WEBHOOK_", "GATES_NOTIFY_")
_LOG_BYTES = 1 << 20
_LOG_END = 2_000  # characters
_LINE = 1 << 20
_KILLED_AFTER = 5.0


class JobGone(BaseException):
    """The service stops, or the job is no longer ours: nothing more is to be done or noted here.

    No `Exception`, so that the durable workflow stays unfinished and is gone on with elsewhere.
    """


@dataclass(slots=True)
class GateProgress:
    """What a gate's process has told so far.

    Attributes:
        phase: How far it is.
        progress: What it is doing, in words.
        bounds: How many bounds there are.
        judged: How many are judged.
        missing: Checks that have not run yet.
        ended: What came of it; empty until it ended.
    """

    phase: Phase = "started"
    progress: str = ""
    bounds: int = 0
    judged: int = 0
    missing: set[str] = field(default_factory=set)
    ended: Mapping[str, Any] = field(default_factory=dict)


class Running:
    """One gate's process.

    Args:
        request: What it gates.
        lock: A file that one process at a time may hold for this run.
        log: Where its stderr goes; only its last mebibyte is kept.
    """

    def __init__(self, request: RunRequest, lock: Path, log: Path) -> None:
        self.told = GateProgress()
        self._changed = threading.Condition()
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "gates.service.child", str(lock)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={
                    name: value
                    for name, value in os.environ.items()
                    if not name.startswith(_SECRET)
                },
                start_new_session=True,
            )
        assert self._process.stdin  # noqa: S101 - asked for above
        assert self._process.stdout  # noqa: S101 - asked for above
        with suppress(BrokenPipeError):
            self._process.stdin.write(request.to_json() + b"\n")
            self._process.stdin.flush()
        threading.Thread(
            target=self._listen, args=(self._process.stdout,), name="gates-child", daemon=True
        ).start()

    def wait(self, phase: Phase, seconds: float) -> bool:
        """Wait until it is as far as that, for some seconds at most.

        Args:
            phase: How far.
            seconds: How long to wait.

        Returns:
            Whether it is, or has ended.
        """
        with self._changed:
            return self._changed.wait_for(lambda: self._is_at(phase), seconds)

    def end(self) -> None:
        """End it, with all it started."""
        for number, patience in ((signal.SIGTERM, _KILLED_AFTER), (signal.SIGKILL, _KILLED_AFTER)):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
            break
        with suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()

    def log_end(self) -> str:
        """The end of what it wrote to stderr."""
        try:
            return self._log.read_bytes()[-4 * _LOG_END :].decode(errors="replace")[-_LOG_END:]
        except OSError:
            return ""

    def _is_at(self, phase: Phase) -> bool:
        return _ORDER.index(self.told.phase) >= _ORDER.index(phase)

    def _listen(self, stdout: IO[bytes]) -> None:
        with stdout:
            while line := stdout.readline(_LINE):
                with suppress(ValueError, TypeError, KeyError, AttributeError):
                    self._hear(json_value(line))
        code = self._process.wait()
        self._keep_log_short()
        with self._changed:
            if not self.told.ended:
                how = f"signal {-code}" if code < 0 else f"exit code {code}"
                self.told.ended = {
                    "error": f"the gate's process ended with {how}\n{self.log_end()}".strip(),
                    "kind": "Died",
                    "passing": False,
                }
            self.told.phase = "ended"
            self._changed.notify_all()

    def _hear(self, said: Mapping[str, Any]) -> None:
        with self._changed:
            told = self.told
            if "progress" in said:
                told.progress = str(said["progress"])
            if "opened" in said:
                told.bounds = int(said["opened"])
                told.missing = set(map(str, said["checks"]))
                told.phase = "built"
            if "measured" in said:
                told.missing.discard(str(said["measured"]))
                told.progress = f"measured {said['measured']}"
            if "judged" in said:
                told.judged += 1
                told.bounds = max(told.bounds, told.judged)  # own tests are judged beside them
                told.progress = f"judged {said['judged']}"
            if "ended" in said:
                told.ended = dict(said["ended"])
            if told.phase == "built" and not told.missing:
                told.phase = "measured"
            self._changed.notify_all()

    def _keep_log_short(self) -> None:
        with suppress(OSError):
            if self._log.stat().st_size > _LOG_BYTES:
                kept = self._log.read_bytes()[-_LOG_BYTES:]
                aside = self._log.with_name(self._log.name + ".tmp")
                aside.write_bytes(kept)
                aside.replace(self._log)


Progress = Callable[[GateProgress], bool]


def watch(
    running: Running, phase: Phase, *, until: float, told: Progress, stopping: Callable[[], bool]
) -> bool:
    """Watch a gate's process until it is as far as a phase.

    Args:
        running: The process.
        phase: How far.
        until: When its time is up, on the monotonic clock.
        told: Told about twice a second how far it is; says whether the job may go on.
        stopping: Whether the service stops.

    Returns:
        Whether it got there, or ended; else its time is up, or the job may not go on.

    Raises:
        Gone: The service stops; the process was ended.
    """
    while not running.wait(phase, 0.5):
        if stopping():
            running.end()
            raise JobGone
        if not told(running.told) or time.monotonic() > until:
            running.end()
            return False
    told(running.told)
    return True
