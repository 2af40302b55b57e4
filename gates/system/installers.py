"""uv and pip as the gate starts them: where they are, and what they may see of the user's settings.

Both see where packages come from and how to get there, and nothing that could loosen a lock
(`UV_NO_VERIFY_HASHES`) or move its target (`UV_PYTHON`). What is set for one of the two holds for
the other as well, so that they ask the same index.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from gates.errors import BuildError

__all__ = ["find_uv", "installer", "pip_environment", "uv_environment", "without_index"]

_SHARED = frozenset(
    {"HOME", "PATH", "TMPDIR", "LANG", "LC_ALL", "NETRC"}
    | {"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
)
_UV = frozenset(
    {"UV_CACHE_DIR", "UV_CONFIG_FILE", "UV_CREDENTIALS_DIR", "UV_DEFAULT_INDEX"}
    | {"UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_HTTP_RETRIES", "UV_HTTP_TIMEOUT"}
    | {"UV_INSECURE_HOST", "UV_KEYRING_PROVIDER", "UV_NATIVE_TLS", "UV_NO_CONFIG", "UV_NO_INDEX"}
    | {"UV_OFFLINE", "UV_SYSTEM_CERTS"}
)
_UV_PATHS = ("UV_CACHE_DIR", "UV_CONFIG_FILE", "UV_FIND_LINKS")
_UV_INDEX = "UV_INDEX"  # and UV_INDEX_URL, UV_INDEX_<NAME>_USERNAME, UV_INDEX_<NAME>_PASSWORD
_PIP = frozenset(
    {"PIP_CACHE_DIR", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE", "PIP_DEFAULT_TIMEOUT"}
    | {"PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_KEYRING_PROVIDER"}
    | {"PIP_NO_INDEX", "PIP_PROXY", "PIP_RETRIES", "PIP_TIMEOUT", "PIP_TRUSTED_HOST"}
    | {"PIP_TOOLS_CACHE_DIR", "REQUESTS_CA_BUNDLE"}
)
_OFF = frozenset({"", "0", "false", "no", "off"})


def find_uv() -> str:
    """The path of the uv that was installed with the gate.

    Raises:
        BuildError: It is not there.
    """
    import uv

    try:
        return str(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise BuildError(
            "uv, which resolves locks and builds environments, is not installed beside the gate",
            advice="Install it: pip install uv",
        ) from error


def installer() -> str:
    """The installer by name and version, such as `uv 0.9.3`."""
    return f"uv {version('uv')}"


def uv_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The whole environment that uv gets.

    Args:
        environ: The user's variables.
    """
    passed = {
        name: _in_place(value) if name in _UV_PATHS else value
        for name, value in environ.items()
        if name.upper() in _SHARED | _UV or name.startswith(_UV_INDEX)
    }
    if url := environ.get("PIP_INDEX_URL"):
        passed.setdefault("UV_DEFAULT_INDEX", url)
    if urls := environ.get("PIP_EXTRA_INDEX_URL"):
        passed.setdefault("UV_INDEX", urls)
    # pip passes over a folder that is not there, uv stops at it.
    links = environ.get("PIP_FIND_LINKS", "").split()
    if there := [one for one in links if "://" in one or Path(one).exists()]:
        passed.setdefault("UV_FIND_LINKS", _in_place(",".join(there)))
    if _is_on(environ, "PIP_NO_INDEX"):
        passed.setdefault("UV_NO_INDEX", "1")
    return passed


def pip_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The whole environment that pip and pip-tools get.

    Args:
        environ: The user's variables.
    """
    passed = {
        name: value for name, value in environ.items() if name.upper() in _SHARED or name in _PIP
    }
    if url := environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL"):
        passed.setdefault("PIP_INDEX_URL", _address(url))
    more = " ".join(environ.get(name, "") for name in (_UV_INDEX, "UV_EXTRA_INDEX_URL"))
    if urls := [_address(one) for one in more.split()]:
        passed.setdefault("PIP_EXTRA_INDEX_URL", " ".join(urls))
    if links := environ.get("UV_FIND_LINKS"):
        passed.setdefault("PIP_FIND_LINKS", links.replace(",", " "))
    if hosts := environ.get("UV_INSECURE_HOST"):
        passed.setdefault("PIP_TRUSTED_HOST", hosts)
    if bundle := environ.get("SSL_CERT_FILE"):
        passed.setdefault("PIP_CERT", bundle)
    if _is_on(environ, "UV_NO_INDEX"):
        passed.setdefault("PIP_NO_INDEX", "1")
    return passed


def without_index() -> bool:
    """Whether the user has switched package indexes off, so that packages come from folders."""
    return _is_on(os.environ, "PIP_NO_INDEX") or _is_on(os.environ, "UV_NO_INDEX")


def _in_place(paths: str) -> str:
    """Paths and addresses (with commas between) that mean the same wherever uv is started."""
    each = [one.strip() for one in paths.split(",")]
    return ",".join(one if "://" in one or not one else str(Path(one).absolute()) for one in each)


def _is_on(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() not in _OFF


def _address(index: str) -> str:
    """Uv's `name=https://…` without the name, which pip does not know."""
    name, equals, address = index.partition("=")
    return address if equals and "/" not in name else index
