"""`latency`: how long answers take and how much memory they need, beside the champion's.

Both versions run in workers that no other check has asked. They are asked the same requests in
turns, so that a machine that slows down slows both.

    requests.py    requests as production makes them, asked in turns
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from gates.card.card import CheckSpec, MetricSpec
from gates.checks import Check
from gates.checks.latency.requests import Requests, TimedRequests, time_in_turns
from gates.domain.exhibits import Cell, Table
from gates.domain.judging import Measurement
from gates.domain.subject import CheckPlan, Columns, Subject
from gates.domain.tasks import AnswerForm
from gates.errors import NoChampion
from gates.kernels.latency import QuantileInterval, least_n, quantile_bounds, quantile_ratio
from gates.kernels.packed import Floats

__all__ = ["CHECK"]

_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_SPEED = "rows-per-second@"
_MIB = 1 << 20
_RATIO = "× champion"
# Shares of the seconds at which warming up, and asking single queries, end.
_WARM, _ASKED = 0.1, 0.8


class LatencyOptions(BaseModel):
    """Options of the latency check.

    Attributes:
        requests: Requests of one query each, drawn from the golden queries by traffic.
        warmup: Requests before them that do not count.
        batches: Sizes of further requests, in rows, for the throughput.
        repeats: How many requests of each size.
        seconds: What all answers of both versions may take together; then fewer are asked. While
            the machine is not steady, further requests are asked within it.
        steady: By which factor the champion's median, and the candidate's time over the champion's,
            may change from one eighth of the requests to another.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests: int = Field(default=400, ge=10, le=100_000)
    warmup: int = Field(default=20, ge=1, le=10_000)
    batches: tuple[int, ...] = (1, 7, 64)
    repeats: int = Field(default=30, ge=5, le=10_000)
    seconds: float = Field(default=20.0, gt=0, le=3600)
    steady: float = Field(default=1.25, gt=1)


def _measure(subject: Subject, plan: CheckPlan[LatencyOptions]) -> Iterator[Measurement | Table]:
    timed = _time(subject, plan)
    found = [*timed.quantiles(), *timed.speeds(), *_memory(subject, timed.asked)]
    yield from found
    yield timed.exhibit()
    if subject.champion is None and any(one.endswith(".ratio") for one in plan.metrics):
        raise NoChampion


def _time(subject: Subject, plan: CheckPlan[LatencyOptions]) -> _Timed:
    options = plan.options
    arms, requests = (subject.candidate, subject.champion), Requests(subject.golden, subject.seed)

    def ask(frames: Iterator[Columns], wanted: int, seconds: float) -> TimedRequests:
        return time_in_turns(*arms, frames, wanted, seconds, seed=subject.seed)

    count, end = options.warmup, options.seconds
    spent = ask(requests.queries(count), count, _WARM * end).seconds
    count = options.requests
    single = ask(requests.queries(count), count, _ASKED * end - spent)
    tried, more = single.new.size, count // 2
    # A spell of other work passes: the latest requests are taken, as long as there is time.
    while single.unsteady(options.steady) and spent + single.seconds < _ASKED * end:
        left = _ASKED * end - spent - single.seconds
        single = single.followed_by(ask(requests.queries(more), more, left))
        tried += more
    spent += single.seconds
    asked = [int(one.removeprefix(_SPEED)) for one in plan.metrics if one.startswith(_SPEED)]
    sizes = sorted({*options.batches, *asked})
    sized: dict[int, TimedRequests] = {}
    for at, rows in enumerate(sizes):
        share = (end - spent) / (len(sizes) - at)
        sized[rows] = ask(requests.batches(rows, options.repeats), options.repeats, share)
        spent += sized[rows].seconds
    return _Timed(single, sized, options, tried)


