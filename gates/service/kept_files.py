"""The files a gate left: beside the service while it runs here, else from MLflow."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gates.evidence.bundle import read_evidence
from gates.evidence.evidence import evidence_digest
from gates.evidence.verdict import settled_verdict
from gates.report import html
from gates.service.context import Service
from gates.service.store.values import Job

__all__ = ["evidence_bytes", "job_folder", "report_of"]


def job_folder(service: Service, job_id: str) -> Path:
    """Where a job's gate leaves its files on the host that ran it."""
    return service.project.settings.output / job_id


def evidence_bytes(service: Service, job: Job) -> bytes | None:
    """The evidence of a job, exactly as it was signed.

    Args:
        job: A job that is done.

    Returns:
        None when it is neither here nor in MLflow, or is not what the job recorded.

    Raises:
        GatesError: MLflow, which may have it, cannot be asked.
    """
    here = job_folder(service, job.id) / "evidence.json"
    if here.is_file():
        return _if_recorded(here.read_bytes(), job)
    if not job.mlflow_run:
        return None
    with tempfile.TemporaryDirectory(prefix="gates-") as scratch:
        found = service.registry().evidence_of(job.mlflow_run, Path(scratch))
        return _if_recorded(found.read_bytes(), job)


def report_of(service: Service, job: Job) -> bytes | None:
    """The HTML report of a job, made from its evidence where its file is not here.

    Args:
        job: A job that is done.

    Raises:
        GatesError: MLflow, which may have the evidence, cannot be asked.
    """
    here = job_folder(service, job.id) / "report.html"
    if here.is_file():
        return here.read_bytes()
    evidence = evidence_bytes(service, job)
    if evidence is None:
        return None
    with tempfile.TemporaryDirectory(prefix="gates-") as scratch:
        path = Path(scratch) / "evidence.json"
        path.write_bytes(evidence)
        found = read_evidence(path)
        settled_verdict(found, path)
        return html.render(found).encode()


def _if_recorded(found: bytes, job: Job) -> bytes | None:
    return found if evidence_digest(found) == job.evidence_digest else None
