"""Webhooks of an MLflow server: which there are, and ours among them.

Only a server has them: clients of a file database emit no events. Source: MLflow 3's
`MlflowClient.{create,list,update,test}_webhook`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from gates.errors import RegistryError
from gates.registry._connection import Connection
from gates.system.json_files import json_value

__all__ = ["Delivered", "Hook", "Webhooks"]

_TESTED = "model_version.created"
_KEY = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Hook:
    """A registered webhook.

    Attributes:
        id: MLflow's id of it.
        url: Where it delivers.
        events: What it delivers, as `model_version.created`.
        active: Whether it delivers.
    """

    id: str
    name: str
    url: str
    events: tuple[str, ...]
    active: bool

    @property
    def shown(self) -> str:
        """Where it delivers, without a name, a password or a query."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a test delivery.

    Attributes:
        success: Whether it was answered with 2xx.
        status: The HTTP status of the answer; None when there was none.
        reason: Why it failed, in the server's or the receiver's words; empty when it did not.
    """

    success: bool
    status: int | None
    reason: str


class Webhooks:
    """The webhooks of one MLflow server.

    Args:
        tracking_uri: Its address.
        cache_root: The cache folder.

    Raises:
        UsageError: The URI is no address of MLflow.
        RegistryError: It is a file database, which emits no events.
    """

    def __init__(self, tracking_uri: str, cache_root: Path) -> None:
        self._connection = Connection(tracking_uri, cache_root)
        if self._connection.database:
            raise RegistryError(
                f"{self._connection.uri} is a file database: it emits no events",
                advice="name an MLflow server in --tracking-uri or MLFLOW_TRACKING_URI; without "
                "one, gates serve still finds new versions by polling",
            )

    def all(self) -> tuple[Hook, ...]:
        """Every webhook.

        Raises:
            RegistryError: The server does not answer, has no webhooks, or cannot read its own.
        """
        found: list[Hook] = []
        token = None
        while True:
            try:
                with self._connection.calls("list the webhooks") as client:
                    page = client.list_webhooks(max_results=100, page_token=token)
            except RegistryError as problem:
                if "500" not in problem.what:
                    raise
                raise RegistryError(
                    f"MLflow at {self._connection.shown} fails to read its own webhooks",
                    advice="it was started without the Fernet key that their secrets were kept "
                    f"with: start it with {_KEY} as it was; if that is lost, empty its "
                    "tables webhook_events and webhooks, and run gates webhook install again",
                ) from problem
            found += [_hook(one) for one in page]
            token = page.token
            if not token:
                return tuple(found)

    def install(self, name: str, url: str, events: Sequence[str], secret: str) -> tuple[Hook, bool]:
        """Have the server deliver to an address; a webhook of this name is changed to do so.

        Args:
            url: Where to deliver.
            events: What to deliver, as `model_version.created`.
            secret: What deliveries are signed with.

        Returns:
            The webhook, and whether it is new.

        Raises:
            RegistryError: The server refuses, as it does addresses it may not deliver to.
        """
        there = [one for one in self.all() if one.name == name]
        wanted: dict[str, Any] = {
            "name": name,
            "url": url,
            "events": list(events),
            "description": "asks mlgates for a gate",
            "secret": secret,
            "status": "ACTIVE",
        }
        try:
            with self._connection.calls(f"register the webhook '{name}'") as client:
                if there:
                    made = client.update_webhook(there[0].id, **wanted)
                else:
                    made = client.create_webhook(**wanted)
        except RegistryError as problem:
            if "URL" not in problem.what:
                raise
            raise RegistryError(problem.what, advice=_ALLOWED) from problem
        return _hook(made), not there

    def remove(self, name: str) -> bool:
        """Remove a webhook.

        Returns:
            False when there was none.
        """
        there = [one for one in self.all() if one.name == name]
        for one in there:
            with self._connection.calls(f"remove the webhook '{name}'") as client:
                client.delete_webhook(one.id)
        return bool(there)

    def test(self, hook: Hook) -> Delivered:
        """Have the server make one delivery, of an example, and say how it was answered.

        Args:
            hook: Which.
        """
        event = _TESTED if _TESTED in hook.events or not hook.events else hook.events[0]
        with self._connection.calls(f"test the webhook '{hook.name}'", transfer=True) as client:
            result = client.test_webhook(hook.id, cast("Any", event))
        if result.success:
            return Delivered(success=True, status=result.response_status, reason="")
        said = str(result.error_message or result.response_body or "")
        return Delivered(success=False, status=result.response_status, reason=_plain(said))


_ALLOWED = (
    "MLflow's server must be able to resolve the address. It delivers to https addresses of other "
    "networks, unless it is started with "
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES=http,https and MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS=true"
)


def _plain(said: str) -> str:
    """Why a delivery failed, without the names of the classes it failed in."""
    try:
        answered = json_value(said)
        return str(answered["error"])[:_LONGEST]
    except (ValueError, KeyError, TypeError):
        pass
    cause = re.search(r"\[Errno -?\d+\] ([^'\")]+)|(timed out)|(\w*certificate\w*[^'\")]*)", said)
    if cause:
        return next(part for part in cause.groups() if part).strip()
    lines = said.removeprefix("Failed to test webhook: ").strip().splitlines()
    return lines[0][:_LONGEST] if lines else ""


def _hook(found: Any) -> Hook:  # noqa: ANN401 - MLflow's own class
    events = tuple(f"{one.entity}.{one.action}" for one in found.events)
    return Hook(str(found.webhook_id), found.name, found.url, events, found.status.is_active())
