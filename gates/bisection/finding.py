"""What a bisection found, and how it is said: first of all in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gates.bisection.journal import Trial
from gates.domain.lock_report import LockChange

__all__ = ["Bisection", "changed"]

_NAMED = 6


@dataclass(frozen=True)
class Bisection:
    """What a bisection found.

    Attributes:
        kind: `nothing` changes; the upgrade `changes` answers, or `breaks` the model; or it is
            `undecided`.
        changes: Every change between the locks, by name.
        trials: Every test, in order.
        built: How many environments were built.
        seconds: How long this call took.
        reason: Why it is undecided; empty otherwise.
        cause: The smallest set of changes that was found.
        roots: The names of those of the cause that take the rest of it along.
        whole: The test of the whole upgrade; None when there was none.
        alone: The test of the cause alone.
        rest: The test of all changes that can be made without the cause; None when there are none.
        left_out: Changes outside the cause that cannot be made without it.
        untold: How many of the next smaller sets gave nothing that can be told.
    """

    kind: Literal["nothing", "changes", "breaks", "undecided"]
    changes: tuple[LockChange, ...]
    trials: tuple[Trial, ...] = ()
    built: int = 0
    seconds: float = 0.0
    reason: str = ""
    cause: tuple[LockChange, ...] = ()
    roots: tuple[str, ...] = ()
    whole: Trial | None = None
    alone: Trial | None = None
    rest: Trial | None = None
    left_out: tuple[LockChange, ...] = ()
    untold: int = 0

    @property
    def exit_code(self) -> int:
        """0 when nothing changes, 1 when a cause was found, 3 when it is undecided."""
        return {"nothing": 0, "changes": 1, "breaks": 1, "undecided": 3}[self.kind]

    @property
    def sentence(self) -> str:
        """The answer in one line, without a full stop."""
        if self.kind == "undecided":
            return f"undecided: {self.reason}"
        if self.whole is None or self.alone is None:
            return _nothing(self)
        who = _who(self)
        if self.alone.failure:
            return f"{who.rstrip(',')}: {self.alone.failure.no_longer}"
        verb = "changes" if len(self.roots) == 1 else "change"
        what = self.alone.difference.words if self.alone.difference else "nothing"
        return f"{who} {verb} {what}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What else should be known, a sentence each."""
        if not self.cause:
            return ()
        notes = []
        whole, alone = (one and one.difference for one in (self.whole, self.alone))
        if whole and alone and whole.words != alone.words:
            notes.append(f"The whole upgrade changes {whole.words}.")
        if self.rest:
            notes.append(_rest(self.rest))
        if self.left_out:
            listed = changed(self.left_out)
            notes.append(f"Not tried without it, since they need it: {listed}.")
        if self.untold:
            sets = "1 smaller set" if self.untold == 1 else f"{self.untold} smaller sets"
            notes.append(
                f"{sets} could not be built or did not run as the whole does: a smaller cause is "
                "not ruled out."
            )
        return tuple(notes)

    @property
    def advice(self) -> tuple[str, ...]:
        """What can be done about it, a sentence each."""
        if not self.cause:
            return ()
        roots = [one for one in self.cause if one.name in self.roots]
        back = ", ".join(f"{one.name}=={one.old}" for one in roots if one.old and one.new)
        come = ", ".join(one.name for one in roots if not one.old)
        gone = ", ".join(f"{one.name}=={one.old}" for one in roots if not one.new)
        ways = [
            f"write {back} into requirements.in" if back else "",
            f"put {gone} back into requirements.in" if gone else "",
            f"see what asks for {come} and leave it out" if come else "",
        ]
        one = " (one of them is enough)" if len(roots) > 1 else ""
        keep = f"Keep it back{one}: {', or '.join(filter(None, ways))}, and compile the lock again."
        accept = (
            "Or change the model's code or build, so that it runs with the upgrade."
            if self.kind == "breaks"
            else "Or accept it: package the model under the new lock, let gates run judge the "
            "version, and say why in gates promote --why."
        )
        return keep, accept


def changed(changes: Sequence[LockChange]) -> str:
    """Changes in a row, such as `numpy 1.26.4 → 2.0.1 and scipy 1.11.4 → 1.14.0`."""
    words = [
        f"{one.moved} (other files)" if one.old == one.new else one.moved
        for one in changes[: _NAMED if len(changes) > _NAMED + 1 else None]
    ]
    if len(words) < len(changes):
        words.append(f"{len(changes) - len(words)} more")
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _who(found: Bisection) -> str:
    roots = [one for one in found.cause if one.name in found.roots]
    taken = [one for one in found.cause if one.name not in found.roots]
    if len(found.cause) == len(found.changes) > 2:
        return f"only all {len(found.changes)} changes together"
    along = f", which cannot be made without {changed(taken)}," if taken else ""
    if len(roots) == 1:
        return f"{changed(roots)}{along or ' alone'}"
    return f"{changed(roots)}{along} together"


def _rest(rest: Trial) -> str:
    many = len(rest.changes)
    who = f"The other {many} changes together" if many > 1 else "The other change"
    verb = ("change", "do") if many > 1 else ("changes", "does")
    if rest.failure:
        what = f"cannot be judged without it: {rest.failure.words}"
    elif rest.difference and rest.difference.any:
        what = (
            f"{verb[0]} {rest.difference.words}: there is another cause. Keep this one back in a "
            "new lock and bisect again"
        )
    else:
        what = f"{verb[0]} nothing"
    return f"{who} {what}."


def _nothing(found: Bisection) -> str:
    many = len(found.changes)
    if not many:
        return "both locks install the same distributions: there is nothing to search"
    rows = found.whole.difference.rows if found.whole and found.whole.difference else 0
    changes = "the 1 change" if many == 1 else f"the {many} changes"
    return f"the upgrade changes nothing: {rows:,} rows are answered alike with {changes}"
