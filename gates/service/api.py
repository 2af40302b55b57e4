"""The service as JSON: gates listed, asked for, followed, cancelled; and how the service is."""

# FastAPI reads annotations as they stand, those of this file's inner functions among them: they are
# not postponed here.

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gates import __version__
from gates.errors import GatesError
from gates.service.all_gates import AllGates, is_complete
from gates.service.auth import Caller, Denied, allow, from_our_own_page
from gates.service.config import Role
from gates.service.context import Service
from gates.service.kept_files import evidence_bytes, report_of
from gates.service.metrics import CONTENT_TYPE, Metrics
from gates.service.store.jobs import QueueFull
from gates.service.store.values import Job, JobState

__all__ = ["REPORT_POLICY", "api_router", "health_router"]

REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)
"""How a browser shows a report: by itself, without our cookies, asking nobody for anything."""

_MODEL = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$"
_VERSION = r"^[0-9]{1,18}$"
_JOB = r"^([0-9a-f]{24}|[0-9a-f]{32})$"
JobId = Annotated[str, Path(pattern=_JOB, description="The id of a gate.")]


class Problem(BaseModel):
    """Why a request came to nothing."""

    detail: str


class GateJob(BaseModel):
    """One gate: the service's own, or one that MLflow holds and that ran elsewhere."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(
        description="24 hexadecimal digits that sort by time of asking; of a gate that ran "
        "elsewhere, the 32 of its MLflow run."
    )
    model: str
    version: str
    state: JobState
    step: str = Field(description="The step it is in, or ended in.")
    progress: str
    judged: int = Field(description="Bounds judged so far.")
    bounds: int = Field(description="Bounds there are; 0 until it is known.")
    verdict: str = Field(description="PASS, FAIL or UNDECIDED once done; else empty.")
    reason: str = Field(description="Why it is parked, skipped, cancelled or tried again.")
    origin: str = Field(
        description="What asked: webhook, reconciler, api or page; where a gate ran that is not "
        "the service's own: hand, ci, elsewhere (another service) or unknown."
    )
    requested_by: str
    forced: bool
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    next_attempt_at: datetime | None
    candidate_digest: str
    champion: str
    same_as: str = Field(description="The earlier gate of the same digests, when skipped.")
    evidence_digest: str
    mlflow_run: str
    summary: dict[str, Any]
    link: str = Field("", description="The page of the CI run, of a gate that ran there.")


class Gates(BaseModel):
    """Some gates, newest first."""

    gates: list[GateJob]
    older: str = Field(description="What to ask the next page with (`before`); empty at the end.")
    complete: bool = Field(
        description="False while MLflow cannot be read: gates that ran elsewhere may be missing."
    )


class GateRequest(BaseModel):
    """What to gate."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(pattern=_MODEL)
    version: str = Field(pattern=_VERSION, description="A version number; aliases move.")
    force: bool = Field(default=False, description="Gate although nothing changed since.")


class JournalLine(BaseModel):
    """One line of a gate's journal."""

    model_config = ConfigDict(from_attributes=True)

    place: int
    at: datetime
    text: str


class Model(BaseModel):
    """A model the service looks after."""

    name: str
    latest: GateJob | None = Field(description="Its newest gate, wherever that ran.")
    complete: bool = Field(
        description="False while MLflow cannot be read: gates that ran elsewhere may be missing."
    )


class Health(BaseModel):
    """That the process answers."""

    status: Literal["ok"]
    version: str


class Readiness(BaseModel):
    """Whether deliveries can be kept and gates run."""

    status: Literal["ready", "not ready"]
    database: bool
    registry: str = Field(description="Why the registry could not be read last; empty if it was.")


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "Nobody known asks."},
    403: {"model": Problem, "description": "Whoever asks may not."},
}
_MISSING: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such thing."},
    503: {"model": Problem, "description": "MLflow, which may have it, cannot be asked."},
}


def health_router(service: Service, metrics: Metrics, registry: Callable[[], str]) -> APIRouter:
    """Whether the service lives, is ready, and its numbers.

    Args:
        metrics: Its numbers.
        registry: Why the registry could not be read the last time; empty when it could.
    """
    router = APIRouter(tags=["service"])

    @router.get("/health", summary="Whether the process answers")
    def health() -> Health:
        return Health(status="ok", version=__version__)

    @router.get(
        "/ready",
        summary="Whether deliveries can be kept and gates run",
        responses={503: {"model": Readiness, "description": "They cannot."}},
    )
    def ready(response: Response) -> Readiness:
        database = service.jobs.answers()
        if not database:
            response.status_code = 503
        # Why MLflow is away may name addresses; whoever may look finds it on the pages.
        return Readiness(
            status="ready" if database else "not ready",
            database=database,
            registry="away" if registry() else "",
        )

    @router.get(
        "/metrics",
        summary="Numbers for Prometheus",
        dependencies=[Depends(_needs(service, "viewer"))],
        responses={**_PROBLEMS, 200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        response_class=Response,
    )
    def numbers() -> Response:
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE})

    return router


