"""What a cache holds of environments: each with its size, last use and state; and their removal."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from gates.environments._places import BuiltFacts, EnvironmentPlace, places
from gates.environments.images import forget_image
from gates.system.cached_folders import CachedFolder, State, is_held, last_use, size_of

__all__ = ["KeptEnvironment", "kept_environments", "remove_environment"]


@dataclass(frozen=True, slots=True)
class KeptEnvironment(CachedFolder):
    """An environment in a cache.

    Attributes:
        python: Its full Python version; empty when its marker is gone.
        packages: How many distributions it holds.
        lock: The digest of its lock, `sha256:` and 64 hexadecimal digits; empty as above.
        made: When it was built, as ISO 8601 with its offset; empty as above.
        image: The engine's id of the base image it is for; empty for a virtual environment.
    """

    key: str = ""
    python: str = ""
    packages: int = 0
    lock: str = ""
    made: str = ""
    image: str = ""


def kept_environments(root: Path) -> tuple[KeptEnvironment, ...]:
    """Every environment of a cache, and what killed builds left, as it is at this moment.

    Args:
        root: The cache folder; one that does not exist holds nothing.

    Raises:
        OSError: A folder cannot be read.
    """
    found = []
    for place in (*places(root.absolute() / "envs"), *places(root.absolute() / "images")):
        with contextlib.suppress(FileNotFoundError):  # it has been removed since
            if place.building.exists():
                found.append(_unfinished(place))
        with contextlib.suppress(FileNotFoundError):
            if place.home.exists():
                found.append(_described(place))
    return tuple(found)


def remove_environment(kept: KeptEnvironment) -> bool:
    """Remove an environment or what is left of one, unless somebody uses or builds it.

    Args:
        kept: What to remove.

    Returns:
        False when somebody uses or builds it.

    Raises:
        OSError: It could not be removed.
    """
    place = EnvironmentPlace(kept.path.with_suffix(""))
    with place.locked_at_once() as held:
        if held is None:
            return False
        if kept.path == place.building:
            if place.building.exists():
                shutil.rmtree(place.building)
            return True
        removed = place.clear()
    if removed and kept.image:
        forget_image(place.key)
    return removed


def _described(place: EnvironmentPlace) -> KeptEnvironment:
    facts = place.facts() or BuiltFacts(place.key)
    damage = place.damage()
    state: State = "corrupt" if damage else "whole"
    if is_held(place.home):
        state = "in use"
    return KeptEnvironment(
        kind="environment",
        path=place.home,
        bytes=size_of(place.home) if facts.bytes is None else facts.bytes,
        last_used=last_use(place.marker if place.marker.exists() else place.home),
        state=state,
        trouble=damage[0] if damage else "",
        key=place.key,
        python=facts.python,
        packages=len(facts.distributions),
        lock=facts.lock,
        made=facts.made,
        image=facts.image,
    )


def _unfinished(place: EnvironmentPlace) -> KeptEnvironment:
    with place.locked_at_once() as held:
        state: State = "being built" if held is None else "unfinished"
    size, when = size_of(place.building), last_use(place.building)
    return KeptEnvironment("environment", place.building, size, when, state, key=place.key)
