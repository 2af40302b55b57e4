"""Deliveries: each is taken in once, on disk before it is answered, and read later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gates.service.store.schema import deliveries
from gates.service.store.values import WebhookDelivery

__all__ = ["Inbox"]


class Inbox:
    """The deliveries of a service.

    Args:
        engine: The service's database (`open_database`).
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def take(self, arrived: Sequence[WebhookDelivery]) -> tuple[bool, ...]:
        """Store deliveries, in one transaction; those with a known id are there already.

        Args:
            arrived: Deliveries; an id may come twice.

        Returns:
            For each, whether it is new.
        """
        new = []
        insert = sqlite.insert if self._engine.dialect.name == "sqlite" else postgresql.insert
        with self._engine.begin() as connection:
            for one in arrived:
                row = {
                    "id": one.id,
                    "received_at": one.received_at,
                    "body": one.body,
                    "state": one.state,
                    "outcome": one.outcome,
                    "job_id": one.job_id,
                }
                statement = insert(deliveries).values(**row).on_conflict_do_nothing()
                kept = connection.execute(statement.returning(deliveries.c.id)).first()
                new.append(kept is not None)
        return tuple(new)

    def waiting(self, most: int = 100) -> tuple[WebhookDelivery, ...]:
        """Deliveries that nobody has read, oldest first.

        Args:
            most: How many at most.
        """
        query = (
            sa.select(deliveries)
            .where(deliveries.c.state == "new")
            .order_by(deliveries.c.received_at)
            .limit(most)
        )
        with self._engine.connect().execution_options(reading=True) as connection:
            return tuple(WebhookDelivery(**row._mapping) for row in connection.execute(query))  # noqa: SLF001 - SQLAlchemy's public name

    def settle(
        self,
        delivery_id: str,
        state: Literal["used", "ignored"],
        outcome: str,
        job_id: str = "",
    ) -> None:
        """Note what became of a delivery.

        Args:
            delivery_id: Which.
            state: Whether it asked for a gate.
            outcome: What became of it, in words.
            job_id: The job it asked for.
        """
        with self._engine.begin() as connection:
            connection.execute(
                deliveries.update()
                .where(deliveries.c.id == delivery_id)
                .values(state=state, outcome=outcome, job_id=job_id)
            )

    def forget(self, older_than: timedelta) -> int:
        """Remove deliveries that were read and are older than any replay could be.

        Args:
            older_than: How old.

        Returns:
            How many were removed.
        """
        before = datetime.now(UTC) - older_than
        with self._engine.begin() as connection:
            return connection.execute(
                deliveries.delete().where(
                    deliveries.c.state != "new", deliveries.c.received_at < before
                )
            ).rowcount
