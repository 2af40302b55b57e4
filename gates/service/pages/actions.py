"""What buttons ask for: gate, cancel, promote, roll back; with the guards of the command line."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gates.card.card import Card
from gates.errors import GatesError, PromotionRefused, RegistryError, UsageError
from gates.evidence.evidence import evidence_digest
from gates.promotion.criteria import criteria_of
from gates.promotion.promote import promote
from gates.promotion.rollback import rollback
from gates.registry import Registry
from gates.service.auth import Caller
from gates.service.kept_files import job_folder
from gates.service.pages.forms import operating
from gates.service.pages.gate import found
from gates.service.pages.site import Site, rendered
from gates.service.recorded import RecordedGate
from gates.service.store.jobs import QueueFull
from gates.service.store.values import Job

__all__ = ["action_routes"]

_VERSION = re.compile(r"[0-9]{1,18}")

Form = Mapping[str, str]
Action = Callable[[Site, Request, Caller, Form], str]


def action_routes(site: Site) -> list[Route]:
    """What buttons ask for; each leads back to a page that shows what came of it."""
    return [
        Route("/gates/{job_id}/cancel", _endpoint(site, _cancel), methods=["POST"]),
        Route("/gates/{job_id}/again", _endpoint(site, _again), methods=["POST"]),
        Route("/gates/{job_id}/promote", _endpoint(site, _promote), methods=["POST"]),
        Route("/models/{name:path}/gate", _endpoint(site, _gate), methods=["POST"]),
        Route("/models/{name:path}/rollback", _endpoint(site, _rollback), methods=["POST"]),
    ]


def _endpoint(site: Site, action: Action) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        caller, form = await operating(request, site.service)
        try:
            to = await run_in_threadpool(action, site, request, caller, form)
        except GatesError as problem:
            return _refused(site, request, caller, problem)
        return RedirectResponse(to, 303)

    return endpoint


def _cancel(site: Site, request: Request, caller: Caller, _: Form) -> str:
    job, jobs = found(site, request), site.service.jobs
    if jobs.change(job.id, cancel=True) is None:
        raise PromotionRefused("the gate has ended: there is nothing to stop")
    jobs.note(job.id, f"{caller.name} asked to stop it")
    site.service.work.cancel(job.id)
    return f"/gates/{job.id}?done=cancelled"


def _again(site: Site, request: Request, caller: Caller, _: Form) -> str:
    job = found(site, request)
    return _ask(site, job.model, job.version, caller, forced=True)


def _gate(site: Site, request: Request, caller: Caller, form: Form) -> str:
    version = form.get("version", "")
    if not _VERSION.fullmatch(version):
        raise UsageError("a version is a number", advice="aliases move: name the version itself")
    return _ask(site, request.path_params["name"], version, caller, forced=False)


def _ask(site: Site, model: str, version: str, caller: Caller, *, forced: bool) -> str:
    service = site.service
    _card(site, model)
    job, new = service.jobs.ask(
        model,
        version,
        "page",
        caller.name,
        forced=forced,
        most_waiting=service.config.queue,
    )
    if new:
        service.jobs.note(job.id, f"asked for by {caller.name}")
    service.work.enqueue(job.id)
    return f"/gates/{job.id}?done={'asked' if new else 'again'}"


def _promote(site: Site, request: Request, caller: Caller, form: Form) -> str:
    service, job = site.service, found(site, request)
    card = _card(site, job.model)
    if job.state != "done":
        raise PromotionRefused(f"the gate of {job.uri} came to no verdict")
    registry = service.registry()
    with tempfile.TemporaryDirectory(prefix="gates-") as scratch:
        event = promote(
            registry,
            card,
            job.uri,
            _evidence(site, registry, job, Path(scratch)),
            criteria=criteria_of(card),
            why=form.get("why", ""),
            by=caller.name,
            first=form.get("first") == "yes",
            verify_key=service.project.settings.verify_key,
        )
    if not isinstance(job, RecordedGate):
        service.jobs.note(job.id, f"promoted to {event.alias} by {caller.name}: {event.why}")
    service.last_seen.renew(job.model)
    return f"/gates/{job.id}?done=promoted"


def _rollback(site: Site, request: Request, caller: Caller, form: Form) -> str:
    name = request.path_params["name"]
    card = _card(site, name)
    rollback(
        site.service.registry(),
        name,
        card.policy.champion,
        why=form.get("why", ""),
        by=caller.name,
        to=form.get("to") or None,
    )
    site.service.last_seen.renew(name)
    return f"/models/{quote(name, safe='')}?done=rolled-back"


def _card(site: Site, model: str) -> Card:
    """The card as it is on disk now: nothing that is only remembered may move an alias."""
    if not site.project.has_card(model):
        raise HTTPException(404, "the model has no card here")
    return site.project.card(model)


def _evidence(site: Site, registry: Registry, job: Job, scratch: Path) -> Path:
    """The evidence of this very gate."""
    here = job_folder(site.service, job.id) / "evidence.json"
    if not (here.is_file() or job.mlflow_run):
        raise PromotionRefused(
            f"the evidence of this gate of {job.uri} is neither here nor in MLflow",
            advice="gate it again",
        )
    path = here if here.is_file() else registry.evidence_of(job.mlflow_run, scratch)
    digest = evidence_digest(path.read_bytes())
    if digest != job.evidence_digest:
        raise PromotionRefused(
            f"{job.uri} was not promoted:\n  - this gate recorded evidence {job.evidence_digest}, "
            f"what there is now is {digest}",
            advice="the alias has not moved; look at the newest gate of this version",
        )
    return path


def _refused(site: Site, request: Request, caller: Caller, problem: GatesError) -> Response:
    status, title = 409, "Refused: nothing was changed"
    if isinstance(problem, QueueFull):
        status, title = 503, "Not now"
    elif isinstance(problem, UsageError):
        status, title = 400, "Something is missing"
    elif isinstance(problem, RegistryError):
        status, title = 503, "The registry failed"
    what, *lines = problem.what.splitlines()
    model = request.path_params.get("name")
    values = {
        "code": status,
        "title": title,
        "what": what,
        "lines": [one.strip().removeprefix("- ") for one in lines],
        "advice": problem.advice,
        "back": f"/models/{quote(model, safe='')}"
        if model
        else f"/gates/{request.path_params['job_id']}",
    }
    return rendered(site.service, caller, "problem.html", values, status)
