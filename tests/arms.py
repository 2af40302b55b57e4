"""An arm of a model folder, as a gate would open it."""

from __future__ import annotations

from pathlib import Path

from gates.card.policy import EnvironmentPolicy
from gates.domain.judging import ModelVersion, Role
from gates.environments.cache import EnvironmentCache
from gates.run.arm import VersionArm
from gates.run.version import BuiltVersion

__all__ = ["open_arm"]

TOY = ModelVersion("toy", "1", "sha256:m", "sha256:l")


def open_arm(
    folder: Path,
    cache: EnvironmentCache,
    project: Path,
    *,
    version: ModelVersion = TOY,
    role: Role = "candidate",
    policy: EnvironmentPolicy | None = None,
) -> VersionArm:
    """An arm whose progress nobody watches; close it.

    Args:
        folder: The model folder, with its lock.
        cache: Where environments are kept.
        project: The folder that paths in a card would start from.
        version: Which version it is said to be.
        role: Candidate or champion.
        policy: The card's word on environments; its defaults when None.
    """
    build = BuiltVersion(
        role,
        version,
        folder,
        cache=cache,
        policy=policy or EnvironmentPolicy(),
        project=project,
        repository_lock=None,
        progress=lambda _: None,
    )
    return VersionArm(build)
