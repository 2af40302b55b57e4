"""The reference tables of checks and of metrics in docs, made from these themselves.

python -m tests.docs.reference     writes it anew
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from gates.checks import catalogue
from gates.comparison.metrics import judging_metrics
from gates.domain.tasks import TASKS

_DOCS = Path(__file__).parents[2] / "docs"
_MARKS = re.compile(r"(<!-- (\w+): begin -->\n).*?(<!-- \w+: end -->)", re.DOTALL)
_READS = {"grades": "grades", "relevant": "relevant documents", "judged": "which are judged"}


def checks() -> str:
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


def metrics() -> str:
    """Every metric that two rankings can be judged by, as Markdown."""
    lines = ["| metric | what it is | reads | better |", "| --- | --- | --- | --- |"]
    for one in judging_metrics():
        better = "higher" if one.higher_is_better else "lower"
        name = one.name.replace("{k}", "K")
        lines.append(f"| `{name}` | {one.words} | {_READS[one.reads]} | {better} |")
    return "\n".join(lines) + "\n"


TABLES = {"catalogue": checks, "metrics": metrics}
PAGES = [_DOCS / "model-cards.md", _DOCS / "diff.md"]


def renewed(page: str) -> str:
    """The page with its tables made anew."""
    return _MARKS.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[3]}", page)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
