"""What a service is told: by a flag, else by a variable; what is wrong names the one it came by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from gates.errors import UsageError
from gates.system.sizes import as_span

__all__ = ["Said", "Sources"]

_PREFIX = "GATES_SERVE_"


@dataclass(frozen=True, slots=True)
class Said:
    """One value, as it was given.

    Attributes:
        value: The text.
        by: The flag or the variable it came by.
    """

    value: str
    by: str


class Sources:
    """Flags and variables."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, flag: object, variable: str, default: str = "") -> Said:
        """A text: that of the flag, else of the variable, else the default.

        Args:
            flag: None where it was not given.
            variable: `GATES_SERVE_…`; the flag is named after it.
            default: What holds when neither says anything.
        """
        if flag is not None:
            name = variable.removeprefix(_PREFIX).lower().replace("_", "-")
            return Said(str(flag) or default, f"--{name}")
        return Said(self._environ.get(variable) or default, variable)

    def number(self, flag: int | None, variable: str, default: int, least: int, most: int) -> int:
        """A whole number within limits, both included.

        Raises:
            UsageError: It is none.
        """
        said = self.text(flag, variable, str(default))
        if not re.fullmatch(r"\d{1,9}", said.value) or not least <= int(said.value) <= most:
            raise UsageError(
                f"{said.by}: '{said.value}' is not a whole number from {least} to {most}",
                advice="leave it out for the default",
            )
        return int(said.value)

    def switch(self, variable: str) -> bool:
        """Yes or no; no when nothing is said.

        Raises:
            UsageError: It is neither.
        """
        said = self.text(None, variable, "no")
        if said.value not in {"yes", "no"}:
            raise UsageError(f"{said.by}: '{said.value}' is neither yes nor no")
        return said.value == "yes"

    def span(
        self, flag: str | None, variable: str, default: timedelta, least: timedelta
    ) -> timedelta:
        """A span of time that is long enough.

        Raises:
            UsageError: It is none.
        """
        said = self.text(flag, variable)
        found = as_span(said.value) if said.value else default
        if found is None or found < least:
            raise UsageError(
                f"{said.by}: '{said.value}' is not a length of time of at least {least.seconds} s",
                advice="write it as 90s, 5m or 2h",
            )
        return found
