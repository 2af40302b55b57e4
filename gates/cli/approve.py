"""`gates approve`: a second person signs for the evidence of a gate."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ProjectOption,
    Speech,
    TrackingOption,
    WhyOption,
    project_from,
)
from gates.cli.show import find_evidence

__all__ = ["approve"]


def approve(
    what: Annotated[
        str,
        typer.Argument(metavar="RUN", help="models:/NAME/VERSION, or an evidence.json of it."),
    ],
    key: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Your own Ed25519 private key: a PEM file, or env:VARIABLE."
        ),
    ],
    why: WhyOption,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let evidence promote its version, where the card asks others than who promotes to say so.

    The card names whose keys count (approvals). An approval is for these bytes of evidence: after
    another gate it is asked for again. The history keeps it.

    Exit codes: 0 approved, 1 there is nothing that you may approve, 2 wrong input.

    Example: gates approve models:/product-ranker/7 --key ann.pem --why "looked at the lamps"
    """
    from gates.evidence.bundle import read_evidence
    from gates.evidence.signing import signer_of
    from gates.evidence.verdict import settled_verdict
    from gates.promotion.approvals import approve as approve_evidence

    home = project_from(project, tracking_uri, cache)
    speech = Speech(as_json)
    with tempfile.TemporaryDirectory(prefix="gates-") as scratch:
        path = find_evidence(what, home, Path(scratch))
        evidence = read_evidence(path, verify_key=home.settings.verify_key)
        settled_verdict(evidence, path)
    card = home.card(evidence.candidate.name)
    signer = signer_of(key)
    event = approve_evidence(home.registry, card, evidence, signer=signer, why=why)
    uri = f"models:/{event.model}/{event.version}"
    speech.say(f"{event.by} approved {uri}", "bold green")
    speech.say(f"  {event.verdict}, evidence {event.evidence_digest}")
    speech.result(
        {
            "approved": uri,
            "by": event.by,
            "why": event.why,
            "verdict": event.verdict,
            "evidence_digest": event.evidence_digest,
        }
    )
