"""Keeping the cache small: what is in it, and what goes when it is too large or too old."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from gates.environments.cache import EnvironmentCache
from gates.environments.stock import KeptEnvironment, kept_environments, remove_environment
from gates.errors import UsageError
from gates.registry.copies import kept_models, remove_model
from gates.settings import CacheLimits, Settings
from gates.system.cached_folders import CachedFolder
from gates.system.sizes import shown_bytes

KeptT = TypeVar("KeptT", bound=CachedFolder)

__all__ = ["Contents", "Pruned", "contents", "environments_of", "prune", "pruning_after_builds"]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a cache holds.

    Attributes:
        environments: Its environments, the most recently used first.
        models: Its copies of models, in the same order.
    """

    environments: tuple[KeptEnvironment, ...]
    models: tuple[CachedFolder, ...]

    @property
    def all(self) -> tuple[CachedFolder, ...]:
        """Both."""
        return (*self.environments, *self.models)

    @property
    def bytes(self) -> int:
        """The size of everything."""
        return sum(one.bytes for one in self.all)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What pruning did, or would do.

    Attributes:
        removed: What went, in this order.
        spared: What would have gone but was in use or being built.
        left: The bytes that are left.
        over: By how many bytes that is more than the limit; 0 when it is not.
    """

    removed: tuple[CachedFolder, ...]
    spared: tuple[CachedFolder, ...]
    left: int
    over: int

    @property
    def freed(self) -> int:
        """The bytes of what went."""
        return sum(one.bytes for one in self.removed)


def contents(root: Path) -> Contents:
    """Look at everything a cache holds.

    Args:
        root: The cache folder.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return Contents(_latest_first(kept_environments(root)), _latest_first(kept_models(root)))
    except OSError as problem:
        raise _trouble(root, "read", problem) from None


def prune(
    root: Path, limits: CacheLimits, *, everything: bool = False, dry_run: bool = False
) -> Pruned:
    """Remove what is corrupt or unfinished, what is too old, and then the least recently used.

    Nothing goes that is in use or being built, by this process or another.

    Args:
        root: The cache folder.
        limits: What is kept.
        everything: Whether all goes that is not in use, whatever the limits.
        dry_run: Whether to remove nothing and only say what would go.

    Raises:
        UsageError: The cache cannot be read, or something cannot be removed.
    """
    held = contents(root)
    left = held.bytes
    removed: list[CachedFolder] = []
    spared: list[CachedFolder] = []

    def take(one: CachedFolder) -> None:
        nonlocal left
        busy = one.state in ("in use", "being built")
        if busy or not (dry_run or _remove(root, one)):
            spared.append(one)
        else:
            removed.append(one)
            left -= one.bytes

    now = datetime.now(UTC)
    oldest_first = sorted(held.all, key=lambda one: one.last_used)
    unconditional = [one for one in oldest_first if everything or _is_refuse(one, limits, now)]
    for one in unconditional:
        take(one)
    for one in oldest_first:
        if limits.max_bytes is None or left <= limits.max_bytes:
            break
        if one not in unconditional:
            take(one)
    over = 0 if limits.max_bytes is None else max(0, left - limits.max_bytes)
    return Pruned(tuple(removed), tuple(spared), left, over)


def pruning_after_builds(
    root: Path, limits: CacheLimits
) -> Callable[[Callable[[str], None]], None]:
    """What an `EnvironmentCache` is to do after it built something: keep within the limits, if any.

    Args:
        root: The cache folder.
        limits: What is kept; without any, nothing is removed.
    """

    def keep_within(progress: Callable[[str], None]) -> None:
        if limits == CacheLimits():
            return
        try:
            done = prune(root, limits)
        except UsageError as problem:  # the environment is there; room can be made another time
            progress(f"the cache was not pruned: {problem.what}")
            return
        if done.removed:
            freed = shown_bytes(done.freed)
            progress(f"pruned the cache: {len(done.removed)} of its folders, {freed}")
        if done.over:
            progress(f"the cache is {shown_bytes(done.over)} over its limit: the rest is in use")

    return keep_within


def _is_refuse(one: CachedFolder, limits: CacheLimits, now: datetime) -> bool:
    old = limits.max_age is not None and now - one.last_used >= limits.max_age
    return old or bool(one.trouble) or one.state == "unfinished"


def _remove(root: Path, one: CachedFolder) -> bool:
    try:
        if isinstance(one, KeptEnvironment):
            return remove_environment(one)
        return remove_model(one)
    except OSError as problem:
        raise _trouble(root, "pruned", problem) from None


def _latest_first(kept: Iterable[KeptT]) -> tuple[KeptT, ...]:
    return tuple(sorted(kept, key=lambda one: one.last_used, reverse=True))


def _trouble(root: Path, verb: str, problem: OSError) -> UsageError:
    where = problem.filename or root
    return UsageError(
        f"the cache {root} could not be {verb}: {where}: {problem.strerror or problem}",
        advice="see whose files these are, or name another cache: --cache DIR",
    )


def environments_of(settings: Settings) -> EnvironmentCache:
    """Where environments are found or built, and kept within the cache's limits."""
    keep_within = pruning_after_builds(settings.cache, settings.cache_limits)
    return EnvironmentCache(settings.cache, keep_within)
