"""What the service is told: flags first, then `GATES_…` variables, then defaults.

| | flag | variable | default |
| --- | --- | --- | --- |
| address | `--host` | `GATES_SERVE_HOST` | 127.0.0.1 |
| port | `--port` | `GATES_SERVE_PORT` | 8470 |
| address for links | `--url` | `GATES_SERVE_URL` | http://HOST:PORT |
| database | `--database` | `GATES_SERVE_DATABASE` | `.gates/service.db` |
| gates at once | `--workers` | `GATES_SERVE_WORKERS` | 1 |
| gates waiting, at most | `--queue` | `GATES_SERVE_QUEUE` | 1000 |
| time for one gate | `--gate-time` | `GATES_SERVE_GATE_TIME` | 2h |
| tried again after, doubling | | `GATES_SERVE_RETRY` | 10s |
| a silent host is gone after | | `GATES_SERVE_TAKEOVER` | 45s |
| registry read every | `--poll` | `GATES_SERVE_POLL` | 60s |
| connections, at most | | `GATES_SERVE_CONNECTIONS` | 256 |
| a header, a body, the fetching of an answer take at most | | `GATES_SERVE_REQUEST_TIME` | 20s |
| other names it is asked by | | `GATES_SERVE_HOSTS` | none |
| champions set past the gate are put back | | `GATES_SERVE_PUT_BACK` | no |
| events that ask for a gate | `--on` | `GATES_SERVE_ON` | `created` |
| webhook secrets | | `GATES_WEBHOOK_SECRETS`, `…_FILE` | none: the webhook is off |
| who may do what | | `GATES_SERVE_TOKENS`, `…_FILE` | none: this machine only |
| header with who asks | | `GATES_SERVE_IDENTITY_HEADER` | none |
| proxies that set it | | `GATES_SERVE_TRUSTED_PROXIES` | 127.0.0.1,::1 |
| whom it lets operate | | `GATES_SERVE_OPERATORS` | none |
| where verdicts are told | | `GATES_NOTIFY_URL` | none |
| how | | `GATES_NOTIFY_FORMAT` | `json` (or `slack`) |
| signed with | | `GATES_NOTIFY_SECRET` | none |

A secret is never a flag: other users of a machine see those.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from gates.errors import UsageError
from gates.service.options import Said, Sources
from gates.settings import Settings

__all__ = [
    "WEBHOOK_PATH",
    "Flags",
    "Notify",
    "Role",
    "ServiceConfig",
    "Token",
    "Trigger",
    "load_config",
]

WEBHOOK_PATH = "/webhooks/mlflow"
"""Where MLflow delivers."""

Role = Literal["viewer", "operator"]
"""A viewer reads; an operator also starts, cancels, promotes and rolls back."""

_LEAST_SECRET = 16
_MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token.

    Attributes:
        name: Whose, as the history shall say.
        role: What its bearer may do.
        secret: The token itself; never shown.
    """

    name: str
    role: Role
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event that asks for a gate.

    Attributes:
        kind: `created`, a new version; `alias`, an alias that is set; `tag`, a tag that is set.
        name: The alias, or the tag's key; empty for `created`.
        value: The tag's value; None for any.
    """

    kind: Literal["created", "alias", "tag"]
    name: str = ""
    value: str | None = None

    @property
    def event(self) -> str:
        """What MLflow calls it, as `model_version.created`."""
        if self.kind == "created":
            return "model_version.created"
        return "model_version_alias.created" if self.kind == "alias" else "model_version_tag.set"


@dataclass(frozen=True, slots=True)
class Notify:
    """Where verdicts are told.

    Attributes:
        url: An `https` address, or `http` on this machine; it may hold a secret.
        form: `json`, our own fields; `slack`, what Slack and its likes take.
        secret: Signs the message, as MLflow signs its own; empty for none.
    """

    url: str = field(repr=False)
    form: Literal["json", "slack"] = "json"
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """What the service was told, checked.

    Attributes:
        host: The address to listen on.
        port: The port; 0 takes one that is free.
        url: The address people reach it by, without a slash at the end; empty while it is
            `http://host:port`.
        database: The URL of its database; it may hold a password.
        workers: Gates that run at once in this process.
        queue: Gates that may wait.
        gate_time: How long one gate may take.
        retry: How long after passing trouble a gate is tried again; each time twice as long.
        takeover: How long a host says nothing before others go on with its work.
        poll: How often the registry is read.
        connections: How many there may be at once.
        request_time: How long a header, a body, and the fetching of an answer may take, each.
        hosts: Names that it is asked by, besides that in `url` and this machine's for itself.
        put_back: Whether a champion that was set past the gate is put back.
        triggers: Events that ask for a gate.
        secrets: Secrets a delivery may be signed with: several while they are being changed.
        body_limit: Bytes a delivery may have.
        tokens: Who may do what.
        identity_header: The header in which a proxy says who asks; empty for none.
        proxies: Networks whose word in that header counts.
        operators: Who, by that header, may operate; the others view.
        notify: Where verdicts are told.
    """

    host: str = "127.0.0.1"
    port: int = 8470
    url: str = ""
    database: str = field(default="", repr=False)
    workers: int = 1
    queue: int = 1_000
    gate_time: timedelta = timedelta(hours=2)
    retry: timedelta = timedelta(seconds=10)
    takeover: timedelta = timedelta(seconds=45)
    poll: timedelta = timedelta(seconds=60)
    connections: int = 256
    request_time: timedelta = timedelta(seconds=20)
    hosts: tuple[str, ...] = ()
    put_back: bool = False
    triggers: tuple[Trigger, ...] = (Trigger("created"),)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    body_limit: int = _MEGABYTE
    tokens: tuple[Token, ...] = ()
    identity_header: str = ""
    proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    operators: tuple[str, ...] = ()
    notify: Notify | None = None

    @property
    def guarded(self) -> bool:
        """Whether anybody must say who they are; else only this machine is served."""
        return bool(self.tokens or self.identity_header)


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags of `gates serve`, None where not given."""

    host: str | None = None
    port: int | None = None
    url: str | None = None
    database: str | None = None
    workers: int | None = None
    queue: int | None = None
    gate_time: str | None = None
    poll: str | None = None
    on: str | None = None


