"""Source distributions of a lock, fetched by name and hash: nothing of them is opened or run.

Installers prepare what they download, which runs its build. So it is fetched here, from where the
user's installers would look: folders and pages (`UV_FIND_LINKS`), then indexes by the simple API.

Sources: the simple repository API (PEP 503, PEP 691), source distribution file names (PEP 625).
"""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from netrc import NetrcParseError, netrc
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import Version

from gates.domain.installation import Pin, SourceBuilds
from gates.errors import LockError
from gates.locks._fetch import fetch, is_url, without_secrets
from gates.system.installers import uv_environment

__all__ = ["source_builds"]

_PUBLIC_INDEX = "https://pypi.org/simple"
_MOST_PAGE, _PAGE_SECONDS = 64 << 20, 60.0
_MOST_FILE, _FILE_SECONDS = 1 << 30, 600.0


def source_builds(names: Sequence[str]) -> SourceBuilds:
    """What may be built from source, and how its files are fetched.

    Args:
        names: Distributions, as the card names them.
    """
    return SourceBuilds(frozenset(str(canonicalize_name(name)) for name in names), _fetched)


def _fetched(pin: Pin, folder: Path) -> Path:
    """Fetch a pin's source distribution into a folder, its hash being one of the lock's.

    Raises:
        LockError: It is nowhere, cannot be fetched, or is another file than the lock allows.
    """
    looked: list[str] = []
    for place in _places():
        looked.append(without_secrets(place) if is_url(place) else place)
        for address in _addresses(place, pin.name):
            name = unquote(urlsplit(address).path if is_url(address) else address)
            name = name.rpartition("/")[2]
            if _is_source_of(name, pin):
                target = folder / name
                _copy(address, target)
                if _is_locked(target, pin):
                    return target
                target.unlink()
    raise LockError(
        f"{pin.name} {pin.version} is to be built from source, and no source distribution with a "
        "hash of the lock was found",
        path=pin.name,
        advice=f"Looked in {', '.join(looked) or 'no place at all'}. Compile the lock again, or "
        "name the index as for uv: UV_DEFAULT_INDEX, UV_FIND_LINKS.",
    )


def _is_source_of(name: str, pin: Pin) -> bool:
    try:
        return parse_sdist_filename(name) == (pin.name, Version(pin.version))
    except InvalidSdistFilename:
        return False


def _is_locked(path: Path, pin: Pin) -> bool:
    for algorithm in {one.partition(":")[0] for one in pin.hashes}:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, algorithm).hexdigest()
        if f"{algorithm}:{digest}" in pin.hashes:
            return True
    return False


# ---- where to look -----------------------------------------------------------------------------


def _places() -> Iterator[str]:
    """Folders, pages of links (as they are) and indexes (ending in a slash), in uv's order."""
    settings, told = _settings(), uv_environment()
    links = [one for one in told.get("UV_FIND_LINKS", "").split(",") if one]
    yield from links or map(str, settings.get("find-links") or ())
    if told.get("UV_NO_INDEX", "").lower() in ("1", "true") or settings.get("no-index") is True:
        return
    first = [one for key in ("UV_INDEX", "UV_EXTRA_INDEX_URL") for one in told.get(key, "").split()]
    named = [one for one in settings.get("index") or () if isinstance(one, Mapping)]
    first += [str(one.get("url", "")) for one in named if not one.get("default")]
    first += map(str, settings.get("extra-index-url") or ())
    last = told.get("UV_DEFAULT_INDEX") or told.get("UV_INDEX_URL")
    last = last or next((str(one.get("url", "")) for one in named if one.get("default")), "")
    last = last or str(settings.get("index-url") or _PUBLIC_INDEX)
    for index in (*first, last):
        name, equals, address = index.partition("=")
        index = address if equals and "/" not in name else index
        yield index.rstrip("/") + "/"


def _settings() -> Mapping[str, Any]:
    """What uv's settings of the user say; a project's are not asked."""
    told = uv_environment()
    if told.get("UV_NO_CONFIG"):
        return {}
    home = Path(told.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    named = Path(told.get("UV_CONFIG_FILE") or home / "uv" / "uv.toml")
    for path in (named, Path("/etc/uv/uv.toml")):
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
    return {}


def _addresses(place: str, name: str) -> Iterator[str]:
    """The files that a place has, as paths or addresses without fragments."""
    local = url2pathname(urlsplit(place).path) if place.startswith("file:") else place
    if not is_url(place) and not place.endswith("/") and Path(local).is_dir():
        yield from (str(path) for path in sorted(Path(local).iterdir()) if path.is_file())
        return
    page = f"{place}{quote(name)}/" if place.endswith("/") else place
    if not is_url(page):
        index = Path(local) / name / "index.html"
        if index.is_file():
            yield from _links(index.read_bytes(), index.as_uri())
        return
    try:
        with fetch(_signed(page), seconds=_PAGE_SECONDS, most_bytes=_MOST_PAGE) as stream:
            content = stream.read()
    except LockError:
        return  # another place may have it; where none has, all are named
    yield from _links(content, page)


def _links(page: bytes, address: str) -> Iterator[str]:
    parser = _Anchors()
    parser.feed(page.decode("utf-8", "replace"))
    for link in parser.found:
        whole = urldefrag(urljoin(address, link)).url
        if is_url(whole):
            yield whole
        elif whole.startswith("file:") and address.startswith("file:"):
            yield url2pathname(urlsplit(whole).path)


class _Anchors(HTMLParser):
    """Collects what the anchors of a page lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an anchor."""
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


# ---- fetching ----------------------------------------------------------------------------------


def _copy(address: str, target: Path) -> None:
    if not is_url(address):
        shutil.copyfile(address, target)
        return
    found = fetch(_signed(address), seconds=_FILE_SECONDS, most_bytes=_MOST_FILE)
    with found, target.open("wb") as out:
        shutil.copyfileobj(found, out)


def _signed(address: str) -> str:
    """An address with the user and password that are set for its host."""
    parts = urlsplit(address)
    if parts.username is not None:
        return address
    for index in _places():
        known = urlsplit(index)
        if known.username is not None and known.hostname == parts.hostname:
            return parts._replace(
                netloc=f"{known.netloc.rpartition('@')[0]}@{parts.netloc}"
            ).geturl()
    try:
        told = netrc(uv_environment().get("NETRC")).authenticators(parts.hostname or "")
    except (OSError, NetrcParseError):
        told = None
    if told is None:
        return address
    user, _, password = told
    pair = f"{quote(user, safe='')}:{quote(password or '', safe='')}"
    return parts._replace(netloc=f"{pair}@{parts.netloc}").geturl()
