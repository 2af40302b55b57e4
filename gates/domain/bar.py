"""How the demands of two cards differ, bound by bound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gates.domain.judging import Bound

__all__ = ["MovedBound", "moved_bounds"]


@dataclass(frozen=True, slots=True)
class MovedBound:
    """A bound that is another now.

    Attributes:
        before: What was demanded; None where nothing was.
        after: What is demanded; None where nothing is any more.
    """

    before: Bound | None
    after: Bound | None

    @property
    def id(self) -> str:
        """The bound's name."""
        one = self.after or self.before
        return one.id if one else ""

    @property
    def is_looser(self) -> bool:
        """Whether anything is let through now that was not before."""
        if self.before is None or self.before.advisory:
            return False
        if self.after is None or self.after.advisory or self._is_waived_more:
            return True
        return _below(self.after.minimum, self.before.minimum) or _below(
            _negative(self.after.maximum), _negative(self.before.maximum)
        )

    @property
    def _is_waived_more(self) -> bool:
        before = self.before.waivers if self.before else ()
        return any(one not in before for one in (self.after.waivers if self.after else ()))

    @property
    def words(self) -> str:
        """How it moved, such as `from ≥ -0.05 to ≥ -0.08`."""
        return f"from {_demand(self.before)} to {_demand(self.after)}"


def moved_bounds(before: Iterable[Bound], after: Iterable[Bound]) -> tuple[MovedBound, ...]:
    """The bounds that differ, in the order of what is demanded now, and then what no longer is.

    Args:
        before: All bounds of one card.
        after: All bounds of the other.
    """
    was = {one.id: one for one in before}
    now = {one.id: one for one in after}
    names = dict.fromkeys((*now, *was))
    return tuple(
        MovedBound(was.get(name), now.get(name)) for name in names if was.get(name) != now.get(name)
    )


def _below(now: float | None, before: float | None) -> bool:
    """Whether one least value lets more through than another; None lets everything through."""
    if before is None:
        return False
    return now is None or now < before


def _negative(value: float | None) -> float | None:
    return None if value is None else -value


def _demand(bound: Bound | None) -> str:
    if bound is None:
        return "nothing"
    waived = "".join(f", waived until {one.expires} by {one.who}" for one in bound.waivers)
    return bound.demand + (", advisory" if bound.advisory else "") + waived
