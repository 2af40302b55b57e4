"""The tables of the service, alike in SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

__all__ = [
    "SCHEMA_VERSION",
    "deliveries",
    "ended_sessions",
    "jobs",
    "journal",
    "leases",
    "metadata",
    "schema",
]

SCHEMA_VERSION = 1
"""What this version of mlgates writes; a store of another version is refused."""

metadata = sa.MetaData()


class Moment(sa.types.TypeDecorator[datetime]):
    """A time with a zone, kept as UTC: SQLite would forget the zone."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """The moment as UTC without a zone."""
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002, ANN401
        """The moment with its zone."""
        return value.replace(tzinfo=UTC) if value else None


schema = sa.Table(
    "gates_schema",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(64), nullable=False),
)

deliveries = sa.Table(
    "gates_deliveries",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("job_id", sa.String(24), nullable=False),
    sa.Index("gates_deliveries_waiting", "state", "received_at"),
)

jobs = sa.Table(
    "gates_jobs",
    metadata,
    sa.Column("id", sa.String(24), primary_key=True),
    sa.Column("model", sa.String(256), nullable=False),
    sa.Column("version", sa.String(32), nullable=False),
    sa.Column("origin", sa.String(12), nullable=False),
    sa.Column("requested_by", sa.String(256), nullable=False),
    sa.Column("forced", sa.Boolean, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("started_at", Moment),
    sa.Column("finished_at", Moment),
    sa.Column("state", sa.String(10), nullable=False),
    # 1 while queued or running, NULL after: what is NULL is never equal, so that the index lets
    # any number of finished jobs be, and one that is not.
    sa.Column("active", sa.Integer),
    sa.Column("step", sa.String(16), nullable=False),
    sa.Column("progress", sa.String(300), nullable=False),
    sa.Column("judged", sa.Integer, nullable=False),
    sa.Column("bounds", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("troubles", sa.Integer, nullable=False),
    sa.Column("next_attempt_at", Moment),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("cancel", sa.Boolean, nullable=False),
    sa.Column("executor", sa.String(64), nullable=False),
    sa.Column("candidate_digest", sa.String(80), nullable=False),
    sa.Column("champion", sa.String(32), nullable=False),
    sa.Column("key", sa.String(80), nullable=False),
    sa.Column("same_as", sa.String(24), nullable=False),
    sa.Column("verdict", sa.String(10), nullable=False),
    sa.Column("evidence_digest", sa.String(80), nullable=False),
    sa.Column("mlflow_run", sa.String(64), nullable=False),
    sa.Column("summary", sa.JSON, nullable=False),
    sa.Column("told", sa.String(10), nullable=False),
    sa.UniqueConstraint("model", "version", "active", name="gates_jobs_one_active"),
    sa.Index("gates_jobs_of_model", "model", "id"),
    sa.Index("gates_jobs_in_state", "state", "id"),
    sa.Index("gates_jobs_key", "key"),
    sa.Index("gates_jobs_told", "told", "state"),
)

journal = sa.Table(
    "gates_journal",
    metadata,
    sa.Column("job_id", sa.String(24), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)

leases = sa.Table(
    "gates_leases",
    metadata,
    sa.Column("name", sa.String(160), primary_key=True),
    sa.Column("holder", sa.String(64), nullable=False),
    sa.Column("until", Moment, nullable=False),
)

ended_sessions = sa.Table(
    "gates_ended_sessions",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("until", Moment, nullable=False),
)
