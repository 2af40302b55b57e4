"""`gates guard`: is the champion one that a promotion put there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ProjectOption,
    Speech,
    TrackingOption,
    project_from,
)
from gates.errors import UsageError

if TYPE_CHECKING:
    from gates.project import Project
    from gates.promotion.guard import Standing

__all__ = ["guard"]

_WHY = "gates guard: it was moved past the gate"


def guard(
    model: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="The registered model's name.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every model that has a card in the project.")
    ] = False,
    watch: Annotated[
        float | None,
        typer.Option(
            "--watch",
            metavar="SECONDS",
            min=0.1,
            help="Look again that often, until something is found.",
        ),
    ] = None,
    put_back: Annotated[
        bool, typer.Option("--put-back", help="Move it back to where a promotion had put it.")
    ] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Leave it, and add it to the history.")
    ] = False,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Why, for the history.")] = _WHY,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Notice a champion that was set past the gate: no line of its history put it there.

    Exit code 0: all is accounted for, or was put back or recorded. 1: something is not.

    Example: gates guard --all
    """
    if put_back and record:
        raise UsageError("--put-back and --record are two answers to the same", advice="give one")
    if every == (model is not None):
        raise UsageError("name one model, or give --all", advice="gates guard --all")
    home = project_from(project, tracking_uri, cache)
    speech = Speech(as_json)
    while True:
        models = home.models() if model is None else (model,)
        found = [_see_to(home, name, put_back, record, why) for name in models]
        open_ones = [one for one, done in found if not one.is_calm and not done]
        if watch is None or open_ones:
            break
        time.sleep(watch)
    _tell(speech, found)
    speech.result([_value(one, done) for one, done in found])
    if open_ones:
        raise typer.Exit(1)


def _see_to(
    home: Project, model: str, put_back: bool, record: bool, why: str
) -> tuple[Standing, str]:
    """How the champion of a model stands, and what was done about it."""
    from gates.promotion import guard as guarding
    from gates.promotion.moves import record_found
    from gates.run.delivery import who

    alias = home.card(model).policy.champion
    found = guarding.look(home.registry, model, alias)
    if put_back and found.state in {"foreign", "recorded"}:
        event = guarding.put_back(home.registry, model, alias, why=why, by=who())
        return found, f"put back to version {event.version}" if event else ""
    if record and not found.is_calm:
        done = record_found(home.registry, model, alias, who(), why)
        return found, "added to the history" if done else ""
    return found, ""


def _tell(speech: Speech, found: list[tuple[Standing, str]]) -> None:
    for one, done in found:
        at = f"version {one.version}" if one.version else "not set"
        name = f"{one.model}: the {one.alias} is {at}"
        if one.is_calm:
            speech.say(f"{name}, {_CALM[one.state]}" + (f"; {done}" if done else ""), "green")
            continue
        speech.say(f"{name}, and {_words(one)}", "bold red")
        if one.last:
            last = one.last
            speech.say(
                f"  by the history it is version {last.version or 'none'}: {last.kind} by "
                f"{last.by} on {last.when:%Y-%m-%d %H:%M} UTC"
            )
        speech.say(f"  who moved it: unknown, MLflow does not keep it{_owner(one)}")
        if done:
            speech.say(f"  {done}", "bold")
        elif one.last:
            speech.say(f"  put it back: gates guard {one.model} --put-back")


_CALM = {
    "accounted": "and its history put it there",
    "unset": "and never was",
    "moving": "by a move that has not ended",
    "recorded": "moved past the gate, and the history says so",
}


def _words(found: Standing) -> str:
    if found.state == "unrecorded":
        return "its history knows of no move at all"
    return "nothing in its history put it there"


def _owner(found: Standing) -> str:
    by = found.registered_by
    return f"; version {found.version} was packaged by {by}" if by else ""


def _value(found: Standing, done: str) -> dict[str, object]:
    return {
        "model": found.model,
        "alias": found.alias,
        "version": found.version or None,
        "state": found.state,
        "expected": found.last.version or None if found.last else None,
        "last_move": found.last.run_id if found.last else None,
        "moved_by": found.last.by if found.last and found.is_calm else None,
        "registered_by": found.registered_by or None,
        "done": done or None,
    }
