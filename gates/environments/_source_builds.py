"""Building in a cage what the team lets a lock bring as source, before anything is installed.

A source distribution is fetched unopened. It is built in the cage, in an environment of the other
pins of the lock, which come as wheels: a build backend and whatever it needs must be among them,
pinned and hashed. What comes out is installed as a wheel, by its hash.

Source: PEP 517; SOURCE_DATE_EPOCH is that of reproducible-builds.org.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.markers import Marker, default_environment
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from gates.domain.installation import InstallableLock, Pin, SourceBuilds
from gates.environments._building import BUILD_SECONDS, install
from gates.environments._interpreters import Interpreter
from gates.environments.tasks import CagedTask, run_task
from gates.errors import BuildError

__all__ = ["Prepared", "prepare"]

_EPOCH = "315532800"  # 1980-01-01: what a zip archive can hold; without it no two wheels are alike


@dataclass(frozen=True)
class Prepared:
    """A lock of wheels alone.

    Attributes:
        lock: The lock, its source distributions replaced by what was built from them.
        wheels: The folder of what was built; None when nothing was.
        sources: Name → `sha256:…` of the source distribution.
    """

    lock: InstallableLock
    wheels: Path | None = None
    sources: Mapping[str, str] = field(default_factory=dict)


def prepare(
    workshop: Path,
    lock: InstallableLock,
    interpreter: Interpreter,
    sources: SourceBuilds | None,
    *,
    held: int,
    progress: Callable[[str], None],
) -> Prepared:
    """Build what may be built from source.

    Args:
        workshop: A folder to be made, and removed by who calls this.
        lock: The lock.
        interpreter: The Python of the environment.
        sources: What may be built.
        held: An open lock file that uv inherits.
        progress: Told what is being done, a line at a time.

    Raises:
        LockError: A source distribution cannot be fetched.
        BuildError: It could not be built, or this machine gives no cage for it.
        OSError: The workshop cannot be written.
    """
    named = sources.names if sources else frozenset()
    asked = [pin for pin in lock.pins if pin.name in named and _holds(pin, interpreter)]
    if sources is None or not asked:
        return Prepared(lock)
    others = replace(lock, pins=tuple(pin for pin in lock.pins if pin.name not in named))
    environment, wheels = workshop / "environment", workshop / "wheels"
    for folder in (workshop, environment, wheels):
        folder.mkdir()
    install(environment, others, interpreter, held=held, progress=progress)
    built, digests = {}, {}
    for pin in asked:
        progress(f"building {pin.name} {pin.version} from source, in a cage")
        place = workshop / pin.name
        place.mkdir()
        archive = sources.fetch(pin, place)
        digests[pin.name] = _digest(archive)
        output = workshop / f"{pin.name}.built"
        output.mkdir()
        task = CagedTask(
            called=f"{pin.name} {pin.version}",
            doing="building it from source",
            task={"kind": "wheel", "archive": str(archive.absolute())},
            folder=place,
            variables={"SOURCE_DATE_EPOCH": _EPOCH},
            seconds=BUILD_SECONDS,
        )
        run_task(task, python=environment / "bin" / "python", base=interpreter.path, output=output)
        wheel = _wheel(output, pin)
        wheel.rename(wheels / wheel.name)
        built[pin.name] = replace(pin, hashes=(_digest(wheels / wheel.name),))
    pins = tuple(built.get(pin.name, pin) if pin in asked else pin for pin in lock.pins)
    return Prepared(replace(lock, pins=pins), wheels, digests)


def _holds(pin: Pin, interpreter: Interpreter) -> bool:
    if not pin.marker:
        return True
    series = ".".join(interpreter.version.split(".")[:2])
    told = {str(name): str(value) for name, value in default_environment().items()}
    return Marker(pin.marker).evaluate(
        {**told, "python_version": series, "python_full_version": interpreter.version}
    )


def _wheel(output: Path, pin: Pin) -> Path:
    """The one wheel that a build left, if it is that of the pin."""
    left = sorted(output.iterdir())
    try:
        name, version, *_ = parse_wheel_filename(left[0].name if left else "")
    except InvalidWheelFilename:
        name, version = None, None
    if len(left) != 1 or (name, version) != (pin.name, Version(pin.version)):
        shown = ", ".join(path.name for path in left[:3]) or "nothing"
        raise BuildError(
            f"{pin.name} {pin.version}: building it from source left {shown}, and not its wheel",
            advice="Take it out of the lock, or ask for another version.",
        )
    return left[0]


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
