"""The main numbers of a gate, for lists and trends that do not read its evidence."""

from __future__ import annotations

import json
from typing import Any

from gates.domain.judging import Judgement, Outcome
from gates.evidence.evidence import Evidence
from gates.report.moved_bar import in_brief
from gates.report.summary import outcome_of
from gates.report.text import clip

__all__ = ["compact_summary", "summary_of"]

_METRICS = 20
_REASONS = 10
_COMPACT_METRICS = 8
_COMPACT_REASONS = 3
_COMPACT_REASON = 200  # characters: MLflow keeps 5,000 of a tag, in servers of every age


def summary_of(evidence: Evidence) -> dict[str, Any]:
    """What overviews show of evidence, without reading it.

    Args:
        evidence: The outcome of a gate.
    """
    whole = [one for one in evidence.judgements if not one.bound.slice and one.measurement]
    # First what was estimated, which people follow over versions; then what is amiss; then counts.
    whole.sort(
        key=lambda one: (one.bound.advisory, not _is_estimate(one), one.outcome is Outcome.PASS)
    )
    counts: dict[str, int] = {}
    for one in evidence.judgements:
        counts[outcome_of(one)] = counts.get(outcome_of(one), 0) + 1
    metrics = [
        {
            "name": f"{one.bound.check}/{one.bound.metric}",
            "value": one.measurement.value,
            "low": one.measurement.lower,
            "high": one.measurement.upper,
            "n": one.measurement.n,
            "outcome": outcome_of(one),
        }
        for one in whole[:_METRICS]
        if one.measurement
    ]
    total = [one.seconds for one in evidence.timings if one.step == "total"]
    return {
        "verdict": str(evidence.verdict.outcome),
        "reasons": list(evidence.verdict.reasons[:_REASONS]),
        "champion": evidence.champion.version if evidence.champion else "",
        "metrics": metrics,
        "counts": counts,
        "bar_moved": list(in_brief(evidence)),
        "seconds": total[-1] if total else None,
    }


def _is_estimate(judgement: Judgement) -> bool:
    found = judgement.measurement
    return found is not None and (found.lower is not None or found.upper is not None)


def compact_summary(evidence: Evidence) -> str:
    """The first of the main numbers and reasons as JSON, short enough for a tag in MLflow."""
    found = summary_of(evidence)
    found["metrics"] = found["metrics"][:_COMPACT_METRICS]
    found["bar_moved"] = [clip(one, _COMPACT_REASON) for one in found["bar_moved"]]
    found["reasons"] = [clip(one, _COMPACT_REASON) for one in found["reasons"][:_COMPACT_REASONS]]
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False)
