"""The cache of model environments: one folder a lock, Python and platform, whole or not there.

An environment is built in a sibling folder under a lock file, its marker is written last, and the
folder is renamed into place. Nothing without a marker is ever used; what a killed builder left is
removed by the next one. Whenever an environment is found its files are compared with the list that
was taken of them when it was built, and it is built anew when they differ. An environment that was
handed out is held (`gates.system.cached_folders`): nobody removes it while its user lives.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gates.domain.installation import InstallableLock, SourceBuilds
from gates.domain.judging import EnvironmentFacts
from gates.environments._building import fill, silent
from gates.environments._child import Child
from gates.environments._interpreters import Interpreter, find_interpreter
from gates.environments._places import EnvironmentPlace, places
from gates.environments._source_builds import prepare
from gates.environments.launching import Limits, start_child
from gates.errors import BuildError
from gates.system.cached_folders import hold
from gates.system.file_locks import holders
from gates.system.installers import find_uv

__all__ = ["Environment", "EnvironmentCache"]

Progress = Callable[[str], None]

_RECIPE = "gates-environment-4"  # part of the key: raise it when environments are built otherwise
_PATIENCE_SECONDS = 1.0  # a look at whether somebody uses an environment takes its lock, briefly


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds exactly what one lock says.

    The cache does not remove it while the object lives.

    Attributes:
        path: Its folder.
        python: Its interpreter; what is installed runs as soon as it starts, so only in a cage.
        base: The interpreter it was built on.
        facts: Its key, Python, platform, and whether it was found or built.
    """

    path: Path
    python: Path
    base: Path
    facts: EnvironmentFacts

    def launch(self, model_dir: Path, limits: Limits, hello: Mapping[str, Any]) -> Child:
        """Start a worker in it; see `gates.environments.launching.Launchable`."""
        del limits  # the worker sets them itself, as the hello tells it
        try:
            return start_child(self.base, self.python, model_dir, hello)
        except OSError as error:
            raise BuildError(
                f"its environment does not start: {self.python}: {error.strerror}",
                advice=f"Remove {self.path}; the next run builds it anew.",
            ) from error


@dataclass(frozen=True)
class _Order:
    """What one call asks for."""

    place: EnvironmentPlace
    lock: InstallableLock
    interpreter: Interpreter
    sources: SourceBuilds | None
    progress: Progress
    started: float


def _nothing(_: Progress) -> None:
    return


