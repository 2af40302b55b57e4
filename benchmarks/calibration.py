"""How often a bound is wrong when the truth is exactly the margin, in every regime there is.

An *accept* is a lower bound above the truth, a *reject* an upper bound below it. A lower bound is
above a value when the p of "the mean is above it" is below alpha: no bound is solved for here, and
the answer is the bound's own.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.populations import CHOSEN_BY, HELD_OUT, Draw, Population, real
from benchmarks.timing import machine
from gates.kernels.design import SampleDesign, design_weights, units
from gates.kernels.mean_bounds import chance_mean_below, mean_bounds
from gates.kernels.packed import Bools, Floats, Ints
from gates.kernels.power import minimum_detectable_effect, queries_needed, standard_error

ROUNDS, ALPHA, SEVERE, MOST = 2_000, 0.05, 0.3, 1.0
SIZES = (10, 20, 35, 49, 50, 100, 200, 500, 1_000, 5_000)
POPULATION, POPULATIONS = 20_000, 100
_CELLS = 1 << 20
_PILOTS, _TRIES, _MARGIN, _LARGEST = 100, 20, 0.01, 20_000


def main() -> None:
    """Print every table, and how long they took."""
    started = time.perf_counter()
    for table in (independent, held_out, real_ones, designs, clusters, unjudged, better, planned):
        table()
    print(f"\n{machine()}; {time.perf_counter() - started:.0f} s.\n")


def independent() -> None:
    """Queries that all weigh the same, from the populations that the bound was chosen by."""
    _losses("Even weights: what the bound was chosen by", CHOSEN_BY)


def held_out() -> None:
    """The same from populations that had no part in the choice."""
    _losses("Even weights: held out", HELD_OUT)


def real_ones() -> None:
    """The same from differences of real rankers."""
    _losses("Even weights: real rankers' differences, resampled", real())


def _losses(title: str, populations: Sequence[Population]) -> None:
    columns = (
        "mean: accepts",
        "mean: rejects",
        "severe share",
        "together",
        "any of the three",
        "mean read as in full",
    )
    rows = []
    for population in populations:
        truths = population.truths(SEVERE)
        for n in SIZES:
            rates = _loss_rates(population, n, truths)
            rows.append((population.name, f"{n:,}", *(_rate(one, ROUNDS) for one in rates)))
    _print(title, ("population", "n", *columns), rows)


def _loss_rates(
    population: Population, n: int, truths: tuple[float, float, float, float]
) -> tuple[int, ...]:
    """Wrong bounds: mean's lower and upper, severe share's, of losses in full, any of the three.

    Last, the mean's lower bound held against what it does not claim: the mean of losses in full.
    """
    full, losses_cut, gains_cut, share = truths
    rng = np.random.default_rng((n, *population.name.encode()))
    wrong = np.zeros(6, np.int64)
    size = max(1, min(ROUNDS, _CELLS // n))
    for at in range(0, ROUNDS, size):
        values = population.draw(rng, (n, min(size, ROUNDS - at)))
        hit = (values <= -SEVERE).astype(np.float64)
        mean = _above(values, losses_cut, -SEVERE)
        few = _above(-hit, -share, -1.0)
        whole = _above(values, full, -MOST)
        wrong += (
            mean.sum(),
            _above(-values, -gains_cut, -SEVERE).sum(),
            few.sum(),
            whole.sum(),
            (mean | few | whole).sum(),
            _above(values, full, -SEVERE).sum(),
        )
    return tuple(int(one) for one in wrong)


def _above(values: Floats, truth: float, worst: float, design: SampleDesign | None = None) -> Bools:
    """Whether the lower bound of each column is above the truth, but for rounding, bool[m]."""
    design = design or SampleDesign(np.ones(len(values)))
    ends = (np.full(values.shape[1], one) for one in (truth, worst))
    return _below_alpha(values, design, *ends)


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


DESIGNS: dict[str, Callable[[np.random.Generator, Floats, int], Sample]] = {
    "head whole, tail by traffic": head_and_tail,
    "all by traffic": by_traffic,
    "uniform, weighted by traffic": uniform,
}


def _changes(rng: np.random.Generator) -> dict[str, tuple[Floats, float]]:
    """What may happen to the queries of a population sorted by traffic, and its worst."""
    size = (POPULATION,)
    dense, gains, jitter = (CHOSEN_BY[place].draw(rng, size) for place in (0, 1, 2))
    head = np.arange(POPULATION) < POPULATION // 100
    return {
        "dense": (dense, -SEVERE),
        "5 % lose a lot": (gains, -SEVERE),
        "jitter, 1 % lose .3": (jitter, -SEVERE),
        "share .005": ((rng.random(size) < 0.005).astype(np.float64), 0.0),
        "share .05": ((rng.random(size) < 0.05).astype(np.float64), 0.0),
        "share .02 in the head, .3 below": (
            (rng.random(size) < np.where(head, 0.02, 0.3)).astype(np.float64),
            0.0,
        ),
    }


def designs() -> None:
    """Differences and shares by how the queries were drawn, against the population's traffic."""
    rows = []
    for sigma, n in ((1.5, 50), (1.5, 200), (1.5, 1_000), (0.8, 200), (0.8, 1_000)):
        wrong, uneven = _design_errors(sigma, n)
        for design in DESIGNS:
            rates = [wrong[design, name] for name in _changes(np.random.default_rng(0))]
            cells = [f"{_rate(a, ROUNDS)} / {_rate(b, ROUNDS)}" for a, b in rates]
            rows.append((design, f"{sigma}", f"{n:,}", f"{uneven[design]:.2f}", *cells))
    title = "Weights: accepts / rejects by how queries were drawn (lognormal traffic)"
    names = list(_changes(np.random.default_rng(0)))
    _print(title, ("design", "σ", "n", "n_eff / n", *names), rows)


