"""What one version is: its files, its lock, and the environment built from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from gates.artifacts.scan import scan_artifact
from gates.artifacts.second_opinion import with_second_opinion
from gates.domain.artifact_scan import ScanReport
from gates.domain.installation import is_python_version
from gates.domain.judging import EnvironmentFacts, ModelVersion, Role
from gates.domain.lock_report import LockChange, LockReport
from gates.domain.subject import LockQuestions
from gates.environments.cache import EnvironmentCache
from gates.environments.images import ImageCache
from gates.environments.launching import Launchable, Limits
from gates.errors import GatesError, LockError, ModelFault, RegistryError
from gates.locks.late import LateLock, late_lock_of
from gates.locks.lock import read_installable, read_lock
from gates.locks.source_files import source_builds
from gates.run.lock_audit import AuditedLock, changes
from gates.system.cached_folders import hold

if TYPE_CHECKING:
    from gates.card.policy import EnvironmentPolicy

__all__ = ["BuiltVersion", "limits_of", "packaged_python"]

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


def packaged_python(version: ModelVersion) -> str | None:
    """The Python that a version's tag `gates.python` says it was packaged with; None without one.

    Raises:
        RegistryError: The tag is no Python version.
    """
    told = version.tags.get("gates.python")
    if not told:
        return None
    if not is_python_version(told):
        raise RegistryError(
            f"the tag gates.python of {version.uri} is no Python version: {told[:40]!r}",
            advice="Package the version again: gates package writes the tag, such as 3.12.4.",
        )
    return told


@dataclass(eq=False)
class BuiltVersion:
    """A version's artifact and what is made of it; nothing of it runs here.

    Attributes:
        role: Candidate or champion.
        version: Which version.
        model_dir: Its verified snapshot, which stays in the cache as long as this lives.
        cache: Where environments are kept.
        policy: The card's word on environments.
        project: The folder that paths in the card start from.
        repository_lock: The lock of this model in the repository, when there may be one.
        progress: Told, in words, what takes long.
    """

    role: Role
    version: ModelVersion
    model_dir: Path
    _: KW_ONLY
    cache: EnvironmentCache
    policy: EnvironmentPolicy
    project: Path
    repository_lock: Path | None
    progress: Callable[[str], None]
    _environment: Launchable | GatesError | None = field(default=None, init=False)
    _scanned: ScanReport | None = field(default=None, init=False)
    _scanning: Lock = field(default_factory=Lock, init=False)

    def __post_init__(self) -> None:
        hold(self.model_dir, self)

    @property
    def lock_path(self) -> Path:
        """The lock in the artifact, or the one that `gates init` made for it afterwards.

        Raises:
            LockError: There is neither, or the one made afterwards is another artifact's.
        """
        path = self.model_dir / "gates" / "requirements.txt"
        if path.is_file():
            return path
        late = self._late
        if late is None:
            raise LockError(
                f"the {self.role} {self.version.uri} carries no lock",
                path=path,
                advice="package it with `gates package`, which puts the lock into the artifact, "
                f"or make a lock for it as it is: gates init --lock-only {self.version.uri}",
            )
        return late.lock

    @property
    def _late(self) -> LateLock | None:
        return late_lock_of(self.project, self.version)

    def environment(self) -> Launchable:
        """Its environment, found or built; a build that failed is not tried again by every check.

        Raises:
            BuildError: It could not be built.
            LockError: The artifact has no lock, or one with a problem: that is never installed.
            RegistryError: Its tag names no Python version.
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
        python = self.policy.python or packaged_python(self.version)
        if python is None and not (self.model_dir / "gates" / "requirements.txt").is_file():
            python = self._late.python if self._late else None
        lock = read_installable(self.lock_path)
        if self.policy.image is None:
            sources = source_builds(self.policy.source_builds)
            return self.cache.ensure(lock, python=python, sources=sources, progress=self.progress)
        images = ImageCache(self.cache.root)
        return images.ensure(lock, image=self.policy.image, python=python, progress=self.progress)

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
        return audited.report(environment, questions, self.progress)

    def lock_changes(self, since: BuiltVersion) -> tuple[LockChange, ...]:
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
        late = None if path.is_relative_to(self.model_dir) else self._late
        return AuditedLock(
            lock=read_lock(path),
            model_dir=self.model_dir,
            image=self.policy.image,
            project=self.project,
            repository=self.repository_lock,
            after_the_fact=late.words if late else "",
        )

    def scan(self) -> ScanReport:
        """What a look at its files gave, before anything loaded them; it never raises."""
        with self._scanning:
            if self._scanned is None:
                self.progress(f"looking at the files of the {self.role}")
                own = scan_artifact(self.model_dir, allow=self.policy.allow)
                self._scanned = with_second_opinion(own, self.model_dir, self.progress)
            return self._scanned

    def refuse(self) -> None:
        """Refuse to load what the card does not want loaded.

        Raises:
            ModelFault: `refused`, with the worst findings.
        """
        if self.policy.refuse == "never":
            return
        report = self.scan()
        reasons = [one.sentence for one in report.at_least(self.policy.refuse)]
        if self.policy.refuse != "critical":
            reasons += [
                f"{path} could not be looked at: {why}" for path, why in report.unread.items()
            ]
        if reasons:
            more = f" and {len(reasons) - _NAMED:,} more" if len(reasons) > _NAMED else ""
            what = f"the {self.role} was not loaded: {'; '.join(reasons[:_NAMED])}{more}"
            raise ModelFault("refused", what)

    def _environment_or_none(self) -> Launchable | None:
        try:
            return self.environment()
        except GatesError:
            return None
