"""`scripts/bench [NAME …]`: run benchmarks and print their tables as Markdown."""

from __future__ import annotations

import argparse
import importlib


def main() -> None:
    """Run the named benchmarks, or all of them."""
    names = (
        "verdict",
        "evidence",
        "environments",
        "bisection",
        "metrics",
        "rankings",
        "streaming",
        "calibration",
        "bounds",
        "perturbations",
        "serving",
    )
    parser = argparse.ArgumentParser(prog="scripts/bench", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    chosen = parser.parse_args().names or names
    if unknown := set(chosen) - set(names):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    for name in chosen:
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
