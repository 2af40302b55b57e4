"""How often a verdict at the margin is wrong, by how the queries were drawn and how many."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmarks.timing import machine
from gates.kernels.intervals import bootstrap_columns, design_weights
from gates.kernels.packed import Bools, Floats, Ints

SAMPLES = (200, 500, 1_000, 2_000)
POPULATION, ROUNDS, RESAMPLES = 20_000, 2_000, 999
PLAUSIBLE = (-0.3, 0.3)  # the gate's own: a severe loss, and as good a gain
CHANGES = ("dense", "sparse")
_PIECES = 20  # the rounds of one sample size are shared out to the cores in so many pieces


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of the population, what each stands for, and which were taken with certainty."""

    rows: Ints
    weights: Floats
    census: Bools


def head_and_tail(rng: np.random.Generator, traffic: Floats, n: int) -> Sample:
    """A quarter of the sample is the head, taken whole; the rest is drawn by traffic."""
    head = n // 4
    drawn = by_traffic(rng, traffic[head:], n - head)
    rows = np.concatenate((np.arange(head), head + drawn.rows))
    weights = np.concatenate((traffic[:head], drawn.weights))
    return Sample(rows, weights, np.arange(n) < head)


def by_traffic(rng: np.random.Generator, traffic: Floats, n: int) -> Sample:
    """Drawn with probability proportional to traffic, so that all stand for the same."""
    ends = np.cumsum(traffic)
    rows = np.searchsorted(ends, rng.random(n) * ends[-1])
    weights = design_weights(traffic[rows], n * traffic[rows] / ends[-1])
    return Sample(rows, weights, np.zeros(n, np.bool_))


def uniform(rng: np.random.Generator, traffic: Floats, n: int) -> Sample:
    """Each query as likely as the next, weighted by its traffic afterwards."""
    rows = rng.choice(traffic.size, n, replace=False)
    return Sample(rows, traffic[rows], np.zeros(n, np.bool_))


DESIGNS = {
    "head whole, tail by traffic": head_and_tail,
    "all by traffic": by_traffic,
    "uniform, weighted by traffic": uniform,
}


def main() -> None:
    """Print the rates of every design and size, and how long it took."""
    # Two processes that each start a thread for every core only get in each other's way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    started = time.perf_counter()
    work = [(n, piece) for n, piece in product(sorted(SAMPLES, reverse=True), range(_PIECES))]
    wrong: Counter[tuple[int, str, str]] = Counter()
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        for found in pool.map(_errors, work):
            wrong.update(found)
    print(f"\n### Calibration ({machine()})\n")
    print(
        f"{ROUNDS:,} rounds a row, {RESAMPLES} resamples, {POPULATION:,} queries with lognormal "
        f"traffic (σ = 1.5); {time.perf_counter() - started:.0f} s.\n"
    )
    columns = [f"{change}: {error}" for change in CHANGES for error in ("accepts", "rejects")]
    columns.append("sparse, bootstrap alone: accepts")
    print(f"| how drawn | n | {' | '.join(columns)} |")
    print(f"| --- | --- |{' --- |' * len(columns)}")
    for design, n in product(DESIGNS, SAMPLES):
        rates = [f"{wrong[n, design, column] / ROUNDS:.1%}" for column in columns]
        print(f"| {design} | {n:,} | {' | '.join(rates)} |")


def _errors(work: tuple[int, int]) -> Counter[tuple[int, str, str]]:
    """False accepts and rejects of one piece of the rounds of one sample size."""
    n, piece = work
    rounds = ROUNDS // _PIECES
    wrong: Counter[tuple[int, str, str]] = Counter()
    for seed in range(piece * rounds, (piece + 1) * rounds):
        rng = np.random.default_rng((n, seed))
        traffic = np.sort(rng.lognormal(0, 1.5, POPULATION))[::-1]
        changes = np.stack((_dense(rng), _sparse(rng)), axis=1)
        truths = np.average(changes, axis=0, weights=traffic)
        for design, draw in DESIGNS.items():
            sample = draw(rng, traffic, n)
            for plausible in (PLAUSIBLE, None):
                bounds = bootstrap_columns(
                    changes[sample.rows],
                    sample.weights,
                    resamples=RESAMPLES,
                    seed=seed,
                    census=sample.census,
                    plausible=plausible,
                )
                for change, truth, found in zip(CHANGES, truths, bounds, strict=True):
                    name = change if plausible else f"{change}, bootstrap alone"
                    # A margin of exactly the truth: a bound on the wrong side of it is an error.
                    wrong[n, design, f"{name}: accepts"] += bool(found.lower > truth)
                    wrong[n, design, f"{name}: rejects"] += bool(found.upper < truth)
    return wrong


def _dense(rng: np.random.Generator) -> Floats:
    """Every query changes: most gain a little, one in twenty loses a lot."""
    loses = rng.random(POPULATION) < 0.05
    loss, win = rng.beta(2, 3, POPULATION), rng.random(POPULATION) * 0.04
    return np.where(loses, -loss, win)


def _sparse(rng: np.random.Generator) -> Floats:
    """One query in a hundred loses 0.1 to 0.3, and nothing else changes."""
    loses = rng.random(POPULATION) < 0.01
    return np.where(loses, -rng.uniform(0.1, 0.3, POPULATION), 0.0)
