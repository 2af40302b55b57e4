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
import time
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request

from gates.run.delivery import who
from gates.service.config import Role, ServiceConfig, Token

__all__ = [
    "SESSION_COOKIE",
    "Caller",
    "Denied",
    "allow",
    "csrf_token",
    "from_our_own_page",
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
        status: 401 when signing in would help, 403 when it would not.
    """

    def __init__(self, status: Literal[401, 403], why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


def who_asks(connection: HTTPConnection, config: ServiceConfig) -> Caller | None:
    """Who asks; None when they have not said.

    Args:
        connection: The request.
        config: Tokens, and whose word counts.

    Raises:
        Denied: What they say is wrong, or a browser was led here under another name.
    """
    scheme, _, said = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        token = token_of(said.strip(), config)
        if token is None:
            raise Denied(401, "the token is not known here")
        return Caller(token.name, token.role, "token")
    if config.identity_header:
        named = connection.headers.get(config.identity_header, "").strip()
        if named and _is_proxy(connection, config):
            operates = {named, "*"} & set(config.operators)
            return Caller(named[:_LONGEST_NAME], "operator" if operates else "viewer", "header")
    session = connection.cookies.get(SESSION_COOKIE, "")
    if session:
        token = _of_session(session, config)
        if token is not None:
            return Caller(token.name, token.role, "session")
    if config.guarded:
        return None
    # A page elsewhere can have its own name point at this machine: then the browser says that name.
    host = urlsplit(f"//{connection.headers.get('host', '')}").hostname or ""
    if host not in _LOCAL and host != urlsplit(config.url).hostname:
        raise Denied(403, "this service is for this machine: ask for it as localhost")
    return Caller(who(), "operator", "local")


def allow(request: Request, config: ServiceConfig, role: Role) -> Caller:
    """The caller, if they may do what a role may.

    Args:
        config: Tokens, and whose word counts.
        role: The role that is needed.

    Raises:
        Denied: They have not said who they are, or may not.
    """
    caller = who_asks(request, config)
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


def session_of(token: Token, now: float | None = None) -> str:
    """The value of a session cookie for the bearer of a token.

    It holds no secret, and ends with its time or with the token.

    Args:
        token: The token that was given.
        now: Unix seconds; the time when None.
    """
    ends = int((time.time() if now is None else now) + SESSION_SECONDS)
    return f"{ends}.{_sealed(token, ends)}"


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


def _of_session(value: str, config: ServiceConfig) -> Token | None:
    ends, _, seal = value.partition(".")
    if not (ends.isascii() and ends.isdigit() and len(ends) <= 12) or int(ends) < time.time():
        return None
    found = None
    for token in config.tokens:
        if hmac.compare_digest(_sealed(token, int(ends)), seal):
            found = token
    return found


def _sealed(token: Token, ends: int) -> str:
    said = f"session {token.name} {ends}".encode()
    return hmac.new(token.secret.encode(), said, hashlib.sha256).hexdigest()
