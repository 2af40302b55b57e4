"""A model's own tests, judged: what their process says came of each, as judgements.

That process runs code of whoever wrote the tests, so its word is held to a form, cut to a length,
and taken for what these tests say of themselves: it can name no bound of the card.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from gates.domain.judging import Bound, Cause, Judgement
from gates.errors import NoChampion
from gates.evidence.inventory import own_test_files
from gates.evidence.verdict import OWN_TESTS
from gates.system.commands import clean

__all__ = ["Listing", "Phase", "judge_test", "not_collected", "own_tests", "read_phases"]

_MOST_NAMES, _LONGEST_NAME = 20_000, 1_000
_MOST_PHASES = 6
_REASON, _WITH_NOTES = 500, 1_000

_When = Literal["setup", "call", "teardown"]
_Outcome = Literal["passed", "failed", "skipped"]
_Kind = Literal["", "no-champion", "breach", "unanswered"]


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a test, as its process tells it.

    Attributes:
        when: Which phase.
        outcome: What pytest made of it.
        kind: What kind of exception ended it, where that matters: there is no champion, a version
            broke its contract, or another error of the gate's own.
        type: The class of that exception; empty without one.
        message: Its text.
        notes: What was noted on it, such as the example that fails.
        shown: What pytest shows of it.
    """

    when: _When
    outcome: _Outcome
    kind: _Kind
    type: str
    message: str
    notes: str
    shown: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What pytest found in the files of own tests, as their process tells it.

    Attributes:
        tests: Every test, before anything could deselect it.
        runs: Those that were left.
        broken: File → why it could not be collected.
    """

    tests: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    broken: Mapping[str, str] | None = None

    @classmethod
    def read(cls, told: Mapping[str, Any], files: Sequence[str]) -> Listing | None:
        """What was told, as far as it speaks of these files; None when it is no listing.

        Args:
            told: A message.
            files: The files of own tests.
        """
        names = [_names(told.get(key), files) for key in ("listed", "selected")]
        broken = told.get("broken")
        if names[0] is None or names[1] is None or not isinstance(broken, list):
            return None
        pairs = [one for one in broken[:_MOST_NAMES] if isinstance(one, list) and len(one) == 2]
        why = {str(name): clean(str(reason)) for name, reason in pairs if str(name) in files}
        return cls(names[0], names[1], why)


def _names(value: object, files: Sequence[str]) -> tuple[str, ...] | None:
    if not isinstance(value, list) or len(value) > _MOST_NAMES:
        return None
    if not all(isinstance(one, str) and len(one) <= _LONGEST_NAME for one in value):
        return None
    return tuple(dict.fromkeys(one for one in value if one.partition("::")[0] in files))


def read_phases(told: object) -> tuple[Phase, ...] | None:
    """The phases of one test, as its process tells them; None when they are none.

    Args:
        told: What stands in its message.
    """
    if not isinstance(told, list) or len(told) > _MOST_PHASES:
        return None
    try:
        phases = TypeAdapter(tuple[Phase, ...]).validate_python(told)
    except ValidationError:
        return None
    return tuple(
        Phase(
            one.when,
            one.outcome,
            one.kind,
            *map(clean, (one.type, one.message, one.notes, one.shown)),
        )
        for one in phases
    )


def judge_test(name: str, phases: Sequence[Phase], *, compared: bool) -> Judgement | None:
    """PASS, FAIL or UNDECIDED for a model's own test; None when no phase decides.

    Args:
        name: The test's.
        phases: What came of it; a test that passed may still fail to end.
        compared: Whether there is a champion: then no test can be excused for want of one.
    """
    found: Judgement | None = None
    for phase in phases:
        judged = _judge_phase(Bound(OWN_TESTS, name), phase, compared=compared)
        if judged is not None and (found is None or found.cause is Cause.TEST_PASSED):
            found = judged
    return found


def _judge_phase(bound: Bound, phase: Phase, *, compared: bool) -> Judgement | None:
    alone = phase.kind == "no-champion" and not compared
    if phase.outcome == "skipped":
        words = f"skipped: {phase.message}"[:_REASON] if phase.message else "skipped"
        return Judgement(bound, Cause.NO_CHAMPION if alone else Cause.SKIPPED, words)
    if phase.outcome == "passed":
        ran = phase.when == "call"
        return Judgement(bound, Cause.TEST_PASSED, "passed") if ran else None
    if alone:
        return Judgement(bound, Cause.NO_CHAMPION, str(NoChampion()))
    breach = phase.kind == "breach"
    if phase.when != "call" or (phase.kind and not breach):
        return Judgement(bound, Cause.FAULT, f"could not run: {phase.message}"[:_REASON])
    reason = f"{phase.type}: {phase.message}"[:_REASON]
    cause = Cause.BREACH if breach else Cause.TEST_FAILED
    noted = f"{reason} | {phase.notes}"[:_WITH_NOTES]
    return Judgement(bound, cause, noted if phase.notes else reason)


def not_collected(file: str, reason: str) -> Judgement:
    """A file of own tests that cannot be imported is UNDECIDED, never silently absent.

    Args:
        file: Its path from the project.
        reason: Why.
    """
    words = f"it could not be collected: {reason}"[:_REASON]
    return Judgement(Bound(OWN_TESTS, file), Cause.FAULT, words)


def own_tests(golden: Path, arguments: list[str]) -> list[str]:
    """The files of a golden set's own tests that pytest's arguments do not cover.

    Args:
        golden: The folder of the golden set.
        arguments: Files, folders and items; where an item is named, nothing else is wanted.
    """
    if any("::" in one for one in arguments):
        return []
    named = [Path(one).absolute() for one in arguments]
    files = own_test_files(golden)
    return [str(one) for one in files if not {one, *one.parents} & set(named)]
