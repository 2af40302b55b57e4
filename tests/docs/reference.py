"""The reference table of docs/model-cards.md, made from the checks themselves.

python -m tests.docs.reference     writes it anew
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from gates.checks import catalogue
from gates.domain.tasks import TASKS

PAGE = Path(__file__).parents[2] / "docs" / "model-cards.md"
_MARKS = re.compile(r"(<!-- catalogue: begin -->\n).*?(<!-- catalogue: end -->)", re.DOTALL)


def table() -> str:
    """Every check with its metrics and options, as Markdown."""
    lines: list[str] = []
    for spec in catalogue().values():
        lines += [f"### `{spec.name}`", "", f"{spec.summary[0].upper()}{spec.summary[1:]}."]
        lines += [
            f"For {_listed(one.name for one in TASKS.values() if spec.serves(one))} models.",
            "",
        ]
        lines += ["| metric | what it says | sliceable | default |", "| --- | --- | --- | --- |"]
        for metric in spec.metrics:
            limit = metric.default
            default = ""
            if limit and limit.min is not None:
                default = f"≥ {limit.min:g}"
            if limit and limit.max is not None:
                default = f"≤ {limit.max:g}"
            sliceable = "yes" if metric.sliceable else ""
            served = [one.name for one in TASKS.values() if metric.serves(one)]
            only = f" ({_listed(served)} only)" if metric.answers else ""
            lines.append(f"| `{metric.name}` | {metric.summary}{only} | {sliceable} | {default} |")
        if spec.options.model_fields:
            options = [
                f"`{name}` (default {field.default})"
                for name, field in spec.options.model_fields.items()
            ]
            lines += ["", f"Options: {', '.join(options)}."]
        lines.append("")
    return "\n".join(lines)


def _listed(names: Iterable[str]) -> str:
    *most, last = sorted(names)
    return f"{', '.join(most)} and {last}" if most else last


def renewed(page: str) -> str:
    """The page with its table made anew."""
    return _MARKS.sub(lambda found: f"{found[1]}{table()}{found[2]}", page)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
