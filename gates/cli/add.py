"""`gates golden add`: a query that went wrong, kept so that no later version gets it wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from gates.cli.common import (
    DryRunOption,
    JsonOption,
    ProjectOption,
    Speech,
    golden_folder,
    project_from,
)
from gates.errors import UsageError

if TYPE_CHECKING:
    from gates.golden.adding import Addition

__all__ = ["add"]


def add(
    what: Annotated[
        str, typer.Argument(metavar="MODEL|DIR", help="A model's name, or a golden set's folder.")
    ],
    query: Annotated[str, typer.Option(metavar="TEXT", help="What a shopper types.")],
    label: Annotated[str, typer.Option(metavar="LABEL", help="The label it must get.")],
    low: Annotated[
        float | None, typer.Option(metavar="NUMBER", help="Least score (default: 0).")
    ] = None,
    high: Annotated[
        float | None, typer.Option(metavar="NUMBER", help="Greatest score (default: 1).")
    ] = None,
    weight: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", help="Its traffic (default: the least of the set)."),
    ] = None,
    slices: Annotated[
        list[str] | None,
        typer.Option("--slice", metavar="COLUMN=VALUE", help="Its slice; may be given repeatedly."),
    ] = None,
    dry_run: DryRunOption = False,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a query and the label it must get into a golden set, such as one that a report shows.

    Example: gates golden add query-category --query "tent pegs 30cm" --label camping
    """
    from gates.golden import read_golden
    from gates.golden.adding import PersonsAnswer
    from gates.golden.adding import add as added

    folder = golden_folder(project_from(project, None, None), what)
    golden = read_golden(folder, expects=False)
    found = added(golden, PersonsAnswer(query, label, low, high, weight, _pairs(slices or ())))
    if not dry_run:
        _write(found)
    speech = Speech(as_json)
    diff = "".join(change.diff for change in found.changes)
    if dry_run:
        speech.say(diff.rstrip("\n"))
    else:
        new = "added" if found.is_new else "was in the set already"
        speech.say(f"'{query}' must be {label}", "bold green")
        speech.say(f"  {found.query_id}: the query {new}, its expectation was added, as judged")
        for change in found.changes:
            speech.say(f"  {change.path}")
    for warning in found.warnings:
        speech.say(f"warning: {warning}", "yellow")
    speech.result(
        {
            "query_id": found.query_id,
            "new_query": found.is_new,
            "written": not dry_run,
            "paths": [str(change.path) for change in found.changes],
            "warnings": list(found.warnings),
            "diff": diff,
        }
    )


def _write(found: Addition) -> None:
    from gates.system.files import write_atomically

    written: list[str] = []
    for change in found.changes:
        try:
            write_atomically(change.path, change.after.encode())
        except UsageError as problem:
            if not written:
                raise
            raise UsageError(
                f"{problem.what}; the query is in {written[0]} already, without its expectation",
                advice="make it writable and give the same command again: it adds what is missing",
            ) from None
        written.append(change.path.name)


def _pairs(given: Sequence[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    for column, sign, value in pairs:
        if not (column and sign and value):
            raise UsageError(
                f"--slice {column}{sign}{value} is no slice", advice="write it as COLUMN=VALUE"
            )
    return {column: value for column, _, value in pairs}
