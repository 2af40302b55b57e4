"""A service that really runs, under attack: it goes on answering whoever asks in one go."""

from __future__ import annotations

import re
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
import requests

from tests.service.deliveries import delivery
from tests.service.processes import SECRET, TOKEN, GatesServe, eventually
from tests.toys import make_project

MOST = 24
SECONDS = 2
POST = "POST /webhooks/mlflow HTTP/1.1\r\nhost: x\r\n"
SIGNED = (
    f"{POST}x-mlflow-delivery-id: 12345678\r\nx-mlflow-timestamp: 1\r\nx-mlflow-signature: v1,x\r\n"
)
GET = "GET / HTTP/1.1\r\nhost: localhost\r\n"
CHUNKS = "transfer-encoding: chunked"
FORM = "POST /login HTTP/1.1\r\nhost: localhost\r\n"


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatesServe]:
    folder = tmp_path_factory.mktemp("attacked")
    project = make_project(folder / "shop")
    limits = {"GATES_SERVE_CONNECTIONS": str(MOST), "GATES_SERVE_REQUEST_TIME": f"{SECONDS}s"}
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    with GatesServe(project, uri, folder / "cache", environ=limits) as running:
        yield running


@pytest.fixture
def connect(serve: GatesServe) -> Iterator[Callable[[], socket.socket]]:
    """Opens connections, and closes them at the end."""
    port = int(serve.url.rpartition(":")[2])
    with ExitStack() as stack:

        def opened() -> socket.socket:
            made = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            made.settimeout(4 * SECONDS)
            return made

        yield opened


def until_closed(connection: socket.socket, drip: bytes = b"") -> tuple[float, bytes]:
    """Seconds until the service closed a connection into which we drip, and what it said."""
    began, said = time.monotonic(), b""
    connection.settimeout(0.2)
    while time.monotonic() < began + 5 * SECONDS:
        try:
            if drip:
                connection.sendall(drip)
            got = connection.recv(65_536)
        except TimeoutError:
            continue
        except OSError:
            break
        if not got:
            break
        said += got
    return time.monotonic() - began, said


@pytest.mark.parametrize(
    ("sent", "drip", "answer"),
    [
        pytest.param("", b"", b"", id="nothing"),
        pytest.param("GET / HT", b"", b"408", id="half-a-line"),
        pytest.param("GET /health HTTP/1.1\r\nhost: x\r\n", b"a: b\r\n", b"408", id="headers"),
        pytest.param(f"{SIGNED}content-length: 900\r\n\r\n{{", b" ", b"408", id="body"),
        pytest.param(f"{SIGNED}{CHUNKS}\r\n\r\n", b"1\r\n \r\n", b"408", id="chunks"),
        pytest.param(f"{FORM}content-length: 900\r\n\r\na", b"a", b"408", id="form"),
        pytest.param(
            "GET /health HTTP/1.1\r\nhost: x\r\n\r\n" + POST, b"a: b\r\n", b"408", id="the-second"
        ),
        pytest.param(
            "GET /gates HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900\r\n\r\n",
            b"a", b"303", id="body-of-what-was-refused",
        ),
    ],
)  # fmt: skip
def test_what_trickles_in_is_cut_off(
    connect: Callable[[], socket.socket], sent: str, drip: bytes, answer: bytes
) -> None:
    connection = connect()
    connection.sendall(sent.encode())
    seconds, said = until_closed(connection, drip)
    assert seconds < 2 * SECONDS
    assert seconds > SECONDS / 2 or answer == b"303"
    assert answer in said.rpartition(b"HTTP/1.1 ")[2][:3]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(f"GET /health HTTP/1.1\r\nhost: x\r\na: {'b' * 200_000}", b"400", id="header"),
        pytest.param(f"GET /{'b' * 200_000}", b"400", id="path"),
        pytest.param(f"{FORM}content-length: {10**15}\r\n\r\n", b"413", id="length"),
        pytest.param(f"{POST}content-length: {10**15}\r\n\r\n", b"401", id="unsigned-length"),
        pytest.param(
            "POST /api/v1/gates HTTP/1.1\r\nhost: localhost\r\n"
            f"authorization: Bearer {TOKEN}\r\ntransfer-encoding: chunked\r\n\r\n"
            + f"10000\r\n{'b' * 65_536}\r\n" * 17,
            b"413", id="chunks",
        ),
    ],
)  # fmt: skip
def test_what_is_too_long_is_refused(
    connect: Callable[[], socket.socket], sent: str, status: bytes
) -> None:
    connection = connect()
    with suppress(OSError):  # refused before it was all sent
        connection.sendall(sent.encode())
    assert until_closed(connection)[1].startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("sent", ["", GET, f"{SIGNED}content-length: 9\r\n\r\n"])
def test_a_thousand_connections_that_ask_nothing_shut_nobody_out(
    serve: GatesServe, connect: Callable[[], socket.socket], sent: str
) -> None:
    held = []
    for _ in range(400):
        held.append(connect())
        held[-1].sendall(sent.encode())
    began = time.monotonic()
    for _ in range(20):
        assert requests.get(f"{serve.url}/health", timeout=SECONDS).status_code == 200
    assert time.monotonic() - began < SECONDS
    assert eventually(lambda: len(_established(serve)) <= MOST)


def _established(serve: GatesServe) -> list[str]:
    port = int(serve.url.rpartition(":")[2])
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    fields = [line.split() for line in lines]
    return [one[2] for one in fields if one[1].endswith(f":{port:04X}") and one[3] == "01"]


