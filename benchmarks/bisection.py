"""How long `gates lock bisect` takes to find a stemmer among harmless upgrades, cache empty."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.timing import machine
from gates.bisection import Tolerance, bisect
from gates.environments.cache import EnvironmentCache
from gates.environments.launching import Limits
from gates.golden import read_golden
from gates.locks.lock import read_installable
from tests.bisection.shop import build_model, write_golden

CASE = Path(__file__).parents[1] / "tests" / "bisection"


def main() -> None:
    """Print what was found, how long it took, and how much of it was building environments."""
    old, new = (CASE / f"{name}-requirements.txt" for name in ("old", "new"))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        # The model is built beforehand, in an environment of another cache.
        environment = EnvironmentCache(folder / "building").ensure(read_installable(old))
        model = build_model(folder / "model", environment)
        golden = read_golden(write_golden(folder / "golden"))
        started = time.perf_counter()
        found = bisect(
            model,
            old,
            new,
            golden,
            cache=EnvironmentCache(folder / "cache"),
            limits=Limits(),
            tolerance=Tolerance(),
            state_file=folder / "state.json",
            progress=lambda *_: None,
        )
        took = time.perf_counter() - started
    print(f"\n### Bisecting an upgrade ({machine()})\n")
    print("| found | tests | environments built | seconds |")
    print("| --- | --- | --- | --- |")
    print(f"| {found.sentence} | {len(found.trials)} | {found.built} | {took:.1f} |")
