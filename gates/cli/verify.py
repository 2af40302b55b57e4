"""`gates verify`: whether a bundle of evidence is what it says, without a model or a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gates.cli.common import JsonOption, ProjectOption, Speech, project_from
from gates.errors import UsageError

if TYPE_CHECKING:
    from gates.verification import Verification

__all__ = ["verify"]


def verify(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="A run's folder, or its evidence.json.")
    ],
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="Public key that must have signed it (default: GATES_VERIFY_KEY).",
        ),
    ] = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify evidence offline: signature, rows, measurements and verdict, each made again.

    Exit code 0 says that it is what it says, whatever its verdict; 2 that it is not.

    Example: gates verify .gates/runs/product-ranker-7 --key gate.pub
    """
    from gates.verification import verify_bundle

    path = bundle / "evidence.json" if bundle.is_dir() else bundle
    if not path.is_file():
        raise UsageError(
            f"there is no evidence at {path}",
            advice="name a run's folder, or its evidence.json: gates verify .gates/runs/RUN",
        )
    settings = project_from(project, None, None).settings
    found = verify_bundle(path, key=key or settings.verify_key)
    speech = Speech(as_json)
    speech.say(_answer(found), "bold")
    for line in _details(found):
        speech.say(f"  {line}")
    speech.result(_as_json(found))


def _answer(found: Verification) -> str:
    evidence = found.evidence
    against = f" against {evidence.champion.uri}" if evidence.champion else ""
    return f"verified: {evidence.verdict.outcome} for {evidence.candidate.uri}{against}"


def _details(found: Verification) -> list[str]:
    evidence = found.evidence
    if found.key is not None:
        signature = f"signed by {found.key.name}"
    elif evidence.is_signed:
        signature = "signed, by whom is not known here: name the public key by --key"
    else:
        signature = "not signed: whoever could write the file may have made it"
    bounds = len(evidence.judgements)
    lines = [f"signature  {signature}", f"verdict    {bounds} judgements made again, all the same"]
    lines += [
        f"rows       {one.measurements} measurements of {one.check} made again from "
        f"{one.rows.queries:,} queries, to the bit"
        for one in found.remeasured
    ]
    if found.taken:
        lines.append(f"taken      {found.taken} measurements as they are: no rows are kept of them")
    return [*lines, f"evidence   {evidence.digest}"]


def _as_json(found: Verification) -> dict[str, Any]:
    evidence = found.evidence
    return {
        "verified": True,
        "verdict": str(evidence.verdict.outcome),
        "candidate": evidence.candidate.uri,
        "candidate_digest": evidence.candidate.digest,
        "champion": evidence.champion.uri if evidence.champion else None,
        "evidence_digest": evidence.digest,
        "signed": evidence.is_signed,
        "signed_by": str(found.key) if found.key else None,
        "judgements": len(evidence.judgements),
        "made_again": [
            {
                "check": one.check,
                "rows": one.rows.file,
                "digest": one.rows.digest,
                "queries": one.rows.queries,
                "measurements": one.measurements,
            }
            for one in found.remeasured
        ],
        "taken_as_measured": found.taken,
    }
