"""Why a distribution is in a lock: the chain from what a person asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from packaging.utils import canonicalize_name

from gates.domain.lock_report import Distribution
from gates.locks.inputs import AskedRequirement
from gates.locks.lock import LockedRequirement
from gates.locks.requires import applies, requirements_of

__all__ = ["asked_by_comments", "chains_of", "needs_by_comments", "needs_by_metadata"]

_Needs = Mapping[str, Iterable[str]]


def chains_of(asked: Iterable[str], needs: _Needs) -> dict[str, tuple[str, ...]]:
    """Name → the shortest chain from what was asked for to it; of several the first by name.

    Args:
        asked: The names that a person asked for.
        needs: Name → the names it needs.

    Returns:
        Chains that start with a name that was asked for and end with the key; a name that nothing
        leads to has none.
    """
    chains: dict[str, tuple[str, ...]] = {name: (name,) for name in asked}
    reached = sorted(chains.values())
    while reached:
        longer: list[tuple[str, ...]] = []
        for chain in reached:
            for needed in sorted(needs.get(chain[-1], ())):
                if needed not in chains:
                    chains[needed] = (*chain, needed)
                    longer.append(chains[needed])
        reached = sorted(longer)
    return chains


def asked_by_comments(pins: Iterable[LockedRequirement]) -> frozenset[str]:
    """The names that a lock's `# via` comments trace to a requirements.in or a project."""
    return frozenset(pin.name for pin in pins if any(_is_file(entry) for entry in pin.via))


def needs_by_comments(pins: Iterable[LockedRequirement]) -> _Needs:
    """Name → the names it needs, from a lock's `# via` comments."""
    needs: defaultdict[str, set[str]] = defaultdict(set)
    for pin in pins:
        for entry in pin.via:
            if not _is_file(entry) and not entry.startswith("-"):
                needs[str(canonicalize_name(entry.partition("[")[0]))].add(pin.name)
    return needs


def _is_file(entry: str) -> bool:
    return entry.startswith(("-r ", "--requirement ")) or entry.endswith(")")


def needs_by_metadata(
    installed: Sequence[Distribution],
    asked: Iterable[AskedRequirement],
    environment: Mapping[str, str],
) -> _Needs:
    """Name → the names it needs, from what installed distributions say of themselves.

    Args:
        installed: What an environment holds.
        asked: What a person asked for; its extras decide which optional requirements count.
        environment: PEP 508 markers of that environment's Python.
    """
    requires = {one.name: list(requirements_of(one)) for one in installed}
    extras: defaultdict[str, set[str]] = defaultdict(lambda: {""})
    for one in asked:
        extras[one.name].update(one.extras)
    needs: defaultdict[str, set[str]] = defaultdict(set)
    waiting = list(requires)
    while waiting:
        name = waiting.pop()
        for requirement in requires.get(name, ()):
            if not any(applies(requirement, extra, environment) for extra in extras[name]):
                continue
            needed = str(canonicalize_name(requirement.name))
            needs[name].add(needed)
            more = {str(canonicalize_name(extra)) for extra in requirement.extras}
            if not more <= extras[needed]:
                extras[needed] |= more
                waiting.append(needed)
    return needs
