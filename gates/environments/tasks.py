"""Other people's code that is no model, run in a cage: a package's build, a model's own script.

It sees what a model sees (its environment, one folder or more, read-only) and has no network and no
variables but those it is given. What it leaves in its output folder comes back as an archive, of
which plain files and folders are taken.
"""

from __future__ import annotations

import shutil
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from gates.domain.judging import Layer
from gates.environments import _faults
from gates.environments._child import Child
from gates.environments._exchange import Late, WorkerGone
from gates.environments._layers import layers_told
from gates.environments.frames import BadFrame, TooLarge, decode_message
from gates.environments.launching import start_child
from gates.errors import BuildError
from gates.system.commands import last_lines

__all__ = ["CagedTask", "run_task"]

_NEEDED: tuple[tuple[Layer, ...], ...] = (
    ("privileges",),
    ("files", "landlock"),
    ("network", "system-calls"),
    ("processes", "landlock"),
)
"""Of each, one layer at least is on, or nothing is run."""
_PIECE_BYTES = 1 << 20
_TAG = b"bytes   "
_MOST_FILES = 100_000


@dataclass(frozen=True)
class CagedTask:
    """What is to be run.

    Attributes:
        called: What messages call it, such as `docopt 0.6.2`.
        doing: What it does there, such as `building it from source`.
        task: What `task_worker.perform` is told.
        folder: What it sees, read-only.
        shown: What else it sees.
        variables: Its environment variables, beside those that every worker has.
        seconds: How long it may take.
        memory_mb: The address space of each of its processes, in MiB.
        room_mb: What it may write, and give back, in MiB; it is held in memory meanwhile.
    """

    called: str
    doing: str
    task: Mapping[str, Any]
    folder: Path
    shown: Sequence[Path] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 1800.0
    memory_mb: int = 8192
    room_mb: int = 4096


def run_task(asked: CagedTask, *, python: Path, base: Path, output: Path) -> str:
    """Run something in a cage, and take what it leaves.

    Args:
        python: The Python of the environment it runs in.
        base: The interpreter which that was built on.
        output: An empty folder for what it leaves.

    Returns:
        The end of what it wrote, at most 64 KiB.

    Raises:
        BuildError: This machine gives no cage that would hold it, it failed, took too long, or left
            something else than files and folders.
    """
    hello = {
        "task": {**asked.task, "variables": dict(asked.variables)},
        "memory_bytes": asked.memory_mb << 20,
        "file_bytes": asked.room_mb << 20,
        "scratch_bytes": asked.room_mb << 20,
        "shown": [str(path.absolute()) for path in asked.shown],
        "require": [],
        "one_of": _NEEDED,
    }
    child = start_child(base, python, asked.folder, hello)
    try:
        with tempfile.TemporaryFile() as archive:
            _talk(child, asked, archive)
            archive.seek(0)
            _take(archive, output, asked)
        return child.log
    finally:
        child.end()


def _talk(child: Child, asked: CagedTask, archive: IO[bytes]) -> None:
    deadline = time.monotonic() + asked.seconds
    try:
        first = decode_message(child.exchange(None, deadline, more_to_come=True)) or {}
        layers = layers_told(first, {})
        if layers is None:
            raise BadFrame("no proper first word")
        _require_cage(layers, asked)
        room = asked.room_mb << 20
        while True:
            most = _PIECE_BYTES + len(_TAG)
            payload = child.exchange(None, deadline, most=most, more_to_come=True)
            message = decode_message(payload)
            if message is None:
                room -= len(payload)
                if payload[: len(_TAG)] != _TAG or room < 0:
                    raise BadFrame("no archive, or one that is too large")
                archive.write(payload[len(_TAG) :])
            elif "error" in message:
                raise _failed(asked, _words(message["error"]), child.log)
            else:
                return
    except Late:
        raise _failed(asked, f"had not finished after {asked.seconds:g} s", child.log) from None
    except WorkerGone:
        code, starved = child.returncode, child.starved
        child.end()
        _, how = _faults.ending(code, child.log, oom_killed=starved)
        raise _failed(asked, f"died: {how}", child.log) from None
    except (BadFrame, TooLarge) as fault:
        raise _failed(asked, f"broke the protocol: {fault.what}", child.log) from None


def _require_cage(layers: Mapping[Layer, str], asked: CagedTask) -> None:
    for group in _NEEDED:
        if all(layers[name] for name in group):
            names = " or ".join(f"'{name}'" for name in group)
            reasons = "; ".join(dict.fromkeys(layers[name] for name in group))
            raise BuildError(
                f"{asked.called} is not run: {asked.doing} takes a cage with the layer {names}, "
                f"which this machine does not give ({reasons})",
                advice="Run the gate on Linux with user namespaces, or with Landlock.",
            )


def _words(error: object) -> str:
    told = error if isinstance(error, Mapping) else {}
    kind, message = str(told.get("type", "")), str(told.get("message", ""))
    shown = message if kind == "Failed" else f"{kind}: {message}"
    return f"failed: {_faults.one_line(shown)}"


def _failed(asked: CagedTask, how: str, log: str) -> BuildError:
    said = last_lines(log)
    return BuildError(f"{asked.called}: {asked.doing} {how}" + (f"\n{said}" if said else ""))


# ---- what it left ------------------------------------------------------------------------------


def _take(archive: IO[bytes], output: Path, asked: CagedTask) -> None:
    """Unpack plain files and folders; whoever wrote the archive had no say in where it goes."""
    try:
        with tarfile.open(fileobj=archive, mode="r:") as members:
            for number, member in enumerate(members):
                if number > _MOST_FILES:
                    raise tarfile.ReadError(f"more than {_MOST_FILES:,} files")
                _unpack(members, member, output)
    except (tarfile.TarError, OSError, ValueError) as problem:
        words = _faults.one_line(str(problem))
        raise BuildError(
            f"{asked.called}: {asked.doing} left something else than files and folders: {words}"
        ) from None


def _unpack(members: tarfile.TarFile, member: tarfile.TarInfo, output: Path) -> None:
    parts = PurePosixPath(member.name).parts
    if ".." in parts or "/" in parts[:1]:
        raise tarfile.ReadError(f"{member.name} leads out")
    place = output.joinpath(*parts)
    content = members.extractfile(member) if member.isreg() else None
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
    elif content is not None:
        # A file is made anew in folders that were made here: nothing of it can be a link.
        with place.open("xb") as out:
            shutil.copyfileobj(content, out)
    else:
        raise tarfile.ReadError(f"{member.name} is neither a file nor a folder")
