"""Champions that were set past the gate: noticed within a poll, told once, put back where asked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import quote

from gates.promotion.guard import Standing, look, put_back, standing_in
from gates.registry import Registry
from gates.service.config import ServiceConfig
from gates.service.last_seen import LastSeenRegistry
from gates.service.outward import alias_message, send
from gates.service.promoting import BY

__all__ = ["AliasGuard"]

_LOG = logging.getLogger("gates.service")


class AliasGuard:
    """Looks at the champions of models, and tells people of those that no promotion put there.

    Args:
        config: Whom to tell, and whether they are put back.
        last_seen: The registry as it was seen last.
        wait: Waits some seconds; True when it is time to give up.
    """

    def __init__(
        self, config: ServiceConfig, last_seen: LastSeenRegistry, wait: Callable[[float], bool]
    ) -> None:
        self._config = config
        self._last_seen = last_seen
        self._wait = wait
        self._told: dict[str, tuple[str, str]] = {}

    def see_to(self, registry: Registry, model: str, alias: str) -> Standing | None:
        """Look at one alias.

        Returns:
            What is wrong with it; None when nothing is.

        Raises:
            GatesError: The registry could not be read, or the alias not be put back.
        """
        self._last_seen.renew(model)
        history = self._last_seen.of([model], 0.0)[model].history
        if history is None or standing_in(history, model, alias).state != "foreign":
            self._told.pop(model, None)
            return None
        found = look(registry, model, alias, self._wait)  # it is looked at again, and not as kept
        if found.state != "foreign":
            return None
        self._tell(found)
        if self._config.put_back:
            why = f"version {found.version or 'none'} was set past the gate"
            put_back(registry, model, alias, why=why, by=BY)
            self._last_seen.renew(model)
        return found

    def _tell(self, found: Standing) -> None:
        seen = found.version, found.last.run_id if found.last else ""
        if self._told.get(found.model) == seen:
            return
        self._told[found.model] = seen
        link = f"{self._config.url}/models/{quote(found.model, safe='')}"
        said = alias_message(found, link, will_be_put_back=self._config.put_back)
        _LOG.warning("%s", said["reason"])
        if self._config.notify:
            reason = send(self._config.notify, said, self._wait)
            if reason:
                _LOG.warning("could not notify people: %s", reason)
