"""Fetching one file over HTTP: bounded in size and in time, and never anything but HTTP."""

from __future__ import annotations

import base64
import tempfile
import threading
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage, responses
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request

from gates.errors import LockError
from gates.system.http import USER_AGENT, http_opener

__all__ = ["fetch", "file_of", "is_url", "without_secrets"]

_PIECE = 1 << 16
_IDLE_SECONDS = 30.0
_ASTRAY = "it redirects in circles, or to what is not HTTP or less than HTTPS"


def is_url(source: str) -> bool:
    """Whether a source is an http(s) URL."""
    return source.lower().startswith(("http://", "https://"))


def without_secrets(url: str) -> str:
    """A URL as a message may show it: without user, password, query and fragment."""
    parts = _split(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def file_of(url: str) -> str:
    """The name of the file a URL leads to, for messages: a path cannot hold a whole URL."""
    return _split(url).path.rpartition("/")[2] or "advisories"


def fetch(url: str, *, seconds: float, most_bytes: int) -> IO[bytes]:
    """Fetch a file into a temporary one, which the caller closes.

    Args:
        url: An http(s) URL; a user and password in it are sent as basic authentication, and not
            to where it redirects.
        seconds: How long it may take in all.
        most_bytes: How large it may be.

    Raises:
        LockError: It cannot be fetched, is too large or takes too long.
    """
    shown = without_secrets(url)
    outcome: list[IO[bytes] | str] = []
    # Looking up a host and reading headers know no limit as a whole: a thread can be left behind.
    late = f"it took longer than {seconds:g} s"
    work = _download(url, time.monotonic() + seconds, late, most_bytes)
    thread = threading.Thread(target=lambda: outcome.append(work()), daemon=True)
    thread.start()
    thread.join(seconds)
    found = outcome[0] if outcome else late
    if isinstance(found, str):
        raise LockError(
            f"{shown} could not be fetched: {found}",
            path=file_of(url),
            advice="Try again, or download it and name the file instead.",
        )
    return found


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it is what checks it
    except ValueError:
        raise LockError(
            "the advisory source is not a valid URL",
            path="advisories",
            advice="Write it as https://host/path.",
        ) from None
    return parts


def _download(
    url: str, deadline: float, late: str, most_bytes: int
) -> Callable[[], IO[bytes] | str]:
    request = _request(url)

    def work() -> IO[bytes] | str:
        target = tempfile.TemporaryFile()  # noqa: SIM115 - handed over to the caller
        try:
            trouble = _copy(request, target, deadline, late, most_bytes)
        except HTTPError as error:
            with error:  # its own words may hold the URL of a redirect
                phrase = responses.get(error.code, "")
                trouble = f"the server answered {error.code} {phrase}".rstrip()
                trouble = _ASTRAY if 300 <= error.code < 400 else trouble
        except URLError as error:
            trouble = f"{error.reason}"
        except HTTPException as error:  # its words may hold the whole URL
            trouble = f"the answer is not HTTP as it should be ({type(error).__name__})"
        except (OSError, ValueError) as error:
            trouble = str(error) or type(error).__name__
        if trouble:
            target.close()
            return trouble
        target.seek(0)
        return target

    return work


def _copy(request: Request, target: IO[bytes], deadline: float, late: str, most_bytes: int) -> str:
    """Copy an answer's body; gives what went wrong, or nothing."""
    with http_opener(_Redirects()).open(request, timeout=_IDLE_SECONDS) as answer:
        said = answer.headers.get("Content-Length", "")
        expected = int(said) if said.isdecimal() else None
        got = 0
        if (expected or 0) > most_bytes:
            return f"it is larger than {most_bytes >> 20} MiB"
        while piece := answer.read1(_PIECE):
            got += len(piece)
            if got > most_bytes:
                return f"it is larger than {most_bytes >> 20} MiB"
            if time.monotonic() > deadline:
                return late
            target.write(piece)
    if expected is not None and got != expected:
        return f"the answer ended after {got:,} of {expected:,} bytes"
    return ""


class _Redirects(HTTPRedirectHandler):
    """Follows redirects to HTTP(S) only, and from HTTPS to nothing less."""

    max_redirections = 5

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """The request for where an answer redirects to."""
        if not is_url(newurl) or _is_weaker(newurl, req.full_url):
            raise URLError(_ASTRAY)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_weaker(new: str, old: str) -> bool:
    return old.lower().startswith("https:") and not new.lower().startswith("https:")


def _request(url: str) -> Request:
    parts = _split(url)
    host = parts.netloc.rpartition("@")[2]
    plain = parts._replace(netloc=host, fragment="").geturl()
    request = Request(plain, headers={"User-Agent": USER_AGENT})  # noqa: S310
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        # Unredirected: a redirect to another host must not carry it along.
        token = base64.b64encode(pair.encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request
