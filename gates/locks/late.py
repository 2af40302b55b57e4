"""Locks made after the fact: for versions that were registered without one.

They stand in the project, `locks/<model>/<version>/`, since a registered version is not to change:
the lock, the requirements.in it was compiled from, and `late-lock.json`, which says for which bytes
it was made, when, and from what.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from gates.domain.installation import PYTHON_VERSION
from gates.domain.judging import ModelVersion
from gates.errors import LockError
from gates.system.json_files import JsonFile

__all__ = ["FACTS", "LateLock", "late_lock_of", "late_lock_place"]

FACTS = "late-lock.json"


class LateLock(BaseModel):
    """What `late-lock.json` says.

    Attributes:
        uri: The version, `models:/name/7`.
        digest: `sha256:…` of its artifact: the lock is for these bytes.
        created: When the lock was made, with a time zone.
        source: What it was made from, in words.
        command: The command that makes it again from the requirements.in beside it.
        python: The Python it is for, such as `3.11.7`.
        mlgates: Which mlgates made it.
        folder: Where the lock is; not in the file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    uri: str
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    created: datetime
    source: str
    command: str
    python: str = Field(pattern=PYTHON_VERSION)
    mlgates: str
    folder: Path = Field(default=Path(), exclude=True)

    @property
    def lock(self) -> Path:
        """The lock itself."""
        return self.folder / "requirements.txt"

    @property
    def words(self) -> str:
        """That it was made after the fact, when and from what."""
        return (
            f"the lock was made after the fact by gates init on {self.created:%Y-%m-%d} from "
            f"{self.source}: nobody knows that the model was made with what it pins; "
            "gates package registers a version together with its lock"
        )


_FILE = JsonFile(LateLock, error=LockError, most_bytes=1 << 16)


def late_lock_place(project: Path, name: str, version: str) -> Path:
    """Where the lock made after the fact for a version is, or would be.

    Args:
        project: The project's folder.
        name: The registered model's name.
        version: Its number.
    """
    return project / "locks" / name / version


def late_lock_of(project: Path, version: ModelVersion) -> LateLock | None:
    """The lock that was made after the fact for a version; None when there is none.

    Args:
        project: The project's folder.
        version: The version, resolved.

    Raises:
        LockError: It cannot be read, or is for other bytes than the version's.
    """
    folder = late_lock_place(project, version.name, version.version)
    path = folder / FACTS
    again = f"make it again: gates init --lock-only --force {version.uri}"
    found = _FILE.read_if_there(path, advice=again)
    if found is None:
        return None
    late = found.model_copy(update={"folder": folder})
    if late.digest != version.digest:
        raise LockError(
            f"the lock was made for other bytes than {version.uri} holds: "
            f"for {late.digest[:19]}…, it holds {version.digest[:19]}…",
            path=path,
            advice=again,
        )
    if not late.lock.is_file():
        raise LockError("the lock is not beside it", path=path, advice=again)
    return late
