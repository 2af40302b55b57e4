"""Finding a Python of a wanted version that really runs."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gates.errors import BuildError

__all__ = ["Interpreter", "find_interpreter"]

_ASK = "import json, platform, sys; print(json.dumps([sys.executable, platform.python_version()]))"


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs: its absolute path and its full version."""

    path: Path
    version: str


def find_interpreter(python: str | None, *, uv: str) -> Interpreter:
    """The Python a model's environment is built on.

    Args:
        python: The wanted version, such as `3.11` or `3.11.7`: its first two numbers decide. None
            takes the Python of the running gate.
        uv: Path of the uv program, asked last.

    Raises:
        BuildError: No such Python runs on this machine.
    """
    running = Interpreter(Path(sys.executable).absolute(), platform.python_version())
    wanted = running.version if python is None else python
    series = ".".join(wanted.split(".")[:2])
    if _series(running.version) == series:
        return running
    for candidate in _candidates(series, uv):
        found = _ask(candidate)
        if found is not None and _series(found.version) == series:
            return found
    raise BuildError(
        f"the model needs Python {series}, and none on this machine runs",
        advice=f"Install Python {series} so that `python{series}` is on PATH, or run "
        f"`uv python install {series}`.",
    )


def _series(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _candidates(series: str, uv: str) -> Iterator[str]:
    for folder in os.get_exec_path():
        path = Path(folder, f"python{series}")
        if path.is_file():
            yield str(path)
    # A pyenv shim of a version that is installed but not selected exits 127; look behind it.
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from sorted(str(path) for path in pyenv.glob(f"versions/{series}.*/bin/python{series}"))
    ask = [uv, "python", "find", "--offline", "--no-python-downloads", "--no-project", series]
    answer = _run(ask)
    if answer:
        yield answer


def _ask(path: str) -> Interpreter | None:
    answer = _run([path, "-I", "-c", _ASK])
    if not answer:
        return None
    try:
        executable, version = json.loads(answer)
    except ValueError:
        return None
    return Interpreter(Path(executable).absolute(), version)


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
