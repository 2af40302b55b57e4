"""`gates webhook`: have an MLflow server tell the service what happens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ProjectOption,
    Speech,
    TrackingOption,
    settings_from,
)
from gates.errors import RegistryError, UsageError

__all__ = ["webhook"]

webhook = typer.Typer(no_args_is_help=True, help="Have MLflow tell the service what happens.")

_NAME = "mlgates"
NameOption = Annotated[
    str, typer.Option("--name", metavar="NAME", help="The webhook's name in MLflow.")
]


@webhook.command("install")
def install(
    url: Annotated[
        str,
        typer.Option(
            "--url", metavar="URL", help="Address of gates serve, as MLflow's server reaches it."
        ),
    ],
    on: Annotated[
        str | None,
        typer.Option(
            "--on", metavar="EVENTS", help="As given to gates serve (GATES_SERVE_ON, else created)."
        ),
    ] = None,
    name: NameOption = _NAME,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register the service's webhook, or change the one of this name, and try it.

    The secret is the first of GATES_WEBHOOK_SECRETS, as where the service runs.

    Example: gates webhook install --url https://gates.example.com
    """
    from gates.registry.webhooks import Webhooks
    from gates.service.config import WEBHOOK_PATH, Flags, load_config

    settings = settings_from(project, tracking_uri, cache)
    config = load_config(settings, Flags(on=on, url=url), environ=os.environ)
    if not config.secrets:
        raise UsageError(
            "GATES_WEBHOOK_SECRETS is not set: deliveries must be signed",
            advice="make one, for here and where gates serve runs: openssl rand -hex 32",
        )
    wanted = list(dict.fromkeys(one.event for one in config.triggers))
    hooks = Webhooks(settings.tracking_uri, settings.cache)
    hook, new = hooks.install(name, config.url + WEBHOOK_PATH, wanted, config.secrets[0])
    came = hooks.test(hook)
    speech = Speech(as_json)
    speech.say(f"{'registered' if new else 'changed'} the webhook '{hook.name}'", "bold green")
    speech.say(f"  delivers {', '.join(hook.events)}")
    speech.say(f"  to {hook.shown}; MLflow begins within a minute")
    if came.success:
        speech.say("  a delivery was sent, signed and taken in")
    else:
        how = f"was answered with {came.status}" if came.status else "did not arrive"
        speech.say(f"  a delivery {how}: {came.reason}", "yellow")
        speech.say("  → gates doctor says what to do", "yellow")
    speech.result({**_shown(hook), "new": new, "delivered": came.success, "reason": came.reason})


@webhook.command("list")
def list_hooks(
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the webhooks MLflow has.

    Example: gates webhook list
    """
    hooks = _hooks(project, tracking_uri, cache).all()
    speech = Speech(as_json)
    for one in hooks:
        state = "" if one.active else " (off)"
        speech.say(f"{one.name}{state}: {', '.join(one.events)} to {one.shown}")
    if not hooks:
        speech.say("MLflow has no webhooks")
    speech.result({"webhooks": [_shown(one) for one in hooks]})


@webhook.command("remove")
def remove(
    name: NameOption = _NAME,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove the service's webhook from MLflow.

    Example: gates webhook remove
    """
    if not _hooks(project, tracking_uri, cache).remove(name):
        raise RegistryError(f"MLflow has no webhook '{name}'", advice="see: gates webhook list")
    speech = Speech(as_json)
    speech.say(f"removed the webhook '{name}'")
    speech.result({"removed": name})


def _hooks(project: Path | None, tracking_uri: str | None, cache: Path | None) -> Any:  # noqa: ANN401 - MLflow is imported late
    from gates.registry.webhooks import Webhooks

    settings = settings_from(project, tracking_uri, cache)
    return Webhooks(settings.tracking_uri, settings.cache)


def _shown(hook: Any) -> dict[str, Any]:  # noqa: ANN401 - see above
    return {
        "id": hook.id,
        "name": hook.name,
        "url": hook.shown,
        "events": list(hook.events),
        "active": hook.active,
    }
