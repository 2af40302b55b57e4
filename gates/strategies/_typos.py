"""Every typing mistake of one letter that a query can have, in words."""

from __future__ import annotations

from collections.abc import Iterator

from gates.domain.typos import Slip, slips
from gates.strategies.variants import Edit

__all__ = ["typing_mistakes"]

_ORDER = ("left out", "swapped", "doubled", "beside")


def typing_mistakes(text: str) -> Iterator[Edit[str]]:
    """Mistakes, each once: letters left out, then swapped, doubled, and hit beside their key."""
    seen = {text}
    for slip in sorted(slips(text), key=lambda one: (_ORDER.index(one.kind), one.start)):
        after = text[: slip.start] + slip.new + text[slip.end :]
        if after not in seen:
            seen.add(after)
            yield Edit(after, _words(text[slip.start : slip.end], slip))


def _words(before: str, slip: Slip) -> str:
    if slip.kind == "beside":
        return f"'{slip.new}' typed for '{before}'"
    return f"'{before}' {slip.kind}"
