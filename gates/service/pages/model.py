"""A model's page: what is in production, how it came there, versions, trend, and its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gates.card.card import Card
from gates.card.policy import CheckPolicy
from gates.errors import CardError
from gates.promotion.guard import standing_in
from gates.promotion.rollback import places_to_go_back
from gates.report import text
from gates.service.auth import allow
from gates.service.last_seen import Glimpse
from gates.service.pages.history import history_entries
from gates.service.pages.pictures import trend_points
from gates.service.pages.site import Site
from gates.service.store.values import Job

__all__ = ["model_routes"]

_TREND = 30
_VERSIONS = 50
_EVENTS = 100
_PROSE = 50_000  # characters


@dataclass(frozen=True, slots=True)
class Version:
    """A version, as the page shows it.

    Attributes:
        created: When it was registered; None when the registry could not say.
        aliases: The aliases it has.
        job: Its newest gate, wherever it ran.
        verdict: The verdict that the registry has on it, from whichever gate.
    """

    number: str
    created: datetime | None
    aliases: tuple[str, ...]
    job: Job | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Demand:
    """Bounds of the card that ask the same.

    Attributes:
        metrics: Its metrics that are all asked the same.
        demand: What is demanded, in signs.
        slices: By which columns and values it also holds, with what is demanded there.
        advisory: Whether it is only shown.
    """

    check: str
    metrics: tuple[str, ...]
    demand: str
    slices: Mapping[str, str]
    advisory: bool


def model_routes(site: Site) -> list[Route]:
    """A model."""

    def model(request: Request) -> Response:
        allow(request, "viewer")
        name = request.path_params["name"]
        site.known(name)
        glimpses = site.service.last_seen.of([name])
        glimpse = glimpses[name]
        card = site.card(name)
        alias = card.policy.champion if isinstance(card, Card) else "champion"
        champion = glimpse.aliases.get(alias, "")
        points = trend_points(site.gates.trends(_TREND, glimpses, name).get(name, ()))
        jobs = site.service.jobs.page(model=name, size=_EVENTS).jobs
        entries, left_out = history_entries(glimpse, jobs, _EVENTS)
        return site.page(
            request,
            "model.html",
            name=name,
            alias=alias,
            champion=champion,
            since=glimpse.since(alias),
            standing=standing_in(glimpse.history, name, alias) if glimpse.history else None,
            glimpse=glimpse,
            entries=entries,
            left_out=left_out,
            versions=_versions(site, name, glimpse, jobs[:_VERSIONS]),
            more_versions=max(0, len(glimpse.versions) - _VERSIONS),
            points=points,
            card=card if isinstance(card, Card) else None,
            card_trouble=str(card) if isinstance(card, CardError) else "",
            demands=_demands(card) if isinstance(card, Card) else [],
            prose=_prose(card) if isinstance(card, Card) else "",
            goes_back=places_to_go_back(glimpse.events, alias, champion)
            if isinstance(card, Card) and champion
            else (),
            trouble=site.trouble(glimpse.trouble),
            done=request.query_params.get("done", ""),
        )

    return [Route("/models/{name:path}", model)]


def _versions(site: Site, name: str, glimpse: Glimpse, jobs: Sequence[Job]) -> list[Version]:
    if not glimpse.versions:
        newest: dict[str, Job] = {}
        for job in jobs:
            newest.setdefault(job.version, job)
        return [Version(job.version, None, (), job, job.verdict) for job in newest.values()]
    listed = glimpse.versions[:_VERSIONS]
    gated = site.gates.latest_of(name, [one.version for one in listed], glimpse)
    aliases: dict[str, list[str]] = {}
    for alias, version in glimpse.aliases.items():
        aliases.setdefault(version, []).append(alias)
    return [
        Version(
            one.version,
            one.created,
            tuple(sorted(aliases.get(one.version, ()))),
            gated.get(one.version),
            one.tags.get("gates.verdict", ""),
        )
        for one in listed
    ]


def _demands(card: Card) -> list[Demand]:
    found: list[Demand] = []
    for check, limits in card.limits.items():
        entry = card.policy.checks[check] or CheckPolicy()
        for metric, limit in limits.items():
            slices = {key: _signs(own.min, own.max) for key, own in limit.slices.items()}
            signs = _signs(limit.min, limit.max)
            one = Demand(check, (metric,), signs, slices, limit.advisory or entry.advisory)
            if found and replace(found[-1], metrics=one.metrics) == one:
                found[-1] = replace(one, metrics=(*found[-1].metrics, metric))
            else:
                found.append(one)
    return sorted(found, key=lambda one: one.advisory)


def _signs(least: float | None, most: float | None) -> str:
    parts = [
        f"{sign} {text.number(value)}"
        for sign, value in (("≥", least), ("≤", most))
        if value is not None
    ]
    return " and ".join(parts)


def _prose(card: Card) -> Markup:
    """The card's prose as HTML: no raw HTML, pictures or links in it, headings below the page's."""
    markdown = MarkdownIt("commonmark", {"html": False}).disable(["image", "link", "autolink"])
    tokens = markdown.parse(card.prose[:_PROSE])
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1:]) + 2)}"
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S704 - escaped by it
