"""What mlgates wrote as `mlgates.evidence/1`, brought to the form of today.

That form had no causes: a sentence alone said why a judgement came out as it did. Those sentences
are read here and nowhere else, so they stand here as that version wrote them. What a sentence
leaves open is taken the stricter way: a test that was skipped is excused by nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gates.domain.judging import Cause
from gates.evidence.version_1_exhibits import exhibit_brought_up

__all__ = ["SCHEMA", "brought_up"]

SCHEMA = "mlgates.evidence/1"

_NO_CHAMPION = "no champion: there is nothing to compare with"
_NOT_RUN = "not run, for the gate was stopped early or a part of it was deselected"
_UNJUDGED = "the unjudged documents decide: "
_SKIPPED = "skipped"
_ENDS = ("pessimistic", "optimistic")

Values = Mapping[str, Any]


def brought_up(evidence: Values) -> dict[str, Any]:
    """The same run in the form of today; what is damaged in it stays so, for its reader to find.

    Args:
        evidence: The JSON object of the file.
    """
    found = dict(evidence)
    found["records"] = records = _each(evidence.get("records"), _record)
    of_checks = {one["check"]: one["cause"] for one in _objects(records) if _is_named(one)}
    found["judgements"] = _each(
        evidence.get("judgements"), lambda one: _judgement(one, of_checks.get(_check_of(one)))
    )
    return found


def _each(values: object, brought: Callable[[Values], Values]) -> object:
    if not isinstance(values, list):
        return values
    return [brought(one) if isinstance(one, dict) else one for one in values]


def _objects(values: object) -> list[dict[str, Any]]:
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _is_named(record: Values) -> bool:
    return isinstance(record.get("check"), str)


def _check_of(judgement: Values) -> str:
    bound = judgement.get("bound")
    return str(bound.get("check")) if isinstance(bound, dict) else ""


def _record(record: Values) -> dict[str, Any]:
    cause = None
    if record.get("fault"):
        cause = Cause.NO_CHAMPION if record["fault"] == _NO_CHAMPION else Cause.FAULT
    if record.get("breach"):
        cause = Cause.BREACH
    measurements = _each(record.get("measurements"), _measurement)
    exhibits = _each(record.get("exhibits"), exhibit_brought_up)
    return {**record, "cause": cause, "measurements": measurements, "exhibits": exhibits}


def _measurement(measurement: Values) -> dict[str, Any]:
    cause = None
    if measurement.get("value") is None and measurement.get("reason") == _NO_CHAMPION:
        cause = Cause.NO_CHAMPION
    if measurement.get("breach"):
        cause = Cause.BREACH
    extra = measurement.get("extra")
    if not isinstance(extra, dict):
        return {**measurement, "cause": cause}
    ends = {name: extra.get(name) for name in _ENDS}
    others = {name: value for name, value in extra.items() if name not in _ENDS}
    return {**measurement, **ends, "cause": cause, "extra": others}


def _judgement(judgement: Values, of_check: Cause | None) -> dict[str, Any]:
    measurement = judgement.get("measurement")
    judged = _measurement(measurement) if isinstance(measurement, dict) else measurement
    if _check_of(judgement) == "tests":
        cause = _of_test(judgement)
    elif isinstance(judged, dict):
        cause = _of_value(judgement, judged)
    else:
        cause = _without_value(judgement, of_check)
    return {**judgement, "measurement": judged, "cause": cause}


def _of_test(judgement: Values) -> Cause:
    if judgement.get("outcome") != "UNDECIDED":
        return Cause.TEST_PASSED if judgement.get("outcome") == "PASS" else Cause.TEST_FAILED
    return Cause.SKIPPED if _reason(judgement).startswith(_SKIPPED) else Cause.FAULT


def _of_value(judgement: Values, measurement: Values) -> Cause:
    if judgement.get("outcome") == "PASS":
        return Cause.WITHIN
    if measurement["cause"] is not None:
        return Cause(measurement["cause"])
    if judgement.get("outcome") == "FAIL":
        return Cause.OUTSIDE
    if measurement.get("value") is None:
        return Cause.NOT_MEASURED
    if measurement.get("n") == 0:
        return Cause.NOTHING_COMPARED
    if measurement["value"] == "NaN":
        return Cause.NOT_A_NUMBER
    opened = _reason(judgement).startswith(_UNJUDGED)
    return Cause.UNJUDGED_DECIDE if opened else Cause.ASTRIDE


def _without_value(judgement: Values, of_check: Cause | None) -> Cause:
    if _reason(judgement) == _NOT_RUN:
        return Cause.NOT_RUN
    return of_check or Cause.NOT_MEASURED


def _reason(judgement: Values) -> str:
    return str(judgement.get("reason", ""))
