"""The search: the whole upgrade first, then ever smaller parts of it, and what is found again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from gates.bisection.bench import Bench, Failure, Run
from gates.bisection.finding import Bisection
from gates.bisection.journal import Journal, Trial
from gates.comparison.answers import Answers, Difference, Tolerance, compare
from gates.domain.golden_set import GoldenSet
from gates.locks.ddmin import Shows, ddmin
from gates.locks.lock import Lock
from gates.locks.subsets import Upgrade

__all__ = ["Progress", "Search"]

Progress = Callable[[str, int, int | None], None]
"""Told what is being done, how many changes are ruled out, and how many there are."""


class _Undecided(Exception):
    """There is no answer, and why."""


@dataclass
class Search:
    """One search; what it tests, it tests once.

    Attributes:
        bench: Runs the model.
        upgrade: The changes, and which go together.
        locks: The lock before and the lock after.
        journal: What has been tested.
        golden: What the model is asked.
        tolerance: How far a score may move.
        folder: Where mixed locks are written.
        progress: Told what is being done.
    """

    bench: Bench
    upgrade: Upgrade
    locks: tuple[Lock, Lock]
    journal: Journal
    golden: GoldenSet
    tolerance: Tolerance
    folder: Path
    progress: Progress
    _reference: list[Answers] = field(default_factory=list)
    _ruled_out: int = 0

    def result(self) -> Bisection:
        """What is found, or why nothing can be."""
        try:
            found = self._found() if self.upgrade.changes else self._finding("nothing")
        except _Undecided as why:
            found = replace(self._finding("undecided"), reason=str(why))
        return replace(found, trials=tuple(self.journal.trials))

    def _finding(self, kind: Literal["nothing", "changes", "breaks", "undecided"]) -> Bisection:
        return Bisection(kind, self.upgrade.changes)

    def _found(self) -> Bisection:
        whole = self._whole()
        if whole.shows == "same":
            return replace(self._finding("nothing"), whole=whole)
        cause = self._smallest()
        alone = self._verified(cause)
        rest = self.upgrade.interior(self.upgrade.names - cause)
        by_name = {one.name: one for one in self.upgrade.changes}
        lesser = {self.upgrade.interior(cause - {name}) for name in cause}
        return replace(
            self._finding("breaks" if whole.failure else "changes"),
            cause=tuple(by_name[name] for name in sorted(cause)),
            roots=self.upgrade.roots(cause),
            whole=whole,
            alone=alone,
            rest=self._trial(rest) if rest else None,
            left_out=tuple(by_name[name] for name in sorted(self.upgrade.names - cause - rest)),
            untold=sum(self._shows(part) == "unresolved" for part in lesser),
        )

    def _whole(self) -> Trial:
        """The whole upgrade, tested twice, as is the old lock, to see that outcomes can be trusted.

        Raises:
            _Undecided: They cannot, or the model does not run under the old lock.
        """
        names = self.upgrade.names
        found = self.journal.find(names)
        if found:
            return found
        self._tell("running the model twice under each lock")
        started = time.perf_counter()
        old, new = (lock.path for lock in self.locks)
        before, again, after, after_again = self.bench.run_all([old, old, new, new])
        seconds = time.perf_counter() - started
        self._reference.append(self._same(before, again, "old"))
        if isinstance(after, Failure) and isinstance(after_again, Failure):
            if not after.like(after_again):
                raise _Undecided(
                    f"under the new lock the model fails in two ways: {after.words}; and "
                    f"{after_again.words}"
                )
            self.journal.add(_trial(names, "differs", None, after, seconds))
        else:
            difference = self._difference(self._same(after, after_again, "new"))
            shows: Shows = "differs" if difference.any else "same"
            self.journal.add(_trial(names, shows, difference, None, seconds))
        return self.journal.trials[-1]

    def _same(self, one: Run, other: Run, lock: str) -> Answers:
        for run in (one, other):
            if isinstance(run, Failure):
                sometimes = (
                    " at times" if isinstance(one, Answers) != isinstance(other, Answers) else ""
                )
                raise _Undecided(f"under the {lock} lock{sometimes} {run.words}")
        assert isinstance(one, Answers) and isinstance(other, Answers)  # noqa: S101, PT018
        difference = compare(one, other, self.golden, self.tolerance)
        if difference.any:
            raise _Undecided(
                f"the model is not deterministic: two runs under the {lock} lock differ in "
                f"{difference.words}"
            )
        return one

    def _smallest(self) -> frozenset[str]:
        """A consistent part that shows it, of which no change can be taken back.

        First closures are tested, which find a culprit within few tests whatever it drags along;
        then, among what it dragged along, only what is consistent by itself.
        """
        names = tuple(sorted(self.upgrade.names))
        roots = ddmin(names, lambda part: self._shows(self.upgrade.closure(part)))
        dragged = tuple(sorted(self.upgrade.closure(roots)))
        return frozenset(ddmin(dragged, lambda part: self._shows(self.upgrade.interior(part))))

    def _shows(self, part: frozenset[str]) -> Shows:
        return self._trial(part).shows if part else "same"

    def _trial(self, part: frozenset[str]) -> Trial:
        found = self.journal.find(part)
        if found is None:
            doing = f"test {len(self.journal.trials) + 1}: {len(part)} of {self._many} changes"
            self._tell(doing)
            found = self._tested(part)
            self.journal.add(found)
            if found.shows == "differs":
                self._ruled_out = max(self._ruled_out, self._many - len(part))
            self._tell(f"{doing} … {found.shows}")
        return found

    def _tested(self, part: frozenset[str]) -> Trial:
        started = time.perf_counter()
        run = self.bench.run(self._lock(part))
        if isinstance(run, Failure):
            difference, failure = None, run
        else:
            difference, failure = self._difference(run), None
        shows = self._judged(difference, failure)
        return _trial(part, shows, difference, failure, time.perf_counter() - started)

    def _judged(self, difference: Difference | None, failure: Failure | None) -> Shows:
        sought = self._whole().failure
        if failure:
            return "differs" if sought and failure.like(sought) else "unresolved"
        return "differs" if difference and difference.any and not sought else "same"

    def _verified(self, part: frozenset[str]) -> Trial:
        """A part tested once more, in a process of its own.

        Raises:
            _Undecided: It shows something else this time.
        """
        first = self._trial(part)
        if part == self.upgrade.names:
            return first  # the whole has been run twice
        self._tell(f"verifying {len(part)} of {self._many} changes")
        second = self._tested(part)
        alike = (
            first.difference.like(second.difference)
            if first.difference and second.difference
            else first.shows == second.shows
        )
        if not alike:
            raise _Undecided(
                f"the same {len(part)} of {self._many} changes gave another outcome when they "
                "were tested again: the model is not deterministic"
            )
        return second

    def _difference(self, answers: Answers) -> Difference:
        if not self._reference:  # a search that goes on has the tests, not the answers
            run = self.bench.run(self.locks[0].path)
            if isinstance(run, Failure):
                raise _Undecided(f"under the old lock {run.words}")
            self._reference.append(run)
        return compare(self._reference[0], answers, self.golden, self.tolerance)

    def _lock(self, part: frozenset[str]) -> Path:
        if part == self.upgrade.names:
            return self.locks[1].path
        path = self.folder / "requirements.txt"
        path.write_text(self.upgrade.lock_text(part), encoding="utf-8")
        return path

    @property
    def _many(self) -> int:
        return len(self.upgrade.names)

    def _tell(self, doing: str) -> None:
        self.progress(doing, self._ruled_out, self._many)


def _trial(
    part: frozenset[str],
    shows: Shows,
    difference: Difference | None,
    failure: Failure | None,
    seconds: float,
) -> Trial:
    return Trial(tuple(sorted(part)), shows, difference, failure, round(seconds, 3))
