"""Frozen values every floor shares: measurements, bounds, outcomes, and the judge.

A check makes `Measurement`s and never judges. The card demands `Bound`s. `judge` puts the two
together, once a bound and run, and `decide` turns all judgements of a run into one verdict. Why a
judgement came out as it did is its `Cause`; its reason is for people, and nothing reads it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from gates.domain.installation import Installed
from gates.domain.waivers import Waiver

__all__ = [
    "Bound",
    "Cause",
    "EnvironmentFacts",
    "Judgement",
    "Layer",
    "Measurement",
    "ModelVersion",
    "Outcome",
    "Role",
    "Verdict",
    "decide",
    "deciding",
    "judge",
]

Role = Literal["candidate", "champion"]
Layer = Literal[
    "network",  # no network but its own loopback
    "files",  # sees only what it needs, and can write nowhere but in its scratch folder
    "processes",  # sees and can signal no process but its own
    "privileges",  # no capabilities, and no way to gain any
    "user",  # another user than the gate's
    "memory",  # a limit on memory
    "process-limit",  # a limit on how many processes it may have
    "file-size",  # a limit on what it writes
    "core-dumps",  # none
    "landlock",  # may open only what it needs, decided by the kernel whatever is mounted
    "system-calls",  # none of those that reach past namespaces
]
"""Isolation layers that a machine may or may not be able to give a worker."""


class Outcome(StrEnum):
    """What a bound, or a whole run, came to."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    FAIL = "FAIL"
    UNDECIDED = "UNDECIDED"

    @property
    def exit_code(self) -> int:
        """The process exit code that stands for this outcome: 0, 1 or 3."""
        return {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNDECIDED: 3}[self]


