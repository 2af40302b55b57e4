"""Copies of models' artifacts in a cache: how big, when last used; and their removal."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gates.registry._snapshots import INCOMING
from gates.system.cached_folders import CachedFolder, State, is_held, last_use, remove, size_of

__all__ = ["kept_models", "remove_model"]

_YOUNG = timedelta(minutes=1)
_DIGEST = re.compile(r"[0-9a-f]{64}")


def kept_models(root: Path) -> tuple[CachedFolder, ...]:
    """Every copy of a model in a cache, and what killed processes left of copying.

    That a copy is whole is seen to whenever it is used, not here.

    Args:
        root: The cache folder; one that does not exist holds nothing.

    Raises:
        OSError: A folder cannot be read.
    """
    models = root.absolute() / "models"
    found = []
    for path in sorted(models.iterdir()) if models.is_dir() else ():
        incoming = path.name.startswith(INCOMING)
        if incoming or _DIGEST.fullmatch(path.name):
            with contextlib.suppress(FileNotFoundError):  # it has been removed since
                when = last_use(path)
                state = _state_incoming(path, when) if incoming else _state(path)
                found.append(CachedFolder("model", path, size_of(path), when, state))
    return tuple(found)


def _state(path: Path) -> State:
    return "in use" if is_held(path) else "whole"


def _state_incoming(path: Path, when: datetime) -> State:
    # Between making its folder and holding it a process is not seen to be at work.
    young = datetime.now(UTC) - when < _YOUNG
    return "being built" if young or is_held(path) else "unfinished"


def remove_model(kept: CachedFolder) -> bool:
    """Remove the copy of a model, unless somebody uses it.

    Args:
        kept: What to remove.

    Returns:
        False when somebody uses it.

    Raises:
        OSError: It could not be removed.
    """
    aside = (
        kept.path
        if kept.state == "unfinished"
        else kept.path.with_name(f"{INCOMING}{kept.name}-removed")
    )
    return remove(kept.path, aside)
