"""Timing in turn, so that a machine that slows down slows everybody down."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

__all__ = ["in_turn", "machine"]


def in_turn(runs: Mapping[str, Callable[[], object]], *, rounds: int = 5) -> dict[str, float]:
    """Median wall seconds of each, all taken in turn, after one round that does not count.

    Args:
        runs: Name → what to run.
        rounds: How many rounds count.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for counted in (False, *[True] * rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if counted:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(found) for name, found in seconds.items()}


def machine() -> str:
    """The machine in a few words."""
    import os
    import platform

    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
