"""The main numbers of a gate, as its summary has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gates.report.text import number
from gates.service.store.values import Job

__all__ = ["Number", "numbers_of"]


@dataclass(frozen=True, slots=True)
class Number:
    """A measurement over the whole golden set.

    Attributes:
        check: Its check; empty when the summary does not say.
        value: Its value; None when it could not be measured.
        low: The lower end of its interval; None when that is open or the value is exact.
        high: The upper end.
        n: How many queries it rests on; None when that is not said.
        outcome: What its bound made of it.
    """

    check: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    outcome: str

    @property
    def name(self) -> str:
        """Check and metric, as the summary writes them."""
        return f"{self.check}/{self.metric}" if self.check else self.metric

    @property
    def interval(self) -> str:
        """Its interval, open ends as ∞; empty when the value is exact."""
        if self.low is None and self.high is None:
            return ""
        left = "(−∞" if self.low is None else f"[{number(self.low)}"
        right = "∞)" if self.high is None else f"{number(self.high)}]"
        return f"{left}, {right}"


def numbers_of(job: Job) -> tuple[Number, ...]:
    """The main numbers of a job, the first one first; what is no number is left out."""
    listed = job.summary.get("metrics")
    found = []
    for one in listed if isinstance(listed, list) else []:
        if not isinstance(one, Mapping):
            continue
        check, slash, metric = str(one.get("name", "?")).partition("/")
        n = _finite(one.get("n"))
        found.append(
            Number(
                check if slash else "",
                metric if slash else check,
                _finite(one.get("value")),
                _finite(one.get("low")),
                _finite(one.get("high")),
                None if n is None else round(n),
                str(one.get("outcome", "")),
            )
        )
    return tuple(found)


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
