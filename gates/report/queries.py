"""Old and new lists of single queries as HTML, each once, as many as a page has room for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gates.report.differences import ShownDifference, ShownQuery
from gates.report.templating import page

__all__ = ["BUDGET", "RenderedQueries", "fitted"]

# What a report may weigh, in bytes, before lists of single queries are left out. Mail programs
# and artifact viewers begin to refuse files of a few megabytes.
BUDGET = 1_900_000

# How many regressions and gains are named, and how many of them stand open without a script.
_WORST, _WORST_OPEN = 10, 3
_BEST, _BEST_OPEN = 5, 1


@dataclass(frozen=True, slots=True)
class RenderedQueries:
    """Rendered queries of one ranking difference, and how many had to be left out.

    Attributes:
        difference: What they were rendered from.
        worst: The greatest losses.
        best: The greatest gains.
        rest: All others, worst first.
        dropped: How many there was no room for.
    """

    difference: ShownDifference
    worst: tuple[Markup, ...]
    best: tuple[Markup, ...]
    rest: tuple[Markup, ...]
    dropped: int


def fitted(
    differences: Sequence[ShownDifference], rendered: Callable[[Sequence[RenderedQueries]], str]
) -> str:
    """A page with as many queries as it may hold, those that changed most before all others.

    Args:
        differences: The ranking differences of the page.
        rendered: Makes the page of their lists.
    """
    named = [_lists(one, number, 0) for number, one in enumerate(differences)]
    room = BUDGET - len(rendered(named).encode())
    lists = []
    for number, one in enumerate(differences):
        lists.append(_lists(one, number, room))
        room -= sum(len(block.encode()) for block in lists[-1].rest)
    return rendered(lists)


def _lists(difference: ShownDifference, number: int, room: int) -> RenderedQueries:
    worst, best = difference.worst(_WORST), difference.best(_BEST)
    named = {q.query.id for q in (*worst, *best)}
    others = [q for q in difference.queries if q.query.id not in named]
    rest = _within((_query(q, difference, number) for q in others), room)
    return RenderedQueries(
        difference,
        tuple(_query(q, difference, number, i < _WORST_OPEN) for i, q in enumerate(worst)),
        tuple(_query(q, difference, number, i < _BEST_OPEN) for i, q in enumerate(best)),
        rest,
        len(others) - len(rest),
    )


def _within(blocks: Iterable[Markup], room: int) -> tuple[Markup, ...]:
    kept = []
    for block in blocks:
        room -= len(block.encode())
        if room < 0:
            break
        kept.append(block)
    return tuple(kept)


def _query(
    query: ShownQuery, difference: ShownDifference, number: int, opened: bool = False
) -> Markup:
    # A second list of the same queries needs links of its own.
    prefix = f"q{number + 1 if number else ''}="
    rendered = page("query.html.j2", shown=query, d=difference, prefix=prefix, opened=opened)
    return Markup(rendered)  # noqa: S704 - the template escaped it
