"""`gates diff` on a hundred million rows a file: rows read a second, and the peak of memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import machine

QUERIES, DOCUMENTS = 1_000_000, 100


def main() -> None:
    """Print how long three files of 100 million rows take; needs some 10 GB of disk."""
    with tempfile.TemporaryDirectory() as scratch:
        python = [sys.executable, "-m"]
        for name, size in (("warm-up", ("200", "20")), ("long", (str(QUERIES), str(DOCUMENTS)))):
            folder = Path(scratch) / name
            subprocess.run([*python, "benchmarks.longfiles", folder, *size], check=True)
        done = subprocess.run(
            [*python, "benchmarks.contestant", "three-files", str(Path(scratch) / "long"), "1"],
            check=True,
            capture_output=True,
            text=True,
        )
    found = json.loads(done.stdout.splitlines()[-1])
    seconds, rows = found["seconds"][0], 3 * QUERIES * DOCUMENTS
    print(f"\n### Three files of 100 million rows ({machine()})\n")
    print("| queries × documents | seconds | rows read a second | peak memory |")
    print("| --- | --- | --- | --- |")
    print(
        f"| {QUERIES:,} × {DOCUMENTS} | {seconds:.1f} | {rows / seconds / 1e6:.1f} million "
        f"| {found['megabytes']:,.0f} MB |"
    )
    print(f"<!-- {found['steps'][0]} -->")
