"""Where one environment of a cache is: its folder, and the lock of who builds or removes it."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from gates.domain.installation import Installed
from gates.environments._files import LIST, MARKER, changes, write_list
from gates.environments.inspect import installed
from gates.errors import InputError
from gates.system.cached_folders import remove
from gates.system.file_locks import take_exclusive, take_exclusive_if_free
from gates.system.installers import installer
from gates.system.json_files import JsonFile

__all__ = ["BuiltFacts", "EnvironmentPlace", "places"]

_KEY = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class BuiltFacts:
    """What the marker of a built environment says.

    Attributes:
        key: Of the environment.
        python: The full version of its Python.
        platform: What it was built for: operating system, machine and C library.
        image: The id of the base image it was built upon; empty without a container.
        lock: `sha256:…` of its lock.
        installer: What installed it, such as `uv 0.9.3`.
        distributions: What was installed.
        files: How many there are in it.
        bytes: The size of its files; None when it is not known.
        made: When, ISO 8601.
    """

    key: str
    python: str = ""
    platform: str = ""
    image: str = ""
    lock: str = ""
    installer: str = ""
    distributions: tuple[Installed, ...] = ()
    files: int = 0
    bytes: int | None = None
    made: str = ""


_MARKER = JsonFile(BuiltFacts, most_bytes=1 << 20)


@dataclass(frozen=True)
class EnvironmentPlace:
    """The place of one environment.

    Attributes:
        home: Its folder, named after its key; whole, or not there.
    """

    home: Path

    @property
    def key(self) -> str:
        """Its key."""
        return self.home.name

    @property
    def building(self) -> Path:
        """The folder it is built in, and removed in."""
        return self.home.with_suffix(".building")

    @property
    def marker(self) -> Path:
        """The file that is written last; its time is that of the last use."""
        return self.home / MARKER

    def facts(self) -> BuiltFacts | None:
        """What the marker says; None when there is none that can be read, or it is another's."""
        try:
            found = _MARKER.read(self.marker)
        except InputError:
            return None
        return found if found.key == self.key else None

    def damage(self) -> tuple[str, ...]:
        """What is wrong with an environment that is there, in words; nothing when it is whole."""
        facts = self.facts()
        if facts is None:
            return (f"{MARKER} is missing or not its own",)
        python = self.home / "bin" / "python"
        # That of a container's environment is in its image.
        if not facts.image and python.is_symlink() and not python.exists():
            return (f"its Python, {python.readlink()}, is no longer there",)
        try:
            return changes(self.home)
        except FileNotFoundError:
            return (f"{LIST} is missing: an earlier mlgates built it",)
        except OSError as problem:
            return (f"{problem.filename or self.home} cannot be read: {problem.strerror}",)

    @contextlib.contextmanager
    def locked(self) -> Iterator[int]:
        """Be the only one who builds or removes it, while the block runs; waits for another.

        Gives the open lock file, for programs that are to inherit it.

        Raises:
            OSError: The lock file cannot be made.
        """
        with take_exclusive(self._lock_file, inherited=True) as held:
            yield held.descriptor

    @contextlib.contextmanager
    def locked_at_once(self) -> Iterator[int | None]:
        """As `locked`, but gives None when another has the lock.

        Raises:
            OSError: The lock file cannot be made.
        """
        held = take_exclusive_if_free(self._lock_file, inherited=True)
        if held is None:
            yield None
            return
        with held:
            yield held.descriptor

    @property
    def _lock_file(self) -> Path:
        # Never removed: a lock file that comes anew would be another lock.
        return self.home.with_suffix(".lock")

    def finish(
        self,
        lock: str,
        *,
        python: str,
        platform: str,
        image: str = "",
        sources: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """List what was built, mark it whole, and put it into its place.

        Args:
            lock: `sha256:…` of the lock it was built from.
            python: See `BuiltFacts`.
            platform: See `BuiltFacts`.
            image: See `BuiltFacts`.
            sources: Name → `sha256:…` of the source distribution that it was built from.

        Raises:
            BuildError: A distribution's metadata cannot be read.
            OSError: It could not be written.
        """
        files, size = write_list(self.building)
        facts = BuiltFacts(
            key=self.key,
            python=python,
            platform=platform,
            image=image,
            lock=lock,
            installer=installer(),
            distributions=installed(self.building, sources),
            files=files,
            bytes=size,
            made=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        (self.building / MARKER).write_text(json.dumps(asdict(facts)), encoding="utf-8")
        self.building.rename(self.home)

    def clear(self, *, patience: float = 0.0) -> bool:
        """Remove it and what a build of it left; only for who has the lock.

        Args:
            patience: Seconds to wait for somebody who uses it.

        Returns:
            False when somebody uses it, and it is still there.

        Raises:
            OSError: It could not be removed.
        """
        remove(self.building, self.building)
        return remove(self.home, self.building, patience=patience)


def places(envs: Path) -> Iterator[EnvironmentPlace]:
    """The places of all environments that are there, or were being built.

    Args:
        envs: The folder of a cache's environments.
    """
    folders = [path for path in envs.iterdir() if path.is_dir()] if envs.is_dir() else []
    for name in sorted({path.name.removesuffix(".building") for path in folders}):
        if _KEY.fullmatch(name):
            yield EnvironmentPlace(envs / name)
