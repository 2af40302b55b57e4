"""Delivering an outcome: evidence and reports on disk, then in MLflow."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gates.errors import GatesError
from gates.evidence.bundle import rows_beside, write_evidence
from gates.evidence.counterexamples import CounterexampleStore
from gates.evidence.evidence import Evidence, evidence_digest
from gates.evidence.signing import signer_of
from gates.project import Project
from gates.registry import GateSource, Registry
from gates.report import write_reports
from gates.report.main_numbers import compact_summary
from gates.run.source import gate_source
from gates.settings import Settings

__all__ = ["Delivery", "deliver", "log_outcome", "who"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the outcome of a run is.

    Attributes:
        folder: The run's folder.
        evidence: Its `evidence.json`.
        digest: The evidence digest.
        reports: kind → file (`html`, `markdown`, `junit`).
        mlflow_run: The MLflow run that holds a copy; empty when it could not be logged.
        trouble: What could not be logged or kept, and why; empty when all was.
    """

    folder: Path
    evidence: Path
    digest: str
    reports: Mapping[str, Path]
    mlflow_run: str
    trouble: str


def who() -> str:
    """The name of whoever runs this, for the history."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def deliver(evidence: Evidence, folder: Path, project: Project, *, logged: bool = True) -> Delivery:
    """Write evidence and reports, then log them to MLflow.

    The files come first: when MLflow is away, the run has still left its evidence. What it found
    is kept for the next run to ask. An A/A run is not logged: the version's tags say what came of
    comparing it with another.

    Args:
        evidence: The outcome.
        folder: The run's folder.
        project: Its registry, and the signing key.
        logged: Whether to log to MLflow; `log_outcome` does that later.

    Raises:
        UsageError: The evidence could not be written; nothing is half-written.
    """
    settings = project.settings
    path = folder / "evidence.json"
    key = settings.signing_key
    signer = signer_of(key, settings.verify_key) if key else None
    digest = write_evidence(path, evidence, signer=signer)
    reports = write_reports(evidence, folder)
    run_id, troubles = "", _keep(evidence, settings)
    if logged and not evidence.is_against_itself:
        try:
            run_id = log_outcome(
                project.registry, evidence, path, reports.values(), source=gate_source(who())
            )
        except GatesError as problem:
            troubles.append(f"the outcome could not be logged to MLflow: {problem}")
    return Delivery(folder, path, digest, reports, run_id, "; ".join(troubles))


def log_outcome(
    registry: Registry,
    evidence: Evidence,
    path: Path,
    reports: Iterable[Path],
    *,
    source: GateSource,
) -> str:
    """Log evidence and what belongs to it, once, however often it is asked for.

    Args:
        registry: Where to.
        evidence: The outcome.
        path: Its `evidence.json`; the rows beside it are logged too.
        source: Who ran the gate, and from where.

    Returns:
        The id of the run in MLflow.

    Raises:
        RegistryError: It could not be logged.
    """
    tags = {
        "gates.verdict": str(evidence.verdict.outcome),
        "gates.evidence_digest": evidence_digest(path.read_bytes()),
        "gates.champion": evidence.champion.version if evidence.champion else "",
    }
    return registry.log_gate(
        path,
        [*reports, *rows_beside(path, evidence).values()],
        evidence.candidate,
        _metrics(evidence),
        tags,
        source=source,
        summary=compact_summary(evidence),
    )


def _keep(evidence: Evidence, settings: Settings) -> list[str]:
    """Keep the counterexamples for the next run; why they could not be kept, in words."""
    candidate = evidence.candidate
    recollection = CounterexampleStore(settings.counterexamples, candidate.name)
    try:
        for record in evidence.records:
            recollection.keep(record, candidate.uri, candidate.digest)
    except GatesError as problem:
        return [f"counterexamples could not be kept for the next run: {problem}"]
    return []


def _metrics(evidence: Evidence) -> dict[str, float]:
    """The whole-set measurements, as MLflow metrics to plot over versions."""
    found: dict[str, float] = {}
    for record in evidence.records:
        for one in record.measurements:
            if not one.slice and one.value is not None:
                name = f"{record.check}/{one.metric}".replace("@", "_at_")
                found[name] = one.value
    return found
