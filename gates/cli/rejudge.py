"""`gates rejudge`: what another card would have said of what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gates.cli.common import JsonOption, ProjectOption, Speech, project_from
from gates.domain.judging import Outcome

if TYPE_CHECKING:
    from gates.card.card import Card
    from gates.evidence.evidence import Evidence
    from gates.evidence.rejudging import ChangedJudgement, Rejudged

__all__ = ["rejudge"]


def rejudge(
    evidence: Annotated[
        list[Path],
        typer.Argument(metavar="EVIDENCE...", help="Folders of runs, or files evidence.json."),
    ],
    card: Annotated[Path, typer.Option("--card", metavar="FILE", help="The other card.")],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge evidence by another card, without a model. It promotes nothing: for that gate again.

    The exit code is that of the verdict; of several, 1 where any is FAIL, else 3 where any is
    UNDECIDED.

    Example: gates rejudge .gates/runs/product-ranker-7 --card model_cards/product-ranker.md
    """
    from gates.evidence.bundle import read_evidence
    from gates.evidence.rejudging import rejudge as judged_again
    from gates.evidence.verdict import settled_verdict
    from gates.golden import read_golden

    home, speech = project_from(project, None, None), Speech(as_json)
    other = home.read_card(card)
    golden = read_golden(other.golden_path)
    bounds = other.bounds(golden)
    answers, outcomes = [], set()
    for one in evidence:
        path = one / "evidence.json" if one.is_dir() else one
        read = read_evidence(path, verify_key=home.settings.verify_key)
        settled_verdict(read, path)
        found = judged_again(read, other, bounds, golden.digest)
        _say(read, found, other, speech)
        answers.append(_as_json(read, found, path))
        outcomes.add(found.verdict.outcome)
    speech.result({"card": str(other.path), "card_digest": other.digest, "evidence": answers})
    worst = (one for one in (Outcome.FAIL, Outcome.UNDECIDED, Outcome.PASS) if one in outcomes)
    raise typer.Exit(next(worst).exit_code)


def _say(evidence: Evidence, found: Rejudged, card: Card, speech: Speech) -> None:
    before, now = evidence.verdict.outcome, found.verdict.outcome
    came = f"{now}, as before," if before is now else f"{now} instead of {before}"
    speech.say(f"{came} for {evidence.candidate.uri} by {card.path.name}", "bold")
    for one in found.changed:
        speech.say(f"  {one.id}: {_words(one)}")
    for moved in found.moved:
        speech.say(f"  {moved.id}: demanded {moved.words}")
    for check in found.other_options:
        speech.say(f"  {check}: the card asks it with other options, so nothing of it is known")
    if found.other_golden:
        speech.say("  the measurements are of another golden set than the card's as it is now")
    speech.say("  this promotes nothing: gate again for that")


def _words(changed: ChangedJudgement) -> str:
    before = changed.before.outcome if changed.before else "not demanded"
    after = changed.after.outcome if changed.after else "not demanded"
    reason = f": {changed.after.reason}" if changed.after else ""
    return f"{before} → {after}{reason}"


def _as_json(evidence: Evidence, found: Rejudged, path: Path) -> dict[str, Any]:
    return {
        "path": str(path),
        "candidate": evidence.candidate.uri,
        "evidence_digest": evidence.digest,
        "before": str(evidence.verdict.outcome),
        "verdict": str(found.verdict.outcome),
        "reasons": list(found.verdict.reasons),
        "changed": [
            {
                "id": one.id,
                "before": str(one.before.outcome) if one.before else None,
                "after": str(one.after.outcome) if one.after else None,
                "reason": one.after.reason if one.after else "",
            }
            for one in found.changed
        ],
        "moved": [{"id": one.id, "how": one.words, "looser": one.is_looser} for one in found.moved],
        "other_options": list(found.other_options),
        "other_golden": found.other_golden,
    }
