"""A version's lock, held against all it must agree with: inputs, files, what ran, what is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gates.domain.lock_report import LockChange, LockProblem, LockReport
from gates.domain.subject import LockQuestions
from gates.environments.inspect import altered_files, distributions
from gates.environments.launching import Launchable
from gates.environments.mlmodel import read_mlmodel
from gates.errors import LockError, PackageError
from gates.locks.advisories import Advisories, read_advisories
from gates.locks.base_image import base_images, is_pinned_image
from gates.locks.diff import LockContext, diff_locks
from gates.locks.finding import LockFinding, counted
from gates.locks.inputs import read_inputs
from gates.locks.lock import Lock
from gates.locks.markers import target_environment
from gates.locks.resolve import resolve_again
from gates.locks.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AuditedLock", "changes"]


@dataclass(frozen=True)
class AuditedLock:
    """A lock, and where all that must agree with it is.

    Attributes:
        lock: The lock in the artifact.
        model_dir: The artifact, with `gates/requirements.in` and perhaps a Dockerfile beside it.
        image: The base image the card names; None when it asks for no container.
        project: The folder that paths of the card start from.
        repository: The lock of this model in the repository, when there may be one.
        after_the_fact: How the lock was made after the model, in words; empty when the artifact
            brought it along.
    """

    lock: Lock
    model_dir: Path
    image: str | None
    project: Path
    repository: Path | None
    after_the_fact: str = ""

    @property
    def can_be_built(self) -> bool:
        """Whether every line is pinned and hashed: nothing else is ever installed."""
        return not self.lock.problems

    @property
    def inputs(self) -> Path | None:
        """What the lock was compiled from; None when the artifact does not hold it."""
        beside = self.lock.path.with_name("requirements.in")
        return beside if beside.is_file() else None

    def report(
        self,
        environment: Launchable | None,
        questions: LockQuestions,
        progress: Callable[[str], None],
    ) -> LockReport:
        """Verify it.

        Args:
            environment: What was built from it; None when nothing could be.
            questions: What to ask beyond what can be told offline.
            progress: Told, in words, what takes long.

        Raises:
            LockError: Its inputs or the repository's lock cannot be read.
        """
        python = environment.facts.python if environment else None
        found = verify(
            self.lock,
            inputs=self.inputs,
            installed=distributions(environment.path) if environment else None,
            repository=self.repository,
            environment=target_environment(python) if python else None,
            code=self._code(),
            artifact=self.model_dir,
            advisories=self._advisories(questions),
            others=tuple(self._others(environment)),
        )
        if not questions.resolve:
            return found
        return found.joined(resolve_again(self.lock, self.inputs, python=python, progress=progress))

    def _code(self) -> tuple[Path, ...]:
        try:
            code = read_mlmodel(self.model_dir).code
        except PackageError:
            return ()
        return (self.model_dir / code,) if code else ()

    def _others(self, environment: Launchable | None) -> Iterator[LockFinding]:
        late = self.after_the_fact
        made = (LockProblem("after-the-fact", self.lock.path.name, late),) if late else ()
        yield LockFinding("after-the-fact", 1, made)
        beside = base_images(self.lock.path.parent)
        unpinned = (
            () if self.image is None or is_pinned_image(self.image) else (_moving(self.image),)
        )
        if self.image is None or beside.absent:
            yield beside
        else:
            yield LockFinding("base-image", beside.looked_at + 1, (*beside.problems, *unpinned))
        if environment is not None:
            altered = altered_files(environment.path)
            problems = tuple(LockProblem("files", one.distribution, one.message) for one in altered)
            held = len(distributions(environment.path))
            yield counted("files", held, problems, nothing="nothing is installed")

    def _advisories(self, questions: LockQuestions) -> Advisories | str | None:
        source = questions.advisories
        if source is None:
            return None
        where = source if "://" in source else str(self.project / source)
        try:
            return read_advisories(
                where, max_age_days=questions.advisories_max_age, now=datetime.now(UTC)
            )
        except LockError as problem:
            return str(problem)


def _moving(image: str) -> LockProblem:
    message = f"the card's image {image} is not pinned by digest: what it names can change"
    return LockProblem("base-image", image, message)


def changes(
    old: AuditedLock,
    old_environment: Launchable | None,
    new: AuditedLock,
    new_environment: Launchable | None,
) -> tuple[LockChange, ...]:
    """What differs between two locks, with chains and licences where environments tell them.

    Args:
        old_environment: What was built from it; None when nothing could be.
        new_environment: What was built from it; None when nothing could be.

    Raises:
        LockError: A requirements.in cannot be read.
    """
    python = new_environment.facts.python if new_environment else None
    return diff_locks(
        old.lock,
        new.lock,
        target_environment(python) if python else None,
        of_old=_known(old, old_environment),
        of_new=_known(new, new_environment),
    )


def _known(one: AuditedLock, environment: Launchable | None) -> LockContext:
    return LockContext(
        asked=read_inputs(one.inputs) if one.inputs else None,
        installed=distributions(environment.path) if environment else None,
    )
