"""Every model at a glance, and all gates, newest first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast, get_args
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gates.card.card import Card
from gates.errors import CardError
from gates.service.auth import allow
from gates.service.last_seen import Glimpse
from gates.service.pages import wording
from gates.service.pages.pictures import Point, trend_points
from gates.service.pages.site import Site
from gates.service.store.values import Job, JobState

__all__ = ["overview_routes"]

_TREND = 20
_BEFORE = re.compile(r"([0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model, as the overview shows it.

    Attributes:
        alias: The alias of what is in production.
        glimpse: What the registry says about it.
        champion: The version in production; empty when there is none or it is not known.
        since: When it came there.
        latest: Its newest gate, wherever it ran.
        verdict: The newest gate that came to a verdict.
        waiting: How many of its gates are queued and running.
        points: The trend of its main metric.
        card: Whether it has a card.
        trouble: What is wrong with its card.
    """

    name: str
    alias: str
    glimpse: Glimpse
    champion: str
    since: datetime | None
    latest: Job | None
    verdict: Job | None
    waiting: Mapping[JobState, int]
    points: tuple[Point, ...]
    card: bool
    trouble: str


def overview_routes(site: Site) -> list[Route]:
    """The overview, and all gates."""

    def overview(request: Request) -> Response:
        allow(request, "viewer")
        jobs = site.service.jobs
        with_card = site.project.models()
        glimpses = site.service.last_seen.of(with_card)
        latest = site.gates.latest(glimpses)
        trends, waiting = site.gates.trends(_TREND, glimpses), jobs.waiting()
        counts = jobs.counts()
        elsewhere = sum(len(one.elsewhere) for one in glimpses.values())
        names = sorted({*with_card, *latest})
        rows = [
            _row(site, name, glimpses, latest.get(name), trends.get(name, ()), waiting)
            for name in names
        ]
        return site.page(
            request,
            "overview.html",
            rows=rows,
            counts=counts,
            in_all=sum(counts.values()) + elsewhere,
            busy=bool(waiting),
            **_reading(site, glimpses),
        )

    def gates(request: Request) -> Response:
        allow(request, "viewer")
        asked = {
            key: request.query_params.get(key, "")
            for key in ("model", "state", "verdict", "before")
        }
        states = get_args(JobState)
        if (
            asked["state"] not in {"", *states}
            or asked["verdict"] not in {"", *wording.VERDICTS}
            or not _BEFORE.fullmatch(asked["before"])
            or "\0" in asked["model"]
        ):
            raise HTTPException(400, "the gates cannot be filtered like that")
        with_card = site.project.models()
        glimpses = site.service.last_seen.of(with_card)
        page = site.gates.page(
            glimpses,
            model=asked["model"] or None,
            states=(cast("JobState", asked["state"]),) if asked["state"] else (),
            verdict=asked["verdict"] or None,
            before=asked["before"],
        )
        models = sorted({*with_card, *(job.model for job in site.service.jobs.latest())})
        filters = {key: value for key, value in asked.items() if value and key != "before"}
        older = urlencode(filters | {"before": page.older}) if page.older else ""
        return site.page(
            request,
            "gates.html",
            jobs=page.jobs,
            asked=asked,
            models=models,
            newest=urlencode(filters),
            older=older,
            **_reading(site, glimpses),
        )

    return [Route("/", overview), Route("/gates", gates)]


def _reading(site: Site, glimpses: Mapping[str, Glimpse]) -> dict[str, object]:
    """How the registry was read for a page: as of when, whether it still is, and what failed."""
    seen = [one.at for one in glimpses.values() if one.at]
    return {
        "as_of": min(seen, default=None),
        "reading": any(one.at is None and not one.trouble for one in glimpses.values()),
        "trouble": site.trouble(
            next((one.trouble for one in glimpses.values() if one.trouble), "")
        ),
    }


def _row(
    site: Site,
    name: str,
    glimpses: Mapping[str, Glimpse],
    latest: Job | None,
    trend: tuple[Job, ...],
    waiting: Mapping[str, Mapping[JobState, int]],
) -> ModelRow:
    card = site.card(name)
    glimpse = glimpses.get(name, Glimpse())
    alias = card.policy.champion if isinstance(card, Card) else "champion"
    return ModelRow(
        name,
        alias,
        glimpse,
        glimpse.aliases.get(alias, ""),
        glimpse.since(alias),
        latest,
        trend[-1] if trend else None,
        waiting.get(name, {}),
        trend_points(trend),
        card is not None,
        str(card) if isinstance(card, CardError) else "",
    )
