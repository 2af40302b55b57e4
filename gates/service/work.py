"""The durable way of jobs, on DBOS: what was begun is gone on with, whatever was killed.

Every job is a workflow of DBOS in the service's own database. After a kill the next start, or with
PostgreSQL another host, goes on at the step that was left.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID

from gates.errors import ServiceError
from gates.service.context import Resources
from gates.service.loops import Loop
from gates.service.outward import StatusTags
from gates.service.steps import JobSteps, Next, workflow_id
from gates.service.store.values import Job
from gates.system.file_locks import HeldLock, take_exclusive_if_free

__all__ = ["DurableWork"]

_LOG = logging.getLogger("gates.service")
_QUEUE, _NAME = "gates", "gate"
_VERSION = "gates-1"
"""The shape of the workflow: raise it when steps change, and work begun before is not gone on with
by code that would misread it."""

_YOUNG = timedelta(seconds=30)
_MOST_NAMES = 64
_ENDED = frozenset({"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})


class DurableWork:
    """Works on jobs, `config.workers` at once; one in a process.

    Args:
        resources: What the service rests on.
    """

    def __init__(self, resources: Resources) -> None:
        config, jobs, leases = resources.config, resources.jobs, resources.leases
        self._config = config
        self._jobs = jobs
        self._leases = leases
        self.executor, self._held = _own_name(resources.project.folder / ".gates")
        self._tags = StatusTags(jobs, leases, resources.registry, config.url)
        self._steps = JobSteps(resources, self.executor, self._tags.wake)
        self._beat = Loop("heartbeat", config.takeover / 4, self._be_alive)
        self._sweep = Loop("sweep", config.takeover / 2, self._look_after)
        self._workflow: Callable[[str], None] = self._go

    def start(self) -> None:
        """Begin: what this process, by its name, had begun before is gone on with.

        Raises:
            ServiceError: The database cannot be opened.
        """
        _quiet()
        self._be_alive()
        DBOS(config=_dbos_config(self._config.database, self.executor))
        self._workflow = _registered(self._go)
        try:
            DBOS.launch()
            DBOS.register_queue(
                _QUEUE,
                worker_concurrency=self._config.workers,
                polling_interval_sec=0.5,
                on_conflict="always_update",
            )
        except sa.exc.SQLAlchemyError as problem:
            reason = str(getattr(problem, "orig", None) or problem).splitlines()[0]
            raise ServiceError(
                f"the durable queue cannot be opened: {reason}",
                advice="check that the database can be reached and written by this user",
            ) from problem
        for loop in (self._beat, self._sweep, self._tags):
            loop.start()

    def stop(self, grace: timedelta) -> None:
        """End: gates that run are stopped, and gone on with at the next start.

        Args:
            grace: How long steps may take to leave their jobs.
        """
        self._steps.stop()
        for loop in (self._sweep, self._tags, self._beat):
            loop.stop()
        DBOS.destroy(
            destroy_registry=True,
            workflow_completion_timeout_sec=max(1, round(grace.total_seconds())),
        )
        self._leases.give_back(f"host:{self.executor}", self.executor)
        self._held.release()

    def enqueue(self, job_id: str) -> None:
        """See `Work.enqueue`."""
        job = self._jobs.job(job_id)
        if job is not None and job.state == "queued":
            self._enqueue(job)

    def cancel(self, job_id: str) -> None:
        """See `Work.cancel`."""
        self._jobs.change(job_id, cancel=True)
        self._steps.cancel_queued(job_id)

    def _enqueue(self, job: Job) -> None:
        delay = 0.0
        if job.next_attempt_at is not None:
            delay = max(0.0, (job.next_attempt_at - datetime.now(UTC)).total_seconds())
        self._put(_workflow_of(job), job.id, delay)

    def _put(self, workflow: str, job_id: str, delay: float) -> None:
        """Have a workflow begun in some seconds; once, however often it is put there."""
        with SetWorkflowID(workflow), SetEnqueueOptions(delay_seconds=delay or None):
            DBOS.enqueue_workflow(_QUEUE, self._workflow, job_id)

    def _go(self, job_id: str) -> None:
        """The workflow. What it does next rests on what its steps gave, and on nothing else."""
        steps = self._steps
        for step in (
            steps.resolve,
            steps.environments,
            steps.score,
            steps.judge,
            steps.record,
            steps.promote,
            steps.finish,
        ):
            after = _step(step, job_id)
            if after.do == "quit":
                return
            if after.do != "on":
                put_off = DBOS.run_step({"name": "settle"}, steps.settle, job_id, after.plain())
                if put_off is not None:
                    self._put(put_off["workflow"], job_id, put_off["seconds"])
                    return
                break
        DBOS.run_step({"name": "notify"}, steps.notify, job_id)

    def _be_alive(self) -> bool:
        self._leases.take(f"host:{self.executor}", self.executor, self._config.takeover)
        return False

    def _look_after(self) -> bool:
        """Take over the work of hosts that are gone, and jobs whose work was lost."""
        if not self._leases.take("sweep", self.executor, 2 * self._config.takeover):
            return False
        alive = set(self._leases.held("host:").values()) | {self.executor}
        begun = DBOS.list_workflows(status="PENDING", name=_NAME, load_input=False)
        gone = {one.executor_id for one in begun if one.executor_id} - alive
        if gone:
            _LOG.warning("going on with the work of %s", ", ".join(sorted(gone)))
            DBOS._recover_pending_workflows(sorted(gone))  # noqa: SLF001 - DBOS' one way without its cloud
        before = ""
        while True:
            page = self._jobs.page(states=("queued", "running"), before=before, size=200)
            for job in page.jobs:
                self._look_at(job)
            before = page.older
            if not before:
                return False

    def _look_at(self, job: Job) -> None:
        if datetime.now(UTC) - job.created_at < _YOUNG:
            return
        found = DBOS.get_workflow_status(_workflow_of(job))
        if found is None and job.state == "queued":
            self._enqueue(job)
        elif (found is None or found.status in _ENDED) and self._is_still(job):
            words = "its work ended without a word: see the log of gates serve"
            self._jobs.end(job.id, "parked", words)
            self._jobs.note(job.id, f"parked: {words}")
            self._tags.wake()

    def _is_still(self, job: Job) -> bool:
        now = self._jobs.job(job.id)
        return now is not None and (now.state, now.attempts) == (job.state, job.attempts)


def _registered(go: Callable[[str], None]) -> Callable[[str], None]:
    @DBOS.workflow(name=_NAME, max_recovery_attempts=None)
    def gate(job_id: str) -> None:
        go(job_id)

    return gate


def _step(step: Callable[[str], Next], job_id: str) -> Next:
    kept = DBOS.run_step({"name": step.__name__}, lambda: step(job_id).plain())
    return Next(**kept)


def _workflow_of(job: Job) -> str:
    return workflow_id(job.id, job.attempts)


def _own_name(folder: Path) -> tuple[str, HeldLock]:
    """A name that no other process of this machine has, and this one has again after a restart.

    Returns:
        The name, and the lock that keeps it.

    Raises:
        ServiceError: There are too many, or the folder cannot be written.
    """
    try:
        for place in range(_MOST_NAMES):
            held = take_exclusive_if_free(folder / f"serve-{place}.lock")
            if held is not None:
                return f"{socket.gethostname()[:40]}-{place}", held
    except OSError as problem:
        raise ServiceError(
            f"{folder} cannot be written: {problem.strerror}", advice="change its owner or mode"
        ) from None
    raise ServiceError(f"{_MOST_NAMES} services run in {folder.parent}", advice="stop some")


def _dbos_config(database: str, executor: str) -> DBOSConfig:
    url = sa.make_url(database)
    config: DBOSConfig = {
        "name": "mlgates",
        "application_version": _VERSION,
        "executor_id": executor,
        "enable_otlp": False,
        "log_level": "WARNING",
    }
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database)).absolute()
        queue = path.with_name(f"{path.stem}-dbos.db")
        config["system_database_url"] = f"sqlite:///{queue}"
    else:
        plain = url.set(drivername="postgresql")
        config["system_database_url"] = plain.render_as_string(hide_password=False)
        config["dbos_system_schema"] = "gates_dbos"
    return config


def _quiet() -> None:
    """Keep DBOS from writing to the terminal by itself: what it says goes where our log goes."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
