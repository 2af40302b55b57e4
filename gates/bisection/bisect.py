"""`bisect`: from two locks, a model and a golden set to the smallest set of changes to blame."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from gates.bisection.bench import Bench
from gates.bisection.finding import Bisection
from gates.bisection.journal import bisection_key, open_journal
from gates.bisection.search import Progress, Search
from gates.card.policy import UNWRITTEN, EnvironmentPolicy
from gates.comparison.answers import Tolerance
from gates.domain.golden_set import GoldenSet
from gates.domain.tasks import AnswerForm
from gates.environments.cache import Environment, EnvironmentCache
from gates.environments.inspect import distributions
from gates.environments.launching import Limits
from gates.errors import IntegrityError, LockError, UsageError
from gates.locks.lock import Lock, read_lock
from gates.locks.markers import target_environment
from gates.locks.subsets import Upgrade
from gates.registry.digests import tree_digest
from gates.system.interruption import in_threads

__all__ = ["bisect"]


def bisect(
    model_dir: Path,
    old_lock: Path,
    new_lock: Path,
    golden: GoldenSet,
    *,
    cache: EnvironmentCache,
    limits: Limits,
    tolerance: Tolerance,
    state_file: Path,
    python: str | None = None,
    policy: EnvironmentPolicy = UNWRITTEN,
    fresh: bool = False,
    progress: Progress,
) -> Bisection:
    """Find the smallest set of an upgrade's changes that changes a model's answers, or breaks it.

    The model is run under both locks, twice each, then under mixed locks chosen by ddmin. Each
    test is on disk when it is done: a search that was stopped goes on where it was.

    Args:
        model_dir: The MLflow model folder; the same bytes run under every lock.
        old_lock: The lock before; every requirement pinned and hashed.
        new_lock: The lock after.
        golden: What the model is asked.
        cache: Where environments are kept.
        limits: What a worker may use.
        tolerance: How far a score may move and still be the same.
        state_file: What was tested, kept between calls.
        python: The Python version of the environments; None for the gate's own.
        policy: What a card says of the model's answers.
        fresh: True to forget what was tested before.
        progress: Told what is being done.

    Returns:
        What was found, verified by a further run of its own.

    Raises:
        LockError: A lock is unreadable, or not pinned and hashed throughout.
        UsageError: Both locks are the same, the golden set is not this model's or is for vectors,
            or the state file is another's.
        BuildError: An environment of the two locks could not be built.
        IntegrityError: The model folder cannot be digested, or changed meanwhile.
        PackageError: The model folder has no usable MLmodel file.
    """
    started = time.perf_counter()
    old, new = _locked(old_lock), _locked(new_lock)
    if old.digest == new.digest:
        raise UsageError(
            f"{old_lock} and {new_lock} are the same lock ({old.digest[:19]}…)",
            advice="name the lock before the upgrade first, and the one after it second",
        )
    task = golden.manifest.task
    if task.answers is AnswerForm.VECTORS:
        raise UsageError(
            f"a bisection follows scores and labels, and this model gives {task.answers}",
            advice="the check 'equivalence' says whether the upgrade as a whole moves them",
        )
    key = bisection_key(
        old,
        new,
        model_dir,
        golden,
        tolerance=tolerance,
        limits=limits,
        python=python,
        policy=policy,
    )
    bench = Bench(model_dir, golden, cache=cache, limits=limits, python=python, policy=policy)
    with (
        open_journal(state_file, key, fresh=fresh) as journal,
        tempfile.TemporaryDirectory(prefix="gates-bisect-") as folder,
    ):
        upgrade = _upgrade(bench, old, new, progress)
        locks = old, new
        search = Search(bench, upgrade, locks, journal, golden, tolerance, Path(folder), progress)
        found = search.result()
    if tree_digest(model_dir) != key["model"]:
        raise IntegrityError(
            f"{model_dir} changed while it was being bisected",
            advice="run again once it stays as it is: --fresh",
        )
    return replace(found, built=bench.built, seconds=time.perf_counter() - started)


def _locked(path: Path) -> Lock:
    lock = read_lock(path)
    if lock.problems:
        first = lock.problems[0]
        raise LockError(
            first.message,
            path=path,
            line=first.line or None,
            advice="Bisecting mixes locks, so both must be pinned and hashed throughout: "
            "gates lock compile",
        )
    if not lock.requirements:
        raise LockError("it holds no requirement", path=path, advice="Compile it again.")
    return lock


def _upgrade(bench: Bench, old: Lock, new: Lock, progress: Progress) -> Upgrade:
    def environment(lock: Lock) -> Environment:
        return bench.environment(lock.path, lambda doing: progress(doing, 0, None))

    before, after = in_threads(environment, [old, new])
    markers = target_environment(after.facts.python)
    return Upgrade(old, new, distributions(before.path), distributions(after.path), markers)
