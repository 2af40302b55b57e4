"""Webhooks of an MLflow server: which there are, and ours among them.

Only a server has them: clients of a file database emit no events. Source: MLflow 3's
`MlflowClient.{create,list,update,test}_webhook`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gates.errors import RegistryError
from gates.registry._connection import Connection

if TYPE_CHECKING:
    pass

__all__ = ["Delivered", "Hook", "Webhooks"]

_TESTED = "model_version.created"


@dataclass(frozen=True, slots=True)
class Hook:
    """A registered webhook.

    Attributes:
        id: MLflow's id of it.
        name: Its name.
        url: Where it delivers.
        events: What it delivers, as `model_version.created`.
        active: Whether it delivers.
    """

    id: str
    name: str
    url: str
    events: tuple[str, ...]
    active: bool


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a test delivery.

    Attributes:
        success: Whether it was answered with 2xx.
        status: The HTTP status of the answer; None when there was none.
        reason: Why it failed, in the server's or the receiver's words.
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
            RegistryError: The server does not answer, or has no webhooks.
        """
        found: list[Hook] = []
        token = None
        while True:
            with self._connection.calls("list the webhooks") as client:
                page = client.list_webhooks(max_results=100, page_token=token)
            found += [_hook(one) for one in page]
            token = page.token
            if not token:
                return tuple(found)

    def install(self, name: str, url: str, events: Sequence[str], secret: str) -> tuple[Hook, bool]:
        """Have the server deliver to an address; a webhook of this name is changed to do so.

        Args:
            name: Its name.
            url: Where to deliver.
            events: What to deliver, as `model_version.created`.
            secret: What deliveries are signed with.

        Returns:
            The webhook, and whether it is new.

        Raises:
            RegistryError: The server refuses.
        """
        there = [one for one in self.all() if one.name == name]
        with self._connection.calls(f"register the webhook '{name}'") as client:
            wanted: dict[str, Any] = {
                "name": name,
                "url": url,
                "events": list(events),
                "description": "asks mlgates for a gate",
                "secret": secret,
                "status": "ACTIVE",
            }
            if there:
                made = client.update_webhook(there[0].id, **wanted)
            else:
                made = client.create_webhook(**wanted)
        return _hook(made), not there

    def remove(self, name: str) -> bool:
        """Remove a webhook.

        Args:
            name: Its name.

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
        said = result.error_message or result.response_body or ""
        return Delivered(bool(result.success), result.response_status, str(said)[:500])


def _hook(found: Any) -> Hook:  # noqa: ANN401 - MLflow's own class
    events = tuple(f"{one.entity}.{one.action}" for one in found.events)
    return Hook(str(found.webhook_id), found.name, found.url, events, found.status.is_active())
