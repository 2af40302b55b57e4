"""Why ids of two files do not meet: the usual ways in which ids are damaged, tried one by one.

A spreadsheet takes `00017` for the number 17 and writes 12 as `12.0`; one tool writes ids in lower
case, another keeps blanks around them. Each repair takes ids of both files to one form. That which
lets most ids meet is the likely cause; nothing is ever compared by repaired ids.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

__all__ = ["MeetingIds", "meeting"]

Id = tuple[str, str]
"""Within what an id stands, such as its query (empty where it stands by itself), and the id."""


def _canonical(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _bare(text: str) -> str:
    return text.strip(" \t\r\n\u00a0\u200b\ufeff\"'")


def _whole(text: str) -> str:
    return re.sub(r"\.0+$", "", text)


def _number(text: str) -> str:
    return re.sub(r"^0+(?=\d+$)", "", text)


def _without_prefix(text: str) -> str:
    return re.sub(r"^[^\W\d]+[-_:/#]?(?=\d+$)", "", text)


_REPAIRS: Mapping[str, Callable[[str], str]] = {
    "if leading zeros were kept": _number,
    "if upper and lower case were written alike": str.casefold,
    "without blanks and quotes around them": _bare,
    "without `.0` at their end": _whole,
    "if accents were encoded alike (Unicode NFC)": _canonical,
    "without the letters before their number": _without_prefix,
}
_AT_ONCE = "if leading zeros, case, blanks and `.0` were written alike"


def _all_at_once(text: str) -> str:
    return _number(_whole(_bare(_canonical(text)).casefold()))


@dataclass(frozen=True, slots=True)
class MeetingIds:
    """How many of some ids are among others, and how many more would be.

    Attributes:
        ids: How many there are.
        met: How many are among the others as they are written.
        would: How many would be after the best repair; `met` where none lets more meet.
        repair: That repair in words; empty where there is none.
        example: An id and what it would meet.
    """

    ids: int
    met: int
    would: int = 0
    repair: str = ""
    example: tuple[str, str] = ("", "")

    @property
    def damaged(self) -> bool:
        """Whether more ids would meet only by a repair than meet as they are."""
        return self.would - self.met > self.met

    @property
    def words(self) -> str:
        """The likely cause, such as `40 of 80 ids would meet if leading zeros were kept`."""
        if not self.repair:
            return ""
        mine, theirs = self.example
        return (
            f"{self.would:,} of {self.ids:,} ids would meet {self.repair}: {mine!r} is {theirs!r}"
        )


def meeting(ids: Iterable[Id], others: Iterable[Id]) -> MeetingIds:
    """How many ids are among others, and the repair that would let most of the rest meet.

    Args:
        ids: Those that should be among the others.
        others: The others.
    """
    mine, theirs = dict.fromkeys(ids), dict.fromkeys(others)
    apart = [one for one in mine if one not in theirs]
    met = len(mine) - len(apart)
    best = MeetingIds(len(mine), met, met)
    # What meets already is no target: two ids of a file that are one after a repair are not damage.
    free = [one for one in theirs if one not in mine]
    for words, repair in {**_REPAIRS, _AT_ONCE: _all_at_once}.items() if free else ():
        known = {(within, repair(one)): one for within, one in free}
        found = [
            (one, known[within, repair(one)])
            for within, one in apart
            if (within, repair(one)) in known
        ]
        if met + len(found) > best.would:
            best = MeetingIds(len(mine), met, met + len(found), words, found[0])
    return best
