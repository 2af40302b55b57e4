"""Who asked for each pin, as the compilers note it: `# via`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection

__all__ = ["read_vias"]

_VIA = re.compile(r"(?:^|\s)#\s*via(?:\s+(?P<names>\S.*))?$")
_MORE = re.compile(r"\s+#\s{2,}(?P<names>\S.*)$")


def read_vias(text: str, pins: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The entries of every pin's `# via` comment, as written.

    Reads the comments of uv and of pip-compile, in both of its annotation styles.

    Args:
        text: A lock's text.
        pins: The lines on which its pins start, 1-based.

    Returns:
        Line of the pin → entries: names of distributions, and for what a person asked
        `-r requirements.in` or `project (pyproject.toml)`. Pins without such a comment are left
        out.
    """
    found: defaultdict[int, list[str]] = defaultdict(list)
    pin, inside = 0, False
    for number, line in enumerate(text.splitlines(), start=1):
        if number in pins:
            pin = number
        elif not line.startswith((" ", "\t")):
            pin = 0  # a comment at the margin belongs to no pin
        started = _VIA.search(line)
        match = started or (_MORE.match(line) if inside else None)
        inside = match is not None
        if pin and match and match["names"]:
            found[pin] += [name.strip() for name in match["names"].split(", ")]
    return {line: tuple(entries) for line, entries in found.items()}
