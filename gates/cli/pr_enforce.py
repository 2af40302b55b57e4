"""`gates pr enforce`: the exit code of a pull request's verdicts."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gates.cli.common import JsonOption, Speech

__all__ = ["pr_enforce"]


class FailOn(StrEnum):
    """What makes a job fail."""

    FAIL = "fail"
    UNDECIDED = "undecided"
    NEVER = "never"


_FAILS = {
    FailOn.FAIL: ("FAIL", "ERROR"),
    FailOn.UNDECIDED: ("FAIL", "ERROR", "UNDECIDED"),
    FailOn.NEVER: (),
}
_CODES = {"FAIL": 1, "ERROR": 2, "UNDECIDED": 3}


def pr_enforce(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What gates pr gate wrote.")],
    fail_on: Annotated[
        FailOn,
        typer.Option(help="fail: FAIL and invalid input; undecided: UNDECIDED too; or never."),
    ] = FailOn.FAIL,
    as_json: JsonOption = False,
) -> None:
    """End with the exit code of the worst verdict: 1 FAIL, 2 invalid input, 3 UNDECIDED, else 0.

    Example: gates pr enforce .gates/pull-request --fail-on undecided
    """
    from gates.pull_request.folder import read_reviews

    speech = Speech(as_json)
    outcomes = {one.review.change.model: one.review.outcome for one in read_reviews(folder)}
    blocking = {model: one for model, one in outcomes.items() if one in _FAILS[fail_on]}
    for model, outcome in outcomes.items():
        speech.say(f"{outcome} {model}" + ("" if model in blocking else ": does not block"))
    speech.result({"models": outcomes, "blocking": sorted(blocking)})
    raise typer.Exit(next((code for name, code in _CODES.items() if name in blocking.values()), 0))
