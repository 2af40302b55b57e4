"""A part of a report that lists cases: one value, which each form draws in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Section", "SectionItem"]


@dataclass(frozen=True, slots=True)
class SectionItem:
    """One case of a section.

    Attributes:
        state: What it has come to, in a word or two.
        words: What it is.
        command: What to type for it; may be empty.
        check: The check beside which a page shows it; empty where it belongs to none.
        urgent: Whether it is shown where there is room for a few cases only.
        cautioned: Whether its command is not to be used without the section's caution.
    """

    state: str
    words: str
    command: str = ""
    check: str = ""
    urgent: bool = True
    cautioned: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, what there is in all, and the cases, in the order of reading.

    Attributes:
        title: The heading, which names the cases in the plural.
        lead: How many there are and how they came out, as a phrase.
        items: The cases.
        with_commands: What the commands do, as it follows the title; may be empty.
        caution: What is to be known before some of the commands are used; may be empty.
    """

    title: str
    lead: str
    items: tuple[SectionItem, ...] = ()
    with_commands: str = ""
    caution: str = ""

    def of(self, check: str) -> tuple[SectionItem, ...]:
        """The cases of a check; with an empty name, those that belong to none."""
        return tuple(one for one in self.items if one.check == check)

    def few(self, most: int) -> tuple[tuple[SectionItem, ...], int]:
        """The first urgent cases, and how many more of these there are."""
        urgent = tuple(one for one in self.items if one.urgent)
        return urgent[:most], max(len(urgent) - most, 0)

    def heading(self, shown: Sequence[SectionItem]) -> str:
        """The title over some of the cases."""
        return self.title + (self.with_commands if any(one.command for one in shown) else "")

    def caution_for(self, shown: Sequence[SectionItem]) -> str:
        """The caution, where some of the cases call for it; else empty."""
        return self.caution if any(one.cautioned for one in shown) else ""
