"""Building an environment with uv: exactly what a lock says, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from gates.domain.installation import InstallableLock
from gates.environments._interpreters import Interpreter
from gates.errors import BuildError
from gates.system.commands import last_lines, run_streamed
from gates.system.installers import find_uv, uv_environment

__all__ = ["BUILD_SECONDS", "fill", "install", "install_arguments", "run_uv", "silent"]

BUILD_SECONDS = 1800.0
# Where nobody's uv.toml or pyproject.toml says which index to ask: a pull request's would.
_NOWHERE = Path("/")
_UNREACHED = (
    r"failed to fetch|connection (refused|reset)|dns error|timed? ?out|error sending request"
    r"|no space left|\b(429|50[0234])\b"
)


def silent(_: str) -> None:
    """Progress that nobody watches."""


def fill(
    folder: Path,
    home: Path,
    lock: InstallableLock,
    interpreter: Interpreter,
    *,
    held: int,
    progress: Callable[[str], None],
    wheels: Path | None = None,
) -> None:
    """Make a virtual environment of a lock in a new folder, with byte code.

    Args:
        folder: Where; it must exist.
        home: Where the folder will be once it is whole; byte code names its sources there.
        lock: What it is to hold.
        interpreter: The Python it is built on.
        held: An open lock file that uv inherits, so that nobody builds beside a uv whose gate was
            killed.
        progress: Told each line that uv writes.
        wheels: A folder of wheels that were built here.

    Raises:
        BuildError: As of `install`.
        OSError: The folder cannot be written.
    """
    install(folder, lock, interpreter, held=held, progress=progress, wheels=wheels)
    _compile(folder, home, interpreter, held, progress)


def install(
    folder: Path,
    lock: InstallableLock,
    interpreter: Interpreter,
    *,
    held: int,
    progress: Callable[[str], None],
    wheels: Path | None = None,
) -> None:
    """Install a lock's wheels into a virtual environment that is made for them; see `fill`.

    Raises:
        BuildError: uv could not install it (with uv's last lines), or a distribution in it has
            written over the environment itself.
        OSError: The folder cannot be written.
    """
    requirements = folder / "requirements.txt"
    requirements.write_bytes(lock.requirements)
    python = str(folder / "bin" / "python")
    venv = ["venv", "--relocatable", "--no-project", "--allow-existing", "--python"]
    run_uv([*venv, str(interpreter.path), str(folder)], held, lock.path, progress)
    _empty_site_packages(folder)
    made = _own_files(folder)
    # uv asks this Python what it is before anything is installed, and never afterwards: what is
    # installed may hold .pth files, which run whenever it starts.
    sync = install_arguments(requirements, "--python", python)
    run_uv(sync, held, lock.path, progress, wheels)
    _require_unaltered(folder, made, lock.path)


def _empty_site_packages(folder: Path) -> None:
    # Older versions of uv put a _virtualenv.pth there, which runs code that no lock names.
    for packages in folder.glob("lib/python*/site-packages"):
        shutil.rmtree(packages)
        packages.mkdir()


def install_arguments(requirements: Path, *where: str) -> list[str]:
    """What uv is asked to install a lock's pins, by hash and as wheels: nobody's code runs."""
    sync = ["pip", "sync", "--require-hashes", "--allow-empty-requirements"]
    return [*sync, "--only-binary", ":all:", "--link-mode", "copy", *where, str(requirements)]


def _own_files(folder: Path) -> dict[str, bytes]:
    """What makes a folder a virtual environment: links to its Python, scripts, settings."""
    files = [folder / "pyvenv.cfg", *(folder / "bin").iterdir()]
    return {str(path.relative_to(folder)): _content(path) for path in files}


def _content(path: Path) -> bytes:
    return os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()


def _require_unaltered(folder: Path, made: dict[str, bytes], lock: Path) -> None:
    """See that no distribution put its own Python, or other settings, in place of these."""
    for name, content in made.items():
        path = folder / name
        if not (path.is_symlink() or path.is_file()) or _content(path) != content:
            raise BuildError(
                f"the environment of {lock} could not be built: a distribution in it writes over "
                f"{name}, which belongs to the environment itself",
                advice="Take it out of the lock: a package has no business there.",
            )


def run_uv(
    arguments: list[str],
    held: int,
    lock: Path,
    progress: Callable[[str], None],
    wheels: Path | None = None,
) -> None:
    """Run uv.

    Args:
        arguments: What it is asked.
        held: An open lock file that uv inherits, so that nobody builds beside a uv whose gate was
            killed.
        lock: What is built, for messages.
        progress: Told each line that uv writes.
        wheels: A folder of wheels that uv finds beside what the user's settings name.

    Raises:
        BuildError: It failed; with its last lines.
    """
    environment = uv_environment()
    if wheels is not None:
        links = filter(None, (str(wheels), environment.get("UV_FIND_LINKS", "")))
        environment["UV_FIND_LINKS"] = ",".join(links)
    done = run_streamed(
        [find_uv(), *arguments, "--no-python-downloads", "--no-progress", "--color", "never"],
        env=environment,
        cwd=_NOWHERE,
        timeout=BUILD_SECONDS,
        progress=progress,
        pass_fds=(held,),
    )
    if done.returncode != 0:
        raise BuildError(
            f"the environment of {lock} could not be built: uv {' '.join(arguments[:2])} failed "
            f"({done.how}):\n{last_lines(done.output)}",
            advice="Check that the lock is for this Python and platform, that the package index "
            "can be reached, and that each distribution has a wheel: from source are built, in a "
            "cage, those alone that the card names ('environment: source_builds').",
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
