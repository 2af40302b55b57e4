"""Locks for versions that were registered without one, compiled from what was logged with them."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gates import __version__
from gates.domain.judging import ModelVersion
from gates.errors import LockError
from gates.locks.compile import Compiled, compile_lock
from gates.locks.late import FACTS, LateLock
from gates.locks.logged import LoggedRequirements, read_logged
from gates.locks.markers import RUNNING_PYTHON
from gates.locks.order import CompileRequest
from gates.scaffold.model import ModelFacts

__all__ = ["MadeLock", "make_lock"]

_HEADER = f"# Made after the fact by gates init: {FACTS} says for what, when and how.\n".encode()
_ADVICE = "Name a file that says what the model needs: --requirements FILE"


@dataclass(frozen=True)
class MadeLock:
    """A lock made after the fact; nothing is written yet.

    Attributes:
        version: Whose it is.
        files: File name → its bytes, all for the folder of that version.
        requirements: How many pins it holds.
        source: What it was made from, in words.
    """

    version: ModelVersion
    files: Mapping[str, bytes]
    requirements: int
    source: str


def make_lock(
    version: ModelVersion,
    model: ModelFacts,
    *,
    registered: datetime,
    requirements: Path | None,
    progress: Callable[[str], None],
) -> MadeLock:
    """Compile a lock for a registered version from its logged requirements.

    What the requirements leave open is resolved as of the moment the version was registered, so
    that the lock is near to what the model was made with; where the index does not say when files
    were uploaded, as of now.

    Args:
        version: The version, resolved.
        model: What its files say.
        registered: When it was registered.
        requirements: What it needs, where a person says so instead.
        progress: Told, in words, what takes long.

    Raises:
        LockError: The requirements are missing, hold what no lock can pin, or cannot be resolved.
        BuildError: uv is not installed.
    """
    path = requirements or model.folder / "requirements.txt"
    if not path.is_file():
        raise LockError(
            f"{version.uri} was logged without its requirements", path=path, advice=_ADVICE
        )
    asked = read_logged(path)
    python = model.python or RUNNING_PYTHON
    trusted = requirements is not None  # else they are a stranger's: nothing they name is run
    called = f"the requirements.txt logged with {version.uri}"
    named = f"{requirements.name}, which was named for it" if requirements else called
    moment = f"{registered:%Y-%m-%dT%H:%M:%SZ}"
    try:
        inputs, compiled = _compiled(asked, path, python, moment, trusted, progress)
        source = f"{named}, as of {registered:%Y-%m-%d}, when it was registered"
    except LockError:
        inputs, compiled = _compiled(asked, path, python, "", trusted, progress)
        source = f"{named}, as of the day the lock was made"
    late = LateLock(
        uri=version.uri,
        digest=version.digest,
        created=datetime.now(UTC).replace(microsecond=0),
        source=source,
        command=compiled.order.command,
        python=python,
        mlgates=__version__,
    )
    # Environments are found by the bytes of a lock: versions with the same pins share one, as long
    # as the moment and the version stand beside the lock and not in its header.
    lines = itertools.dropwhile(_is_comment, compiled.content.splitlines(keepends=True))
    files = {
        **inputs,
        "requirements.txt": _HEADER + b"".join(lines),
        FACTS: (late.model_dump_json(indent=2) + "\n").encode(),
    }
    return MadeLock(version, files, len(compiled.new.requirements), source)


def _compiled(
    asked: LoggedRequirements,
    path: Path,
    python: str,
    moment: str,
    trusted: bool,
    progress: Callable[[str], None],
) -> tuple[dict[str, bytes], Compiled]:
    lines = list(asked.requirements)
    if asked.constraints:
        lines.append("-c constraints.txt")
    inputs = {"requirements.in": "".join(f"{line}\n" for line in lines).encode()}
    if asked.constraints:
        inputs["constraints.txt"] = "".join(f"{line}\n" for line in asked.constraints).encode()
    series = ".".join(python.split(".")[:2])
    with tempfile.TemporaryDirectory(prefix="gates-init-") as scratch:
        for name, content in inputs.items():
            Path(scratch, name).write_bytes(content)
        order = CompileRequest(
            inputs=Path(scratch, "requirements.in"),
            lock=Path(scratch, "requirements.txt"),
            python=series,
            exclude_newer=moment,
            build=trusted,
        )
        try:
            compiled = compile_lock(order, progress=progress)
        except LockError as problem:  # the path in it is about to be removed
            raise LockError(problem.what, path=path, advice=_ADVICE) from None
    return inputs, compiled


def _is_comment(line: bytes) -> bool:
    return line.startswith(b"#")
