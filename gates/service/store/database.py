"""An engine for the service's database, with its tables."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from gates.errors import ServiceError, UsageError
from gates.service.store.schema import SCHEMA_VERSION, metadata, schema

__all__ = ["open_database", "service_key"]

_LOCK = 0x67617465  # "gate": PostgreSQL's advisory lock while tables are made


def open_database(url: str) -> sa.Engine:
    """Open the service's database; a missing SQLite file and missing tables are made.

    Args:
        url: `sqlite:///path/service.db` or `postgresql://user:password@host/name`.

    Raises:
        UsageError: The URL names another kind of database.
        ServiceError: It does not answer, cannot be written, or is of another version of mlgates.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise UsageError("the database's URL cannot be read", advice=_KINDS) from None
    backend = parsed.get_backend_name()
    if backend not in {"sqlite", "postgresql"} or (
        backend == "sqlite" and parsed.database in {None, "", ":memory:"}
    ):
        raise UsageError(f"the service cannot keep its work in '{backend}'", advice=_KINDS)
    shown = parsed.render_as_string(hide_password=True)
    try:
        engine = _sqlite(parsed) if backend == "sqlite" else _postgres(parsed)
        try:
            _make_tables(engine)
        except BaseException:
            engine.dispose()
            raise
    except (SQLAlchemyError, OSError) as problem:
        reason = str(getattr(problem, "orig", None) or problem).splitlines()[0]
        raise ServiceError(
            f"the service's database {shown} cannot be opened: {reason}",
            advice="check that it can be reached and written by this user",
        ) from problem
    return engine


def service_key(engine: sa.Engine) -> bytes:
    """A key that this service and its other hosts share, and nobody else knows.

    Args:
        engine: The service's database.
    """
    with engine.connect().execution_options(reading=True) as connection:
        return bytes.fromhex(connection.execute(sa.select(schema.c.key)).scalar_one())


_KINDS = "use sqlite:///path/service.db, or postgresql://user:password@host/database"


def _sqlite(url: sa.URL) -> sa.Engine:
    path = Path(str(url.database)).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url.set(database=str(path)), connect_args={"timeout": 30})

    @sa.event.listens_for(engine, "connect")
    def _configured(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own class
        connection.isolation_level = None  # transactions are begun below, not by the driver
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")  # what is answered with 2xx is on disk

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        # Two readers that both come to write would deadlock: writers queue up from the start.
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _postgres(url: sa.URL) -> sa.Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return sa.create_engine(url, pool_pre_ping=True)


def _make_tables(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        metadata.create_all(connection)
        found = connection.execute(sa.select(schema.c.version)).scalar()
        if found is None:
            connection.execute(
                schema.insert().values(version=SCHEMA_VERSION, key=secrets.token_hex(32))
            )
    if found not in {None, SCHEMA_VERSION}:
        raise ServiceError(
            f"the service's database has version {found} of its tables, "
            f"this mlgates writes version {SCHEMA_VERSION}",
            advice="run the mlgates that made it, or name another database; see docs/service.md",
        )
