"""Building an environment with uv: exactly what a lock says, and nothing else."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from gates.environments._interpreters import Interpreter
from gates.errors import BuildError
from gates.system.commands import last_lines, run_streamed
from gates.system.installers import find_uv, uv_environment

__all__ = ["BUILD_SECONDS", "fill", "read_lock_text", "run_uv", "silent"]

BUILD_SECONDS = 1800.0
_UNREACHED = (
    r"failed to fetch|connection (refused|reset)|dns error|timed? ?out|error sending request"
    r"|no space left|\b(429|50[0234])\b"
)


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


def fill(
    folder: Path,
    home: Path,
    text: bytes,
    interpreter: Interpreter,
    *,
    lock: Path,
    held: int,
    progress: Callable[[str], None],
) -> None:
    """Make a virtual environment of a lock in a new folder.

    Args:
        folder: Where; it must not exist.
        home: Where the folder will be once it is whole; byte code names its sources there.
        text: The lock.
        interpreter: The Python it is built on.
        lock: The lock's path, for messages.
        held: An open lock file that uv inherits, so that nobody builds beside a uv whose gate was
            killed.
        progress: Told each line that uv writes.

    Raises:
        BuildError: uv could not install it; with uv's last lines.
        OSError: The folder cannot be written.
    """
    folder.mkdir()
    copy = folder / "requirements.txt"
    copy.write_bytes(text)
    python = str(folder / "bin" / "python")
    venv = ["venv", "--relocatable", "--no-project", "--allow-existing", "--python"]
    run_uv([*venv, str(interpreter.path), str(folder)], held, lock, progress)
    _empty_site_packages(folder)
    sync = ["pip", "sync", "--require-hashes", "--allow-empty-requirements"]
    sync += ["--link-mode", "copy", "--python", python]
    run_uv([*sync, str(copy)], held, lock, progress)
    _compile(folder, home, interpreter, held, progress)


def _empty_site_packages(folder: Path) -> None:
    # Older versions of uv put a _virtualenv.pth there, which runs code that no lock names.
    for packages in folder.glob("lib/python*/site-packages"):
        shutil.rmtree(packages)
        packages.mkdir()


def run_uv(arguments: list[str], held: int, lock: Path, progress: Callable[[str], None]) -> None:
    """Run uv.

    Args:
        arguments: What it is asked.
        held: An open lock file that uv inherits, so that nobody builds beside a uv whose gate was
            killed.
        lock: What is built, for messages.
        progress: Told each line that uv writes.

    Raises:
        BuildError: It failed; with its last lines.
    """
    done = run_streamed(
        [find_uv(), *arguments, "--no-python-downloads", "--no-progress", "--color", "never"],
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
            passing=done.returncode is None
            or re.search(_UNREACHED, done.output, re.IGNORECASE) is not None,
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
        env=uv_environment(),
        cwd=None,
        timeout=BUILD_SECONDS,
        progress=lambda _: None,
        pass_fds=(held,),
    )
