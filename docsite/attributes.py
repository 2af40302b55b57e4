"""What a class's docstring says of its attributes."""

from __future__ import annotations

import inspect
import re

__all__ = ["described", "in_one_line"]


def described(kind: type) -> dict[str, str]:
    """Each name under `Attributes:` with its description on one line."""
    text = inspect.getdoc(kind) or ""
    _, _, section = text.partition("Attributes:\n")
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return {name: in_one_line(words) for name, words in found}


def in_one_line(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")
