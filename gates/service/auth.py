"""Who asks, what they may do, and whether their browser was made to ask.

A caller is known by a bearer token, by a session (a token, given once to the sign-in page), by a
header that a trusted proxy sets, or, where nobody must say who they are, by being on this machine.
All but bearer tokens come with a browser by themselves, so that what changes something must also
come from one of our own pages.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request

from gates.run.delivery import who
from gates.service.config import Role, ServiceConfig, Token

__all__ = [
    "SESSION_COOKIE",
    "Caller",
    "Denied",
    "Session",
    "allow",
    "bearer_of",
    "caller_of",
    "check_host",
    "csrf_token",
    "from_our_own_page",
    "new_session",
    "session_of",
    "token_of",
    "who_asks",
]

SESSION_COOKIE = "gates_session"
SESSION_SECONDS = 12 * 3_600
"""How long a sign-in lasts."""

_LONGEST_NAME = 200
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        name: As the history shall say.
        role: What they may do.
        how: How they are known.
    """

    name: str
    role: Role
    how: Literal["token", "session", "header", "local"]

    def may(self, role: Role) -> bool:
        """Whether the caller may do what this role may."""
        return role == "viewer" or self.role == "operator"


class Denied(Exception):
    """A request that is not let through.

    Args:
        status: 401 when signing in would help, 403 when it would not, 429 when waiting would, 421
            when another name of the service would.
        retry: Seconds after which to come again, of 429.
    """

    def __init__(self, status: Literal[401, 403, 421, 429], why: str, retry: int = 0) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.retry = retry

    @property
    def headers(self) -> dict[str, str]:
        """What an answer that refuses says besides."""
        if self.status == 401:
            return {"www-authenticate": "Bearer"}
        return {"retry-after": str(self.retry)} if self.retry else {}


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in.

    Attributes:
        token: The token that was given.
        id: What no other sign-in has.
        until: When it ends by itself.
    """

    token: Token
    id: str
    until: datetime


def bearer_of(connection: HTTPConnection) -> str | None:
    """The bearer token that a request shows; None when it shows none."""
    scheme, _, said = connection.headers.get("authorization", "").partition(" ")
    return said.strip() if scheme.lower() == "bearer" else None


def who_asks(
    connection: HTTPConnection, config: ServiceConfig, ended: Container[str]
) -> Caller | None:
    """Who asks without a bearer token; None when they have not said.

    Args:
        connection: The request.
        config: Tokens, and whose word counts.
        ended: Ids of sessions that were signed out of.

    Raises:
        Denied: A browser was led here under another name.
    """
    if config.identity_header:
        named = connection.headers.get(config.identity_header, "").strip()
        if named and _is_proxy(connection, config):
            operates = {named, "*"} & set(config.operators)
            return Caller(named[:_LONGEST_NAME], "operator" if operates else "viewer", "header")
    session = session_of(connection, config)
    if session is not None and session.id not in ended:
        return Caller(session.token.name, session.token.role, "session")
    return None if config.guarded else Caller(who(), "operator", "local")


def check_host(connection: HTTPConnection, config: ServiceConfig) -> None:
    """See that a request names this service.

    A page elsewhere can have its own name point at this machine: then the browser says that name.
    An address as the name cannot be made to point anywhere.

    Args:
        config: The names that it has.

    Raises:
        Denied: It names another, or none.
    """
    try:
        host = (urlsplit(f"//{connection.headers.get('host', '')}").hostname or "").rstrip(".")
    except ValueError:
        host = ""
    if host in _LOCAL or host == urlsplit(config.url).hostname or host in config.hosts:
        return
    if not config.guarded:
        raise Denied(421, "this service is for this machine: ask for it as localhost")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise Denied(
            421, "this service is not known by that name: GATES_SERVE_URL or GATES_SERVE_HOSTS"
        ) from None


def caller_of(connection: HTTPConnection) -> Caller | None:
    """Who asks, as it was found at the door (`gates.service.door`); None when nobody known does."""
    found = connection.scope.get("state", {}).get("caller")
    return found if isinstance(found, Caller) else None


def allow(request: Request, role: Role) -> Caller:
    """The caller, if they may do what a role may.

    Args:
        role: The role that is needed.

    Raises:
        Denied: They have not said who they are, or may not.
    """
    caller = caller_of(request)
    if caller is None:
        raise Denied(401, "say who you are: a bearer token, or sign in")
    if not caller.may(role):
        raise Denied(403, f"{caller.name} may look, and change nothing")
    return caller


def token_of(secret: str, config: ServiceConfig) -> Token | None:
    """The token with this secret; every one is compared, in constant time.

    Args:
        secret: What was said.
        config: The tokens.
    """
    found = None
    for token in config.tokens:
        if hmac.compare_digest(token.secret.encode(), secret.encode(errors="replace")):
            found = token
    return found


def new_session(token: Token, now: float | None = None) -> str:
    """The value of a session cookie for the bearer of a token.

    It holds no secret, and ends with its time, with the token, or with signing out.

    Args:
        token: The token that was given.
        now: Unix seconds; the time when None.
    """
    ends = int((time.time() if now is None else now) + SESSION_SECONDS)
    name = secrets.token_hex(16)
    return f"{ends}.{name}.{_sealed(token, ends, name)}"


def session_of(connection: HTTPConnection, config: ServiceConfig) -> Session | None:
    """The session whose cookie a request shows, signed out of or not; None when it shows none.

    Args:
        config: The tokens.
    """
    ends, _, rest = connection.cookies.get(SESSION_COOKIE, "").partition(".")
    name, _, seal = rest.partition(".")
    if not (ends.isascii() and ends.isdigit() and len(ends) <= 12) or int(ends) < time.time():
        return None
    found = None
    for token in config.tokens:
        expected = _sealed(token, int(ends), name)
        if hmac.compare_digest(expected.encode(), seal.encode(errors="replace")):
            found = Session(token, name, datetime.fromtimestamp(int(ends), UTC))
    return found


def csrf_token(caller: Caller, key: bytes) -> str:
    """What forms on our own pages carry, so that those elsewhere cannot ask in a caller's name.

    Args:
        caller: Who looks at the page.
        key: The service's own key.
    """
    return hmac.new(key, f"csrf {caller.how} {caller.name}".encode(), hashlib.sha256).hexdigest()


def from_our_own_page(request: Request, config: ServiceConfig) -> bool:
    """Whether a browser, if it is one, sends a request from a page of ours.

    Args:
        request: A request that changes something.
        config: The address people reach us by.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    ours = {request.headers.get("host", ""), urlsplit(config.url).netloc} - {""}
    return urlsplit(origin).netloc in ours


def _is_proxy(connection: HTTPConnection, config: ServiceConfig) -> bool:
    try:
        address = ipaddress.ip_address(connection.client.host if connection.client else "")
    except ValueError:
        return False
    return any(address in network for network in config.proxies)


def _sealed(token: Token, ends: int, name: str) -> str:
    said = f"session {token.name} {ends} {name}".encode(errors="replace")
    return hmac.new(token.secret.encode(), said, hashlib.sha256).hexdigest()
