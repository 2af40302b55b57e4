"""Leases: what only one thread, process or host may do at a time, until it says so again."""

from __future__ import annotations

import socket
import uuid
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gates.service.store.schema import leases

__all__ = ["Leases", "new_holder"]


class Leases:
    """The leases of a service.

    Args:
        engine: The service's database (`open_database`).
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def take(self, name: str, holder: str, span: timedelta) -> bool:
        """Take a lease that is free or ran out, or hold on to one's own.

        Args:
            name: What for.
            holder: Who takes it.
            span: For how long, unless it is taken again before.

        Returns:
            Whether the holder has it now.
        """
        now = datetime.now(UTC)
        values = {"holder": holder, "until": now + span}
        insert = sqlite.insert if self._engine.dialect.name == "sqlite" else postgresql.insert
        statement = insert(leases).values(name=name, **values)
        with self._engine.begin() as connection:
            taken = connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[leases.c.name],
                    set_=values,
                    where=(leases.c.holder == holder) | (leases.c.until < now),
                ).returning(leases.c.name)
            )
            return taken.first() is not None

    def give_back(self, name: str, holder: str) -> None:
        """Give a lease back, if it is still the holder's.

        Args:
            name: What for.
            holder: Whose.
        """
        with self._engine.begin() as connection:
            connection.execute(
                leases.delete().where(leases.c.name == name, leases.c.holder == holder)
            )

    def held(self, prefix: str) -> dict[str, str]:
        """Leases that have not run out, name → holder.

        Args:
            prefix: How their names begin.
        """
        query = sa.select(leases.c.name, leases.c.holder).where(
            leases.c.name.startswith(prefix, autoescape=True),
            leases.c.until >= datetime.now(UTC),
        )
        with self._engine.connect().execution_options(reading=True) as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


def new_holder() -> str:
    """A name for a holder that no other has, on this host or another."""
    return f"{socket.gethostname()[:40]}-{uuid.uuid4().hex[:12]}"
