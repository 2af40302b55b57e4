"""Docstrings as this project writes them, made into what Sphinx reads."""

from __future__ import annotations

import re

__all__ = ["as_restructured_text"]

_CODE = re.compile(r"(`[^`]+`)")
_BAR = re.compile(r"\|(?=\w)")
_BLOCK = re.compile(r"^(\S.*)\n\n(?= {4}\S)", re.MULTILINE)


def as_restructured_text(lines: list[str]) -> list[str]:
    """A bar is a bar, code is code, and an indented block after a paragraph is code.

    Args:
        lines: A docstring, without its indentation.

    Returns:
        The same in reStructuredText, line by line.
    """
    parts = _CODE.split("\n".join(lines))
    for at, part in enumerate(parts):
        if at % 2 == 0:
            parts[at] = _BAR.sub(r"\\|", part)
        else:
            # A letter right after code would keep it from ending there.
            parts[at] = f"`{part}`" + ("\\" if parts[at + 1][:1].isalnum() else "")
    return _BLOCK.sub(r"\1\n\n::\n\n", "".join(parts)).split("\n")
