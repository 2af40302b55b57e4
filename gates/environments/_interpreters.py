"""Finding a Python of a wanted version that really runs: that very patch, or the nearest one."""

from __future__ import annotations

import functools
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gates.domain.installation import is_python_version
from gates.errors import BuildError
from gates.system.json_files import json_value

__all__ = ["Interpreter", "find_interpreter"]

_ASK = (
    "import json, platform, sys; "
    "print(json.dumps([sys.executable, platform.python_version(), sys.implementation.name]))"
)


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs: its absolute path and its full version."""

    path: Path
    version: str


def find_interpreter(python: str | None, *, uv: str) -> Interpreter:
    """The Python a model's environment is built on.

    Looked for are, in this order: the Python of the gate, which costs nothing; those of pyenv and
    of uv, whose folders are named after their versions; `python3.11` (and so on) on PATH; and what
    uv finds. An answer holds for the life of the process.

    Args:
        python: The wanted version. `3.11.7` gives that very version where it is on this machine,
            else the nearest patch of 3.11; `3.11` gives the gate's own Python if it is one, else
            the newest. None takes the Python of the gate.
        uv: Path of the uv program, asked last.

    Raises:
        BuildError: No Python of that series runs on this machine, or it is no version: a name or a
            path would be a program that is started.
    """
    if python is not None and not is_python_version(python):
        raise BuildError(
            f"{python[:40]!r} is no Python version",
            advice="Name one such as 3.12 or 3.12.4: 'python' in the card's environment.",
        )
    running = Interpreter(Path(sys.executable).absolute(), platform.python_version())
    if python is None or python in (running.version, _series(running.version)):
        return running
    return _found(python, running, uv, tuple(os.get_exec_path()), tuple(_by_name()))


@functools.cache
def _found(
    wanted: str,
    running: Interpreter,
    uv: str,
    on_path: tuple[str, ...],
    by_name: tuple[tuple[str, str], ...],
) -> Interpreter:
    series = _series(wanted)
    names_patch = wanted != series
    named = {version: path for version, path in by_name if _series(version) == series}
    if wanted in named and (found := _ask(named[wanted], wanted)):
        return found
    known: list[tuple[str, Interpreter | str]] = list(named.items())
    if _series(running.version) == series:
        known.append((running.version, running))
    for path in _on_path(series, on_path):
        if found := _ask(path, series):
            if found.version == wanted:
                return found
            known.append((found.version, found))
    if names_patch and (found := _ask(_uv_finds(wanted, uv), wanted)):
        return found
    for _, one in sorted(known, key=lambda one: _distance(one[0], wanted)):
        if found := one if isinstance(one, Interpreter) else _ask(one, series):
            return found
    if found := _ask(_uv_finds(series, uv), series):
        return found
    raise BuildError(
        f"the model needs Python {wanted}, and no Python {series} runs on this machine",
        advice=f"Install Python {series} so that `python{series}` is on PATH, or run "
        f"`uv python install {wanted}`.",
    )


def _series(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _distance(version: str, wanted: str) -> tuple[int, int]:
    """How far a patch is from a wanted one; of two as near, and where none is named, the newest."""
    patch = _patch(version)
    return (0 if wanted == _series(wanted) else abs(patch - _patch(wanted)), -patch)


def _patch(version: str) -> int:
    found = re.match(r"\d+\.\d+\.(\d+)", version)
    return int(found[1]) if found else 0


def _pyenv() -> Path:
    return Path(os.environ.get("PYENV_ROOT") or "~/.pyenv").expanduser()


def _by_name() -> Iterator[tuple[str, str]]:
    """Version and path of each Python whose folder is named after its version."""
    data = Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser()
    of_uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    for folder in (of_uv, _pyenv() / "versions"):
        for path in sorted(folder.glob("*/bin/python3.*")):
            named = re.match(r"(?:cpython-)?(3\.\d+\.\d+)(?:-|$)", path.parents[1].name)
            if named and path.name == f"python{_series(named[1])}":
                yield named[1], str(path)


def _on_path(series: str, folders: tuple[str, ...]) -> Iterator[str]:
    # A pyenv shim only leads to one of the versions that are known by name, and slowly.
    shims = _pyenv() / "shims"
    seen = set()
    for folder in map(Path, folders):
        path = folder / f"python{series}"
        if folder != shims and path.is_file() and path.resolve() not in seen:
            seen.add(path.resolve())
            yield str(path)


def _uv_finds(version: str, uv: str) -> str:
    return _run(
        [uv, "python", "find", "--offline", "--no-python-downloads", "--no-project", version]
    )


def _ask(path: str, wanted: str) -> Interpreter | None:
    """A Python that runs and is of a version (`3.11.7`) or series (`3.11`)."""
    answer = _run([path, "-I", "-c", _ASK]) if path else ""
    try:
        executable, version, implementation = json_value(answer)
    except (ValueError, TypeError):
        return None
    if implementation != sys.implementation.name or wanted not in (version, _series(version)):
        return None
    return Interpreter(Path(executable).absolute(), version)


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