class Cause(StrEnum):
    """Why a judgement came out as it did, and with that how: each cause has one outcome."""

    WITHIN = "within"
    """The whole interval, or the exact value, is as demanded."""
    TEST_PASSED = "test-passed"
    """A test of the model's own passed."""
    OUTSIDE = "outside"
    """The whole interval, or the exact value, is not as demanded."""
    BREACH = "breach"
    """The candidate ran and broke its contract: rows, types, NaN."""
    TEST_FAILED = "test-failed"
    """A test of the model's own failed."""
    ASTRIDE = "astride"
    """The interval reaches past the bound."""
    UNJUDGED_DECIDE = "unjudged-decide"
    """Documents that nobody judged could put the value on either side of the bound."""
    NO_CHAMPION = "no-champion"
    """It compares, and nothing is in production to compare with."""
    NOT_RUN = "not-run"
    """The run left it out."""
    FAULT = "fault"
    """What was to measure or test could not run, or could not finish."""
    NOT_MEASURED = "not-measured"
    """There is no value."""
    NOTHING_COMPARED = "nothing-compared"
    """The value is of nothing: n = 0, or no query could have told a difference."""
    NOT_A_NUMBER = "not-a-number"
    """The value is NaN."""
    RANDOM_ORDER = "random-order"
    """The value is as demanded, and so would that of a random order be."""
    SKIPPED = "skipped"
    """A test of the model's own was skipped, or is expected to fail."""

    @property
    def outcome(self) -> Outcome:
        """What a judgement of this cause came to; whatever is neither of two is UNDECIDED."""
        if self in (Cause.WITHIN, Cause.TEST_PASSED):
            return Outcome.PASS
        if self in (Cause.OUTSIDE, Cause.BREACH, Cause.TEST_FAILED):
            return Outcome.FAIL
        return Outcome.UNDECIDED


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number with how far it can be trusted.

    Attributes:
        metric: Its name inside its check, such as `ndcg@10.delta`.
        value: The number; None when it could not be measured (`reason` says why).
        n: How many things it was measured over (queries, rows, perturbations, requirements).
        unit: What `value` counts, such as `nDCG` or `share of queries`.
        lower: One-sided 95 % lower bound, None when the value is exact.
        upper: One-sided 95 % upper bound, None when the value is exact.
        slice: `column=value`, or empty for the whole golden set.
        reason: Why there is no value, or what to know about it.
        cause: What decides, whatever the value: the model broke its contract while this was
            measured, it compares and nothing is in production, or it could not have moved
            whatever was compared. None where the value decides.
        pessimistic: What `value` would be for the worst that is still unknown of its data; None
            when nothing is. `lower` and `upper` allow for it already, and for chance besides.
        optimistic: What it would be for the best. A bound between the two hangs on what is
            unknown, however many queries there are.
        excused: What `value` would be without the queries that the card waives; None where it
            waives none.
        random_order: What `value` would be for a random order of the same documents: a bound that
            lets it through tells nothing. None where nobody knows, or the card says it may pass.
        extra: Further facts for the report, such as `n_eff`, `mde`, `old`, `new`.
    """

    metric: str
    value: float | None
    n: int
    unit: str
    lower: float | None = None
    upper: float | None = None
    slice: str = ""
    reason: str = ""
    cause: Literal[Cause.BREACH, Cause.NO_CHAMPION, Cause.NOTHING_COMPARED] | None = None
    pessimistic: float | None = None
    optimistic: float | None = None
    excused: float | None = None
    random_order: float | None = None
    extra: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bound:
    """What the card demands of one measurement.

    Attributes:
        check: The check's name, such as `ranking-diff`.
        metric: The measurement's name.
        minimum: The least acceptable value, or None.
        maximum: The greatest acceptable value, or None.
        slice: `column=value`, or empty for the whole golden set; `column=` where a whole column
            was asked for and no query has a value of it.
        advisory: True when it is shown but cannot block.
        waivers: What the card excuses of it, for a while.
    """

    check: str
    metric: str
    minimum: float | None = None
    maximum: float | None = None
    slice: str = ""
    advisory: bool = False
    waivers: tuple[Waiver, ...] = ()

    @property
    def id(self) -> str:
        """Its name in pytest and in the evidence: `check::metric[slice]`."""
        return f"{self.check}::{self.metric}" + (f"[{self.slice}]" if self.slice else "")

    @property
    def demand(self) -> str:
        """The demand in signs, such as `≥ -0.01`."""
        parts = []
        if self.minimum is not None:
            parts.append(f"≥ {self.minimum:g}")
        if self.maximum is not None:
            parts.append(f"≤ {self.maximum:g}")
        return " and ".join(parts)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One bound, judged.

    Attributes:
        bound: The demand.
        cause: Why it came out as it did.
        reason: The same in words, for people.
        measurement: What was judged; None where nothing was measured.
        outcome: What it came to, which follows from the cause.
    """

    bound: Bound
    cause: Cause
    reason: str
    measurement: Measurement | None = None
    outcome: Outcome = None  # type: ignore[assignment]  # set below; stored for who reads evidence

    def __post_init__(self) -> None:
        """Take the outcome from the cause; what was stored cannot contradict it.

        Raises:
            ValueError: It does.
        """
        outcome = self.cause.outcome
        if self.outcome not in (None, outcome):
            raise ValueError(f"it says {self.outcome}, but '{self.cause}' is {outcome}")
        object.__setattr__(self, "outcome", outcome)

    @property
    def is_waived(self) -> bool:
        """Whether a waiver keeps it from blocking; what did not run is excused by none."""
        if self.outcome is Outcome.PASS or self.cause is Cause.NOT_RUN or self.bound.advisory:
            return False
        if not self.bound.waivers:
            return False
        return any(not one.query for one in self.bound.waivers) or self._holds_without_waived()

    def _holds_without_waived(self) -> bool:
        m = self.measurement
        if self.cause is not Cause.OUTSIDE or m is None or m.excused is None:
            return False
        rest = replace(m, value=m.excused, lower=None, upper=None)
        return _against(self.bound, rest).outcome is Outcome.PASS


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of a run, and the sentences that explain it."""

    outcome: Outcome
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One registered version, resolved: it does not change under a running gate.

    Attributes:
        name: The registered model's name.
        version: The version number, as MLflow writes it.
        digest: `sha256:…` over the artifact tree.
        lock_digest: `sha256:…` of the lock in the artifact, or in a run of the one made for it
            after the fact; empty when it has none.
        run_id: The MLflow run that logged it; may be empty.
        tags: The version's `gates.*` tags, as they were when it was resolved.
    """

    name: str
    version: str
    digest: str
    lock_digest: str
    run_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        """Its MLflow URI, with the version spelled out."""
        return f"models:/{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    """What a version ran in.

    Attributes:
        key: The cache key (lock digest + Python + platform).
        python: The full Python version, such as `3.11.7`.
        platform: Operating system and machine.
        cached: True when it was found, False when it was built for this run.
        build_seconds: How long finding or building it took.
        layers: Isolation layers, each on (True) or off (False).
        encoding: `arrow` or `plain`.
        load_seconds: From starting the worker to its model being loaded.
        image: The id of the image that a container was built upon, `sha256:…`; empty for a virtual
            environment.
        lock: `sha256:…` of the lock it was built from.
        installer: What installed it, such as `uv 0.9.3`.
        distributions: What was installed, by name.
    """

    key: str
    python: str
    platform: str
    cached: bool
    build_seconds: float
    layers: Mapping[str, bool] = field(default_factory=dict)
    encoding: str = ""
    load_seconds: float = 0.0
    image: str = ""
    lock: str = ""
    installer: str = ""
    distributions: tuple[Installed, ...] = ()


def _interval(lower: float, upper: float) -> str:
    # Reasons keep the hyphen-minus of their numbers; reports give them proper signs.
    left = "(-∞" if math.isinf(lower) else f"[{lower:.4g}"
    right = "∞)" if math.isinf(upper) else f"{upper:.4g}]"
    return f"{left}, {right}"


def _as_text(measurement: Measurement) -> str:
    text = "?" if measurement.value is None else f"{measurement.value:.4g}"
    if measurement.lower is not None and measurement.upper is not None:
        text += f" {_interval(measurement.lower, measurement.upper)}"
    return f"{text} (n={measurement.n})"


# What there is to say where the check said nothing.
_UNSAID = {
    Cause.BREACH: "the model broke its contract",
    Cause.NO_CHAMPION: "there is no champion to compare with",
    Cause.NOT_MEASURED: "it could not be measured",
    Cause.NOTHING_COMPARED: "nothing was compared (n = 0)",
    Cause.NOT_A_NUMBER: "the measurement is NaN",
}


def judge(bound: Bound, measurement: Measurement | None) -> Judgement:
    """Judge one measurement against what the card demands of it.

    Where the measurement has an interval the interval decides: wholly inside the bound is PASS,
    wholly outside is FAIL, astride is UNDECIDED. An exact value decides by itself. Nothing
    measured, nothing compared and NaN are never a PASS. Where unjudged documents could put the
    value on either side of the bound, it is UNDECIDED whatever the interval says.

    Args:
        bound: The demand.
        measurement: What the check measured, or None when it yielded nothing of that name.
    """
    if measurement is None:
        if bound.slice.endswith("="):
            empty = f"no golden query has a value of '{bound.slice[:-1]}'"
            return Judgement(bound, Cause.NOTHING_COMPARED, empty)
        missing = "the check yielded no such measurement"
        return Judgement(bound, Cause.NOT_MEASURED, missing)
    cause = _undecidable(measurement)
    if cause is not None:
        return Judgement(bound, cause, measurement.reason or _UNSAID[cause], measurement)
    if open_ended := _left_open(bound, measurement):
        return Judgement(bound, Cause.UNJUDGED_DECIDE, open_ended, measurement)
    found = _against(bound, measurement)
    if found.outcome is Outcome.PASS and _random_order_passes(bound, measurement):
        # Slices may be so small, or so easy, that nothing could be lost there: the whole decides.
        return Judgement(bound, Cause.RANDOM_ORDER, _as_random(bound, measurement), measurement)
    return found


def _random_order_passes(bound: Bound, measurement: Measurement) -> bool:
    random = measurement.random_order
    if random is None or bound.slice:
        return False
    low, high = bound.minimum, bound.maximum
    return (low is None or random >= low) and (high is None or random <= high)


def _as_random(bound: Bound, measurement: Measurement) -> str:
    return (
        f"{_as_text(measurement)}, demanded {bound.demand}, but a random order of the same "
        f"documents would come to {measurement.random_order:.4g}, which is as demanded too"
    )


def _undecidable(measurement: Measurement) -> Cause | None:
    """What keeps a measurement from being held against any bound."""
    if measurement.cause is not None:
        return measurement.cause
    if measurement.value is None:
        return Cause.NOT_MEASURED
    if measurement.n == 0:
        return Cause.NOTHING_COMPARED
    return Cause.NOT_A_NUMBER if math.isnan(measurement.value) else None


def _left_open(bound: Bound, measurement: Measurement) -> str:
    """Why unjudged documents decide a bound, in words; empty when they do not."""
    worst, best = measurement.pessimistic, measurement.optimistic
    if worst is None or best is None:
        return ""
    worst, best = sorted((worst, best))
    for limit in (bound.minimum, bound.maximum):
        if limit is not None and worst < limit < best:
            return (
                f"the unjudged documents decide: their grades could make it anything from "
                f"{worst:.4g} to {best:.4g}, and {limit:g} lies between; judge those listed, or "
                "say that they count as irrelevant"
            )
    return ""


def _against(bound: Bound, measurement: Measurement) -> Judgement:
    """A value that can be judged, by its interval where it has one."""
    value = measurement.value
    assert value is not None  # noqa: S101 - else it could not be judged
    lower = value if measurement.lower is None else measurement.lower
    upper = value if measurement.upper is None else measurement.upper
    exact = lower == upper
    low, high = bound.minimum, bound.maximum
    text = f"{_as_text(measurement)}, demanded {bound.demand}"
    below = low is not None and upper < low
    above = high is not None and lower > high
    if below or above:
        return Judgement(bound, Cause.OUTSIDE, text, measurement)
    above_minimum = low is None or (lower >= low if exact else lower > low)
    below_maximum = high is None or (upper <= high if exact else upper < high)
    if above_minimum and below_maximum:
        return Judgement(bound, Cause.WITHIN, text, measurement)
    astride = f"{text}: the interval {_interval(lower, upper)} reaches past the bound"
    return Judgement(bound, Cause.ASTRIDE, astride, measurement)


def deciding(judgements: Iterable[Judgement]) -> tuple[Judgement, ...]:
    """The judgements that keep a run from a PASS: its required FAILs, else its UNDECIDEDs.

    What is waived keeps none.
    """
    required = [one for one in judgements if not (one.bound.advisory or one.is_waived)]
    for outcome in (Outcome.FAIL, Outcome.UNDECIDED):
        found = tuple(one for one in required if one.outcome is outcome)
        if found:
            return found
    return ()


def decide(judgements: Iterable[Judgement]) -> Verdict:
    """Turn the judgements of a run into its verdict.

    Any required FAIL makes FAIL; else any required UNDECIDED makes UNDECIDED; else PASS. What is
    waived counts as not required. A run in which nothing was required is UNDECIDED: a gate that
    asked nothing has no opinion.

    Args:
        judgements: Every judgement of the run, advisory ones included.

    Returns:
        The verdict; its reasons are those of the judgements that made it.
    """
    every = tuple(judgements)
    found = deciding(every)
    if found:
        return Verdict(found[0].outcome, tuple(f"{j.bound.id}: {j.reason}" for j in found))
    waived = sum(one.is_waived for one in every)
    required = sum(not one.bound.advisory for one in every) - waived
    if not required:
        return Verdict(Outcome.UNDECIDED, ("no required bound was judged",))
    if waived:
        verb = "is" if waived == 1 else "are"
        return Verdict(
            Outcome.PASS, (f"{required} required bounds hold, and {waived} {verb} waived",)
        )
    return Verdict(Outcome.PASS, (f"all {required} required bounds hold",))