def load_config(
    settings: Settings, flags: Flags = Flags(), *, environ: Mapping[str, str] = os.environ
) -> ServiceConfig:
    """Gather what the service is told, and refuse what is not safe.

    Args:
        settings: Where the project is.

    Raises:
        UsageError: A value is no such value; a secret is too short; the address is not this
            machine's own and nobody would have to say who they are.
    """
    told = Sources(environ)
    text, number, span = told.text, told.number, told.span
    host = text(flags.host, "GATES_SERVE_HOST", "127.0.0.1").value
    default_database = f"sqlite:///{settings.project / '.gates' / 'service.db'}"
    config = ServiceConfig(
        host=host,
        port=number(flags.port, "GATES_SERVE_PORT", 8470, 0, 65_535),
        url=_address(text(flags.url, "GATES_SERVE_URL")).rstrip("/"),
        database=text(flags.database, "GATES_SERVE_DATABASE", default_database).value,
        workers=number(flags.workers, "GATES_SERVE_WORKERS", 1, 1, 64),
        queue=number(flags.queue, "GATES_SERVE_QUEUE", 1_000, 1, 1_000_000),
        gate_time=span(
            flags.gate_time, "GATES_SERVE_GATE_TIME", timedelta(hours=2), timedelta(seconds=1)
        ),
        retry=span(None, "GATES_SERVE_RETRY", timedelta(seconds=10), timedelta(seconds=1)),
        takeover=span(None, "GATES_SERVE_TAKEOVER", timedelta(seconds=45), timedelta(seconds=4)),
        poll=span(flags.poll, "GATES_SERVE_POLL", timedelta(seconds=60), timedelta(seconds=1)),
        connections=number(None, "GATES_SERVE_CONNECTIONS", 256, 4, 100_000),
        request_time=span(
            None, "GATES_SERVE_REQUEST_TIME", timedelta(seconds=20), timedelta(seconds=1)
        ),
        hosts=tuple(_split(environ.get("GATES_SERVE_HOSTS", "").lower())),
        put_back=told.switch("GATES_SERVE_PUT_BACK"),
        triggers=_triggers(text(flags.on, "GATES_SERVE_ON", "created")),
        secrets=_long_enough(_listed(environ, "GATES_WEBHOOK_SECRETS"), "GATES_WEBHOOK_SECRETS"),
        tokens=_tokens(_listed(environ, "GATES_SERVE_TOKENS")),
        identity_header=environ.get("GATES_SERVE_IDENTITY_HEADER", ""),
        proxies=_networks(environ.get("GATES_SERVE_TRUSTED_PROXIES") or "127.0.0.1,::1"),
        operators=tuple(_split(environ.get("GATES_SERVE_OPERATORS", ""))),
        notify=_notify(environ),
    )
    if not config.guarded and not _is_loopback(host):
        raise UsageError(
            f"'{host}' can be reached from other machines, and nobody would have to say "
            "who they are",
            advice="set GATES_SERVE_TOKENS=NAME:operator:TOKEN (or GATES_SERVE_IDENTITY_HEADER "
            "behind a proxy), or listen on 127.0.0.1",
        )
    return config


