"""From stored deliveries to jobs: which events ask for a gate, and of what."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from gates.errors import CardError
from gates.service.config import Trigger
from gates.service.context import Service
from gates.service.loops import Loop
from gates.service.store.jobs import QueueFull
from gates.service.store.leases import new_holder
from gates.service.store.values import WebhookDelivery
from gates.service.webhook import Refused, RegistryEvent, read_event

__all__ = ["Intake", "asks"]

_LEASE = timedelta(seconds=30)
_BATCH = 100
_VERSION = re.compile(r"[0-9]{1,18}")


def asks(event: RegistryEvent, triggers: Iterable[Trigger], champion_alias: str) -> str:
    """Why an event asks for no gate; empty when it asks for one.

    Args:
        event: The event, of a model that has a card.
        triggers: The events that ask.
        champion_alias: The alias of what is in production: moving it is the end of a promotion,
            never a request.
    """
    what = f"{event.entity}.{event.action}"
    if what == "model_version.created":
        return "" if Trigger("created") in triggers else "new versions ask for no gate here"
    if what == "model_version_alias.created":
        if event.alias == champion_alias:
            return f"'{event.alias}' says what is in production, and asks for nothing"
        if Trigger("alias", event.alias) in triggers:
            return ""
        return f"the alias '{event.alias}' asks for no gate here"
    if what == "model_version_tag.set":
        if event.key.startswith("gates."):
            return f"the tag '{event.key}' is written by mlgates itself"
        wanted = {Trigger("tag", event.key), Trigger("tag", event.key, event.value)}
        return "" if wanted & set(triggers) else f"the tag '{event.key}' asks for no gate here"
    return f"{what} asks for no gate"


class Intake:
    """Reads deliveries and asks for gates; one host at a time does."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._project = service.project
        self._name = new_holder()
        self._loop = Loop("intake", timedelta(seconds=2), self.once)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def wake(self) -> None:
        """Something was stored."""
        self._loop.wake()

    def stop(self) -> None:
        """End."""
        self._loop.stop()
        self._service.leases.give_back("intake", self._name)

    def once(self) -> bool:
        """Read what waits.

        Returns:
            Whether there may be more.
        """
        if not self._service.leases.take("intake", self._name, _LEASE):
            return False
        waiting = self._service.inbox.waiting(_BATCH)
        for delivery in waiting:
            try:
                self._read(delivery)
            except QueueFull:
                return False  # it waits, and is read again
        return len(waiting) == _BATCH

    def _read(self, delivery: WebhookDelivery) -> None:
        inbox = self._service.inbox
        try:
            event = read_event(delivery.body)
        except Refused as problem:
            inbox.settle(delivery.id, "ignored", problem.why)
            return
        reason = self._reason(event)
        if reason:
            inbox.settle(delivery.id, "ignored", reason)
            return
        config = self._service.config
        job, new = self._service.jobs.ask(
            event.model, event.version, "webhook", "mlflow webhook", most_waiting=config.queue
        )
        if new:
            self._service.jobs.note(
                job.id, f"asked for by {event.entity}.{event.action}, delivery {delivery.id}"
            )
        self._service.work.enqueue(job.id)
        said = "asked for a gate" if new else "the gate it asks for was waiting or running"
        inbox.settle(delivery.id, "used", said, job.id)

    def _reason(self, event: RegistryEvent) -> str:
        if not self._project.has_card(event.model):
            return f"the model '{event.model[:100]}' has no card here"
        if not _VERSION.fullmatch(event.version):
            return "it names no version"
        try:
            alias = self._project.card(event.model).policy.champion
        except CardError:
            alias = "champion"  # the gate it may ask for says what is wrong with the card
        return asks(event, self._service.config.triggers, alias)
