"""The cache of model environments: one folder a lock, Python and platform, whole or not there.

An environment is built in a sibling folder under a lock file, its marker is written last, and the
folder is renamed into place. Nothing without a marker is ever used; what a killed builder left is
removed by the next one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gates.domain import EnvironmentFacts
from gates.environments._commands import last_lines, run_streamed
from gates.environments._interpreters import Interpreter, find_interpreter
from gates.errors import BuildError

__all__ = ["Environment", "EnvironmentCache"]

_MARKER = "gates-environment.json"
_RECIPE = "gates-environment-2"  # part of the key: raise it when environments are built otherwise
_UV_SECONDS = 1800.0

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


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds exactly what one lock says.

    Attributes:
        path: Its folder.
        python: Its interpreter.
        facts: Its key, Python, platform, and whether it was found or built.
    """

    path: Path
    python: Path
    facts: EnvironmentFacts


def _silent(_: str) -> None:
    return


class EnvironmentCache:
    """Finds or builds the environment a lock asks for.

    Args:
        root: The cache folder; made when it is needed. Any number of processes may share it.
    """

    def __init__(self, root: Path) -> None:
        self._envs = root.absolute() / "envs"

    def ensure(
        self,
        lock: Path,
        *,
        python: str | None = None,
        progress: Callable[[str], None] = _silent,
    ) -> Environment:
        """The environment of a lock, built when the cache does not hold it yet.

        Args:
            lock: A requirements file, every requirement pinned and hashed; it may be empty.
            python: The Python version it is for, such as `3.11`; None takes the gate's own.
            progress: Told what is being done, a line at a time.

        Raises:
            BuildError: No lock, no such Python, or uv could not install it; with uv's last lines.
        """
        started = time.monotonic()
        try:
            text = lock.read_bytes()
        except OSError as error:
            raise BuildError(
                f"the lock {lock} cannot be read: {error.strerror}",
                advice="Package the model again with its requirements.txt.",
            ) from error
        interpreter = find_interpreter(python, uv=_uv())
        key = _key(text, interpreter)
        home = self._envs / key
        cached = _is_whole(home, key)
        if not cached:
            try:
                with self._locked(key, progress) as held:
                    cached = _is_whole(home, key)
                    if not cached:
                        progress(f"building the environment of {lock} ({interpreter.version})")
                        self._build(home, text, interpreter, held, lock, progress)
            except OSError as error:
                raise BuildError(
                    f"the environment of {lock} could not be written: {error}",
                    advice=f"Check free space and permissions of {self._envs}.",
                ) from error
        facts = EnvironmentFacts(
            key=key,
            python=interpreter.version,
            platform=_platform(),
            cached=cached,
            build_seconds=time.monotonic() - started,
        )
        return Environment(home, home / "bin" / "python", facts)

    @contextlib.contextmanager
    def _locked(self, key: str, progress: Callable[[str], None]) -> Iterator[int]:
        self._envs.mkdir(parents=True, exist_ok=True)
        with (self._envs / f"{key}.lock").open("ab") as handle:
            if not _try_lock(handle.fileno()):
                progress("waiting for another process that builds the same environment")
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle.fileno()

    def _build(
        self,
        home: Path,
        text: bytes,
        interpreter: Interpreter,
        held: int,
        lock: Path,
        progress: Callable[[str], None],
    ) -> None:
        self._sweep()
        building = home.with_suffix(".building")
        for stale in (building, home):
            if stale.exists():
                shutil.rmtree(stale)
        try:
            building.mkdir()
            copy = building / "requirements.txt"
            copy.write_bytes(text)
            where = str(building / "bin" / "python")
            venv = ["venv", "--relocatable", "--no-project", "--allow-existing", "--python"]
            _run_uv([*venv, str(interpreter.path), str(building)], held, lock, progress)
            sync = ["pip", "sync", "--require-hashes", "--allow-empty-requirements"]
            sync += ["--link-mode", "copy", "--python", where]
            _run_uv([*sync, str(copy)], held, lock, progress)
            _compile(building, home, interpreter, held, progress)
            marker = {"key": home.name, "python": interpreter.version, "platform": _platform()}
            (building / _MARKER).write_text(json.dumps(marker), encoding="utf-8")
            building.rename(home)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise

    def _sweep(self) -> None:
        # Whoever builds holds that key's lock: a folder whose lock is free has no builder left.
        for leftover in self._envs.glob("*.building"):
            with leftover.with_suffix(".lock").open("ab") as handle:
                if _try_lock(handle.fileno()):
                    shutil.rmtree(leftover, ignore_errors=True)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _platform() -> str:
    return "-".join((platform.system(), platform.machine(), *filter(None, platform.libc_ver())))


def _key(lock: bytes, interpreter: Interpreter) -> str:
    digest = hashlib.sha256(lock).hexdigest()
    parts = (_RECIPE, digest, interpreter.version, _platform())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _is_whole(home: Path, key: str) -> bool:
    try:
        marker = json.loads((home / _MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    # The interpreter below may have been uninstalled since.
    return bool(marker.get("key") == key) and (home / "bin" / "python").exists()


def _uv() -> str:
    import uv

    try:
        return str(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise BuildError(
            "uv, which builds environments, is not installed beside the gate",
            advice="Install it: pip install uv",
        ) from error


def _uv_environment() -> dict[str, str]:
    passed = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in _PASSED or name.startswith("UV_INDEX")
    }
    for pip_name, uv_name in _FROM_PIP.items():
        if pip_name in os.environ:
            passed.setdefault(uv_name, os.environ[pip_name])
    return passed


def _run_uv(arguments: list[str], held: int, lock: Path, progress: Callable[[str], None]) -> None:
    # uv inherits the lock: should the gate be killed, nobody builds beside a uv that lives on.
    done = run_streamed(
        [_uv(), *arguments, "--no-python-downloads", "--no-progress", "--color", "never"],
        env=_uv_environment(),
        cwd=None,
        timeout=_UV_SECONDS,
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


def _compile(
    building: Path,
    home: Path,
    interpreter: Interpreter,
    held: int,
    progress: Callable[[str], None],
) -> None:
    """Write byte code once, since workers may not: without it every start pays for compiling.

    Distributions' own tests are left out; they are a third of the files and never imported. A
    file that does not compile is the business of whoever imports it. Nothing installed runs: that
    is for the cage.
    """
    progress("compiling byte code")
    run_streamed(
        [
            *(str(interpreter.path), "-I", "-S", "-m", "compileall", "-q", "-j", "0"),
            *("-x", r"[/\\]tests?[/\\]", "-s", str(building), "-p", str(home)),
            str(building / "lib"),
        ],
        env=_uv_environment(),
        cwd=None,
        timeout=_UV_SECONDS,
        progress=lambda _: None,
        pass_fds=(held,),
    )
