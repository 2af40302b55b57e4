"""Bounds for bounded means against each other: errors, widths and seconds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.calibration import ALPHA, SEVERE
from benchmarks.populations import CHOSEN_BY
from benchmarks.timing import in_turn, machine
from gates.kernels.design import SampleDesign
from gates.kernels.mean_bounds import mean_bounds
from gates.kernels.packed import Floats

ROUNDS, SIZES = 400, (20, 50, 200, 1_000)


def main() -> None:
    """Print the table of widths and errors, and that of seconds."""
    names = list(BOUNDS)
    print(f"\n### Bounds on a mean, compared ({ROUNDS} rounds, worst −{SEVERE})\n")
    print("Errors in % (nominal 5), then the mean width in units of 1.645 sd / √n.\n")
    print(f"| population | n | {' | '.join(names)} |")
    print("|" + " --- |" * (len(names) + 2))
    for population in CHOSEN_BY:
        truth = population.truths(SEVERE)[1]
        spread = float(population.draw(np.random.default_rng(1), (1_000_000,)).std())
        for n in SIZES if spread > 1e-9 else ():
            values = population.draw(np.random.default_rng(n), (n, ROUNDS))
            unit = 1.645 * spread / np.sqrt(n)
            cells = []
            for bound in BOUNDS.values():
                lower = bound(values)
                width = float(np.mean(values.mean(axis=0) - lower)) / unit
                cells.append(f"{100 * np.mean(lower > truth + 1e-9):.1f} · {width:.2f}")
            print(f"| {population.name} | {n:,} | {' | '.join(cells)} |", flush=True)
    _seconds()


def _seconds() -> None:
    print(f"\n### Seconds for both ends ({machine()})\n")
    print("| queries × metrics | population | one bound |")
    print("|" + " --- |" * 3)
    for n, m in ((180, 5), (500, 10), (500, 50), (10_000, 10), (100_000, 10)):
        for population in (CHOSEN_BY[0], CHOSEN_BY[2], CHOSEN_BY[3]):
            values = population.draw(np.random.default_rng(n), (n, m))
            design = SampleDesign(np.ones(n))

            def bounds(values: Floats = values, design: SampleDesign = design) -> object:
                return mean_bounds(values, design, worst=-SEVERE, best=SEVERE)

            found = in_turn({"bound": bounds}, rounds=3)["bound"]
            print(f"| {n:,} × {m} | {population.name} | {found:.3f} |", flush=True)


def one_bound(values: Floats) -> Floats:
    """The product's own."""
    design = SampleDesign(np.ones(len(values)))
    found = mean_bounds(values, design, worst=-SEVERE, best=SEVERE, alpha=ALPHA)
    return np.array([one.lower for one in found])


def one_bound_in_full(values: Floats) -> Floats:
    """The product's own, in which the unseen query loses all there is to lose."""
    design = SampleDesign(np.ones(len(values)))
    found = mean_bounds(values, design, worst=-1.0, best=1.0, alpha=ALPHA)
    return np.array([one.lower for one in found])


def bootstrap_t(values: Floats) -> Floats:
    """Efron and Tibshirani's studentised bootstrap (1993, chapter 12), of even weights."""
    n, rounds = values.shape
    rng = np.random.default_rng(1)
    times = rng.multinomial(n, np.full(n, 1 / n), 999).astype(np.float64)
    centred = values - values.mean(axis=0)
    shift = times @ centred / n
    spread = np.sqrt(np.maximum(times @ centred**2 / n - shift**2, 0) / (n - 1))
    t = np.full((999, rounds), np.inf)
    np.divide(shift, spread, out=t, where=spread > 0)
    t[(spread == 0) & (shift == 0)] = 0.0
    high = np.partition(t, 949, axis=0)[949]
    error = values.std(axis=0, ddof=1) / np.sqrt(n)
    found: Floats = values.mean(axis=0) - np.where(error > 0, error * high, 0.0)
    return found


def anderson(values: Floats) -> Floats:
    """The least mean of any distribution within Massart's band (Anderson 1969)."""
    n = len(values)
    ordered = np.sort(values, axis=0)
    floor = np.minimum(-SEVERE, ordered[0])
    above = np.clip(np.arange(n, 0, -1) / n - np.sqrt(np.log(1 / ALPHA) / 2 / n), 0, 1)
    gaps = np.diff(np.vstack((floor, ordered)), axis=0)
    found: Floats = floor + (above[:, None] * gaps).sum(axis=0)
    return found


def bernstein(values: Floats) -> Floats:
    """Maurer and Pontil's empirical Bernstein bound (2009), for values from -.3 to 1."""
    n, room = len(values), np.log(2 / ALPHA)
    spread = np.sqrt(2 * values.var(axis=0, ddof=1) * room / n)
    found: Floats = values.mean(axis=0) - spread - 7 * room * (1 + SEVERE) / 3 / (n - 1)
    return found


def betting(values: Floats) -> Floats:
    """Waudby-Smith and Ramdas' bets with a predictable plug-in (JRSS B 2024), in order of arrival.

    One order, as drawn: the best of several would not be valid.
    """
    n, rounds = values.shape
    floor, scale = np.minimum(-SEVERE, values.min(axis=0)), 1 + SEVERE
    x = (values - floor) / scale
    seen = np.arange(1, n + 1)[:, None]
    means = (0.5 + np.cumsum(x, axis=0)) / (seen + 1)
    spreads = (0.25 + np.cumsum((x - means) ** 2, axis=0)) / (seen + 1)
    before = np.vstack((np.full((1, rounds), 0.25), spreads[:-1]))
    stakes = np.sqrt(2 * np.log(1 / ALPHA) / (n * before))
    low, high = np.zeros(rounds), x.mean(axis=0)
    for _ in range(25):
        middle = (low + high) / 2
        stake = np.minimum(stakes, 0.75 / np.maximum(middle, 1e-12))
        wealth = np.cumsum(np.log1p(stake * (x - middle)), axis=0).max(axis=0)
        ruled_out = wealth > np.log(1 / ALPHA)
        low, high = np.where(ruled_out, middle, low), np.where(ruled_out, high, middle)
    found: Floats = floor + low * scale
    return found


BOUNDS: dict[str, Callable[[Floats], Floats]] = {
    "one bound": one_bound,
    "one bound, worst −1": one_bound_in_full,
    "bootstrap-t": bootstrap_t,
    "betting": betting,
    "Anderson": anderson,
    "Bernstein": bernstein,
}


if __name__ == "__main__":
    main()
