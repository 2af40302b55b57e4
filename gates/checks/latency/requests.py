"""Requests as production makes them, asked of both versions in turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gates.domain.subject import Arm, Columns, GoldenSet
from gates.errors import GoldenError
from gates.kernels.latency import quantile_bounds
from gates.kernels.packed import Floats, Ints, offsets

__all__ = ["Requests", "TimedRequests", "time_in_turns"]

_PARTS = 8


@dataclass(frozen=True, slots=True, eq=False)
class TimedRequests:
    """What each request took.

    Attributes:
        new: float64[n], the candidate's milliseconds, in the order of asking.
        old: float64[n], the champion's, of the same requests; None without a champion.
        wanted: How many requests there were to be; more than n when time was up.
        seconds: What all answers took together.
    """

    new: Floats
    old: Floats | None
    wanted: int
    seconds: float

    def followed_by(self, more: TimedRequests) -> TimedRequests:
        """As many of the latest requests as there were, once more have been asked."""
        n = self.new.size
        old = None
        if self.old is not None and more.old is not None:
            old = np.concatenate((self.old, more.old))[-n:]
        new = np.concatenate((self.new, more.new))[-n:]
        return TimedRequests(new, old, self.wanted, self.seconds + more.seconds)

    def unsteady(self, factor: float) -> str:
        """Why the machine could time nothing, in words; empty when it could.

        Args:
            factor: By how much the pace may change from one eighth of the requests to another.
        """
        paces = {"the candidate's median, in ms,": self.new}
        if self.old is not None:
            # A spell of other work beside one version only shows in the second.
            paces = {
                "the champion's median, in ms,": self.old,
                "candidate over champion": self.new / self.old,
            }
        for what, pace in paces.items():
            parts = [
                quantile_bounds(one, 0.5) for one in np.array_split(pace, min(_PARTS, pace.size))
            ]
            least, most = (pick(parts, key=lambda one: one.estimate) for pick in (min, max))
            if most.lower > factor * least.upper:
                return (
                    f"from one eighth of the requests to another, {what} went from "
                    f"{least.estimate:.3g} to {most.estimate:.3g}"
                )
        return ""


class Requests:
    """Frames drawn from a golden set: the same seed draws the same.

    Args:
        seed: The run's seed.

    Raises:
        GoldenError: The set has nothing that a model could be asked.
    """

    def __init__(self, golden: GoldenSet, seed: int) -> None:
        self._golden = golden
        self._rng = np.random.default_rng(seed)
        self._starts = offsets(golden.input_query, len(golden.query_id))
        self._traffic = np.where(np.diff(self._starts) > 0, golden.design_weight, 0.0)
        if not self._traffic.sum() > 0:
            what = "no golden query can be asked: there are no candidates to rank"
            raise GoldenError(what, path=golden.path)

    def queries(self, count: int) -> Iterator[Columns]:
        """Requests of one query each, drawn independently, as often as each stands for traffic.

        A model is given the query's candidates, or its text.

        Args:
            count: How many.
        """
        for query in self._drawn(count):
            yield self._golden.input_rows(np.arange(self._starts[query], self._starts[query + 1]))

    def batches(self, rows: int, count: int) -> Iterator[Columns]:
        """Requests of a given size: neighbouring candidate rows, or texts of drawn queries.

        Args:
            rows: Rows of each.
            count: How many.
        """
        n = len(self._golden.row_doc)
        for _ in range(count):
            if self._golden.manifest.task.has_candidates:
                yield self._golden.input_rows((self._rng.integers(n) + np.arange(rows)) % n)
            else:
                yield self._golden.input_rows(self._drawn(rows))

    def _drawn(self, count: int) -> Ints:
        chance = self._traffic / self._traffic.sum()
        return self._rng.choice(chance.size, count, p=chance).astype(np.int64)


def time_in_turns(
    candidate: Arm,
    champion: Arm | None,
    frames: Iterator[Columns],
    wanted: int,
    seconds: float,
    *,
    seed: int,
) -> TimedRequests:
    """Time each frame with both versions, one right after the other.

    Who begins is drawn, once for two frames in a row: each begins as often, and nothing that comes
    round on the machine keeps step with it.

    Args:
        candidate: The version under test.
        champion: The version in production.
        frames: What to ask; at least one frame.
        wanted: How many frames there are.
        seconds: Once all answers together have taken as long, no further frame is asked.
        seed: Of who begins.

    Raises:
        ModelFault: One of them could not answer.
    """
    arms: Sequence[Arm] = (candidate,) if champion is None else (candidate, champion)
    took: list[list[float]] = []
    spent, rng, begins = 0.0, np.random.default_rng(seed), False
    for turn, frame in enumerate(frames):
        if took and spent >= seconds:
            break
        begins = not begins if turn % 2 else bool(rng.integers(2))
        order = range(len(arms)) if begins else reversed(range(len(arms)))
        times = {at: arms[at].timed(frame) for at in order}
        took.append([times[at] * 1000 for at in range(len(arms))])
        spent += sum(times.values())
    columns = np.array(took).T
    return TimedRequests(columns[0], None if champion is None else columns[1], wanted, spent)