def _split(text: str) -> list[str]:
    return [one.strip() for one in re.split(r"[,\n]", text) if one.strip()]


def _listed(environ: Mapping[str, str], variable: str) -> list[str]:
    """Secrets from a variable, and from the file that `VARIABLE_FILE` names, one a line."""
    found = _split(environ.get(variable, ""))
    named = environ.get(f"{variable}_FILE")
    if named:
        try:
            lines = Path(named).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as problem:
            raise UsageError(f"{variable}_FILE: {named} cannot be read: {problem}") from None
        found += [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return found


def _long_enough(secrets: list[str], variable: str) -> tuple[str, ...]:
    for place, one in enumerate(secrets, start=1):
        if len(one) < _LEAST_SECRET:
            raise UsageError(
                f"{variable}: secret {place} has under {_LEAST_SECRET} characters",
                advice="make one: openssl rand -hex 32",
            )
    return tuple(secrets)


def _tokens(listed: list[str]) -> tuple[Token, ...]:
    found: dict[str, Token] = {}
    for place, one in enumerate(listed, start=1):
        name, _, rest = one.partition(":")
        role, _, secret = rest.partition(":")
        if not name or role not in {"viewer", "operator"} or not secret:
            raise UsageError(
                f"GATES_SERVE_TOKENS: entry {place} is not NAME:viewer:TOKEN or NAME:operator:TOKEN"
            )
        _long_enough([secret], f"GATES_SERVE_TOKENS ({name})")
        if name in found or secret in {other.secret for other in found.values()}:
            raise UsageError(f"GATES_SERVE_TOKENS: entry {place} repeats a name or a token")
        found[name] = Token(name, "operator" if role == "operator" else "viewer", secret)
    return tuple(found.values())


def _triggers(said: Said) -> tuple[Trigger, ...]:
    found = []
    for one in _split(said.value):
        kind, _, rest = one.partition(":")
        name, equals, value = rest.partition("=")
        if kind == "created" and not rest:
            found.append(Trigger("created"))
        elif kind == "alias" and name and not equals:
            found.append(Trigger("alias", name))
        elif kind == "tag" and name and not name.startswith("gates."):
            found.append(Trigger("tag", name, value if equals else None))
        else:
            raise UsageError(
                f"{said.by}: '{one}' is not an event",
                advice="write created, alias:NAME, tag:KEY or tag:KEY=VALUE, separated by commas; "
                "tags that begin with gates. are the service's own",
            )
    if not found:
        raise UsageError(f"{said.by} names no event")
    return tuple(dict.fromkeys(found))


def _networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(one, strict=False) for one in _split(text))
    except ValueError as problem:
        raise UsageError(f"GATES_SERVE_TRUSTED_PROXIES: {problem}") from None


def _address(said: Said) -> str:
    parts = urlsplit(said.value)
    if said.value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.query):
        raise UsageError(f"{said.by} is not an http(s) address")
    return said.value


def _notify(environ: Mapping[str, str]) -> Notify | None:
    url, form = environ.get("GATES_NOTIFY_URL", ""), environ.get("GATES_NOTIFY_FORMAT") or "json"
    if not url:
        return None
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname)
    if not local and (parts.scheme != "https" or not parts.hostname):
        raise UsageError("GATES_NOTIFY_URL is not an https address (http is for this machine only)")
    if form not in {"json", "slack"}:
        raise UsageError(f"GATES_NOTIFY_FORMAT: '{form}' is neither json nor slack")
    secret = environ.get("GATES_NOTIFY_SECRET", "")
    return Notify(url, "slack" if form == "slack" else "json", secret)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
