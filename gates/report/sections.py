"""The sections of a run's report that list cases, in their order.

To add one, write a module here with a function from evidence to a `Section`, and name it below:
HTML, Markdown and the terminal then show it. Other parts of a report differ from form to form.
"""

from __future__ import annotations

from collections.abc import Callable

from gates.evidence.evidence import Evidence
from gates.report import counterexamples, moved_bar, waivers
from gates.report.section import Section

__all__ = ["SECTIONS", "sections"]

SECTIONS: tuple[Callable[[Evidence], Section], ...] = (
    moved_bar.section,
    waivers.section,
    counterexamples.section,
)


def sections(evidence: Evidence) -> tuple[Section, ...]:
    """The sections of a run that have something to say."""
    every = (section_of(evidence) for section_of in SECTIONS)
    return tuple(one for one in every if one.lead)
