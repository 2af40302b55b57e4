"""Who asks is known, or is told to say so; a browser is never used in somebody's name."""

from __future__ import annotations

import ipaddress
import time
from typing import Any

import pytest
from starlette.requests import Request

from gates.service.auth import (
    SESSION_COOKIE,
    SESSION_SECONDS,
    Caller,
    Denied,
    allow,
    check_host,
    csrf_token,
    from_our_own_page,
    new_session,
    session_of,
    who_asks,
)
from gates.service.config import ServiceConfig, Token

ANN = Token("ann", "operator", "ann's token, long enough")
BOB = Token("bob", "viewer", "bob's token, long enough")
GUARDED = ServiceConfig(tokens=(ANN, BOB))
BEHIND = ServiceConfig(
    identity_header="X-Forwarded-Email",
    proxies=(ipaddress.ip_network("10.0.0.0/8"),),
    operators=("ann@example.com",),
)


def request(client: str = "127.0.0.1", **headers: str) -> Request:
    named = {"host": "localhost:8470"} | {
        key.replace("_", "-"): value for key, value in headers.items()
    }
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "client": (client, 1),
        "headers": [(key.encode(), value.encode()) for key, value in named.items()],
    }
    return Request(scope)


def test_who_says_nothing_is_asked_to_and_a_viewer_changes_nothing() -> None:
    asked = request()
    with pytest.raises(Denied) as caught:
        allow(asked, "viewer")
    assert caught.value.status == 401
    asked.scope["state"] = {"caller": Caller("bob", "viewer", "token")}
    assert allow(asked, "viewer").name == "bob"
    with pytest.raises(Denied) as caught:
        allow(asked, "operator")
    assert caught.value.status == 403


def test_a_session_ends_with_its_time_its_token_and_signing_out() -> None:
    asked = request(cookie=f"{SESSION_COOKIE}={new_session(ANN)}")
    other = request(cookie=f"{SESSION_COOKIE}={new_session(ANN)}")
    assert who_asks(asked, GUARDED, ()) == Caller("ann", "operator", "session")
    assert who_asks(asked, ServiceConfig(tokens=(BOB,)), ()) is None
    session = session_of(asked, GUARDED)
    assert session is not None
    assert who_asks(asked, GUARDED, (session.id,)) is None
    assert who_asks(other, GUARDED, (session.id,)) is not None
    old = new_session(ANN, time.time() - SESSION_SECONDS - 1)
    assert who_asks(request(cookie=f"{SESSION_COOKIE}={old}"), GUARDED, ()) is None
    assert ANN.secret not in asked.headers["cookie"]


@pytest.mark.parametrize(
    "value", ["", ".", "9999999999.", "x.y", "9" * 400 + ".0", "é.é", "9999999999.é.é"]
)
def test_a_made_up_session_is_none(value: str) -> None:
    asked = request(cookie=f"{SESSION_COOKIE}={value}")
    assert who_asks(asked, GUARDED, ()) is None


def test_only_a_trusted_proxy_says_who_somebody_is() -> None:
    def asked(client: str, name: str) -> Caller | None:
        return who_asks(request(client, x_forwarded_email=name), BEHIND, ())

    assert asked("10.1.2.3", "ann@example.com") == Caller("ann@example.com", "operator", "header")
    assert asked("10.1.2.3", "eve@example.com") == Caller("eve@example.com", "viewer", "header")
    assert asked("192.0.2.1", "ann@example.com") is None
    assert asked("10.1.2.3", "") is None


def test_on_this_machine_alone_nobody_needs_to_say_who_they_are() -> None:
    caller = who_asks(request(), ServiceConfig(), ())
    assert caller is not None
    assert caller.how == "local"


OPEN_TO_ALL = ServiceConfig(
    tokens=(ANN,), url="https://gates.example.com", hosts=("mlgates", "mlgates.ns")
)


@pytest.mark.parametrize(
    ("host", "config", "known"),
    [
        ("localhost:8470", ServiceConfig(), True),
        ("[::1]:8470", ServiceConfig(), True),
        ("rebound.example.com", ServiceConfig(), False),
        ("192.0.2.7:8470", ServiceConfig(), False),
        ("gates.example.com", ServiceConfig(url="http://gates.example.com"), True),
        ("GATES.example.com.:443", OPEN_TO_ALL, True),
        ("mlgates.ns:8470", OPEN_TO_ALL, True),
        ("192.0.2.7:8470", OPEN_TO_ALL, True),
        ("evil.example.com", OPEN_TO_ALL, False),
        ("gates.example.com.evil.example.com", OPEN_TO_ALL, False),
        ("gates.example.com@evil.example.com", OPEN_TO_ALL, False),
        ("[::1", OPEN_TO_ALL, False),
        ("", OPEN_TO_ALL, False),
    ],
)
def test_it_answers_by_its_own_names_alone(host: str, config: ServiceConfig, known: bool) -> None:
    if known:
        check_host(request(host=host), config)
    else:
        with pytest.raises(Denied) as caught:
            check_host(request(host=host), config)
        assert caught.value.status == 421


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),
        ({"origin": "http://localhost:8470"}, True),
        ({"origin": "http://evil.example.com"}, False),
        ({"origin": "null"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "same-origin", "origin": "http://localhost:8470"}, True),
    ],
)
def test_what_changes_something_comes_from_our_own_pages(
    headers: dict[str, str], ours: bool
) -> None:
    assert from_our_own_page(request(**headers), ServiceConfig()) is ours


def test_a_form_token_is_for_one_caller() -> None:
    ann, bob = Caller("ann", "operator", "session"), Caller("bob", "operator", "session")
    assert csrf_token(ann, b"key") == csrf_token(ann, b"key")
    assert len({csrf_token(ann, b"key"), csrf_token(bob, b"key"), csrf_token(ann, b"other")}) == 3
