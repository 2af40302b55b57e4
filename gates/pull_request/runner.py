"""What GitHub Actions tells a step, and what a step tells it: files named in its environment.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gates.errors import InputError, UsageError
from gates.system.json_files import json_value

__all__ = ["SUMMARY_LIMIT", "WorkflowEvent", "add_summary", "read_event", "run_url", "set_outputs"]

# A step's summary may hold 1 MiB; one that is larger is refused whole.
SUMMARY_LIMIT = 1024 * 1024 - 4096


@dataclass(frozen=True, slots=True)
class WorkflowEvent:
    """What started the workflow, as far as a pull request is concerned.

    Attributes:
        number: The pull request; 0 when the event names none.
        head: The pull request's head commit, or the commit whose run has ended; may be empty.
        is_fork: Whether the head lies in another repository than the base.
        run: The run whose artifact holds the reviews: this one, or the one that has ended.
        after_run: Whether another workflow's run is what started this one (`workflow_run`).
    """

    number: int = 0
    head: str = ""
    is_fork: bool = False
    run: str = ""
    after_run: bool = False


def read_event(environ: Mapping[str, str] = os.environ) -> WorkflowEvent:
    """The event of `GITHUB_EVENT_PATH`; an empty one outside of GitHub Actions.

    Raises:
        InputError: The file is not the JSON of an event.
    """
    named = environ.get("GITHUB_EVENT_PATH")
    if not named:
        return WorkflowEvent()
    path = Path(named)
    try:
        payload = json_value(path.read_bytes())
        pull, run = payload.get("pull_request"), payload.get("workflow_run")
        home = (payload.get("repository") or {}).get("full_name")
        if pull:
            head = pull["head"]
            # A fork that was deleted has no repository any more.
            source = (head.get("repo") or {}).get("full_name")
            own = environ.get("GITHUB_RUN_ID", "")
            return WorkflowEvent(int(pull["number"]), str(head["sha"]), source != home, own)
        if run:
            source = (run.get("head_repository") or {}).get("full_name")
            ended = str(int(run.get("id", 0)) or "")
            return WorkflowEvent(0, str(run["head_sha"]), source != home, ended, after_run=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise InputError(
            f"is not an event as GitHub writes it: {type(problem).__name__} {problem}", path=path
        ) from None
    return WorkflowEvent()


def run_url(event: WorkflowEvent, environ: Mapping[str, str] = os.environ) -> str:
    """The page of the run whose artifact holds the reviews; empty when it is not known."""
    server, repository = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
    if not (server and repository and event.run.isdecimal()):
        return ""
    return f"{server}/{repository}/actions/runs/{event.run}"


def set_outputs(outputs: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> None:
    """Set a step's outputs; does nothing outside of GitHub Actions.

    Args:
        outputs: Name → value; what is no string is written as JSON.

    Raises:
        UsageError: The file of `GITHUB_OUTPUT` cannot be written.
    """
    lines = []
    for name, value in outputs.items():
        text = value if isinstance(value, str) else json.dumps(value)
        mark = f"gates_{secrets.token_hex(8)}"  # nobody can end a value early
        lines.append(f"{name}<<{mark}\n{text}\n{mark}\n")
    _append("GITHUB_OUTPUT", "".join(lines), environ)


def add_summary(markdown: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Add to the step's summary, while that stays below GitHub's limit.

    Args:
        markdown: What to add.

    Returns:
        False when it did not fit.

    Raises:
        UsageError: The file of `GITHUB_STEP_SUMMARY` cannot be written.
    """
    path = Path(environ.get("GITHUB_STEP_SUMMARY") or os.devnull)
    there = path.stat().st_size if path.is_file() else 0
    if there + len(markdown.encode()) + 1 > SUMMARY_LIMIT:
        return False
    _append("GITHUB_STEP_SUMMARY", markdown + "\n", environ)
    return True


def _append(variable: str, text: str, environ: Mapping[str, str]) -> None:
    named = environ.get(variable)
    if not named:
        return
    try:
        with Path(named).open("a", encoding="utf-8", errors="replace") as stream:
            stream.write(text)
    except OSError as problem:
        raise UsageError(f"{variable}: {named} cannot be written: {problem.strerror}") from None
