"""How long a verdict takes: `gates run` on the demo's ranker, caches warm, as a whole process."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.timing import in_turn, machine
from gates.evidence.bundle import read_evidence

BIN = Path(sys.executable).parent


def main() -> None:
    """Print the wall time of a verdict and where it went, by the evidence of the last run."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "demo"
        started = time.perf_counter()
        subprocess.run(
            [BIN / "gates", "demo", folder, "--cache", Path(scratch) / "cache"],
            check=True,
            capture_output=True,
        )
        tour = time.perf_counter() - started
        options = ["--project", str(folder), "--cache", str(Path(scratch) / "cache")]
        options += ["--tracking-uri", f"sqlite:///{folder / '.gates' / 'mlflow.db'}"]

        def verdict() -> subprocess.CompletedProcess[str]:
            command = [str(BIN / "gates"), "run", "product-ranker/4", *options, "--json"]
            return subprocess.run(command, check=False, capture_output=True, text=True)

        took = in_turn({"verdict": verdict})["verdict"]
        evidence = read_evidence(Path(json.loads(verdict().stdout)["evidence"]))
    print(f"\n### A verdict ({machine()})\n")
    print("| what | seconds |")
    print("| --- | --- |")
    print(f"| `gates demo`, environments built, packages in uv's cache | {tour:.0f} |")
    print(f"| `gates run` on the demo ranker, caches warm, whole process | {took:.1f} |")
    for step in evidence.timings:
        name = "… to the verdict" if step.step == "total" else f"… {step.step}"
        print(f"| {name} | {step.seconds:.2f} |")
    for role, facts in evidence.environments.items():
        print(f"| … {role}: environment found | {facts.build_seconds:.3f} |")
        print(f"| … {role}: worker ready (both side by side) | {facts.load_seconds:.2f} |")
    for record in evidence.records:
        print(f"| … {record.check} | {record.seconds:.2f} |")