@dataclass(frozen=True, slots=True, eq=False)
class _Timed:
    """All times, and what they come to.

    Attributes:
        tried: How many single requests were asked to get those that count.
    """

    single: TimedRequests
    sized: dict[int, TimedRequests]
    options: LatencyOptions
    tried: int

    @property
    def asked(self) -> int:
        """Requests that each version answered, those of warming up left out."""
        return sum(int(one.new.size) for one in (self.single, *self.sized.values()))

    def quantiles(self) -> Iterator[Measurement]:
        """Quantiles of one query's time, and their ratios to the champion's."""
        new, old = self.single.new, self.single.old
        unsteady = self._unsteady()
        for name, q in _QUANTILES.items():
            missing = unsteady or _too_few(self.single, name, q)
            found = quantile_bounds(new, q)
            yield self._measured(name, found, "ms", missing)
            if old is not None:
                ratio = quantile_ratio(new, old, q)
                both: dict[str, float | None] = {
                    "old": quantile_bounds(old, q).estimate,
                    "new": found.estimate,
                }
                yield self._measured(f"{name}.ratio", ratio, _RATIO, missing, both)

    def speeds(self) -> Iterator[Measurement]:
        """Rows a second in requests of each size, by the median request."""
        unsteady = self._unsteady()
        for rows, turns in self.sized.items():
            missing = unsteady or _too_few(turns, f"{rows} rows", 0.5)
            speed = _speed(turns.new, rows)
            name, n = f"{_SPEED}{rows}", int(turns.new.size)
            if missing:
                yield Measurement(name, None, n, "rows per second", reason=missing)
            else:
                yield Measurement(
                    name, speed.estimate, n, "rows per second", speed.lower, speed.upper
                )

    def exhibit(self) -> Table:
        """Old and new side by side, with intervals."""
        turns = self.single
        arms = [turns.new] if turns.old is None else [turns.old, turns.new]
        rows: list[list[Cell]] = []
        for name, q in _QUANTILES.items():
            ratio = []
            if turns.old is not None:
                found = quantile_ratio(turns.new, turns.old, q)
                enough = turns.new.size >= least_n(q)
                ratio = [_text(found) if enough else f"{found.estimate:.3g}"]
            shown = [_text(quantile_bounds(one, q)) for one in arms]
            rows.append([f"{name}, ms a query", *shown, *ratio, int(turns.new.size)])
        for size, sized in self.sized.items():
            shown = [_text(_speed(sized.new, size))]
            ratio = []
            if sized.old is not None:
                before = _speed(sized.old, size)
                ratio = [f"{_speed(sized.new, size).estimate / before.estimate:.3g}"]
                shown.insert(0, _text(before))
            what = f"rows a second, {size:,} at a time"
            rows.append([what, *shown, *ratio, int(sized.new.size)])
        compared = ["champion", "candidate", "candidate / champion"]
        columns = ["", *(compared if turns.old is not None else ["candidate"]), "requests"]
        return Table("Response times", columns, rows)

    def _measured(
        self,
        name: str,
        found: QuantileInterval,
        unit: str,
        missing: str,
        extra: dict[str, float | None] | None = None,
    ) -> Measurement:
        turns, n = self.single, int(self.single.new.size)
        if missing:
            return Measurement(name, None, n, unit, reason=missing, extra=extra or {})
        early = f"time was up after {n} of {turns.wanted} requests" if n < turns.wanted else ""
        return Measurement(
            name,
            found.estimate,
            n,
            unit,
            found.lower,
            found.upper,
            reason=early,
            extra=extra or {},
        )

    def _unsteady(self) -> str:
        """Why the machine cannot time anything, in words; empty when it can."""
        why = self.single.unsteady(self.options.steady)
        if not why:
            return ""
        return (
            f"the machine was not steady: {why}; of {self.tried:,} requests no "
            f"{self.single.new.size:,} in a row were better: gate it again when nothing else runs "
            "there, or raise the option 'seconds'"
        )


def _memory(subject: Subject, n: int) -> Iterator[Measurement]:
    """The most memory each process held by the end of n requests."""
    new = subject.candidate.peak_memory()
    unknown = "the {}'s Python cannot tell how much memory it has held"
    if new is None:
        yield Measurement("peak-memory", None, n, "MiB", reason=unknown.format("candidate"))
    else:
        yield Measurement("peak-memory", new / _MIB, n, "MiB")
    if subject.champion is None:
        return
    old = subject.champion.peak_memory()
    if new is None or old is None:
        why = unknown.format("candidate" if new is None else "champion")
        yield Measurement("peak-memory.ratio", None, n, _RATIO, reason=why)
    else:
        both = {"old": old / _MIB, "new": new / _MIB}
        yield Measurement("peak-memory.ratio", new / old, n, _RATIO, extra=both)


def _too_few(turns: TimedRequests, what: str, q: float) -> str:
    n, needed = int(turns.new.size), least_n(q)
    if n >= needed:
        return ""
    if n < turns.wanted:
        done = f"time was up after {n} of {turns.wanted} requests"
        return f"{done}, and {what} needs {needed}: raise the option 'seconds'"
    return f"{n} requests are too few for {what}, which needs {needed}: raise the option 'requests'"


def _speed(times: Floats, rows: int) -> QuantileInterval:
    """Rows a second of the median request: the slowest bound of its time is the lower one."""
    found = quantile_bounds(times, 0.5)
    fastest = float("inf") if found.lower == 0 else rows * 1000 / found.lower
    return QuantileInterval(rows * 1000 / found.estimate, rows * 1000 / found.upper, fastest)


def _text(found: QuantileInterval) -> str:
    upper = "∞)" if found.upper == float("inf") else f"{_short(found.upper)}]"
    return f"{_short(found.estimate)} [{_short(found.lower)}, {upper}"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:.3g}"


def _metrics() -> Iterator[MetricSpec]:
    for name in _QUANTILES:
        share = name[1:]
        yield MetricSpec(
            name, f"milliseconds within which {share} % of one-query requests are answered", "ms"
        )
        yield MetricSpec(f"{name}.ratio", "the same, candidate over champion", _RATIO)
    yield MetricSpec(
        "rows-per-second@{k}", "rows a second in requests of k rows", "rows per second"
    )
    yield MetricSpec("peak-memory", "most resident memory of the model's process, MiB", "MiB")
    yield MetricSpec("peak-memory.ratio", "the same, candidate over champion", _RATIO)


CHECK = Check(
    CheckSpec(
        name="latency",
        summary="how long answers take and how much memory they need, beside the champion's",
        answers=AnswerForm.SCORES | AnswerForm.LABELS,
        metrics=tuple(_metrics()),
        options=LatencyOptions,
    ),
    _measure,
)
