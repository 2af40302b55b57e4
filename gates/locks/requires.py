"""What a distribution's own metadata says it requires, and where that applies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion

from gates.domain.lock_report import Distribution

__all__ = ["applies", "requirements_of"]


def requirements_of(distribution: Distribution) -> Iterator[Requirement]:
    """The requirements of a distribution that can be read, in its order.

    Args:
        distribution: As it is installed.
    """
    for line in distribution.requires:
        try:
            yield Requirement(line)
        except (InvalidRequirement, RecursionError):
            continue  # old releases hold such lines; installers pass over them as well


def applies(requirement: Requirement, extra: str, environment: Mapping[str, str]) -> bool:
    """Whether a requirement counts; one with a marker that no installer can follow never does.

    Args:
        requirement: What a distribution requires.
        extra: The extra it was asked for with; empty for itself.
        environment: PEP 508 marker names and values.
    """
    marker = requirement.marker
    try:
        return marker is None or marker.evaluate({**environment, "extra": extra})
    except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion):
        return False
