"""The steps of a job: each may be begun again after a kill, and does nothing twice that shows.

Trouble is told as a value (`Next`), never raised: what a durable step raises is remembered as its
outcome. Only `JobGone` is raised, by which a step is left as if it had never begun.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy.exc import SQLAlchemyError

from gates.errors import GatesError
from gates.evidence.bundle import read_evidence
from gates.evidence.evidence import evidence_digest
from gates.evidence.verdict import settled_verdict
from gates.golden import golden_digest
from gates.registry import GateSource
from gates.report.main_numbers import summary_of
from gates.report.renderer import report_files
from gates.run.delivery import log_outcome
from gates.service.claims import Claims
from gates.service.context import Resources
from gates.service.outward import link_of, message, send
from gates.service.processes import Processes
from gates.service.promoting import BY, is_wanted, promote_passed
from gates.service.running import GateProgress, JobGone, Phase, Running, watch
from gates.service.store.values import ACTIVE, Job, JobState, Step
from gates.system.retrying import Backoff

__all__ = ["JobSteps", "Next", "workflow_id"]

_MOST_TROUBLES = 8
_LONGEST_SECONDS = 30 * 60.0
_WAIT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Next:
    """What comes after a step.

    Attributes:
        do: `on` to the next step; `end` in `state`; try `again` after passing trouble; `wait` for
            another gate; `quit` because the job has ended or is another's.
        reason: Why, where it is not `on`.
        state: How the job ends.
        same_as: The earlier job, when it ends as skipped.
    """

    do: Literal["on", "end", "again", "wait", "quit"] = "on"
    reason: str = ""
    state: JobState = "parked"
    same_as: str = ""

    def plain(self) -> dict[str, Any]:
        """As plain values, to be kept by the durable workflow."""
        return asdict(self)


class JobSteps:
    """The steps of every job of one process.

    Args:
        resources: What the service rests on.
        executor: This process, by a name that it has again after a restart.
        changed: Told when a job's state changes.
    """

    def __init__(
        self,
        resources: Resources,
        executor: str,
        changed: Callable[[], None],
    ) -> None:
        config, settings = resources.config, resources.project.settings
        self._config = config
        self._jobs = resources.jobs
        self._registry = resources.registry
        self._executor = executor
        self._changed = changed
        self._verify_key = settings.verify_key
        self._project = resources.project
        self._claims = Claims(resources.leases, executor, config.takeover)
        self._processes = Processes(settings, config.gate_time)
        self._stopping = threading.Event()
        self._backoff = Backoff(config.retry.total_seconds(), _MOST_TROUBLES, _LONGEST_SECONDS)

    def stop(self) -> None:
        """Have every step leave its job as it is, to be gone on with later."""
        self._stopping.set()

    def resolve(self, job_id: str) -> Next:
        """Say what exactly is gated; a gate of the same digests is not repeated."""
        job = self._begin(job_id, "resolve", "resolving versions")
        if job is None:
            return Next("quit")
        if job.cancel:
            return Next("end", "cancelled before it began", "cancelled")
        return self._guarded(lambda: self._resolved(job))

    def _resolved(self, job: Job) -> Next:
        card = self._project.card(job.model)
        golden = golden_digest(card.golden_path)
        registry = self._registry()
        candidate = registry.resolve(job.uri)
        champion = registry.alias(job.model, card.policy.champion)
        if champion and champion.version == candidate.version:
            words = f"{candidate.uri} already is the {card.policy.champion}"
            return Next("end", words, "skipped")
        about = [candidate.uri, candidate.digest, champion and champion.digest]
        key = _digest([*about, card.digest, golden])
        self._jobs.change(
            job.id,
            candidate_digest=candidate.digest,
            champion=champion.version if champion else "",
            key=key,
        )
        same = None if job.forced else self._jobs.same(key, job.id)
        if same is not None:
            words = f"version, champion, card and golden set were gated before: {same.verdict}"
            return Next("end", words, "skipped", same.id)
        if not self._claims.take(job, candidate.digest):
            return Next("wait", "another gate of the same artifact and card is running")
        return Next()

    def environments(self, job_id: str) -> Next:
        """Have both versions' environments built, or found."""
        return self._run(job_id, "environments", "built")

    def score(self, job_id: str) -> Next:
        """Have every check run that has not been run."""
        return self._run(job_id, "score", "measured")

    def judge(self, job_id: str) -> Next:
        """Have every bound judged, and the evidence written."""
        return self._run(job_id, "judge", "ended")

    def _run(self, job_id: str, step: Step, phase: Phase) -> Next:
        job = self._begin(job_id, step)
        if job is None:
            return Next("quit")
        return self._guarded(lambda: self._watched(job, phase))

    def _watched(self, job: Job, phase: Phase) -> Next:
        if not self._claims.take(job, job.candidate_digest):
            return Next("wait", "another gate of the same artifact and card is running")
        running, until = self._processes.of(job.id) or self._start(job)
        renewed, shown = time.monotonic(), ("", 0, 0)

        def told(heard: GateProgress) -> bool:
            nonlocal renewed, shown
            if time.monotonic() - renewed > self._config.takeover.total_seconds() / 2:
                renewed = time.monotonic()
                if not self._claims.take(job, job.candidate_digest):
                    running.end()
                    raise JobGone
            seen = (heard.progress, heard.judged, heard.bounds)
            if seen == shown:
                found = self._jobs.job(job.id)
            else:
                shown = seen
                progress, judged, bounds = seen
                found = self._jobs.change(job.id, progress=progress, judged=judged, bounds=bounds)
            return found is not None and found.state == "running" and not found.cancel

        try:
            there = watch(running, phase, until=until, told=told, stopping=self._stopping.is_set)
        except JobGone:
            self._processes.forget(job.id)
            raise
        if not there:
            self._processes.forget(job.id)
            return self._stopped(job)
        ended = running.told.ended
        if running.told.phase == "ended":
            self._processes.forget(job.id)
            running.end()
        if "error" in ended:
            return Next("again" if ended.get("passing") else "end", str(ended["error"]))
        if running.told.phase == "ended" and ended.get("trouble"):
            self._jobs.note(job.id, str(ended["trouble"]))
        return Next()

    def _start(self, job: Job) -> tuple[Running, float]:
        self._jobs.note(job.id, f"the gate's process was started by {self._executor}")
        return self._processes.start(job, self._project.card_path(job.model))

    def _stopped(self, job: Job) -> Next:
        found = self._jobs.job(job.id)
        if found is None or found.state != "running":
            return Next("quit")
        if found.cancel:
            return Next("end", "cancelled while it ran", "cancelled")
        return Next(
            "end", f"it took longer than {self._processes.limit}: see gates serve --gate-time"
        )

    def record(self, job_id: str) -> Next:
        """Log evidence and reports to MLflow, once; for as long as MLflow is away, wait for it."""
        job = self._begin(job_id, "record", "logging the evidence to MLflow")
        if job is None:
            return Next("quit")
        path = self._evidence(job_id)
        if not path.is_file():
            return Next("again", "the evidence was written on another host, or was removed")
        return self._patiently(job, lambda: self._recorded(job, path))

    def _recorded(self, job: Job, path: Path) -> Next:
        evidence = read_evidence(path)
        verdict = settled_verdict(evidence, path)
        kept = map(path.with_name, report_files().values())
        reports = [one for one in kept if one.is_file()]
        source = GateSource(BY, "service", link_of(self._config.url, job.id), job.id)
        run = log_outcome(self._registry(), evidence, path, reports, source=source)
        self._jobs.change(
            job.id,
            verdict=str(verdict.outcome),
            evidence_digest=evidence_digest(path.read_bytes()),
            mlflow_run=run,
            summary=summary_of(evidence),
        )
        return Next()

    def promote(self, job_id: str) -> Next:
        """Move the alias, if the card asks for it on PASS; a refusal is noted."""
        job = self._begin(job_id, "promote")
        if job is None:
            return Next("quit")
        return self._patiently(job, lambda: self._promoted(job))

    def _promoted(self, job: Job) -> Next:
        card = self._project.card(job.model)
        if is_wanted(card, job):
            self._jobs.change(job.id, progress=f"moving the alias {card.policy.champion}")
            path, key = self._evidence(job.id), self._verify_key
            said = promote_passed(self._registry(), card, job, path, verify_key=key)
            if said:
                self._jobs.note(job.id, said)
        return Next()

    def finish(self, job_id: str) -> Next:
        """End the job with its verdict."""
        job = self._jobs.job(job_id)
        if job is None:
            return Next("quit")
        self._end(job, "done")
        return Next()

    def settle(self, job_id: str, came_to: Mapping[str, Any]) -> dict[str, Any] | None:
        """End a job that did not come to a verdict, or put it off.

        Args:
            came_to: What its last step came to (`Next.plain`).

        Returns:
            The `workflow` it is gone on with, and in how many `seconds`; None when it has ended.
        """
        after = Next(**came_to)
        job = self._jobs.job(job_id)
        if job is None or job.state not in ACTIVE:
            return None
        if job.state == "queued":  # it was put off before this step was killed
            seconds = max(0.0, ((job.next_attempt_at or _now()) - _now()).total_seconds())
            return {"workflow": workflow_id(job_id, job.attempts), "seconds": seconds}
        self._claims.give_back(job)
        if job.cancel and after.do != "end":
            after = Next("end", "cancelled", "cancelled")
        if after.do == "end":
            self._end(job, after.state, after.reason, same_as=after.same_as)
            return None
        troubles = job.troubles + (after.do == "again")
        if troubles > _MOST_TROUBLES:
            self._end(job, "parked", f"tried {troubles} times; the last time: {after.reason}")
            return None
        delay = _WAIT
        if after.do == "again":
            delay = timedelta(seconds=self._backoff.pause(troubles))
            self._jobs.note(job_id, f"is tried again in {delay}: {after.reason}")
        self._jobs.change(
            job_id,
            state="queued",
            progress="",
            reason=after.reason[:4_000],
            attempts=job.attempts + 1,
            troubles=troubles,
            next_attempt_at=_now() + delay,
        )
        self._changed()
        seconds = delay.total_seconds()
        return {"workflow": workflow_id(job_id, job.attempts + 1), "seconds": seconds}

    def notify(self, job_id: str) -> None:
        """Tell people of a job that ended, where they asked to be told."""
        job = self._jobs.job(job_id)
        if job is None or self._config.notify is None or job.state not in {"done", "parked"}:
            return
        said = message(job, link_of(self._config.url, job.id))
        reason = send(self._config.notify, said, self._stopping.wait)
        self._jobs.note(
            job_id, f"could not notify people: {reason}" if reason else "notified people"
        )

    def cancel_queued(self, job_id: str) -> None:
        """End a job that waits."""
        job = self._jobs.job(job_id)
        if job is not None and job.state == "queued":
            self._end(job, "cancelled", "cancelled before it began")

    def _begin(self, job_id: str, step: Step, progress: str = "") -> Job | None:
        """The job, now in a step; None when it has ended."""
        job = self._jobs.job(job_id)
        if job is None:
            return None
        values: dict[str, Any] = {"state": "running", "step": step, "executor": self._executor}
        if progress:
            values["progress"] = progress
        if job.started_at is None:
            values["started_at"] = _now()
        if job.state == "queued":
            values |= {"reason": "", "next_attempt_at": None}
        changed = self._jobs.change(job_id, **values)
        if changed is not None and job.step != step:
            self._jobs.note(job_id, step)
        self._changed()
        return changed

    def _end(self, job: Job, state: JobState, reason: str = "", **values: str) -> None:
        ended = self._jobs.end(job.id, state, reason, **values)
        self._claims.give_back(job)
        if ended is None:
            return
        self._jobs.note(job.id, f"{state}: {reason}" if reason else state)
        self._processes.clean(job.id)
        self._changed()

    def _guarded(self, step: Callable[[], Next]) -> Next:
        try:
            return step()
        except GatesError as problem:
            return Next("again" if problem.passing else "end", str(problem))
        except (SQLAlchemyError, OSError) as problem:
            return Next("again", f"{type(problem).__name__}: {problem}")

    def _patiently(self, job: Job, step: Callable[[], Next]) -> Next:
        """A step that is tried again where it is: what came before it must not be repeated."""
        found = Next("again")
        for attempt in self._backoff.attempts(self._stopping.wait):
            asked = self._jobs.job(job.id) if attempt.number > 1 else None
            if asked is not None and asked.cancel:
                return Next("end", "cancelled", "cancelled")
            found = self._guarded(step)
            if found.do != "again":
                return found
            self._jobs.change(job.id, reason=found.reason)
            if not attempt.is_last:
                delay = timedelta(seconds=attempt.pause)
                self._jobs.note(job.id, f"is tried again in {delay}: {found.reason}")
        if self._stopping.is_set():
            raise JobGone
        return Next("end", f"tried {_MOST_TROUBLES} times; the last time: {found.reason}")

    def _evidence(self, job_id: str) -> Path:
        return self._processes.folder(job_id) / "evidence.json"


def workflow_id(job_id: str, attempts: int) -> str:
    """The durable workflow of a job that was put off so often."""
    return f"{job_id}-{attempts}"


def _now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def _digest(values: list[Any]) -> str:
    return "sha256:" + hashlib.sha256(json.dumps(values).encode()).hexdigest()
