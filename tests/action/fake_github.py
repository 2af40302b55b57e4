"""GitHub's REST API on loopback, as far as comments go, held to its OpenAPI description.

Issue comments can be listed (in pages), made and changed; pull requests can be read. A token that
only reads is refused with 403, a body of more than 65,536 characters with 422.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.action.github_shapes import PULL, USER, departures

REPOSITORY = "shop/search"
BOT = "github-actions[bot]"
WRITES, READS = "token-that-writes", "token-that-reads"
_MOST = 65_536
_DOCS = "https://docs.github.com/rest"


@dataclass
class FakeGitHub:
    """What the repository holds, and what was asked of it.

    Attributes:
        address: The API's address.
        pulls: number → the pull request.
        comments: number → its comments.
        asked: Method and path of each request.
        troubles: Status and headers of answers to give before any other, first one first.
        departures: How requests and answers departed from GitHub's own description.
    """

    address: str = ""
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    troubles: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    departures: list[str] = field(default_factory=list)
    most: int = _MOST

    def open_pull(self, number: int, head: str, *, fork: bool = False) -> None:
        """Open a pull request, or push to it."""
        source = "stranger/search" if fork else REPOSITORY
        owner = user(source.partition("/")[0])
        self.pulls[number] = {
            **dict.fromkeys(PULL),
            "id": number,
            "number": number,
            "state": "open",
            "title": "a change",
            "locked": False,
            "user": owner,
            "head": {
                "label": f"{owner['login']}:change",
                "sha": head,
                "ref": "change",
                "repo": {"full_name": source, "fork": fork},
                "user": owner,
            },
            "base": {
                "label": "shop:main",
                "sha": "0" * 40,
                "ref": "main",
                "repo": {"full_name": REPOSITORY, "fork": False},
                "user": user("shop"),
            },
        }
        self.comments.setdefault(number, [])

    def say(self, number: int, login: str, body: str) -> dict[str, Any]:
        """A comment by somebody."""
        taken = sum(map(len, self.comments.values()))
        page = f"https://github.com/{REPOSITORY}/pull/{number}"
        at = "2026-11-24T10:00:00Z"
        comment = {
            "id": 1000 + taken,
            "node_id": f"IC_{taken}",
            "url": f"{self.address}/repos/{REPOSITORY}/issues/comments/{1000 + taken}",
            "html_url": f"{page}#issuecomment-{1000 + taken}",
            "issue_url": f"{self.address}/repos/{REPOSITORY}/issues/{number}",
            "body": body,
            "user": user(login),
            "created_at": at,
            "updated_at": at,
            "author_association": "NONE",
        }
        self.comments[number].append(comment)
        return comment

    def own(self, number: int) -> list[str]:
        """The bodies of the bot's comments."""
        return [one["body"] for one in self.comments[number] if one["user"]["login"] == BOT]

    def answer(
        self, method: str, target: str, token: str, value: Any
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, body and headers of an answer."""
        self.asked.append((method, target))
        status, body, headers = self._answer(method, target, token, value)
        path = target.removeprefix(f"/repos/{REPOSITORY}/")
        self.departures += departures(method, path, value, status, body)
        return status, body, headers

    def _answer(
        self, method: str, target: str, token: str, value: Any
    ) -> tuple[int, Any, dict[str, str]]:
        if self.troubles:
            status, headers = self.troubles.pop(0)
            return status, {"message": "trouble", "documentation_url": _DOCS}, headers
        if token not in (WRITES, READS):
            return 401, {"message": "Bad credentials", "documentation_url": _DOCS}, {}
        if method != "GET" and token != WRITES:
            words = "Resource not accessible by integration"
            return 403, {"message": words, "documentation_url": _DOCS, "status": "403"}, {}
        if method != "GET" and len(value["body"]) > self.most:
            words = f"Validation Failed: body is too long (maximum is {self.most} characters)"
            error = {"resource": "IssueComment", "code": "unprocessable", "field": "data"}
            return 422, {"message": words, "errors": [error], "documentation_url": _DOCS}, {}
        return self._found(method, target, value)

    def _found(self, method: str, target: str, value: Any) -> tuple[int, Any, dict[str, str]]:
        address = urlsplit(target)
        path = address.path.removeprefix(f"/repos/{REPOSITORY}/")
        if found := re.fullmatch(r"pulls/(\d+)", path):
            if int(found[1]) in self.pulls:
                return 200, self.pulls[int(found[1])], {}
        elif found := re.fullmatch(r"issues/(\d+)/comments", path):
            number = int(found[1])
            if number in self.comments and method == "POST":
                return 201, self.say(number, BOT, value["body"]), {}
            if number in self.comments:
                asked = parse_qs(address.query)
                size, page = int(asked["per_page"][0]), int(asked["page"][0])
                return 200, self.comments[number][size * (page - 1) : size * page], {}
        elif (found := re.fullmatch(r"issues/comments/(\d+)", path)) and method == "PATCH":
            for comment in (one for some in self.comments.values() for one in some):
                if comment["id"] == int(found[1]):
                    comment["body"] = value["body"]
                    return 200, comment, {}
        return 404, {"message": "Not Found", "documentation_url": _DOCS, "status": "404"}, {}


def user(login: str) -> dict[str, Any]:
    """Somebody, with all that GitHub says of them."""
    kind = "Bot" if login.endswith("[bot]") else "User"
    about = {"login": login, "id": 1, "type": kind, "site_admin": False}
    return {**dict.fromkeys(USER, ""), **about}


@contextmanager
def fake_github() -> Iterator[FakeGitHub]:
    """A running one."""
    fake = FakeGitHub()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            value = json.loads(self.rfile.read(length)) if length else None
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, body, headers = fake.answer(self.command, self.path, token, value)
            data = json.dumps(body).encode()
            self.send_response(status)
            for name, one in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, one)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - the server's own names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    fake.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert fake.departures == []
