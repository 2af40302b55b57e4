"""What can be seen of a query without knowing its shop: columns to look for bad slices in."""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from gates.kernels.packed import Floats

_HEAD = 1 / 3  # of all traffic
_DIGIT = re.compile(r"\d")


def traits(
    texts: Sequence[str], weights: Floats, brands: Iterable[str] = ()
) -> dict[str, tuple[str, ...]]:
    """Column → a value for each query: words, characters, digits, head or tail, brand.

    `traffic` splits the queries that make a third of all traffic from the rest; it is left out
    where all weigh alike. `mentions brand` needs the shop's brands.

    Args:
        texts: Q queries as typed.
        weights: float64[Q], their traffic.
        brands: Names of brands, of one word or more.
    """
    plain = [_plain(text) for text in texts]
    found = {
        "words": tuple(_words(text.count(" ") + 1) for text in plain),
        "characters": tuple(_characters(len(text)) for text in plain),
        "digits": tuple("yes" if _DIGIT.search(text) else "no" for text in plain),
    }
    if weights.size and np.ptp(weights) > 0:
        heaviest = np.argsort(-weights, kind="stable")
        before = np.cumsum(weights[heaviest]) - weights[heaviest]
        head = np.zeros(weights.size, np.bool_)
        head[heaviest] = before < _HEAD * weights.sum()
        found["traffic"] = tuple(np.where(head, "head", "tail").tolist())
    names = {_plain(brand) for brand in brands if brand.strip()}
    if names:
        single = {name for name in names if " " not in name}
        several = tuple(f" {name} " for name in names - single)
        found["mentions brand"] = tuple(
            "no"
            if single.isdisjoint(text.split(" ")) and not any(n in f" {text} " for n in several)
            else "yes"
            for text in plain
        )
    return found


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _words(count: int) -> str:
    return str(count) if count < 4 else "4 or more"


def _characters(count: int) -> str:
    for end, name in ((8, "up to 8"), (16, "9 to 16"), (32, "17 to 32")):
        if count <= end:
            return name
    return "33 or more"
