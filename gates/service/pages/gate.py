"""A gate's page: live while it waits and runs, then what came of it; and its report."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gates.card.card import Card
from gates.errors import GatesError
from gates.service.all_gates import is_complete
from gates.service.api import REPORT_POLICY
from gates.service.auth import allow
from gates.service.kept_files import job_folder, report_of
from gates.service.pages.numbers import numbers_of
from gates.service.pages.site import Site, rendered
from gates.service.recorded import RecordedGate
from gates.service.store.values import ACTIVE, Job

__all__ = ["found", "gate_routes"]

_ID = re.compile(r"[0-9a-f]{24}|[0-9a-f]{32}")
_RUN = 32  # digits of the id of an MLflow run
_LINES = 500


def gate_routes(site: Site) -> list[Route]:
    """A gate and its report."""

    def gate(request: Request) -> Response:
        allow(request, "viewer")
        job = found(site, request)
        elsewhere = isinstance(job, RecordedGate)
        lines = () if elsewhere else site.service.jobs.lines(job.id)
        glimpse = site.service.last_seen.of([job.model])[job.model]
        card = site.card(job.model)
        alias = card.policy.champion if isinstance(card, Card) else "champion"
        champion = glimpse.aliases.get(alias, "")
        return site.page(
            request,
            "gate.html",
            job=job,
            elsewhere=elsewhere,
            lines=lines[-_LINES:],
            left_out=max(0, len(lines) - _LINES),
            active=job.state in ACTIVE,
            numbers=numbers_of(job),
            alias=alias,
            champion=champion,
            has_report=bool(job.mlflow_run) or _left_files(site, job),
            has_card=isinstance(card, Card),
            offer=_offer(job, champion),
            done=request.query_params.get("done", ""),
            trouble=glimpse.trouble,
        )

    def report(request: Request) -> Response:
        caller = allow(request, "viewer")
        job = found(site, request)
        why, content = "This gate left none, or it is not what was recorded.", None
        try:
            content = report_of(site.service, job)
        except GatesError as problem:
            why = problem.what
        headers = {"content-security-policy": REPORT_POLICY}
        if content is not None:
            return Response(content, media_type="text/html", headers=headers)
        values = {
            "code": 404,
            "title": "There is no report to show",
            "what": why,
            "lines": [],
            "advice": "It is made from the evidence, which this host or MLflow keeps.",
            "back": f"/gates/{job.id}",
        }
        # The gate's page shows it in a frame, whatever it is.
        answer = rendered(site.service, caller, "problem.html", values, 404)
        answer.headers["content-security-policy"] = "default-src 'self'; frame-ancestors 'self'"
        return answer

    return [Route("/gates/{job_id}", gate), Route("/gates/{job_id}/report", report)]


def found(site: Site, request: Request) -> Job:
    """The gate whose id stands in the path: of a job, or of the MLflow run that records it.

    Raises:
        HTTPException: 404, there is none; 503, MLflow could not be read, which may hold it.
    """
    gate_id = request.path_params["job_id"]
    models = site.project.models()
    job = site.gates.find(gate_id, models) if _ID.fullmatch(gate_id) else None
    if job is not None:
        return job
    glimpses = site.service.last_seen.of(models, patience=0.0)
    if len(gate_id) == _RUN and _ID.fullmatch(gate_id) and not is_complete(glimpses):
        raise HTTPException(503, "MLflow, which may hold this gate, could not be read yet")
    raise HTTPException(404, "there is no such gate")


def _left_files(site: Site, job: Job) -> bool:
    folder = job_folder(site.service, job.id)
    return any((folder / name).is_file() for name in ("report.html", "evidence.json"))


def _offer(job: Job, champion: str) -> str:
    """Which promotion the page offers: `over` a champion, the `first`, or none.

    What it offers is a courtesy: the guards look everything up when the button is pressed.
    """
    if job.state != "done" or job.version == champion or job.verdict == "FAIL":
        return ""
    if not (job.champion or champion):
        return "first"
    return "over" if job.verdict == "PASS" else ""