class EnvironmentCache:
    """Finds or builds the environment a lock asks for.

    Args:
        root: The cache folder; made when it is needed. Any number of processes may share it.
        after_build: Called when an environment was built, with where to tell what is being done.
    """

    def __init__(self, root: Path, after_build: Callable[[Progress], None] = _nothing) -> None:
        self.root = root.absolute()
        self._envs = self.root / "envs"
        self._after_build = after_build

    def ensure(
        self,
        lock: InstallableLock,
        *,
        python: str | None = None,
        sources: SourceBuilds | None = None,
        progress: Progress = silent,
    ) -> Environment:
        """The environment of a lock, built when the cache does not hold it yet, whole.

        Args:
            lock: What it is to hold; it may be empty.
            python: The Python version it is for, such as `3.11.7`; where that patch is not on this
                machine, the nearest one. None takes the gate's own.
            sources: What of it may be built from source, in a cage; None for wheels alone.
            progress: Told what is being done, a line at a time.

        Raises:
            LockError: A source distribution cannot be fetched.
            BuildError: No such Python, uv could not install it (with uv's last lines), or
                it is no longer whole and somebody still uses it.
        """
        started = time.monotonic()
        interpreter = find_interpreter(python, uv=find_uv())
        if python and python.count(".") == 2 and interpreter.version != python:
            progress(f"Python {python} is not on this machine: {interpreter.version} stands in")
        place = EnvironmentPlace(self._envs / _key(lock, interpreter, sources))
        order = _Order(place, lock, interpreter, sources, progress, started)
        found = None if place.damage() else _handed_out(order, cached=True)
        if found is not None:
            return found
        try:
            built = self._find_or_build(order)
        except OSError as error:
            raise BuildError(
                f"the environment of {lock.path} could not be written: {error}",
                advice=f"Check free space and permissions of {self._envs}.",
                passing=True,
            ) from error
        if not built.facts.cached:
            self._after_build(progress)
        return built

    def _find_or_build(self, order: _Order) -> Environment:
        with contextlib.ExitStack() as stack:
            held = stack.enter_context(order.place.locked_at_once())
            if held is None:
                order.progress("waiting for another process that builds the same environment")
                held = stack.enter_context(order.place.locked())
            damage = order.place.damage()
            cached = not damage
            if damage:
                self._build(order, damage, held)
            found = _handed_out(order, cached=cached)
            if found is None:  # only who has the lock removes environments
                raise BuildError(
                    f"the environment {order.place.home} was removed while it was being built",
                    advice="See what else works in that folder, and run again.",
                )
            return found

    def _build(self, order: _Order, damage: tuple[str, ...], held: int) -> None:
        place, progress = order.place, order.progress
        if place.home.exists():
            more = f" and {len(damage) - 1} more" if len(damage) > 1 else ""
            what = (
                f"the environment of {order.lock.path} is not as it was built ({damage[0]}{more})"
            )
            if not place.clear(patience=_PATIENCE_SECONDS):
                raise BuildError(
                    f"{what}, and {_users(place.home)} still uses it: {place.home}",
                    advice="Wait until that has ended, then run again: it will be built anew.",
                )
            progress(f"{what}: building it anew")
        self._sweep()
        progress(f"building the environment of {order.lock.path} ({order.interpreter.version})")
        building = place.building
        if building.exists():
            shutil.rmtree(building)
        try:
            building.mkdir()
            workshop, python = building / "gates-build", order.interpreter
            done = prepare(
                workshop, order.lock, python, order.sources, held=held, progress=progress
            )
            fill(
                building,
                place.home,
                done.lock,
                python,
                held=held,
                progress=progress,
                wheels=done.wheels,
            )
            if workshop.exists():
                shutil.rmtree(workshop)
            place.finish(
                order.lock.digest,
                python=python.version,
                platform=_platform(),
                sources=done.sources,
            )
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise

    def _sweep(self) -> None:
        # Whoever builds holds that key's lock: a folder whose lock is free has no builder left.
        for place in places(self._envs):
            if place.building.exists():
                with place.locked_at_once() as held:
                    if held is not None:
                        shutil.rmtree(place.building, ignore_errors=True)


def _handed_out(order: _Order, *, cached: bool) -> Environment | None:
    """The environment, held by the answer; None when it has just been removed."""
    home, built = order.place.home, order.place.facts()
    if built is None:
        return None
    facts = EnvironmentFacts(
        key=order.place.key,
        python=order.interpreter.version,
        platform=_platform(),
        cached=cached,
        build_seconds=time.monotonic() - order.started,
        lock=order.lock.digest,
        installer=built.installer,
        distributions=built.distributions,
    )
    environment = Environment(home, home / "bin" / "python", order.interpreter.path, facts)
    if not hold(home, environment):
        return None
    with contextlib.suppress(OSError):  # the cache of another user can still be read
        os.utime(order.place.marker)
    return environment


def _users(home: Path) -> str:
    pids = [str(pid) for pid in holders(home)]
    if str(os.getpid()) in pids:
        return "this process"
    return f"process {', '.join(pids)}" if pids else "another process"


def _platform() -> str:
    return "-".join((platform.system(), platform.machine(), *filter(None, platform.libc_ver())))


def _key(lock: InstallableLock, interpreter: Interpreter, sources: SourceBuilds | None) -> str:
    named = sources.names & {pin.name for pin in lock.pins} if sources else ()
    parts = (_RECIPE, lock.digest, interpreter.version, _platform(), *sorted(named))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
