"""A gate's page: live while it waits and runs, then what came of it; and its report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gates.card import Card
from gates.service.api import REPORT_POLICY
from gates.service.auth import allow
from gates.service.kept_files import report_of
from gates.service.pages.site import Site
from gates.service.store.values import ACTIVE, Job

__all__ = ["found", "gate_routes"]

_ID = re.compile(r"[0-9a-f]{24}")
_LINES = 500


def gate_routes(site: Site) -> list[Route]:
    """A gate and its report.

    Args:
        site: The site.
    """

    def gate(request: Request) -> Response:
        allow(request, site.service.config, "viewer")
        job = found(site, request)
        lines = site.service.jobs.lines(job.id)
        glimpse = site.sight.of([job.model])[job.model]
        card = site.card(job.model)
        alias = card.policy.champion if isinstance(card, Card) else "champion"
        champion = glimpse.aliases.get(alias, "")
        return site.page(
            request,
            "gate.html",
            job=job,
            lines=lines[-_LINES:],
            left_out=max(0, len(lines) - _LINES),
            active=job.state in ACTIVE,
            metrics=_metrics(job),
            alias=alias,
            champion=champion,
            has_card=isinstance(card, Card),
            offer=_offer(job, champion),
            done=request.query_params.get("done", ""),
            trouble=glimpse.trouble,
        )

    def report(request: Request) -> Response:
        allow(request, site.service.config, "viewer")
        content = report_of(site.service, found(site, request))
        if content is None:
            raise HTTPException(404, "this gate left no report, or it is not what was recorded")
        return Response(
            content, media_type="text/html", headers={"content-security-policy": REPORT_POLICY}
        )

    return [Route("/gates/{job_id}", gate), Route("/gates/{job_id}/report", report)]


def found(site: Site, request: Request) -> Job:
    """The job whose id stands in the path.

    Raises:
        HTTPException: 404, there is none.
    """
    job_id = request.path_params["job_id"]
    job = site.service.jobs.job(job_id) if _ID.fullmatch(job_id) else None
    if job is None:
        raise HTTPException(404, "there is no such gate")
    return job


def _offer(job: Job, champion: str) -> str:
    """Which promotion the page offers: `again`, over a champion; `first`; empty for none.

    What it offers is a courtesy: the guards look everything up when the button is pressed.
    """
    if job.state != "done" or job.version == champion:
        return ""
    if job.verdict == "PASS":
        return "again"
    return "first" if job.verdict == "UNDECIDED" and not (job.champion or champion) else ""


def _metrics(job: Job) -> list[Mapping[str, Any]]:
    listed = job.summary.get("metrics", [])
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
