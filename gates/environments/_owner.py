"""Whose a container is: a process of this machine, known again even when its id is given anew."""

from __future__ import annotations

import os
import platform
from pathlib import Path

__all__ = ["has_ended", "this_process"]


def this_process() -> str:
    """This process, in words that no other process shares."""
    return f"{_machine()} {os.getpid()} {_started(os.getpid())}"


def has_ended(owner: str) -> bool:
    """Whether a process of this machine has ended; of another machine's nothing is known."""
    machine, _, rest = owner.partition(" ")
    pid, _, started = rest.partition(" ")
    if machine != _machine() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # there is one, of another user
    return _started(int(pid)) != started


def _machine() -> str:
    """This boot of this machine, and the process ids' namespace; the machine's name elsewhere."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return platform.node().replace(" ", "-")


def _started(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty where that is not told."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
