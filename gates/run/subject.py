"""What the checks of one run are given: two versions that may be compared, and a golden set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gates.card.card import Card
from gates.domain.counterexamples import Recall
from gates.domain.judging import EnvironmentFacts, ModelVersion, Role
from gates.domain.lock_report import LockChange
from gates.domain.subject import GoldenSet, Snapshot
from gates.environments.cache import EnvironmentCache
from gates.errors import GatesError, LockError, NoChampion, UsageError
from gates.evidence.counterexamples import CounterexampleStore
from gates.golden.snapshot import read_snapshot
from gates.locks.late import late_lock_of
from gates.registry.digests import file_digest
from gates.run.arm import VersionArm
from gates.run.version import BuiltVersion
from gates.system.interruption import in_threads

__all__ = ["RunSubject", "prepare_subject"]


@dataclass(frozen=True)
class RunSubject:
    """What the checks of one run are given."""

    golden: GoldenSet
    candidate: VersionArm
    champion: VersionArm | None
    seed: int
    project: Path
    recollection: CounterexampleStore | None = None
    _guests: dict[Role, VersionArm] = field(default_factory=dict)

    @property
    def arms(self) -> tuple[VersionArm, ...]:
        """The arms there are, candidate first."""
        return (self.candidate, self.champion) if self.champion else (self.candidate,)

    def start(self) -> None:
        """Build or find both environments, start both workers side by side, and wait for them.

        Failures stay silent here: each check that needs the arm meets them again, by name.
        """

        def attempt(arm: VersionArm) -> None:
            try:
                arm.environment()
            except GatesError:
                return

        in_threads(attempt, self.arms)

    def build(self) -> None:
        """Build or find both environments side by side, without starting anything in them.

        Failures that do not pass stay silent here: each check that needs the arm meets them again.

        Raises:
            BuildError: One could not be built for a reason that may pass.
        """

        def attempt(arm: VersionArm) -> None:
            try:
                arm.build.environment()
            except GatesError as problem:
                if problem.passing:
                    raise

        in_threads(attempt, self.arms)

    def environments(self) -> Mapping[str, EnvironmentFacts]:
        """Role → what it ran in, for the arms whose worker became ready."""
        found: dict[str, EnvironmentFacts] = {}
        for arm in self.arms:
            facts = arm.facts()
            if facts:
                found[arm.role] = facts
        return found

    def lock_changes(self) -> tuple[LockChange, ...]:
        """What differs between the champion's lock and the candidate's.

        Raises:
            NoChampion: There is no other.
            LockError: One of them has no lock.
        """
        if self.champion is None:
            raise NoChampion
        return self.candidate.build.lock_changes(self.champion.build)

    def recall(self, check: str) -> Recall:
        """The counterexamples that earlier runs left for a check; it never raises.

        Args:
            check: The check's name.
        """
        return self.recollection.recall(check) if self.recollection else Recall()

    def training(self, path: str, columns: Sequence[str]) -> Snapshot:
        """Some columns of a training snapshot in the project.

        Args:
            path: A CSV or Parquet file, from the project's folder.
            columns: The columns asked for; those that the file lacks are left out.

        Raises:
            InputError: It cannot be read.
        """
        return read_snapshot(self.project / path, columns)

    def transplanted(self, binary: Role) -> VersionArm:
        """The binary of one version in the other's environment, made when first asked for.

        Args:
            binary: Whose binary.

        Raises:
            NoChampion: There is no other.
        """
        if self.champion is None:
            raise NoChampion
        if binary not in self._guests:
            pair = (self.candidate, self.champion)
            own, host = pair if binary == "candidate" else reversed(pair)
            self._guests[binary] = VersionArm(own.build, host)
        return self._guests[binary]

    def close(self) -> None:
        """Stop every worker."""
        for arm in (*self.arms, *self._guests.values()):
            arm.close()


def prepare_subject(
    card: Card,
    golden: GoldenSet,
    candidate: ModelVersion,
    champion: ModelVersion | None,
    *,
    path_of: Callable[[ModelVersion], Path],
    cache: EnvironmentCache,
    progress: Callable[[str], None],
    recollection: CounterexampleStore | None = None,
    against_itself: bool = False,
) -> RunSubject:
    """Two versions and a golden set that belong together, ready to be asked.

    Args:
        card: The policy.
        golden: The golden set it names.
        candidate: The version under test.
        champion: The version in production; None when there is none.
        path_of: Gives the verified snapshot of a version.
        cache: Where environments are kept.
        progress: Told, in words, what takes long.
        recollection: What earlier runs left; None to ask nothing of theirs again.
        against_itself: Whether both may be the same bytes, as in an A/A run.

    Raises:
        UsageError: Candidate and champion are the same bytes and need not be, or card, golden set
            and model do not belong together.
    """
    _require_comparable(card, golden, candidate, None if against_itself else champion)
    lock = card.model_folder / "requirements.txt"

    def arm(role: Role, version: ModelVersion) -> VersionArm:
        build = BuiltVersion(
            role,
            _with_lock(version, card.project),
            path_of(version),
            cache=cache,
            policy=card.policy.environment,
            project=card.project,
            repository_lock=lock if role == "candidate" and lock.is_file() else None,
            progress=progress,
        )
        return VersionArm(build)

    return RunSubject(
        golden=golden,
        candidate=arm("candidate", candidate),
        champion=arm("champion", champion) if champion else None,
        seed=card.policy.seed,
        project=card.project,
        recollection=recollection,
    )


def _with_lock(version: ModelVersion, project: Path) -> ModelVersion:
    """The version with the digest of the lock it runs under, also where that was made later."""
    if version.lock_digest:
        return version
    try:
        late = late_lock_of(project, version)
    except LockError:  # which the checks that need the lock will name
        return version
    return replace(version, lock_digest=file_digest(late.lock)) if late else version


def _require_comparable(
    card: Card, golden: GoldenSet, candidate: ModelVersion, champion: ModelVersion | None
) -> None:
    if candidate.name != card.policy.model:
        raise UsageError(
            f"{card.path} is the card of '{card.policy.model}', not of '{candidate.name}'",
            advice=f"name the card whose 'model:' is {candidate.name}: --card FILE",
        )
    if champion and champion.digest == candidate.digest:
        raise UsageError(
            f"candidate {candidate.uri} and champion {champion.uri} are the same bytes "
            f"({candidate.digest[:19]}…): a model compared with itself shows nothing",
            advice="name another version as candidate; to try the same model under a new lock, "
            "package it again; to see what a comparison makes of no difference, --against-itself",
        )
    if golden.manifest.task != card.policy.task:
        raise UsageError(
            f"{card.path} is for {card.policy.task.called} model, its golden set "
            f"{golden.path} for {golden.manifest.task}",
            advice="point 'golden:' at a set made for this task",
        )
