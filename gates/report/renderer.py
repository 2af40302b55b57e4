"""The forms of a run's report: one module each, found by name.

To add a form, write `gates/report/NAME.py` with a `FILE` and a `render`, as `Renderer` says, and
name it in `Form`. It is then written beside the evidence, kept with a pull request's reviews,
logged to MLflow and offered by `gates show --as`.
"""

from __future__ import annotations

import importlib
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gates.evidence.evidence import Evidence

__all__ = ["Form", "Renderer", "find_renderer", "report_files"]


class Form(StrEnum):
    """How a run can be shown: each is a module of this package."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    HTML = "html"
    JUNIT = "junit"


class Renderer(Protocol):
    """One form of a run's report; a module is one, or anything else that has these."""

    @property
    def FILE(self) -> str:  # noqa: N802 - a constant of a module
        """The file that it is kept in beside the evidence; empty where it is not kept."""

    def render(self, evidence: Evidence, /) -> str:
        """The whole report, from the evidence alone, all of which is untrusted text."""


def find_renderer(form: str) -> Renderer:
    """The renderer of a form."""
    # Jinja is slow to import, for who reads a form without it.
    found: Renderer = importlib.import_module(f"{__package__}.{form}")
    return found


def report_files() -> dict[str, str]:
    """Form → the file in a run's folder, of the forms that are kept there."""
    files = {str(form): find_renderer(form).FILE for form in Form}
    return {form: file for form, file in files.items() if file}
