"""Sessions that were ended before their time: known to every host, and after a restart."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gates.service.store.schema import ended_sessions

__all__ = ["EndedSessions"]


class EndedSessions:
    """Sessions that somebody signed out of.

    Args:
        engine: The service's database (`open_database`).
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def end(self, session: str, until: datetime) -> None:
        """End a session.

        Args:
            session: Its id.
            until: When it would have ended by itself: it is forgotten then.
        """
        insert = sqlite.insert if self._engine.dialect.name == "sqlite" else postgresql.insert
        statement = insert(ended_sessions).values(id=session, until=until)
        with self._engine.begin() as connection:
            over = ended_sessions.c.until < datetime.now(UTC)
            connection.execute(ended_sessions.delete().where(over))
            connection.execute(statement.on_conflict_do_nothing())

    def __contains__(self, session: object) -> bool:
        query = sa.select(ended_sessions.c.id).where(ended_sessions.c.id == session)
        with self._engine.connect().execution_options(reading=True) as connection:
            return connection.execute(query).first() is not None
