"""The service, started in its order and stopped in the other."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from types import FrameType

import uvicorn

from gates.errors import ServiceError
from gates.project import Project
from gates.service.app import AppParts, create_app
from gates.service.config import ServiceConfig
from gates.service.connections import Connections
from gates.service.context import Resources, Service
from gates.service.intake import Intake
from gates.service.last_seen import LastSeenRegistry
from gates.service.metrics import Metrics
from gates.service.pages import page_routes, problem_page
from gates.service.receiving import Receiver
from gates.service.reconciler import Reconciler
from gates.service.repeats import OneLineForAFlood
from gates.service.store.database import open_database, service_key
from gates.service.store.inbox import Inbox
from gates.service.store.jobs import Jobs
from gates.service.store.leases import Leases
from gates.service.store.sessions import EndedSessions
from gates.service.tries import Tries
from gates.service.work import DurableWork
from gates.settings import Settings

__all__ = ["run_service"]

_GRACE = timedelta(seconds=20)
_BACKLOG = 2_048
_MLFLOW = {
    # Set once for the process: threads that set them for a call each would undo one another's.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def run_service(
    config: ServiceConfig, settings: Settings, listening: Callable[[str], None]
) -> None:
    """Serve until SIGTERM or Ctrl-C; gates that run are gone on with at the next start.

    Args:
        config: What the service was told.
        settings: Where the project, the cache and MLflow are.
        listening: Told the address once requests are answered.

    Raises:
        ServiceError: The database cannot be opened, or the port is taken.
        UsageError: The tracking URI names no MLflow.
    """
    for name, value in _MLFLOW.items():
        os.environ.setdefault(name, value)
    logging.getLogger("gates.service").setLevel(logging.INFO)
    project = Project(settings)
    project.open_registry()  # a wrong address is said now
    with ExitStack() as stack:
        floods = OneLineForAFlood()
        floods.watch()
        stack.callback(floods.end)
        bound = stack.enter_context(_listen(config))
        host = f"[{config.host}]" if ":" in config.host else config.host
        address = f"http://{host}:{bound.getsockname()[1]}"
        config = replace(config, url=config.url or address)
        engine = open_database(config.database)
        stack.callback(engine.dispose)
        jobs, leases = Jobs(engine), Leases(engine)
        registry = project.open_registry
        work = DurableWork(Resources(config, project, jobs, leases, registry))
        last_seen = LastSeenRegistry(registry, jobs.recorded)
        key = service_key(engine)
        ended, tries = EndedSessions(engine), Tries(config)
        inbox = Inbox(engine)
        service = Service(
            config, project, jobs, inbox, leases, registry, work, last_seen, ended, tries, key
        )
        work.start()
        stack.callback(work.stop, _GRACE)
        reconciler, intake = Reconciler(service), Intake(service)
        receiver = Receiver(service.inbox, intake.wake)
        for part in (reconciler, intake, receiver):
            part.start()
            stack.callback(part.stop)
        parts = AppParts(
            receiver,
            Metrics(jobs, last_seen, project.models),
            lambda: reconciler.trouble,
            page_routes(service, lambda: reconciler.trouble),
            problem_page(service),
        )
        connections = Connections(config.connections, config.request_time.total_seconds())
        app = create_app(service, parts)
        _answer(app, bound, connections, lambda: listening(address))


@contextmanager
def _listen(config: ServiceConfig) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        bound = socket.create_server(
            (config.host, config.port), family=family, backlog=_BACKLOG, reuse_port=False
        )
    except OSError as problem:
        raise ServiceError(
            f"cannot listen on {config.host}, port {config.port}: {problem.strerror or problem}",
            advice="is it taken? name another: gates serve --port",
        ) from None
    with bound:
        yield bound


def _answer(
    app: object, bound: socket.socket, connections: Connections, started: Callable[[], None]
) -> None:
    settings = uvicorn.Config(
        app,  # type: ignore[arg-type]  # any ASGI application
        http=connections.protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whose word counts is for gates.service.auth to say
        ws="none",
        timeout_graceful_shutdown=5,
    )
    server = _Server(settings, started)

    def stop(_: int, __: FrameType | None) -> None:
        server.should_exit = True

    main = threading.current_thread() is threading.main_thread()
    before = {
        number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT) if main
    }
    try:
        server.run([bound])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Server(uvicorn.Server):
    """A server that says when it answers, and leaves signals to us."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        self._tell()
