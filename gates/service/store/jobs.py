"""Jobs: asked for, begun, told of, ended, and found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from gates.errors import UsageError
from gates.service.store.schema import jobs, journal
from gates.service.store.values import ACTIVE, Job, JobLine, JobState, Origin, Page, new_job_id

__all__ = ["Jobs"]

_KEPT = frozenset(one.name for one in fields(Job))
_REASON = 4_000
_PROGRESS = 300


class Jobs:
    """The jobs of a service.

    Args:
        engine: The service's database (`open_database`).
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def ask(
        self,
        model: str,
        version: str,
        origin: Origin,
        requested_by: str,
        *,
        forced: bool = False,
        most_waiting: int = 1_000,
    ) -> tuple[Job, bool]:
        """Ask for a gate; the job of this version that is queued or running answers for it.

        Args:
            version: Its version, a number.
            origin: What asks.
            requested_by: Who asks.
            forced: Whether to gate although the same digests were gated before.
            most_waiting: How many jobs may be queued.

        Returns:
            The job, and whether it is new.

        Raises:
            QueueFull: That many are queued.
        """
        with self._engine.begin() as connection:
            for _ in range(2):
                found = connection.execute(
                    sa.select(jobs).where(
                        jobs.c.model == model, jobs.c.version == version, jobs.c.active == 1
                    )
                ).first()
                if found:
                    return _job(found), False
                waiting = connection.execute(
                    sa.select(sa.func.count()).where(jobs.c.state == "queued")
                ).scalar_one()
                if waiting >= most_waiting:
                    raise QueueFull(waiting)
                job = Job(
                    new_job_id(), model, version, origin, requested_by, forced, datetime.now(UTC)
                )
                row = {one.name: getattr(job, one.name) for one in fields(Job)}
                try:
                    with connection.begin_nested():
                        connection.execute(jobs.insert().values(**row, active=1))
                except IntegrityError:  # another host asked for it in this moment
                    continue
                return job, True
        raise UsageError(f"models:/{model}/{version} is asked for by many at once; ask again")

    def answers(self) -> bool:
        """Whether the database answers."""
        try:
            with self._reading() as connection:
                connection.execute(sa.select(sa.literal(1)))
        except sa.exc.SQLAlchemyError:
            return False
        return True

    def job(self, job_id: str) -> Job | None:
        """The job with an id."""
        with self._reading() as connection:
            found = connection.execute(sa.select(jobs).where(jobs.c.id == job_id)).first()
        return _job(found) if found else None

    def page(
        self,
        *,
        model: str | None = None,
        states: Sequence[JobState] = (),
        verdict: str | None = None,
        before: str = "",
        size: int = 50,
    ) -> Page:
        """Jobs, newest first.

        Args:
            model: Of this model only.
            states: In one of these states only.
            verdict: With this verdict only.
            before: Only those asked for before the job with this id.
            size: How many.
        """
        query = sa.select(jobs).order_by(jobs.c.id.desc()).limit(size + 1)
        if model is not None:
            query = query.where(jobs.c.model == model)
        if states:
            query = query.where(jobs.c.state.in_(states))
        if verdict is not None:
            query = query.where(jobs.c.verdict == verdict)
        if before:
            query = query.where(jobs.c.id < before)
        with self._reading() as connection:
            found = tuple(map(_job, connection.execute(query)))
        return Page(found[:size], found[size - 1].id if len(found) > size else "")

    def counts(self) -> Mapping[JobState, int]:
        """How many jobs are in each state that any is in."""
        query = sa.select(jobs.c.state, sa.func.count()).group_by(jobs.c.state)
        with self._reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def verdicts(self) -> Mapping[str, int]:
        """How many jobs came to each verdict."""
        query = (
            sa.select(jobs.c.verdict, sa.func.count())
            .where(jobs.c.verdict != "")
            .group_by(jobs.c.verdict)
        )
        with self._reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def latest(self) -> tuple[Job, ...]:
        """The newest job of each model, models in the order of their names."""
        newest = sa.select(sa.func.max(jobs.c.id)).group_by(jobs.c.model)
        query = sa.select(jobs).where(jobs.c.id.in_(newest)).order_by(jobs.c.model)
        with self._reading() as connection:
            return tuple(map(_job, connection.execute(query)))

    def waiting(self) -> Mapping[str, Mapping[JobState, int]]:
        """How many jobs of each model are queued or running; models without any are left out."""
        query = (
            sa.select(jobs.c.model, jobs.c.state, sa.func.count())
            .where(jobs.c.state.in_(ACTIVE))
            .group_by(jobs.c.model, jobs.c.state)
        )
        found: dict[str, dict[JobState, int]] = {}
        with self._reading() as connection:
            for model, state, count in connection.execute(query):
                found.setdefault(model, {})[state] = count
        return found

    def trends(self, size: int, model: str | None = None) -> Mapping[str, tuple[Job, ...]]:
        """The newest verdict on each of the versions of models gated last, oldest version first.

        Args:
            size: How many versions of each model.
            model: Of this model only.
        """
        newest = (
            sa.select(jobs.c.model, sa.func.max(jobs.c.id).label("id"))
            .where(jobs.c.state == "done")
            .group_by(jobs.c.model, jobs.c.version)
        )
        if model is not None:
            newest = newest.where(jobs.c.model == model)
        each = newest.subquery()
        place = sa.func.row_number().over(partition_by=each.c.model, order_by=each.c.id.desc())
        placed = sa.select(each.c.id, place.label("place")).subquery()
        query = (
            sa.select(jobs)
            .join(placed, placed.c.id == jobs.c.id)
            .where(placed.c.place <= size)
            .order_by(jobs.c.id)
        )
        found: dict[str, list[Job]] = {}
        with self._reading() as connection:
            for row in connection.execute(query):
                found.setdefault(row.model, []).append(_job(row))
        return {
            name: tuple(sorted(some, key=lambda one: (len(one.version), one.version)))
            for name, some in found.items()
        }

    def latest_of(self, model: str, versions: Sequence[str]) -> Mapping[str, Job]:
        """The newest job of each of some versions that any job was for.

        Args:
            versions: Their numbers.
        """
        newest = (
            sa.select(sa.func.max(jobs.c.id))
            .where(jobs.c.model == model, jobs.c.version.in_(versions))
            .group_by(jobs.c.version)
        )
        query = sa.select(jobs).where(jobs.c.id.in_(newest))
        with self._reading() as connection:
            return {row.version: _job(row) for row in connection.execute(query)}

    def recorded(self, model: str) -> Mapping[str, str]:
        """The jobs of a model: id → the MLflow run that holds the evidence, empty before."""
        query = sa.select(jobs.c.id, jobs.c.mlflow_run).where(jobs.c.model == model)
        with self._reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def known_versions(self, model: str) -> frozenset[str]:
        """The versions of a model that any job was for."""
        query = sa.select(jobs.c.version).where(jobs.c.model == model).distinct()
        with self._reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def same(self, key: str, other_than: str) -> Job | None:
        """The newest job that came to a verdict on the same digests.

        Args:
            key: The key of a job.
            other_than: The id of that job.
        """
        query = (
            sa.select(jobs)
            .where(jobs.c.key == key, jobs.c.state == "done", jobs.c.id != other_than)
            .order_by(jobs.c.id.desc())
            .limit(1)
        )
        with self._reading() as connection:
            found = connection.execute(query).first()
        return _job(found) if found else None

    def change(self, job_id: str, **values: Any) -> Job | None:  # noqa: ANN401 - any column
        """Change a job that is queued or running, by the names of its fields.

        Args:
            values: Field → value. `state` must stay one of the active ones; `end` ends a job.

        Returns:
            The job as it is then; None when it had ended, and nothing was changed.
        """
        _known(values)
        if "progress" in values:
            values["progress"] = str(values["progress"])[:_PROGRESS]
        return self._update(job_id, values)

    def end(self, job_id: str, state: JobState, reason: str = "", **values: Any) -> Job | None:  # noqa: ANN401 - any column
        """End a job that is queued or running.

        Args:
            state: How it ended.
            reason: Why, where that is not said by a verdict.
            values: Further fields to set.

        Returns:
            The job as it is then; None when it had ended before.
        """
        _known(values)
        ended = {
            "state": state,
            "reason": reason[:_REASON],
            "active": None,
            "finished_at": datetime.now(UTC),
            "progress": "",
            "next_attempt_at": None,
        }
        return self._update(job_id, ended | values)

    def untold(self, most: int = 100) -> tuple[Job, ...]:
        """Jobs whose state MLflow has not been told, oldest first.

        Args:
            most: How many at most.
        """
        query = sa.select(jobs).where(jobs.c.told != jobs.c.state).order_by(jobs.c.id).limit(most)
        with self._reading() as connection:
            return tuple(map(_job, connection.execute(query)))

    def tell(self, job_id: str, state: str) -> None:
        """Note which state of a job MLflow was told."""
        with self._engine.begin() as connection:
            connection.execute(jobs.update().where(jobs.c.id == job_id).values(told=state))

    def note(self, job_id: str, text: str) -> None:
        """Write a line into a job's journal.

        Args:
            text: The line.
        """
        place = sa.select(sa.func.coalesce(sa.func.max(journal.c.place), 0) + 1).where(
            journal.c.job_id == job_id
        )
        values = {"job_id": job_id, "at": datetime.now(UTC), "text": text[:_REASON]}
        while True:
            try:
                with self._engine.begin() as connection:
                    connection.execute(
                        journal.insert().values(**values, place=place.scalar_subquery())
                    )
            except IntegrityError:  # another host took that place
                continue
            return

    def lines(self, job_id: str, after: int = 0) -> tuple[JobLine, ...]:
        """A job's journal.

        Args:
            after: Only lines behind this place.
        """
        query = (
            sa.select(journal.c.place, journal.c.at, journal.c.text)
            .where(journal.c.job_id == job_id, journal.c.place > after)
            .order_by(journal.c.place)
        )
        with self._reading() as connection:
            return tuple(JobLine(*row) for row in connection.execute(query))

    def _update(self, job_id: str, values: Mapping[str, Any]) -> Job | None:
        with self._engine.begin() as connection:
            found = connection.execute(
                jobs.update()
                .where(jobs.c.id == job_id, jobs.c.active == 1)
                .values(**values)
                .returning(*jobs.c)
            ).first()
        return _job(found) if found else None

    def _reading(self) -> sa.Connection:
        return self._engine.connect().execution_options(reading=True)


class QueueFull(UsageError):
    """As many gates are queued as may be."""

    def __init__(self, waiting: int) -> None:
        super().__init__(
            f"{waiting} gates are queued, and no more may be",
            advice="wait until some are done, or raise the limit (gates serve --queue)",
        )


def _known(values: Mapping[str, Any]) -> None:
    unknown = set(values) - _KEPT
    if unknown:
        raise UsageError(f"a job has no {', '.join(sorted(unknown))}")
    if values.get("state", "queued") not in ACTIVE:
        raise UsageError("a job is ended by `end`")


def _job(row: sa.Row[Any]) -> Job:
    return Job(**{name: value for name, value in row._mapping.items() if name in _KEPT})  # noqa: SLF001 - SQLAlchemy's public name
