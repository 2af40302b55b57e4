"""The move of an alias: an event is recorded before it, and completed after.

A promotion or rollback that is killed so leaves its trace.
"""

from __future__ import annotations

from dataclasses import replace

from gates.errors import PromotionRefused, RegistryError, UsageError
from gates.registry import Event, Registry

__all__ = ["demand", "move"]


def demand(**texts: str) -> None:
    """Refuse a move without a reason or a name.

    Raises:
        UsageError: One of the texts is empty, or longer than the history keeps.
    """
    for name, text in texts.items():
        if not text.strip() or len(text) > 2000:
            raise UsageError(
                f"'{name}' is {'longer than 2000 characters' if text.strip() else 'empty'}",
                advice=f"say {name} in a sentence: the history keeps it",
            )


def move(registry: Registry, event: Event) -> Event:
    """Move an alias as an event says, and record the event.

    Args:
        registry: Where; the caller holds its lock for the model.
        event: What is to be done, in the state `begun`.

    Returns:
        The event as it was recorded.

    Raises:
        PromotionRefused: Somebody else moved the alias meanwhile.
        RegistryError: The registry failed; it says so if that was after the alias had moved.
    """
    event = replace(event, run_id=registry.log_event(event))
    try:
        registry.set_alias(
            event.model, event.alias, event.version, expected=event.previous_version or None
        )
    except PromotionRefused:
        registry.log_event(replace(event, state="failed"))
        raise  # any other error may have come after the move: its event stays `begun`
    done = replace(event, state="done")
    try:
        registry.log_event(done)
    except RegistryError as problem:
        raise RegistryError(
            f"the alias '{event.alias}' of '{event.model}' moved to version {event.version}, but "
            f"the history could not be completed: {problem.what}",
            advice="the history shows it as begun; nothing else is missing",
        ) from problem
    return done
