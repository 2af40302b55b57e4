"""`gates promote`: move the alias, if the evidence allows it."""

from __future__ import annotations

from pathlib import Path
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
    from gates.promotion.plan import Plan

__all__ = ["promote"]


def promote(
    candidate: Annotated[str, typer.Argument(metavar="URI", help="models:/NAME/VERSION")],
    why: Annotated[
        str, typer.Option("--why", metavar="TEXT", help="Why; kept in the history.")
    ] = "",
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Say what every guard answers, and change nothing."),
    ] = False,
    first: Annotated[
        bool,
        typer.Option("--first", help="There is no champion yet: let this version be the first."),
    ] = False,
    evidence: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="evidence.json (default: the one kept in MLflow)."),
    ] = None,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a version the champion, with PASS evidence for exactly these digests.

    With --plan, exit code 0 says that it would become the champion, and 1 that it would not.

    Example: gates promote models:/product-ranker/7 --why "adds brand features"
    """
    from gates.promotion.criteria import criteria_of
    from gates.promotion.plan import plan as plan_promotion
    from gates.promotion.promote import promote as promote_version
    from gates.registry.names import parse_uri
    from gates.run.delivery import who

    if not (why or plan):
        raise UsageError("Missing option '--why'", advice="say why in a sentence: it is kept")
    home = project_from(project, tracking_uri, cache)
    speech = Speech(as_json)
    name = parse_uri(candidate).name
    card = home.card(name)
    if plan:
        with speech.working() as progress:
            progress.add_task("checking evidence and digests", total=None)
            planned = plan_promotion(
                home.registry,
                card,
                candidate,
                evidence,
                criteria=criteria_of(card),
                by=who(),
                first=first,
                verify_key=home.settings.verify_key,
            )
        _tell(speech, planned)
        raise typer.Exit(0 if planned.would_move else 1)
    with speech.working() as progress:
        progress.add_task("checking evidence and digests", total=None)
        event = promote_version(
            home.registry,
            card,
            candidate,
            evidence,
            criteria=criteria_of(card),
            why=why,
            by=who(),
            first=first,
            verify_key=home.settings.verify_key,
        )
    uri = f"models:/{event.model}/{event.version}"
    before = f"version {event.previous_version}" if event.previous_version else "nothing"
    speech.say(f"promoted {uri}", "bold green")
    speech.say(f"  {event.alias}: {before} → version {event.version}")
    speech.say(f"  undo: gates rollback {name} --why TEXT")
    speech.result(
        {
            "promoted": uri,
            "alias": event.alias,
            "previous_version": event.previous_version or None,
            "by": event.by,
            "why": event.why,
            "evidence_digest": event.evidence_digest,
            "run_id": event.run_id,
        }
    )


def _tell(speech: Speech, plan: Plan) -> None:
    question, alias = plan.question, plan.question.card.policy.champion
    now = question.champion.version if question.champion else ""
    uri = question.version.uri
    change = (
        f"{alias}: {f'version {now}' if now else 'nothing'} → version {question.version.version}"
    )
    if plan.would_move:
        speech.say(f"{uri} would be promoted", "bold green")
        speech.say(f"  {change}")
    else:
        speech.say(f"{uri} would be refused", "bold red")
    for one in plan.answers:
        speech.say(f"  {'✕' if one.lines else '✓'} {one.guard.asks}")
        for line in one.lines:
            speech.say(f"      {line}")
    if plan.foreign:
        speech.say(
            f"  first the history would be told that {alias} was moved past the gate, from version "
            f"{plan.foreign.previous_version or 'none'} to {plan.foreign.version or 'none'}"
        )
    if plan.turn:
        speech.say(
            f"  {plan.turn.by or 'somebody'} on {plan.turn.host or 'another machine'} moves an "
            "alias just now: that would be waited for"
        )
    speech.result(
        {
            "would_promote": plan.would_move,
            "candidate": uri,
            "alias": alias,
            "previous_version": now or None,
            "evidence_digest": question.digest,
            "guards": [
                {"guard": one.guard.name, "asks": one.guard.asks, "refusals": list(one.lines)}
                for one in plan.answers
            ],
            "foreign": plan.foreign is not None,
            "waits_for": plan.turn.by if plan.turn else None,
        }
    )
