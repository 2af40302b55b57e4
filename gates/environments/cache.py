"""The cache of model environments: one folder a lock, Python and platform, whole or not there.

An environment is built in a sibling folder under a lock file, its marker is written last, and the
folder is renamed into place. Nothing without a marker is ever used; what a killed builder left is
removed by the next one.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gates.domain import EnvironmentFacts
from gates.environments._building import (
    BUILD_SECONDS,
    locked,
    read_lock_text,
    run_uv,
    silent,
    sweep,
    uv_environment,
    uv_program,
)
from gates.environments._child import Child
from gates.environments._commands import run_streamed
from gates.environments._interpreters import Interpreter, find_interpreter
from gates.environments.frames import encode_message
from gates.environments.launching import WORKER, Limits, scrubbed_environment
from gates.errors import BuildError

__all__ = ["Environment", "EnvironmentCache"]

_MARKER = "gates-environment.json"
_RECIPE = "gates-environment-2"  # part of the key: raise it when environments are built otherwise


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

    def launch(self, model_dir: Path, limits: Limits, hello: Mapping[str, Any]) -> Child:
        """Start a worker in it; see `gates.environments.launching.Launchable`."""
        del limits  # the worker sets them itself, as the hello tells it
        scratch = Path(tempfile.mkdtemp(prefix="gates-worker-"))
        # -B: byte code written beside the model's modules would change its digest.
        command = [str(self.python), "-I", "-B", "-u", str(WORKER), str(scratch)]
        try:
            return Child(
                command,
                env=scrubbed_environment(str(scratch)),
                cwd=scratch,
                first=encode_message({**hello, "model_dir": str(model_dir.absolute())}),
            )
        except OSError as error:
            shutil.rmtree(scratch, ignore_errors=True)
            raise BuildError(
                f"its environment does not start: {self.python}: {error.strerror}",
                advice=f"Remove {self.path}; the next run builds it anew.",
            ) from error


class EnvironmentCache:
    """Finds or builds the environment a lock asks for.

    Args:
        root: The cache folder; made when it is needed. Any number of processes may share it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._envs = self.root / "envs"

    def ensure(
        self,
        lock: Path,
        *,
        python: str | None = None,
        progress: Callable[[str], None] = silent,
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
        text = read_lock_text(lock)
        interpreter = find_interpreter(python, uv=uv_program())
        key = _key(text, interpreter)
        home = self._envs / key
        cached = _is_whole(home, key)
        if not cached:
            try:
                with locked(self._envs, key, progress) as held:
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

    def _build(
        self,
        home: Path,
        text: bytes,
        interpreter: Interpreter,
        held: int,
        lock: Path,
        progress: Callable[[str], None],
    ) -> None:
        sweep(self._envs)
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
            run_uv([*venv, str(interpreter.path), str(building)], held, lock, progress)
            sync = ["pip", "sync", "--require-hashes", "--allow-empty-requirements"]
            sync += ["--link-mode", "copy", "--python", where]
            run_uv([*sync, str(copy)], held, lock, progress)
            _compile(building, home, held, progress)
            marker = {"key": home.name, "python": interpreter.version, "platform": _platform()}
            (building / _MARKER).write_text(json.dumps(marker), encoding="utf-8")
            building.rename(home)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise


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


def _compile(building: Path, home: Path, held: int, progress: Callable[[str], None]) -> None:
    """Write byte code once, since workers may not: without it every start pays for compiling.

    Distributions' own tests are left out; they are a third of the files and never imported. A
    file that does not compile is the business of whoever imports it.
    """
    progress("compiling byte code")
    run_streamed(
        [
            *(str(building / "bin" / "python"), "-I", "-m", "compileall", "-q", "-j", "0"),
            *("-x", r"[/\\]tests?[/\\]", "-s", str(building), "-p", str(home)),
            str(building / "lib"),
        ],
        env=uv_environment(),
        cwd=None,
        timeout=BUILD_SECONDS,
        progress=lambda _: None,
        pass_fds=(held,),
    )
