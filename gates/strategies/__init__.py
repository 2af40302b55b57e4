"""Hypothesis strategies for own tests: golden queries, changed in named ways.

    @repeatable
    @given(data=st.data())
    def test_a_typo_keeps_the_category(candidate, golden, data):
        one = data.draw(typos(golden))
        ask = batched(candidate)
        assert ask.label(one)[0] == ask.label(one.before)[0]

Each strategy draws from a finite family: at most `most` variants, chosen by a seed, of the golden
queries that have any. Examples shrink towards the first query, and there towards the query as it
is, then the smallest change. `batched` answers a whole family in one call of the worker.

    variants.py    golden queries changed in named ways; _words.py, _typos.py, _units.py, _nulls.py
    batched.py     a whole family of them answered in one call
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from gates.domain.subject import GoldenSet
from gates.errors import UsageError
from gates.strategies._nulls import null_families
from gates.strategies._typos import typing_mistakes
from gates.strategies._units import other_units
from gates.strategies._words import invented, with_words
from gates.strategies.batched import Batched, batched
from gates.strategies.variants import Edit, Family, Row, Variant, bounded, of_texts

Queries = GoldenSet | Sequence[str]

__all__ = [
    "Batched",
    "Edit",
    "Family",
    "Row",
    "Variant",
    "batched",
    "feature_nulls",
    "repeatable",
    "typos",
    "units",
    "unseen_words",
]

repeatable = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],  # explaining names lines of the gate
    # Hypothesis sets these two otherwise where it finds itself in continuous integration.
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow],
)
"""Settings for a gate: the same examples and words in every run, no limit on the first's time."""


def typos(queries: Queries, *, most: int = 5_000, seed: int = 0) -> st.SearchStrategy[Variant[str]]:
    """Queries with one typing mistake: a letter left out, doubled, swapped or hit beside its key.

    The first letter of a word, words under four letters and words with digits keep their spelling.

    Args:
        queries: A golden set, or texts.
        most: How many variants there may be at most.
        seed: Which of them, where there are more.

    Raises:
        UsageError: No query has such a variant.
    """
    return _drawn(_of_texts(typing_mistakes, _texts(queries), most, seed, "a word to mistype"))


def units(queries: Queries, *, most: int = 5_000, seed: int = 0) -> st.SearchStrategy[Variant[str]]:
    """Queries whose quantity is written otherwise: `15cm`, `15 cm`, `15 centimetres`, `150 mm`.

    Args:
        queries: A golden set, or texts.
        most: How many variants there may be at most.
        seed: Which of them, where there are more.

    Raises:
        UsageError: No query holds a quantity.
    """
    return _drawn(_of_texts(other_units, _texts(queries), most, seed, "a quantity with its unit"))


def unseen_words(
    queries: Queries, *, words: Iterable[str] = (), most: int = 5_000, seed: int = 0
) -> st.SearchStrategy[Variant[str]]:
    """Queries with a word that stands in none of them, behind, before or between their own.

    Args:
        queries: A golden set, or texts.
        words: The words; by default eight are invented, by the seed.
        most: How many variants there may be at most.
        seed: Which words, and which variants, where there are more.

    Raises:
        UsageError: There is no query, or a word of `words` stands in one.
    """
    texts = _texts(queries)
    seen = {word for text in texts for word in text.lower().split()}
    chosen = tuple(words) or invented(seen, seed)
    known = [one for one in chosen if one.lower() in seen]
    if known:
        raise UsageError(
            f"'{known[0]}' is no unseen word: a query of the set holds it",
            advice="Leave it out of `words`.",
        )
    return _drawn(_of_texts(with_words(chosen), texts, most, seed, "text"))


def feature_nulls(
    golden: GoldenSet, *, features: Collection[str] = (), most: int = 5_000, seed: int = 0
) -> st.SearchStrategy[Variant[Row]]:
    """Candidate rows with a feature missing (NaN): each by itself, then all of them at once.

    Args:
        golden: A ranking golden set.
        features: Which features may be missing; all of them by default.
        most: How many variants there may be at most.
        seed: Which rows, where there are more.

    Raises:
        UsageError: The set has no such feature, or no row that has one.
    """
    unknown = [one for one in features if one not in golden.features]
    if unknown or not golden.features:
        raise UsageError(
            f"the golden set has no feature '{unknown[0]}'" if unknown else "it has no features",
            advice=f"Its features are: {', '.join(golden.features) or 'none, it is of texts'}.",
        )
    chosen = tuple(features) or tuple(golden.features)
    return _drawn(null_families(golden, chosen, most, seed))


def _texts(queries: Queries) -> tuple[str, ...]:
    texts = queries.query_text if isinstance(queries, GoldenSet) else queries
    return tuple(dict.fromkeys(texts))


@lru_cache(maxsize=32)
def _of_texts(
    edits: Callable[[str], Iterator[Edit[str]]],
    texts: tuple[str, ...],
    most: int,
    seed: int,
    needed: str,
) -> Family[str]:
    groups = [(text, tuple(edits(text))) for text in texts]
    usable = [(text, found) for text, found in groups if found]
    if not usable:
        raise UsageError(
            f"none of the {len(texts)} queries holds {needed}",
            advice="Give queries that do, or leave this strategy out.",
        )
    return of_texts(bounded(usable, most, seed))


def _drawn(family: Family[Any]) -> st.SearchStrategy[Variant[Any]]:
    # Two draws: an example shrinks to the first query, whatever is to be done to it.
    of_query = [st.sampled_from(variants) for variants in family.variants]
    return st.sampled_from(range(len(of_query))).flatmap(of_query.__getitem__)
