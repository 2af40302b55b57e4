"""Counterexamples made small: the fewest words and edits that still give another label.

Hypothesis shrinks, and asks for one candidate at a time. A model is asked in batches. So its
shrinker reads from what is known; a candidate that is not known counts as no counterexample and is
noted, all that were noted for all counterexamples are asked in one call, and it shrinks once more,
until it asks for nothing new.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from gates.checks._answers_by_text import TextAnswers
from gates.checks.behaviour.edits import EditedQuery

__all__ = ["ROUNDS", "is_flip", "shrink"]

ROUNDS = 8
"""`shrink` asks a model at most this often, whatever the number of counterexamples."""

_FIRST = 64  # the simplest candidates, which are asked before any shrinking
_LOOKED_AT = 2_048
_LONG = 12  # words and edits; beyond, what a shrinker tries one by one is left out in runs
_SETTINGS = settings(
    max_examples=200,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def is_flip(one: EditedQuery, label: str, asked: TextAnswers) -> bool:
    """Whether a query gets a label, and another one as it is typed.

    Args:
        one: The query and how it is typed, both asked.
        asked: What was answered.
    """
    return asked[one.query][0] == label and asked[one.typed][0] != label


def shrink(flips: Sequence[EditedQuery], asked: TextAnswers) -> list[EditedQuery]:
    """The smallest counterexamples within given ones: fewer words of the query, and fewer edits.

    What is left of the query keeps the label that the whole query had. A counterexample with more
    parts than `ROUNDS` calls can look at may come out larger than it need be; it still is one.

    Args:
        flips: Queries, as typed, whose label is another.
        asked: What was answered, their own texts included; more is asked through it.

    Returns:
        One for each, in the same order.

    Raises:
        ModelFault: The version could not answer, by name.
    """
    labels = [asked[one.query][0] for one in flips]
    best = _smallest(flips, labels, [list(_simplest(one)) for one in flips], asked)
    # Few parts: everything there is was among the simplest.
    unfinished = [at for at, one in enumerate(flips) if 2 ** _parts(one) > _FIRST]
    for _ in range(ROUNDS - 1):
        wanted: dict[int, list[EditedQuery]] = {}
        for at in unfinished:
            if _parts(best[at]) > _LONG:
                wanted[at] = list(_without_runs(best[at]))
            else:
                best[at], wanted[at] = _search(best[at], labels[at], asked)
        unfinished = [at for at in unfinished if wanted[at]]
        if not unfinished:
            break
        for_all = [wanted.get(at, []) for at in range(len(best))]
        smaller = _smallest(best, labels, for_all, asked)
        stuck = {at for at in unfinished if _parts(best[at]) > _LONG and smaller[at] == best[at]}
        unfinished = [at for at in unfinished if at not in stuck]
        best = smaller
    return best


def _parts(one: EditedQuery) -> int:
    return one.words + len(one.edits)


def _smallest(
    flips: Sequence[EditedQuery],
    labels: Sequence[str],
    candidates: Sequence[Sequence[EditedQuery]],
    asked: TextAnswers,
) -> list[EditedQuery]:
    """The simplest counterexample among candidates for each, all asked at once, or what it was."""
    asked.ask(text for some in candidates for one in some for text in (one.query, one.typed))
    return [
        min(
            (flip, *(one for one in some if is_flip(one, label, asked))),
            key=lambda one: (one.words, len(one.edits)),
        )
        for flip, label, some in zip(flips, labels, candidates, strict=True)
    ]


def _without_runs(one: EditedQuery) -> Iterator[EditedQuery]:
    """A variant less each half of its words, quarter, and so on, and likewise of its edits."""
    words, edits = one.words, len(one.edits)
    for count, of_words in ((words, True), (edits, False)):
        length = count // 2
        while length:
            for first in range(0, count, length):
                kept = [not first <= at < first + length for at in range(count)]
                shorter = (
                    one.reduced(kept, [True] * edits)
                    if of_words
                    else one.reduced([True] * words, kept)
                )
                if shorter is not None:
                    yield shorter
            length //= 2


def _simplest(flip: EditedQuery) -> Iterator[EditedQuery]:
    """The first reductions by number of words, and then of edits."""
    words, edits = range(flip.words), range(len(flip.edits))
    kept = (
        (some, few)
        for n in range(1, len(words) + 1)
        for m in range(1, len(edits) + 1)
        for some in combinations(words, n)
        for few in combinations(edits, m)
    )
    reduced = (
        flip.reduced([at in some for at in words], [at in few for at in edits])
        for some, few in islice(kept, _LOOKED_AT)
    )
    return islice((one for one in reduced if one is not None), _FIRST)


def _search(
    best: EditedQuery, label: str, asked: TextAnswers
) -> tuple[EditedQuery, list[EditedQuery]]:
    """The smallest known counterexample within one, and what would have to be asked to go on."""
    unknown: dict[EditedQuery, None] = {}

    def is_smaller(one: EditedQuery | None) -> bool:
        if one is None:
            return False
        if one.query in asked and one.typed in asked:
            return is_flip(one, label, asked)
        unknown[one] = None
        return False

    kept = st.tuples(_flags(best.words), _flags(len(best.edits)))
    try:
        found = find(kept.map(lambda flags: best.reduced(*flags)), is_smaller, settings=_SETTINGS)
    except NoSuchExample:
        found = None
    return found or best, list(unknown)


def _flags(count: int) -> st.SearchStrategy[list[bool]]:
    # Mostly true, so that what is drawn first is the counterexample itself or close to it; the
    # simplest value is false, so that shrinking leaves things out.
    return st.lists(st.integers(0, 31).map(bool), min_size=count, max_size=count)