def api_router(service: Service) -> APIRouter:
    """Gates as JSON, under `/api/v1`."""
    router = APIRouter(prefix="/api/v1", tags=["gates"], responses=_PROBLEMS)
    project = service.project
    every = AllGates(service.jobs, service.last_seen)
    looks = Annotated[Caller, Depends(_needs(service, "viewer"))]
    operates = Annotated[Caller, Depends(_needs(service, "operator"))]

    def found(job_id: str) -> Job:
        models = project.models()
        job = every.find(job_id, models)
        if job is not None:
            return job
        is_run = len(job_id) == 32
        if is_run and not is_complete(service.last_seen.of(models, patience=0.0)):
            raise HTTPException(503, f"MLflow, which may hold {job_id}, could not be read yet")
        raise HTTPException(404, f"there is no gate {job_id}")

    @router.get("/models", summary="Models that have a card, with their newest gate")
    def models(_: looks) -> list[Model]:
        glimpses = service.last_seen.of(project.models())
        latest = every.latest(glimpses)
        return [
            Model(
                name=name,
                latest=GateJob.model_validate(latest[name]) if name in latest else None,
                complete=glimpse.is_sure,
            )
            for name, glimpse in glimpses.items()
        ]

    @router.get("/gates", summary="Gates, newest first")
    def gates(
        _: looks,
        model: Annotated[str | None, Query(pattern=_MODEL)] = None,
        state: Annotated[list[JobState], Query()] = [],  # noqa: B006 - FastAPI copies it
        verdict: Annotated[Literal["PASS", "FAIL", "UNDECIDED"] | None, Query()] = None,
        before: Annotated[str, Query(pattern=r"^([0-9a-f]{24})?$")] = "",
        size: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Gates:
        glimpses = service.last_seen.of(project.models())
        page = every.page(
            glimpses, model=model, states=state, verdict=verdict, before=before, size=size
        )
        return Gates(
            gates=[GateJob.model_validate(job) for job in page.jobs],
            older=page.older,
            complete=is_complete(glimpses),
        )

    @router.post(
        "/gates",
        status_code=202,
        summary="Ask for a gate",
        responses={
            200: {"model": GateJob, "description": "It was waiting or running already."},
            400: {"model": Problem, "description": "The body is not JSON."},
            **_MISSING,
            503: {"model": Problem, "description": "As many wait as may."},
        },
    )
    def ask(request: GateRequest, caller: operates, response: Response) -> GateJob:
        if not project.has_card(request.model):
            raise HTTPException(404, f"the model '{request.model}' has no card here")
        try:
            job, new = service.jobs.ask(
                request.model,
                request.version,
                "api",
                caller.name,
                forced=request.force,
                most_waiting=service.config.queue,
            )
        except QueueFull as problem:
            raise HTTPException(503, problem.what, {"retry-after": "60"}) from None
        if new:
            service.jobs.note(job.id, f"asked for by {caller.name}")
        service.work.enqueue(job.id)
        response.status_code = 202 if new else 200
        return GateJob.model_validate(job)

    @router.get("/gates/{job_id}", summary="A gate", responses=_MISSING)
    def gate(job_id: JobId, _: looks) -> GateJob:
        return GateJob.model_validate(found(job_id))

    @router.get("/gates/{job_id}/journal", summary="What happened to a gate", responses=_MISSING)
    def lines(
        job_id: JobId, _: looks, after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0
    ) -> list[JournalLine]:
        job = found(job_id)
        return [JournalLine.model_validate(line) for line in service.jobs.lines(job.id, after)]

    @router.post(
        "/gates/{job_id}/cancel",
        status_code=202,
        summary="Stop a gate that waits or runs",
        responses={409: {"model": Problem, "description": "It has ended."}, **_MISSING},
    )
    def cancel(job_id: JobId, caller: operates) -> GateJob:
        job = found(job_id)
        if service.jobs.change(job.id, cancel=True) is None:
            raise HTTPException(409, f"the gate {job_id} has ended")
        service.jobs.note(job.id, f"{caller.name} asked to stop it")
        service.work.cancel(job.id)
        return GateJob.model_validate(found(job.id))

    @router.get(
        "/gates/{job_id}/evidence",
        summary="The evidence of a gate, byte for byte as signed",
        responses={
            200: {"content": {"application/json": {"schema": {"type": "object"}}}},
            **_MISSING,
        },
        response_class=Response,
    )
    def evidence(job_id: JobId, _: looks) -> Response:
        content = _fetched(lambda: evidence_bytes(service, found(job_id)))
        return Response(content, media_type="application/json")

    @router.get(
        "/gates/{job_id}/report",
        summary="The report of a gate, a page of HTML",
        responses={
            200: {"content": {"text/html": {"schema": {"type": "string"}}}},
            **_MISSING,
        },
        response_class=Response,
    )
    def report(job_id: JobId, _: looks) -> Response:
        content = _fetched(lambda: report_of(service, found(job_id)))
        headers = {"content-security-policy": REPORT_POLICY}
        return Response(content, media_type="text/html", headers=headers)

    return router


def _needs(service: Service, role: Role) -> Callable[[Request], Caller]:
    def caller(request: Request) -> Caller:
        asked = allow(request, role)
        changes = request.method not in {"GET", "HEAD"}
        if changes and asked.how != "token" and not from_our_own_page(request, service.config):
            raise Denied(403, "it was asked from a page that is not ours")
        return asked

    return caller


def _fetched(fetch: Callable[[], bytes | None]) -> bytes:
    try:
        content = fetch()
    except GatesError as problem:
        raise HTTPException(503, problem.what) from None
    if content is None:
        raise HTTPException(404, "this gate left none, or it is not what was recorded")
    return content
