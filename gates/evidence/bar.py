"""What a run was judged by, in time: who fixed the bar, when, and whether results were known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gates.domain.bar import MovedBound

__all__ = ["BarFacts", "CardCommit", "MovedBar"]


@dataclass(frozen=True, slots=True)
class CardCommit:
    """The last commit that changed a card.

    Attributes:
        id: Its id.
        author: Who made it, as git says.
        when: When it was committed, ISO 8601, with a zone, as git says.
    """

    id: str
    author: str
    when: str


@dataclass(frozen=True, slots=True)
class MovedBar:
    """The bar is another than when the same bytes were gated before, and their results were seen.

    Attributes:
        seen: When the gate before ended, ISO 8601.
        evidence: The digest of its evidence.
        verdict: What it came to.
        by: Who changed the card, as its last commit says; else who ran the gate.
        when: When that was, likewise.
        bounds: The bounds that demand something else.
        golden: Whether the golden set is another.
    """

    seen: str
    evidence: str
    verdict: str
    by: str
    when: str
    bounds: tuple[MovedBound, ...]
    golden: bool = False


@dataclass(frozen=True, slots=True)
class BarFacts:
    """When the bar was fixed, and how it moved since results of the same bytes were seen.

    Attributes:
        commit: The card's last commit; None where the card stands under no git, or was never
            committed.
        uncommitted: Whether the card has changes that are in no commit.
        packaged: When the candidate was registered, ISO 8601; empty when that is not known.
        moved: Each time that the bar moved, the last one first.
        unknown: Why gates of before could not be looked up; empty when they were.
    """

    commit: CardCommit | None = None
    uncommitted: bool = False
    packaged: str = ""
    moved: tuple[MovedBar, ...] = ()
    unknown: str = ""

    @property
    def committed_before(self) -> bool | None:
        """Whether the card was committed, as it is, before the candidate was packaged.

        None when git or the registry does not tell.
        """
        if self.uncommitted:
            return False
        committed = _moment(self.commit.when) if self.commit else None
        packaged = _moment(self.packaged)
        return None if committed is None or packaged is None else committed <= packaged


def _moment(written: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo else None
