"""uv and pip-tools as resolvers: started on a requirements.in, and quoted when they fail."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gates.locks.lock import LockedRequirement
from gates.system.commands import Finished, last_lines, run_streamed
from gates.system.installers import find_uv, pip_environment, uv_environment

__all__ = [
    "Resolver",
    "Run",
    "pins_as_text",
    "resolve",
    "said",
    "warnings_of",
]

Resolver = Literal["uv", "pip-tools"]

_SECONDS = 1800.0
_WARNING = re.compile(r"^warning: (.+)$", re.MULTILINE)
_CHAINED = ("The above exception was the direct cause", "During handling of the above exception")


@dataclass(frozen=True, slots=True)
class Run:
    """What a resolver is asked.

    Attributes:
        inputs: The requirements.in or pyproject.toml, relative to `folder`.
        folder: Where it runs, so that `# via` names the inputs as people see them.
        output: The lock it writes; what stands there before are the pins it starts from.
        python: The Python it resolves for, such as `3.11`.
        command: What the lock's header says made it.
        universal: True for every platform and Python from `python` upwards (uv only).
        exclude_newer: Files uploaded after this date do not exist (uv only); empty for all.
        upgrade: True to start from no pins.
        upgrade_packages: The distributions that start from no pin, each as `name` or
            `name==version`.
        build: False to build nothing from source, so that nothing of an index is ever run.
        needs: False to resolve the inputs without what they need (uv only).
        offline: True to use only what is cached (uv only).
    """

    inputs: str
    folder: Path
    output: Path
    python: str
    command: str = "gates lock compile"
    universal: bool = False
    exclude_newer: str = ""
    upgrade: bool = False
    upgrade_packages: tuple[str, ...] = ()
    build: bool = True
    needs: bool = True
    offline: bool = False


def resolve(resolver: Resolver, run: Run) -> Finished:
    """Let a resolver write `run.output`.

    Raises:
        BuildError: uv is not installed.
    """
    if resolver == "uv":
        command = [find_uv(), *_uv_arguments(run)]
        environment = uv_environment() | {"UV_CUSTOM_COMPILE_COMMAND": run.command}
    else:
        command = [sys.executable, *_pip_tools_arguments(run)]
        environment = pip_environment() | {"CUSTOM_COMPILE_COMMAND": run.command}
        if not run.build:
            environment["PIP_ONLY_BINARY"] = ":all:"
    return run_streamed(
        command,
        env=environment,
        cwd=run.folder,
        timeout=_SECONDS,
        progress=lambda _: None,  # what they write as they go is the lock
    )


def _uv_arguments(run: Run) -> Iterator[str]:
    yield from ("pip", "compile", "--generate-hashes", "--no-progress", "--color", "never")
    yield from ("--no-emit-index-url", "--no-emit-find-links", "--no-emit-index-annotation")
    # The interpreter answers for the platform; what it is asked for is another matter.
    yield from ("--python", sys.executable, "--no-python-downloads")
    yield from ("--python-version", run.python)
    if run.universal:
        yield "--universal"
    if run.exclude_newer:
        yield from ("--exclude-newer", run.exclude_newer)
    if not run.build:
        yield "--no-build"
    if not run.needs:
        yield "--no-deps"
    if run.offline:
        yield "--offline"
    yield from _shared_arguments(run)


def _pip_tools_arguments(run: Run) -> Iterator[str]:
    # Isolated: a build.py beside the requirements.in is not the module of that name.
    yield from ("-I", "-m", "piptools", "compile", "--quiet", "--generate-hashes")
    yield from ("--allow-unsafe", "--strip-extras", "--no-config")
    yield from ("--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host")
    yield from _shared_arguments(run)


def _shared_arguments(run: Run) -> Iterator[str]:
    if run.inputs.endswith(".toml"):
        yield "--all-extras"
    if run.upgrade:
        yield "--upgrade"
    for name in run.upgrade_packages:
        yield from ("--upgrade-package", name)
    yield from ("--output-file", str(run.output), run.inputs)


def pins_as_text(pins: Iterable[LockedRequirement], *, hashes: bool = True) -> str:
    """Pins as a resolver starts from them.

    Args:
        pins: The pins that hold on one Python.
        hashes: False to have the resolver ask the index for all hashes anew: those it is given it
            believes.
    """
    lines = (
        " ".join((f"{pin.name}=={pin.version}", *(f"--hash={one}" for one in pin.hashes if hashes)))
        for pin in pins
    )
    return "".join(f"{line}\n" for line in lines)


def warnings_of(done: Finished) -> tuple[str, ...]:
    """What uv warned of, each once."""
    return tuple(dict.fromkeys(_WARNING.findall(done.output)))


def said(done: Finished, count: int = 12) -> str:
    """A resolver's last words when it failed, without Python's tracebacks.

    Args:
        done: How it ended.
        count: The most lines to give.

    Returns:
        Lines indented by two.
    """
    return last_lines("\n".join(_without_tracebacks(done.output.splitlines())), count)


def _without_tracebacks(lines: Sequence[str]) -> list[str]:
    """Lines without Python's frames; of a chain of exceptions the last one stays."""
    kept: list[str] = []
    exception, inside = 0, False
    for line in lines:
        if line.startswith(_CHAINED):
            del kept[exception:]
        elif line.startswith("Traceback (most recent call last):"):
            exception, inside = len(kept), True
        elif not inside:
            kept.append(line)
        elif line and not line.startswith(" "):
            inside = False
            kept.append(re.sub(r"^(?:\w+\.)+(?=\w+: )", "", line))
    return kept