def _design_errors(
    sigma: float, n: int
) -> tuple[dict[tuple[str, str], tuple[int, int]], dict[str, float]]:
    wrong: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    uneven: dict[str, float] = defaultdict(float)
    for number in range(POPULATIONS):
        rng = np.random.default_rng((number, n, round(10 * sigma)))
        traffic = np.sort(rng.lognormal(0, sigma, POPULATION))[::-1]
        changes = _changes(rng)
        values = np.stack([one for one, _ in changes.values()], axis=1)
        worst = np.array([one for _, one in changes.values()])
        best = np.where(worst < 0, SEVERE, 1.0)
        cut = np.where(worst < 0, np.maximum(values, worst), values)
        low = np.average(cut, axis=0, weights=traffic)
        high = np.average(np.minimum(values, best), axis=0, weights=traffic)
        for _ in range(ROUNDS // POPULATIONS):
            for design, draw in DESIGNS.items():
                sample = draw(rng, traffic, n)
                drawn = SampleDesign(sample.weights, sample.census)
                accepts = _below_alpha(values[sample.rows], drawn, low, worst)
                rejects = _below_alpha(-values[sample.rows], drawn, -high, -best)
                for name, a, b in zip(changes, accepts, rejects, strict=True):
                    before = wrong[design, name]
                    wrong[design, name] = before[0] + int(a), before[1] + int(b)
                own = sample.weights[~sample.census]
                uneven[design] += own.sum() ** 2 / (own @ own) / own.size / ROUNDS
    return wrong, uneven


def _below_alpha(values: Floats, design: SampleDesign, truth: Floats, worst: Floats) -> Bools:
    found = units(values, design)
    least = np.minimum(found.worst(np.inf), worst)
    # Where the estimate is the truth to the last bit, a bound may be too, and is right.
    chance = chance_mean_below(found, truth + 1e-12, least, near=ALPHA)
    below: Bools = chance < ALPHA
    return below


def clusters() -> None:
    """Near-duplicate queries drawn together, four by four, nine in ten of them alike."""
    rows = []
    for name in ("dense, scatter .17", "jitter .003, 1 % lose .3", "zeros, 1 % lose .3"):
        population = next(one for one in CHOSEN_BY if one.name == name)
        truth = population.truths(SEVERE)[0]
        for n in (40, 100, 200, 1_000):
            rng = np.random.default_rng((n, *name.encode()))
            shared = population.draw(rng, (n // 4, ROUNDS))
            own = population.draw(rng, (n, ROUNDS))
            # Nine rows in ten have their cluster's value: an intraclass correlation near .9.
            alike = rng.random((n, ROUNDS)) < np.sqrt(0.9)
            values = np.where(alike, np.repeat(shared, 4, axis=0), own)
            cells = []
            for cluster in (np.repeat(np.arange(n // 4), 4), None):
                design = SampleDesign(np.ones(n), cluster=cluster)
                cells.append(_rate(int(_above(values, truth, -SEVERE, design).sum()), ROUNDS))
                cells.append(_rate(int(_above(-values, -truth, -SEVERE, design).sum()), ROUNDS))
            rows.append((name, f"{n:,}", *cells))
    columns = ("accepts", "rejects", "accepts, clusters unknown", "rejects, clusters unknown")
    _print("Clusters of four, ICC .9", ("population", "n", *columns), rows)


def unjudged() -> None:
    """The pessimistic mean exactly at the margin: a tenth of the queries have open documents."""
    rows = []
    for population in (*CHOSEN_BY[:3], HELD_OUT[1]):
        gap = Population(population.name, _with_open(population))
        full, cut, _, _ = gap.truths(SEVERE)
        for n in (20, 50, 200, 1_000):
            rng = np.random.default_rng((n, *population.name.encode()))
            values = gap.draw(rng, (n, ROUNDS))
            wrong = (
                _above(values, cut, -SEVERE),
                _above(values, full, -SEVERE),
                values.mean(axis=0) > full,
            )
            cells = (_rate(int(one.sum()), ROUNDS) for one in wrong)
            rows.append((population.name, f"{n:,}", *cells))
    columns = ("accepts", "read as in full", "by the pessimistic mean alone")
    _print("Unjudged documents", ("population", "n", *columns), rows)


def _with_open(population: Population) -> Draw:
    return lambda rng, shape: population.draw(rng, shape) - _open(rng, shape)


def _open(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return np.where(rng.random(shape) < 0.1, 0.3 * rng.beta(2, 5, shape), 0.0)


def better() -> None:
    """The test of "better": p < .05 where the mean difference is 0, and far from symmetric."""
    rows = []
    for gain, share in ((0.3 * 0.05 / 0.95, 0.05), (0.3 * 0.01 / 0.99, 0.01), (0.3, 0.5)):
        name = f"{1 - share:.0%} gain {gain:.4f}, {share:.0%} lose .3"
        for n in (20, 50, 180, 500):
            rng = np.random.default_rng((n, round(1000 * share)))
            values = np.where(rng.random((n, ROUNDS)) < share, -0.3, gain)
            rows.append((name, f"{n:,}", _rate(int(_above(values, 0, -SEVERE).sum()), ROUNDS)))
    _print("The test of “better”, mean 0", ("population", "n", "p < .05"), rows)


def planned() -> None:
    """How often an equal version keeps the margin with what is printed beside an interval.

    A pilot of the population says how many queries it takes, or which margin it can tell; samples
    of the population itself then try that.
    """
    rows = []
    kinds = (CHOSEN_BY[0], CHOSEN_BY[6], HELD_OUT[1], HELD_OUT[5])
    for population in kinds:
        mean = population.truths(SEVERE)[0]
        for n in (50, 200, 1_000):
            rng = np.random.default_rng((n, *population.name.encode()))
            by_queries, by_margin = [], []
            for _ in range(_PILOTS):
                pilot = population.draw(rng, (n,)) - mean
                design = SampleDesign(np.ones(n))
                needed = queries_needed(pilot, design, _MARGIN, worst=-SEVERE)
                shape = (int(min(needed, _LARGEST)), _TRIES)
                by_queries.append(_kept(population.draw(rng, shape) - mean, _MARGIN))
                (bound,) = mean_bounds(pilot[:, None], design, worst=-SEVERE, best=SEVERE)
                error = standard_error(pilot, design, worst=-SEVERE)
                told = minimum_detectable_effect(bound.estimate - bound.lower, error)
                by_margin.append(_kept(population.draw(rng, (n, _TRIES)) - mean, told))
            cells = (
                f"{100 * np.mean(one):.0f} ±{200 * np.std(one) / np.sqrt(_PILOTS):.0f}"
                for one in (by_queries, by_margin)
            )
            rows.append((population.name, f"{n:,}", *cells))
    columns = (f"PASS at {_MARGIN:g} with n needed", "PASS at the margin that tells")
    print(f"\n### Planned ({_PILOTS} pilots a cell, {_TRIES} samples each, in %, aimed at 80)\n")
    _rows(("population", "queries of the pilot", *columns), rows)


def _kept(values: Floats, margin: float) -> float:
    return float(_above(values, -margin, -SEVERE).mean())


def _rate(wrong: int, rounds: int) -> str:
    """In percent with twice its Monte-Carlo standard error, marked where that is above nominal."""
    rate = wrong / rounds
    error = 2 * np.sqrt(max(rate * (1 - rate), 1 / rounds) / rounds)
    mark = " **!**" if rate - 2 * np.sqrt(ALPHA * (1 - ALPHA) / rounds) > ALPHA else ""
    return f"{100 * rate:.1f} ±{100 * error:.1f}{mark}"


def _print(title: str, columns: Iterable[str], rows: Iterable[Sequence[str]]) -> None:
    columns = tuple(columns)
    print(f"\n### {title} (%, {ROUNDS:,} rounds a cell, nominal {100 * ALPHA:.0f})\n")
    _rows(columns, rows)


def _rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print(f"| {' | '.join(columns)} |")
    print("|" + " --- |" * len(columns))
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
