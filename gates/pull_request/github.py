"""GitHub's REST API, as far as a comment needs it.

https://docs.github.com/en/rest/issues/comments and https://docs.github.com/en/rest/pulls/pulls
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request

from gates.errors import GatesError, UsageError
from gates.system.http import USER_AGENT, http_opener
from gates.system.json_files import json_value
from gates.system.retrying import Backoff

__all__ = ["GitHub", "GitHubError"]

_BACKOFF = Backoff(first=2.0, tries=4)
_LONGEST_WAIT = 60.0
_SECONDS = 30.0
_MOST_BYTES = 32 * 1024 * 1024
_PAGE = 100
_PAGES = 50


class GitHubError(GatesError):
    """GitHub refused a request, or did not answer.

    Args:
        what: What is wrong.
        status: The HTTP status; 0 when there was no answer.
        advice: What to do about it.
    """

    def __init__(self, what: str, *, status: int = 0, advice: str = "") -> None:
        super().__init__(what, advice=advice)
        self.status = status


@dataclass(frozen=True)
class GitHub:
    """One repository at GitHub, or at a GitHub Enterprise server.

    Attributes:
        api: The address of the API, such as `https://api.github.com`.
        repository: `owner/name`.
        token: What authorises; never shown.
        sleep: Waits for some seconds.
    """

    api: str
    repository: str
    token: str = field(repr=False)
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> GitHub:
        """The repository that a workflow runs for.

        Args:
            environ: Environment variables: `GITHUB_TOKEN`, `GITHUB_REPOSITORY`, `GITHUB_API_URL`.

        Raises:
            UsageError: One of them is not set, or not what GitHub sets.
        """
        repository = environ.get("GITHUB_REPOSITORY", "")
        api = environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository, re.ASCII):
            raise UsageError(
                "GITHUB_REPOSITORY does not name a repository", advice="write it as owner/name"
            )
        token = environ.get("GITHUB_TOKEN", "").strip()
        if not token or not token.isascii() or not token.isprintable():
            raise UsageError(
                "GITHUB_TOKEN is not set",
                advice="give the step env: GITHUB_TOKEN: ${{ github.token }}, and its job "
                "permissions: pull-requests: write",
            )
        parts = urlsplit(api)
        local = parts.hostname in {"127.0.0.1", "::1", "localhost"}
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise UsageError(
                "GITHUB_API_URL is no https address", advice="a token is sent over nothing else"
            )
        return cls(api, repository, token)

    def pull(self, number: int) -> Mapping[str, Any]:
        """A pull request.

        Raises:
            GitHubError: There is none, or GitHub does not answer.
        """
        found: Mapping[str, Any] = self._call("GET", f"pulls/{number}")
        return found

    def comments(self, number: int) -> Iterator[Mapping[str, Any]]:
        """The comments of a pull request, oldest first, page by page.

        Raises:
            GitHubError: GitHub does not give them.
        """
        for page in range(1, _PAGES + 1):
            query = f"issues/{number}/comments?per_page={_PAGE}&page={page}"
            found: list[Mapping[str, Any]] = self._call("GET", query)
            yield from found
            if len(found) < _PAGE:
                return

    def create_comment(self, number: int, body: str) -> Mapping[str, Any]:
        """Write a new comment.

        Args:
            number: The pull request.
            body: Markdown.

        Raises:
            GitHubError: GitHub refused it; with status 422 it is too long.
        """
        made: Mapping[str, Any] = self._call("POST", f"issues/{number}/comments", {"body": body})
        return made

    def update_comment(self, comment: int, body: str) -> Mapping[str, Any]:
        """Write a comment anew.

        Args:
            comment: Its id.
            body: Markdown.

        Raises:
            GitHubError: GitHub refused it; with status 422 it is too long.
        """
        made: Mapping[str, Any] = self._call("PATCH", f"issues/comments/{comment}", {"body": body})
        return made

    def _call(self, method: str, path: str, value: object = None) -> Any:  # noqa: ANN401 - JSON
        """One request, again when GitHub says that it may work later.

        A POST that was answered with an error of the server may have been heard: it is not
        repeated here.
        """
        url = f"{self.api}/repos/{self.repository}/{path}"
        data = json.dumps(value).encode() if value is not None else None
        for attempt in _BACKOFF.attempts(self.sleep):
            request = Request(url, data=data, method=method)  # noqa: S310 - checked: http(s) only
            request.add_header("Accept", "application/vnd.github+json")
            request.add_header("X-GitHub-Api-Version", "2022-11-28")
            request.add_header("User-Agent", USER_AGENT)
            request.add_header("Authorization", f"Bearer {self.token}")
            if data is not None:
                request.add_header("Content-Type", "application/json")
            try:
                with http_opener().open(request, timeout=_SECONDS) as answer:
                    return json_value(answer.read(_MOST_BYTES))
            except HTTPError as refused:
                with refused:
                    wait = _wait(refused, method, attempt.pause)
                    if wait is None or attempt.is_last:
                        raise _explained(refused, method, path) from None
                    attempt.pause = wait
            except (URLError, HTTPException, OSError, ValueError) as problem:
                if method == "POST" or attempt.is_last:
                    reason = getattr(problem, "reason", problem)
                    raise GitHubError(
                        f"GitHub did not answer {method} {path}: {reason}",
                        advice="run the job again",
                    ) from None
        raise AssertionError("unreachable")


def _wait(refused: HTTPError, method: str, pause: float) -> float | None:
    """After how many seconds to try again; None when that would not help."""
    after = refused.headers.get("Retry-After", "")
    limited = refused.headers.get("X-RateLimit-Remaining") == "0"
    if refused.code == 429 or (refused.code == 403 and (after or limited)):
        seconds = float(after) if after.isdecimal() else pause
        return seconds if seconds <= _LONGEST_WAIT else None
    if refused.code >= 500 and method != "POST":
        return float(after) if after.isdecimal() and int(after) <= _LONGEST_WAIT else pause
    return None


def _explained(refused: HTTPError, method: str, path: str) -> GitHubError:
    try:
        said = json_value(refused.read(65_536))
        words = str(said.get("message", ""))[:300]
    except (ValueError, AttributeError, OSError):
        words = ""
    advice = {
        401: "the token is not valid any more: run the job again",
        403: "give the job permissions: pull-requests: write; a run of a fork cannot have it: see "
        "docs/pull-requests.md for the two workflows that it takes",
        404: "check that the token may read this repository, and that the pull request exists",
    }.get(refused.code, "")
    what = f"GitHub answered {method} {path} with {refused.code}"
    return GitHubError(f"{what}: {words}" if words else what, status=refused.code, advice=advice)
