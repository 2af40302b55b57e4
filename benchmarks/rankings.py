"""`gates diff` against ranx, pytrec_eval and ir_measures: the same files, in one run."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.timing import machine

SIZES = ((500, 50, 5), (10_000, 100, 3), (100_000, 100, 1))
NAMES = ("mlgates", "ranx", "pytrec_eval", "ir_measures", "floor")


def main() -> None:
    """Print how long each takes from three files to numbers, and how much memory at the most."""
    print(f"\n### Two long rankings, from files to numbers ({machine()})\n")
    print("| queries × documents | " + " | ".join(NAMES) + " | mlgates is faster by |")
    print("| --- |" + " --- |" * (len(NAMES) + 1))
    with tempfile.TemporaryDirectory() as scratch:
        _written(Path(scratch) / "warm-up", 200, 20)
        for queries, documents, rounds in SIZES:
            folder = Path(scratch) / f"{queries}x{documents}"
            _written(folder, queries, documents)
            _table(f"{queries:,} × {documents}", folder, rounds)
            if queries == SIZES[0][0]:
                whole = _whole_process(folder)
        print(f"\n`gates diff` at {SIZES[0][0]} × {SIZES[0][1]}, whole process: {whole:.2f} s.")


def _written(folder: Path, queries: int, documents: int) -> None:
    """Files from a process of their own: a child's peak of memory begins with its parent's."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.longfiles",
        str(folder),
        str(queries),
        str(documents),
    ]
    subprocess.run(command, check=True)


def _table(title: str, folder: Path, rounds: int) -> None:
    found = {name: _contest(name, folder, rounds) for name in NAMES}
    took = {name: statistics.median(one["seconds"]) for name, one in found.items()}
    cells = [f"{took[name]:.2f} s, {found[name]['megabytes']:,.0f} MB" for name in NAMES]
    ratios = [f"{took[name] / took['mlgates']:.1f} × {name}" for name in NAMES[1:4]]
    print(f"| {title} | " + " | ".join(cells) + f" | {', '.join(ratios)} |", flush=True)
    steps = found["mlgates"]["steps"][-1]
    told = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in steps.items())
    aligned = took["mlgates"] - steps.get("reading rows", 0.0)
    print(
        f"<!-- {title}: {told}; once aligned {aligned:.2f} s, "
        f"{aligned / took['floor']:.1f} × the floor -->",
        flush=True,
    )


def _contest(name: str, folder: Path, rounds: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.contestant", name, str(folder), str(rounds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _whole_process(folder: Path) -> float:
    command = [
        str(Path(sys.executable).parent / "gates"),
        "diff",
        str(folder / "old.parquet"),
        str(folder / "new.parquet"),
        "--judgments",
        str(folder / "judgments.parquet"),
        "--json",
    ]
    # Byte code is kept, as it is for whoever installs the package.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    seconds = []
    for counted in (False, True, True, True, True, True):
        started = time.perf_counter()
        subprocess.run(command, check=False, capture_output=True, env=env)
        if counted:
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
