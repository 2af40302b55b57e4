"""Putting a name to how a worker failed."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gates.errors import FaultKind
from gates.system.commands import clean, last_lines

__all__ = ["BREACHES", "ending", "one_line", "oom_kills", "reported"]

_STARVED = ("MemoryError", "bad_alloc", "Cannot allocate memory", "Out of memory")
_SAID_BY_WORKERS: tuple[FaultKind, ...] = (
    "load-failed",
    "predict-failed",
    "out-of-memory",
    "wrong-rows",
    "wrong-order",
    "wrong-type",
)
BREACHES: tuple[FaultKind, ...] = ("wrong-rows", "wrong-order", "wrong-type")
"""What a worker says of an answer that it could not send: the model ran, and broke its contract."""


def ending(returncode: int | None, log: str, *, oom_killed: bool) -> tuple[FaultKind, str]:
    """The kind and the words for a worker that has ended without an answer.

    Args:
        returncode: As Popen gives it; None when it runs on but has closed its pipe.
        log: The end of what it wrote to stderr.
        oom_killed: True when the system killed some process for memory meanwhile.
    """
    if returncode is None:
        return "died", "it closed its pipe to the gate"
    if returncode < 0:
        how = f"it was killed by {_signal_name(-returncode)}"
        starved = returncode == -signal.SIGKILL and oom_killed
    else:
        how, starved = f"it exited with code {returncode}", False
    if starved or (returncode and any(words in last_lines(log) for words in _STARVED)):
        return "out-of-memory", how
    return "died", how


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def oom_kills() -> int:
    """How many processes the system has killed for want of memory since it started."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def one_line(text: str) -> str:
    """What a worker wrote, fit for a sentence of a report."""
    return " ".join(clean(text).split())[:500]


def reported(error: object) -> tuple[FaultKind, str, str]:
    """The kind, the words and the traceback of a fault that a worker reports of itself.

    A worker may write anything here: what is not one of the kinds a worker can know is a bad frame.
    """
    told: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
    kind = next((kind for kind in _SAID_BY_WORKERS if kind == told.get("kind")), None)
    texts = [told.get(key) for key in ("type", "message", "traceback")]
    if kind is None or not all(isinstance(text, str) for text in texts):
        return "bad-frame", "answered with an error report that cannot be read", ""
    name, message, trace = (clean(str(text)) for text in texts)
    message = one_line(message)
    if kind in BREACHES:
        return kind, message, trace
    return kind, f"{name[:80]}: {message}", trace
