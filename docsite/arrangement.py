"""Which page stands where: tutorial, how-to, reference, explanation (https://diataxis.fr)."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["front_page"]

_INTRODUCTION = """\
# mlgates

A release gate for search models. It runs the version in production and the one that would replace
it side by side, each in its own hash-locked environment, compares what they answer on your golden
queries, and says PASS, FAIL or UNDECIDED with reasons. The MLflow alias moves only on that
evidence.

```{image} images/report.png
:alt: The report of a candidate whose mean looks fine and whose lighting category does not
```
"""
_PARTS = {
    "Tutorial": ("tutorial",),
    "How to": (
        "packaging",
        "golden-sets",
        "own-tests",
        "diff",
        "locks",
        "upgrades",
        "environments",
        "containers",
    ),
    "Reference": (
        "model-cards",
        "card-keys",
        "commands",
        "settings",
        "behaviour",
        "robustness",
        "features",
        "embeddings",
        "latency",
        "interface",
        "changelog",
    ),
    "Explanation": (
        "statistics",
        "verdicts",
        "why",
        "evidence",
        "promotion",
        "isolation",
        "security",
        "performance",
        "architecture",
    ),
}
_OTHERWISE = "How to"


def front_page(pages: Collection[str]) -> str:
    """The front page, with every page under its part; a page nobody arranged is a how-to.

    Args:
        pages: The names of the pages there are, without `.md`.
    """
    arranged = {name for names in _PARTS.values() for name in names}
    text = [_INTRODUCTION]
    for part, names in _PARTS.items():
        here = [name for name in names if name in pages]
        if part == _OTHERWISE:
            here += sorted(set(pages) - arranged)
        if here:
            tree = [f":caption: {part}", ":maxdepth: 1", "", *here]
            text += [f"## {part}\n", "```{toctree}", *tree, "```\n"]
    return "\n".join(text)
