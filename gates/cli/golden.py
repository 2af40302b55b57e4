"""`gates golden`: golden sets, checked before they are relied on."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from gates.cli.add import add
from gates.cli.common import JsonOption, ProjectOption, Speech, golden_folder, project_from
from gates.cli.plan import plan
from gates.cli.record import record

__all__ = ["golden"]

# What a set may have, and the words for it; none of it is a line only where there is some.
_FILES = {
    "templates": "templates",
    "template queries": "queries of the templates",
    "never shown": "documents never to show",
    "synonyms": "synonyms",
}

golden = typer.Typer(
    no_args_is_help=True, help="Check golden sets, and add to them.", rich_markup_mode=None
)
golden.command("record")(record)
golden.command("add")(add)
golden.command("plan", help=(plan.__doc__ or "").replace("gates plan", "gates golden plan"))(plan)


@golden.callback()
def _group() -> None:
    """Check golden sets, and add to them."""


@golden.command("check")
def check(
    what: Annotated[
        str, typer.Argument(metavar="MODEL|DIR", help="A model's name, or a golden set's folder.")
    ],
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a golden set from end to end and say what it holds.

    Example: gates golden check product-ranker
    """
    from gates.golden import read_golden
    from gates.kernels.design import effective_n

    home = project_from(project, None, None)
    found = read_golden(golden_folder(home, what))
    speech = Speech(as_json)
    n_eff = effective_n(found.design_weight, found.cluster)
    templates = found.templates
    facts = {
        "queries": len(found.query_id),
        "effective n": round(n_eff, 1),
        "candidate documents": len(found.row_doc),
        "judgments": len(found.judged_doc),
        "annotators": len(found.annotators),
        "expectations": len(found.expectations),
        "templates": len(templates.expect) if templates else 0,
        "template queries": templates.total if templates else 0,
        "never shown": len(found.never_shown),
        "synonyms": len(found.synonyms),
    }
    words = {**_FILES, "queries": found.manifest.task.items}
    synthetic = " (synthetic)" if found.manifest.synthetic else ""
    speech.say(f"{found.manifest.name}{synthetic}, {found.manifest.task}", "bold")
    speech.say(found.digest)
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in facts.items():
        if value or name not in _FILES:
            table.add_row(words.get(name, name), f"{value:g}")
    for column in found.slices:
        values = found.slice_values(column)
        counts = [f"{one} {found.slices[column].count(one)}" for one in values]
        table.add_row(f"slice {column}", ", ".join(counts))
    speech.out.print(table)
    for warning in found.warnings:
        speech.say(f"warning: {warning}", "yellow")
    speech.result(
        {
            "name": found.manifest.name,
            "task": found.manifest.task.name,
            "synthetic": found.manifest.synthetic,
            "digest": found.digest,
            "warnings": list(found.warnings),
            "slices": {
                column: {one: found.slices[column].count(one) for one in found.slice_values(column)}
                for column in found.slices
            },
            **{name.replace(" ", "_"): value for name, value in facts.items()},
        }
    )
