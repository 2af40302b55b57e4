"""What every builder of environments shares: lock files, sweeping, and uv."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from gates.environments._commands import last_lines, run_streamed
from gates.errors import BuildError

__all__ = [
    "BUILD_SECONDS",
    "locked",
    "read_lock_text",
    "run_uv",
    "silent",
    "sweep",
    "uv_environment",
    "uv_program",
]

BUILD_SECONDS = 1800.0

# What uv may see of the user's own settings: where packages come from and how to get there.
# Nothing that could loosen the lock (UV_NO_VERIFY_HASHES) or move the target (UV_PYTHON).
_PASSED = [
    "HOME",
    "PATH",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
    "NETRC",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSL_CLIENT_CERT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "UV_CACHE_DIR",
    "UV_CONFIG_FILE",
    "UV_CREDENTIALS_DIR",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_HTTP_RETRIES",
    "UV_HTTP_TIMEOUT",
    "UV_INSECURE_HOST",
    "UV_KEYRING_PROVIDER",
    "UV_NATIVE_TLS",
    "UV_NO_INDEX",
    "UV_OFFLINE",
    "UV_SYSTEM_CERTS",
]
_FROM_PIP = {"PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_EXTRA_INDEX_URL": "UV_INDEX"}


def silent(_: str) -> None:
    """Progress that nobody watches."""


def read_lock_text(lock: Path) -> bytes:
    """The bytes of a lock.

    Raises:
        BuildError: It cannot be read.
    """
    try:
        return lock.read_bytes()
    except OSError as error:
        raise BuildError(
            f"the lock {lock} cannot be read: {error.strerror}",
            advice="Package the model again with its requirements.txt.",
        ) from error


@contextlib.contextmanager
def locked(folder: Path, key: str, progress: Callable[[str], None]) -> Iterator[int]:
    """Hold a key's lock in a folder of environments; gives the descriptor that holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{key}.lock").open("ab") as handle:
        if not _try_lock(handle.fileno()):
            progress("waiting for another process that builds the same environment")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle.fileno()


def sweep(folder: Path) -> None:
    """Remove what killed builders left in a folder of environments."""
    # Whoever builds holds that key's lock: a folder whose lock is free has no builder left.
    for leftover in folder.glob("*.building"):
        with leftover.with_suffix(".lock").open("ab") as handle:
            if _try_lock(handle.fileno()):
                shutil.rmtree(leftover, ignore_errors=True)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def uv_program() -> str:
    """The path of uv, which builds environments.

    Raises:
        BuildError: It is not there.
    """
    import uv

    try:
        return str(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise BuildError(
            "uv, which builds environments, is not installed beside the gate",
            advice="Install it: pip install uv",
        ) from error


def uv_environment() -> dict[str, str]:
    """The whole environment of a program that builds an environment."""
    passed = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in _PASSED or name.startswith("UV_INDEX")
    }
    for pip_name, uv_name in _FROM_PIP.items():
        if pip_name in os.environ:
            passed.setdefault(uv_name, os.environ[pip_name])
    return passed


def run_uv(arguments: list[str], held: int, lock: Path, progress: Callable[[str], None]) -> None:
    """Run uv, which inherits the lock file's descriptor `held`.

    Raises:
        BuildError: It failed; with its last lines.
    """
    # Should the gate be killed, nobody builds beside a uv that lives on.
    done = run_streamed(
        [uv_program(), *arguments, "--no-python-downloads", "--no-progress", "--color", "never"],
        env=uv_environment(),
        cwd=None,
        timeout=BUILD_SECONDS,
        progress=progress,
        pass_fds=(held,),
    )
    if done.returncode != 0:
        raise BuildError(
            f"the environment of {lock} could not be built: uv {' '.join(arguments[:2])} failed "
            f"({done.how}):\n{last_lines(done.output)}",
            advice="Check that every requirement is pinned and hashed for this Python and "
            "platform, and that the package index can be reached.",
        )
