"""The registry: reached, written to, its clock, and its webhook fired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib.metadata import version
from urllib.parse import urlsplit

from packaging.version import InvalidVersion, Version

from gates.doctor.finding import Finding
from gates.registry.probing import Probe
from gates.registry.webhooks import Delivered, Hook, Webhooks
from gates.settings import Settings

__all__ = ["HOOK_PATH", "registry", "webhook"]

HOOK_PATH = "/webhooks/mlflow"
"""Where the service takes deliveries; the same as `gates.service.receiving.WEBHOOK_PATH`."""

_LEAST = Version("3.1")
_APART = timedelta(seconds=5)
_TOO_FAR = timedelta(minutes=5)


def registry(settings: Settings, *, write: bool) -> Iterator[Finding]:
    """Whether MLflow answers, may be written to, and agrees about the time.

    Args:
        settings: Its address.
        write: Whether it may be written to.

    Raises:
        RegistryError: It does not answer.
    """
    probe = Probe(settings.tracking_uri, settings.cache)
    found = probe.answer()
    ours = version("mlflow-skinny")
    if not found.is_server:
        yield Finding("MLflow", "ok", f"{found.shown}, a file database, with MLflow {ours}")
    elif _is_old(found.version):
        yield Finding(
            "MLflow",
            "wrong",
            f"{found.shown} is MLflow {found.version}",
            f"mlgates needs a server of {_LEAST} or newer",
        )
    else:
        said = found.version or "of a version it does not say"
        yield Finding("MLflow", "ok", f"{found.shown} is MLflow {said}; the client is {ours}")
    if write:
        probe.write()
        yield Finding("write access", "ok", "a run and a file were written, read and deleted")
    else:
        yield Finding("write access", "note", "not tried", "leave out --read-only to try it")
    yield from _clock(found.clock)


def _clock(ahead: timedelta | None) -> Iterator[Finding]:
    if ahead is None:
        yield Finding("clock", "ok", "there is no other clock to compare with")
        return
    seconds = ahead.total_seconds()
    said = f"MLflow's clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} ours"
    if abs(ahead) > _TOO_FAR:
        yield Finding("clock", "wrong", said, "deliveries would be refused: set both by NTP")
    elif abs(ahead) > _APART:
        yield Finding("clock", "note", said, "set both by NTP")
    else:
        yield Finding("clock", "ok", "MLflow's clock and ours agree")


def webhook(settings: Settings, environ: Mapping[str, str], *, write: bool) -> Iterator[Finding]:
    """Whether the service's webhook is registered, delivers what is asked for, and arrives.

    Args:
        settings: MLflow's address.
        environ: Environment variables: the service's address and events.
        write: Whether a delivery may be sent.

    Raises:
        RegistryError: The server does not answer.
    """
    if not settings.tracking_uri.startswith(("http://", "https://")):
        yield Finding(
            "webhook", "ok", "a file database has none; gates serve finds versions by polling"
        )
        return
    hooks = Webhooks(settings.tracking_uri, settings.cache)
    ours = [one for one in hooks.all() if urlsplit(one.url).path.endswith(HOOK_PATH)]
    if not ours:
        yield Finding(
            "webhook",
            "note",
            "MLflow has no webhook for gates serve",
            "gates webhook install --url https://ADDRESS-OF-THE-SERVICE",
        )
        return
    wanted = _events(environ.get("GATES_SERVE_ON") or "created")
    for hook in ours:
        again = f"gates webhook install --url {_base(hook)}"
        missing = [event for event in wanted if event not in hook.events]
        if not hook.active:
            yield Finding(
                "webhook",
                "wrong",
                f"'{hook.name}' is off",
                again,
            )
        elif missing:
            yield Finding(
                "webhook",
                "wrong",
                f"'{hook.name}' does not deliver {', '.join(missing)}",
                again,
            )
        elif not write:
            yield Finding(
                "webhook",
                "note",
                f"'{hook.name}' is registered, and was not tried",
                "leave out --read-only to send a delivery",
            )
        else:
            yield _tried(hook, hooks.test(hook))


def _tried(hook: Hook, came: Delivered) -> Finding:
    where = f"'{hook.name}' to {hook.url}"
    if came.success:
        return Finding("webhook", "ok", f"{where}: a delivery was sent, signed and taken in")
    if "InvalidToken" in came.reason or "Fernet" in came.reason:
        return Finding(
            "webhook",
            "wrong",
            f"{where}: MLflow cannot read its own secret",
            "it was restarted without its Fernet key: set MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY "
            "where the server starts, then gates webhook install again",
        )
    if came.status == 401:
        advice = "the secrets differ: set GATES_WEBHOOK_SECRETS as it is there, install it again"
    elif came.status is None:
        advice = (
            "is gates serve running there, and may MLflow reach it? For a private address MLflow "
            "needs MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS=true, for http "
            "MLFLOW_WEBHOOK_ALLOWED_SCHEMES=http,https"
        )
    else:
        advice = "look into the log of gates serve"
    said = f"was answered with {came.status}" if came.status else "did not arrive"
    return Finding("webhook", "wrong", f"{where}: a delivery {said}: {came.reason}", advice)


def _events(on: str) -> tuple[str, ...]:
    """The events a webhook must deliver for what asks for a gate."""
    kinds = {one.strip().partition(":")[0] for one in on.split(",")}
    of = {
        "created": "model_version.created",
        "alias": "model_version_alias.created",
        "tag": "model_version_tag.set",
    }
    return tuple(event for kind, event in of.items() if kind in kinds)


def _base(hook: Hook) -> str:
    return hook.url.removesuffix(HOOK_PATH)


def _is_old(said: str) -> bool:
    try:
        return Version(said) < _LEAST
    except InvalidVersion:
        return False
