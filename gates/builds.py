"""What one version is: its files, its lock, and the environment built from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from gates.artifacts.scan import scan_artifact
from gates.audits import AuditedLock, changes
from gates.dependencies import LockChange, LockReport
from gates.domain import EnvironmentFacts, ModelVersion, Role
from gates.environments.cache import EnvironmentCache
from gates.environments.images import ImageCache
from gates.environments.launching import Launchable, Limits
from gates.errors import GatesError, LockError, ModelFault
from gates.findings import ScanReport
from gates.locks.late import LateLock, late_lock_of
from gates.locks.lock import read_lock
from gates.subject import LockQuestions

if TYPE_CHECKING:
    from gates.card import EnvironmentPolicy

__all__ = ["Build", "limits_of"]

_NAMED = 3


def limits_of(policy: EnvironmentPolicy) -> Limits:
    """What a card lets one worker use.

    Args:
        policy: The card's word on environments.
    """
    return Limits(
        memory_mb=policy.memory_mb,
        start_seconds=policy.start_seconds,
        predict_seconds=policy.predict_seconds,
        require=policy.require,
    )


class Build:
    """A version's artifact and what is made of it; nothing of it runs here.

    Args:
        role: Candidate or champion.
        version: Which version.
        model_dir: Its verified snapshot.
        cache: Where environments are kept.
        policy: The card's word on environments.
        project: The folder that paths in the card start from.
        repository_lock: The lock of this model in the repository, when there may be one.
        progress: Told, in words, what takes long.
    """

    def __init__(
        self,
        role: Role,
        version: ModelVersion,
        model_dir: Path,
        *,
        cache: EnvironmentCache,
        policy: EnvironmentPolicy,
        project: Path,
        repository_lock: Path | None,
        progress: Callable[[str], None],
    ) -> None:
        self._role = role
        self._version = version
        self._model_dir = model_dir
        self._cache = cache
        self._policy = policy
        self._project = project
        self._repository_lock = repository_lock
        self._progress = progress
        self._environment: Launchable | GatesError | None = None
        self._scanned: ScanReport | None = None
        self._scanning = Lock()

    @property
    def lock_path(self) -> Path:
        """The lock in the artifact, or the one that `gates init` made for it afterwards.

        Raises:
            LockError: There is neither, or the one made afterwards is another artifact's.
        """
        path = self._model_dir / "gates" / "requirements.txt"
        if path.is_file():
            return path
        late = self._late
        if late is None:
            raise LockError(
                f"the {self._role} {self._version.uri} carries no lock",
                path=path,
                advice="package it with `gates package`, which puts the lock into the artifact, "
                f"or make a lock for it as it is: gates init --lock-only {self._version.uri}",
            )
        return late.lock

    @property
    def _late(self) -> LateLock | None:
        return late_lock_of(self._project, self._version)

    def environment(self) -> Launchable:
        """Its environment, found or built; a build that failed is not tried again by every check.

        Raises:
            BuildError: It could not be built.
            LockError: The artifact has no lock.
        """
        if self._environment is None:
            try:
                self._environment = self._found_or_built()
            except GatesError as problem:
                self._environment = problem
        if isinstance(self._environment, GatesError):
            raise self._environment
        return self._environment

    def _found_or_built(self) -> Launchable:
        python = self._policy.python or self._version.tags.get("gates.python") or None
        if python is None and not (self._model_dir / "gates" / "requirements.txt").is_file():
            python = self._late.python if self._late else None
        if self._policy.image is None:
            return self._cache.ensure(self.lock_path, python=python, progress=self._progress)
        images = ImageCache(self._cache.root)
        return images.ensure(
            self.lock_path, image=self._policy.image, python=python, progress=self._progress
        )

    @property
    def facts(self) -> EnvironmentFacts | None:
        """What is known of its environment; None as long as it has none."""
        if self._environment is None or isinstance(self._environment, GatesError):
            return None
        return self._environment.facts

    def lock_report(self, questions: LockQuestions) -> LockReport:
        """What verifying its lock gave, against all it must agree with.

        Args:
            questions: What to ask beyond what can be told offline.

        Raises:
            LockError: The artifact has no lock.
            BuildError: Its environment could not be built.
        """
        audited = self._audited()
        environment = self.environment() if audited.can_be_built else None
        return audited.report(environment, questions, self._progress)

    def lock_changes(self, since: Build) -> tuple[LockChange, ...]:
        """What differs between another version's lock and this one's.

        Args:
            since: The version before.

        Raises:
            LockError: One of them has no lock.
        """
        return changes(
            since._audited(),
            since._environment_or_none(),
            self._audited(),
            self._environment_or_none(),
        )

    def _audited(self) -> AuditedLock:
        path = self.lock_path
        late = None if path.is_relative_to(self._model_dir) else self._late
        return AuditedLock(
            lock=read_lock(path),
            model_dir=self._model_dir,
            image=self._policy.image,
            project=self._project,
            repository=self._repository_lock,
            after_the_fact=late.words if late else "",
        )

    def scan(self) -> ScanReport:
        """What a look at its files gave, before anything loaded them; it never raises."""
        with self._scanning:
            if self._scanned is None:
                self._progress(f"looking at the files of the {self._role}")
                self._scanned = scan_artifact(self._model_dir, allow=self._policy.allow)
            return self._scanned

    def refuse(self) -> None:
        """Refuse to load what the card does not want loaded.

        Raises:
            ModelFault: `refused`, with the worst findings.
        """
        if self._policy.refuse == "never":
            return
        report = self.scan()
        reasons = [one.sentence for one in report.at_least(self._policy.refuse)]
        if self._policy.refuse != "critical":
            reasons += [
                f"{path} could not be looked at: {why}" for path, why in report.unread.items()
            ]
        if reasons:
            more = f" and {len(reasons) - _NAMED:,} more" if len(reasons) > _NAMED else ""
            what = f"the {self._role} was not loaded: {'; '.join(reasons[:_NAMED])}{more}"
            raise ModelFault("refused", what)

    def _environment_or_none(self) -> Launchable | None:
        try:
            return self.environment()
        except GatesError:
            return None
