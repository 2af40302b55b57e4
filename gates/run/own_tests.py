"""A model's own tests, judged: what pytest reports of them, as judgements."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.domain.judging import Bound, Cause, Judgement
from gates.errors import GatesError, ModelFault, NoChampion
from gates.evidence.inventory import own_test_files
from gates.evidence.verdict import OWN_TESTS

__all__ = ["ChampionMissing", "judge_test", "not_collected", "own_tests"]


class ChampionMissing(pytest.skip.Exception):  # type: ignore[name-defined,misc]  # pytest names its class only so
    """The skip of a test that asks for the champion where there is none.

    A class of its own, because a first version is excused from these tests and from no others,
    whatever their skips say.
    """

    def __init__(self) -> None:
        super().__init__(str(NoChampion()))


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


def judge_test(
    name: str, call: pytest.CallInfo[None], report: pytest.TestReport
) -> Judgement | None:
    """PASS, FAIL or UNDECIDED for a model's own test; None while its phase decides nothing.

    Args:
        name: The test's.
        call: The phase that just ended.
    """
    bound = Bound(OWN_TESTS, name)
    problem = call.excinfo.value if call.excinfo else None
    if report.skipped:
        cause = Cause.NO_CHAMPION if isinstance(problem, ChampionMissing) else Cause.SKIPPED
        return Judgement(bound, cause, f"skipped: {problem}" if problem else "skipped")
    if report.failed:
        return _failed(bound, problem, call.when == "call")
    passed = Judgement(bound, Cause.TEST_PASSED, "passed")
    return passed if call.when == "call" else None


def _failed(bound: Bound, problem: BaseException | None, ran: bool) -> Judgement:
    if isinstance(problem, NoChampion):
        return Judgement(bound, Cause.NO_CHAMPION, str(problem))
    breach = isinstance(problem, ModelFault) and problem.breach
    if not ran or (isinstance(problem, GatesError) and not breach):
        return Judgement(bound, Cause.FAULT, f"could not run: {problem}")
    # Hypothesis notes the example that fails.
    notes = " ".join(" ".join(getattr(problem, "__notes__", ())).split())
    reason = f"{type(problem).__name__}: {problem}"[:500]
    cause = Cause.BREACH if breach else Cause.TEST_FAILED
    return Judgement(bound, cause, f"{reason} | {notes}"[:1000] if notes else reason)


def not_collected(name: str, report: pytest.CollectReport) -> Judgement:
    """A file of own tests that cannot be imported is UNDECIDED, never silently absent.

    Args:
        name: The file's.
        report: A collection report that failed.
    """
    lines = str(report.longrepr).strip().splitlines()
    reason = f"it could not be collected: {lines[-1] if lines else 'unknown reason'}"
    return Judgement(Bound(OWN_TESTS, name), Cause.FAULT, reason)
