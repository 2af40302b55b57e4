"""The registry: reached, written to, its clock, and its webhook fired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib.metadata import version
from urllib.parse import urlsplit

from packaging.version import InvalidVersion, Version

from gates.doctor.finding import Diagnosis
from gates.registry.probing import Probe
from gates.registry.webhooks import Delivered, Hook, Webhooks
from gates.service.config import WEBHOOK_PATH, load_config
from gates.settings import Settings

__all__ = ["registry", "webhook"]

_LEAST = Version("3.1")
_APART = timedelta(seconds=5)
_TOO_FAR = timedelta(minutes=5)


def registry(settings: Settings, *, write: bool) -> Iterator[Diagnosis]:
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
        yield Diagnosis("MLflow", "ok", f"{found.shown}, a file database, with MLflow {ours}")
    elif _is_old(found.version):
        yield Diagnosis(
            "MLflow",
            "wrong",
            f"{found.shown} is MLflow {found.version}",
            f"mlgates needs a server of {_LEAST} or newer",
        )
    else:
        said = found.version or "of a version it does not say"
        yield Diagnosis("MLflow", "ok", f"{found.shown} is MLflow {said}; the client is {ours}")
    if write:
        probe.write()
        yield Diagnosis("write access", "ok", "a run and a file were written, read and deleted")
    else:
        yield Diagnosis("write access", "note", "not tried", "leave out --read-only to try it")
    yield from _clock(found.clock)


def _clock(ahead: timedelta | None) -> Iterator[Diagnosis]:
    if ahead is None:
        yield Diagnosis("clock", "ok", "there is no other clock to compare with")
        return
    seconds = ahead.total_seconds()
    said = f"MLflow's clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} ours"
    if abs(ahead) > _TOO_FAR:
        yield Diagnosis("clock", "wrong", said, "deliveries would be refused: set both by NTP")
    elif abs(ahead) > _APART:
        yield Diagnosis("clock", "note", said, "set both by NTP")
    else:
        yield Diagnosis("clock", "ok", "MLflow's clock and ours agree")


def webhook(settings: Settings, environ: Mapping[str, str], *, write: bool) -> Iterator[Diagnosis]:
    """Whether the service's webhook is registered, delivers what is asked for, and arrives.

    Args:
        settings: MLflow's address.
        environ: Environment variables: the service's events.
        write: Whether a delivery may be sent.

    Raises:
        RegistryError: The server does not answer.
        UsageError: The environment names no events.
    """
    if not settings.tracking_uri.startswith(("http://", "https://")):
        yield Diagnosis(
            "webhook", "ok", "a file database has none; gates serve finds versions by polling"
        )
        return
    wanted = dict.fromkeys(one.event for one in load_config(settings, environ=environ).triggers)
    hooks = Webhooks(settings.tracking_uri, settings.cache)
    ours = [one for one in hooks.all() if urlsplit(one.url).path.endswith(WEBHOOK_PATH)]
    if not ours:
        yield Diagnosis(
            "webhook",
            "note",
            "MLflow has no webhook for gates serve",
            "gates webhook install --url https://ADDRESS-OF-THE-SERVICE",
        )
    for hook in ours:
        named = "" if hook.name == "mlgates" else f" --name {hook.name}"
        again = f"gates webhook install --url {hook.shown.removesuffix(WEBHOOK_PATH)}{named}"
        missing = [event for event in wanted if event not in hook.events]
        if not hook.active:
            yield Diagnosis("webhook", "wrong", f"'{hook.name}' is off", again)
        elif missing:
            said = f"'{hook.name}' does not deliver {', '.join(missing)}"
            yield Diagnosis("webhook", "wrong", said, again)
        elif not write:
            said = f"'{hook.name}' is registered, and was not tried"
            yield Diagnosis("webhook", "note", said, "leave out --read-only to send a delivery")
        else:
            yield _tried(hook, hooks.test(hook), again)


def _tried(hook: Hook, came: Delivered, again: str) -> Diagnosis:
    where = f"'{hook.name}' to {hook.shown}"
    if came.success:
        return Diagnosis("webhook", "ok", f"{where}: a delivery was sent, signed and taken in")
    if came.status is None:
        advice = (
            "is gates serve running there, and may MLflow reach it? For a private address MLflow "
            "needs MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS=true, for http "
            "MLFLOW_WEBHOOK_ALLOWED_SCHEMES=http,https"
        )
    elif came.status == 401:
        advice = f"set GATES_WEBHOOK_SECRETS here as it is where gates serve runs, then {again}"
    elif came.status == 503:
        advice = "mend that where gates serve runs; its log says more"
    else:
        advice = "is that the address of gates serve, and does a proxy stand before it?"
    said = f"was answered with {came.status}" if came.status else "did not arrive"
    why = f": {came.reason}" if came.reason else ""
    return Diagnosis("webhook", "wrong", f"{where}: a delivery {said}{why}", advice)


def _is_old(said: str) -> bool:
    try:
        return Version(said) < _LEAST
    except InvalidVersion:
        return False