def test_an_answer_that_nobody_fetches_is_given_up(
    serve: GatesServe, connect: Callable[[], socket.socket]
) -> None:
    connection = connect()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    ask = f"{GET}authorization: Bearer {TOKEN}\r\n\r\n".replace("/", "/api/openapi.json", 1)
    connection.sendall(ask.encode() * 500)
    before = time.monotonic()
    eventually(lambda: not _established(serve))
    assert time.monotonic() - before < 4 * SECONDS


def test_a_flood_of_bad_signatures_is_one_log_line_and_leaves_nothing(serve: GatesServe) -> None:
    lines = serve.log.count("\n")
    with requests.Session() as session:
        for number in range(400):
            sent = delivery(secret="not the secret at all, but long", padding=number)
            address = f"{serve.url}/webhooks/mlflow"
            answer = session.post(address, data=sent.body, headers=sent.headers, timeout=9)
            assert answer.status_code == 401
        for _ in range(100):
            session.get(
                f"{serve.url}/gates",
                headers={"upgrade": "websocket", "connection": "upgrade"},
                timeout=9,
            )
    assert serve.log.count("a delivery from 127.0.0.1 was refused") <= 2  # the first, and how many
    assert serve.log.count("\n") - lines <= 5
    with closing(sqlite3.connect(serve.project / ".gates" / "service.db")) as store:
        assert store.execute("SELECT count(*) FROM gates_deliveries").fetchone() == (0,)


def test_nothing_but_health_and_the_webhook_answers_without_a_caller(serve: GatesServe) -> None:
    paths = requests.get(
        f"{serve.url}/api/openapi.json", headers={"authorization": f"Bearer {TOKEN}"}, timeout=9
    ).json()["paths"]
    job = "0" * 24
    asked = {path.replace("{job_id}", job) for path in paths}
    asked |= {"/", "/gates", f"/gates/{job}", "/models/toy-ranker", "/golden/toy-ranker", "/logout"}
    asked |= {"/api/openapi.json", "/docs", "/redoc", "/metrics", "/no-such", "/api/v1/no-such"}
    asked |= {
        "/.env",
        "//",
        "/health/",
        "/health/../metrics",
        "/webhooks/mlflow/x",
        "/loginx",
        "/static",
    }
    open_to_all = {"/health", "/ready"}
    assert open_to_all < asked
    for path in sorted(asked - open_to_all):
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"):
            answer = requests.request(method, serve.url + path, timeout=9, allow_redirects=False)
            sent_to = answer.headers.get("location", "")
            assert answer.status_code == 401 or sent_to.startswith("/login"), (method, path)
    for path in open_to_all:
        assert requests.get(serve.url + path, timeout=9).status_code == 200
        assert requests.request("TRACE", serve.url + path, timeout=9).status_code == 405


@pytest.mark.parametrize(
    "host", ["evil.example.com", "localhost.evil.example.com", "127.0.0.1.nip.io"]
)
def test_it_is_asked_by_a_name_of_its_own(serve: GatesServe, host: str) -> None:
    for headers in ({}, {"authorization": f"Bearer {TOKEN}"}):
        for path in ("/", "/login", "/metrics", "/api/v1/gates"):
            answer = requests.get(serve.url + path, headers={"host": host, **headers}, timeout=9)
            assert answer.status_code == 421
            assert host not in answer.text
    assert requests.get(f"{serve.url}/health", headers={"host": host}, timeout=9).ok


def test_a_session_that_was_signed_out_of_is_worth_nothing(serve: GatesServe) -> None:
    with requests.Session() as browser:
        browser.post(f"{serve.url}/login", data={"token": TOKEN}, timeout=9)
        page = browser.get(f"{serve.url}/gates", timeout=9).text
        stolen = dict(browser.cookies)
        assert _signed_in(serve, stolen)
        csrf = re.search(r'name="csrf" value="([^"]+)"', page)
        assert csrf
        browser.post(f"{serve.url}/logout", data={"csrf": csrf[1]}, timeout=9)
    assert not _signed_in(serve, stolen)
    serve.kill()
    serve.start()
    assert not _signed_in(serve, stolen)


def _signed_in(serve: GatesServe, cookies: dict[str, str]) -> bool:
    answer = requests.get(f"{serve.url}/gates", cookies=cookies, allow_redirects=False, timeout=9)
    return answer.status_code == 200


def test_tokens_are_not_found_by_trying(serve: GatesServe) -> None:
    serve.get("/api/v1/gates")  # who works with it goes on working
    began, looked_at = time.monotonic(), 0
    for number in range(300):
        guess = {"authorization": f"Bearer a guess, number {number:06}"}
        for answer in (
            requests.get(f"{serve.url}/metrics", headers=guess, timeout=9),
            requests.get(f"{serve.url}/login", headers=guess, timeout=9, allow_redirects=False),
            requests.post(f"{serve.url}/login", data={"token": f"guess {number}"}, timeout=9),
        ):
            assert answer.status_code in {303, 401, 429}
            looked_at += answer.status_code != 429
            if answer.status_code == 429:
                assert int(answer.headers["retry-after"]) >= 1
    assert looked_at <= 8 + (time.monotonic() - began)
    serve.get("/api/v1/gates")
    assert SECRET not in serve.log
    assert "number 0" not in serve.log
