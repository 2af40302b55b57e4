"""uv, Docker, the disk and the cache."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gates.doctor.finding import Diagnosis
from gates.environments.images import engine_version
from gates.errors import BuildError
from gates.project import Project
from gates.run.pruning import contents
from gates.settings import Settings
from gates.system.installers import find_uv
from gates.system.sizes import shown_bytes

__all__ = ["cache", "disk", "engine", "packages"]

_SCARCE, _NONE = 5 * 10**9, 5 * 10**8
_SECONDS = 20


def packages() -> Iterator[Diagnosis]:
    """Whether environments can be built: uv runs."""
    uv = find_uv()
    try:
        ran = subprocess.run(
            [uv, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError) as problem:
        yield Diagnosis(
            "uv", "wrong", f"{uv} does not run: {problem}", "reinstall it: pip install uv"
        )
        return
    yield Diagnosis("uv", "ok", ran.stdout.strip())


def engine(project: Project) -> Iterator[Diagnosis]:
    """Whether containers can be run; that matters where a card asks for them."""
    asking = [
        path.stem
        for path in project.cards()
        if "kind: docker" in path.read_text(encoding="utf-8", errors="replace")
    ]
    try:
        version = engine_version()
    except BuildError as problem:
        if asking:
            yield Diagnosis("Docker", "wrong", problem.what, problem.advice)
        else:
            yield Diagnosis("Docker", "ok", "no engine answers, and no card asks for one")
        return
    yield Diagnosis("Docker", "ok", f"engine {version}")


def disk(settings: Settings) -> Iterator[Diagnosis]:
    """Whether there is room for environments, models and runs.

    Args:
        settings: Where they go.
    """
    seen: set[int] = set()
    for what, folder in (("cache", settings.cache), ("runs", settings.output)):
        there = next(one for one in (folder, *folder.parents) if one.is_dir())
        device = there.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(there).free
        said = f"{shown_bytes(free)} free for the {what} ({folder})"
        advice = "make room: gates env prune --max-age 30d"
        if free < _NONE:
            yield Diagnosis("disk", "wrong", said, advice)
        elif free < _SCARCE:
            yield Diagnosis("disk", "note", said, advice)
        else:
            yield Diagnosis("disk", "ok", said)
        if not _writable(there):
            yield Diagnosis(
                "disk", "wrong", f"{there} cannot be written", "change its owner or mode"
            )


def cache(settings: Settings) -> Iterator[Diagnosis]:
    """What the cache holds, and whether it is kept within limits.

    Args:
        settings: Where it is, and its limits.
    """
    found = contents(settings.cache)
    bad = [one for one in found.all if one.state not in {"whole", "in use", "being built"}]
    limits = settings.cache_limits
    said = f"{len(found.environments)} environments and {len(found.models)} models, "
    said += shown_bytes(found.bytes)
    if bad:
        yield Diagnosis(
            "cache", "note", f"{said}; {len(bad)} of them are not whole", "gates env prune"
        )
    elif limits.max_bytes is None and limits.max_age is None:
        yield Diagnosis(
            "cache",
            "note",
            f"{said}, and no limit",
            "set one: GATES_CACHE_MAX_SIZE=50GB or GATES_CACHE_MAX_AGE=30d",
        )
    else:
        yield Diagnosis("cache", "ok", said)


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
