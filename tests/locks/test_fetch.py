"""Advisories by URL: from a real server that is well, slow, huge, gone or leads astray."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gates.errors import LockError
from gates.locks._fetch import fetch, without_secrets
from gates.locks.advisories import read_advisories

from .osv import NOW, osv

BODY = json.dumps(osv("A")).encode()


class Server(ThreadingHTTPServer):
    """Answers by path, and remembers what it was asked."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.over = threading.Event()
        self.authorizations: list[tuple[str, str | None]] = []

    def url(self, path: str, user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.authorizations.append((self.path, self.headers.get("Authorization")))
        path = self.path.partition("?")[0]
        target = {
            "/moved": "/osv.json",
            "/to-file": "file:///etc/hostname",
            "/to-ftp": "ftp://127.0.0.1/x",
            "/around": "/around",
        }.get(path)
        if target:
            self.answer(302, b"", Location=target)
        elif path == "/osv.json":
            self.answer(200, BODY)
        elif path == "/huge":
            self.answer(200, b"", size=1 << 40)
        elif path == "/endless":
            self.send_response(200)
            self.end_headers()
            while not self.server.over.is_set():
                self.wfile.write(bytes(1 << 16))
        elif path == "/slow":
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            while not self.server.over.wait(0.02):
                self.wfile.write(b" ")
        elif path == "/silent":
            self.server.over.wait()
        elif path == "/cut":
            self.answer(200, BODY[:-9], size=len(BODY))
        elif path == "/nonsense":
            self.wfile.write(b"what?\r\n\r\n")
        else:
            self.answer(404, b"")

    def answer(self, status: int, body: bytes, size: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if size is None else size))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the reader has had enough
            super().handle()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.over.set()
        running.shutdown()
        thread.join()


def refusal(url: str, seconds: float = 20.0) -> str:
    with pytest.raises(LockError) as refused:
        fetch(url, seconds=seconds, most_bytes=4 << 20)
    return refused.value.what


def test_a_url_is_read_and_redirects_are_followed(server: Server) -> None:
    for path in ("/osv.json", "/moved"):
        found = read_advisories(server.url(path), max_age_days=30, now=NOW)
        assert (found.records, found.source) == (1, server.url(path))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/gone", "the server answered 404 Not Found"),
        ("/huge", "it is larger than 4 MiB"),
        ("/endless", "it is larger than 4 MiB"),
        ("/to-file", "it redirects in circles, or to what is not HTTP"),
        ("/to-ftp", "it redirects in circles, or to what is not HTTP"),
        ("/around", "it redirects in circles, or to what is not HTTP"),
        ("/cut", "the answer ended after"),
        ("/nonsense", "the answer is not HTTP as it should be (BadStatusLine)"),
    ],
)
def test_a_server_that_is_not_well_is_told_by_what_it_did(
    server: Server, path: str, reason: str
) -> None:
    assert refusal(server.url(path)).startswith(
        f"{server.url(path)} could not be fetched: {reason}"
    )


@pytest.mark.parametrize("path", ["/slow", "/silent"])
def test_a_server_that_takes_its_time_is_left(server: Server, path: str) -> None:
    assert refusal(server.url(path), seconds=0.3).endswith("it took longer than 0.3 s")


def test_nobody_listening_is_told() -> None:
    assert "could not be fetched" in refusal("http://127.0.0.1:1/osv.json")


def test_a_password_is_sent_to_its_own_url_only_and_never_told(server: Server) -> None:
    url = server.url("/moved?token=hidden", user="ada:s%40cret@")
    assert read_advisories(url, max_age_days=30, now=NOW).source == server.url("/moved")
    basic = "Basic " + base64.b64encode(b"ada:s@cret").decode()
    assert server.authorizations == [("/moved?token=hidden", basic), ("/osv.json", None)]
    for path in ("/gone?token=hidden", "/nonsense?token=hidden", "/a b?token=hidden"):
        what = refusal(server.url(path, user="ada:s%40cret@"))
        assert not any(secret in what for secret in ("hidden", "cret", "ada"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ada:pw@Example.org:8443/a/b.zip?x=1#y", "https://example.org:8443/a/b.zip"),
        ("http://example.org", "http://example.org"),
    ],
)
def test_messages_show_a_url_without_its_secrets(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


@pytest.mark.parametrize("url", ["https://example.org:port/x", "http://[::1/x"])
def test_what_is_no_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(LockError, match="the advisory source is not a valid URL"):
        read_advisories(url, max_age_days=30, now=NOW)
