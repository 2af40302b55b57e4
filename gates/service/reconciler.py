"""The registry read again: MLflow keeps deliveries in memory, and drops those that fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

from gates.errors import GatesError
from gates.registry import Listed, Registry
from gates.service.config import Trigger
from gates.service.context import Service
from gates.service.guarding import AliasGuard
from gates.service.loops import Loop
from gates.service.store.jobs import QueueFull
from gates.service.store.leases import new_holder

__all__ = ["Reconciler", "missed"]

_KEPT = timedelta(days=30)


def missed(
    versions: tuple[Listed, ...],
    aliases: dict[str, str],
    champion_alias: str,
    known: frozenset[str],
    triggers: tuple[Trigger, ...],
) -> Iterator[tuple[Listed, str]]:
    """Versions that should have been gated, and never were, each with what asks for it.

    A new version asks when it is newer than the champion; of a model nobody has gated here
    before, only the newest does: its history is not what was missed.

    Args:
        versions: All versions of a model, newest first.
        aliases: Alias → version number.
        champion_alias: The alias of what is in production.
        known: The versions that any job was for.
        triggers: The events that ask for a gate.
    """
    champion = aliases.get(champion_alias, "0")
    for place, one in enumerate(versions):
        if one.version in known or one.version == champion or "gates.verdict" in one.tags:
            continue
        newer = int(one.version) > int(champion)
        if Trigger("created") in triggers and newer and (known or place == 0):
            yield one, "it is newer than what is in production"
            continue
        for trigger in triggers:
            if trigger.kind == "alias" and aliases.get(trigger.name) == one.version:
                yield one, f"it has the alias '{trigger.name}'"
                break
            value = one.tags.get(trigger.name)
            if trigger.kind == "tag" and value is not None and trigger.value in {None, value}:
                yield one, f"it has the tag '{trigger.name}'"
                break


class Reconciler:
    """Finds what no webhook told, and jobs that nobody works on."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._project = service.project
        self._name = new_holder()
        self._ended = threading.Event()
        self._guard = AliasGuard(service.config, service.last_seen, self._ended.wait)
        self._loop = Loop("reconciler", service.config.poll, self._again)

    def start(self) -> None:
        """Begin, with a first look at once."""
        self._loop.start()

    def stop(self) -> None:
        """End."""
        self._ended.set()
        self._loop.stop()
        self._service.leases.give_back("reconciler", self._name)

    @property
    def trouble(self) -> str:
        """Why the registry could not be read the last time; empty when it could."""
        return self._loop.trouble

    def once(self) -> tuple[str, ...]:
        """Look once.

        Returns:
            The ids of the jobs that were asked for.

        Raises:
            GatesError: The registry, or a card, could not be read; the other models were seen to.
        """
        service = self._service
        if not service.leases.take("reconciler", self._name, 3 * service.config.poll):
            return ()
        before = ""
        while True:
            page = service.jobs.page(states=("queued",), before=before, size=500)
            for job in page.jobs:
                service.work.enqueue(job.id)
            before = page.older
            if not before:
                break
        service.inbox.forget(_KEPT)
        registry = service.registry()
        asked, trouble = [], None
        for model in self._project.models():
            try:
                asked += self._ask(registry, model)
                champion = self._project.card(model).policy.champion
                self._guard.see_to(registry, model, champion)
            except QueueFull:
                break
            except GatesError as problem:
                trouble = problem
        if trouble:
            raise trouble
        return tuple(asked)

    def _again(self) -> bool:
        self.once()
        return False

    def _ask(self, registry: Registry, model: str) -> list[str]:
        service = self._service
        versions = registry.versions(model)
        if not versions:
            return []
        found = missed(
            versions,
            dict(registry.aliases(model)),
            self._project.card(model).policy.champion,
            service.jobs.known_versions(model),
            service.config.triggers,
        )
        asked = []
        for one, why in reversed(tuple(found)):
            job, new = service.jobs.ask(
                model, one.version, "reconciler", "gates serve", most_waiting=service.config.queue
            )
            if new:
                service.jobs.note(job.id, f"found in the registry: {why}")
                asked.append(job.id)
            service.work.enqueue(job.id)
        return asked
