"""`gates pr`: a pull request, gated and commented on."""

from __future__ import annotations

import typer

from gates.cli.pr_comment import pr_comment
from gates.cli.pr_enforce import pr_enforce
from gates.cli.pr_gate import pr_gate

__all__ = ["pr"]

pr = typer.Typer(
    no_args_is_help=True,
    help="Gate the models of a pull request, and keep its comment.",
    rich_markup_mode=None,
)

pr.command("gate")(pr_gate)
pr.command("comment")(pr_comment)
pr.command("enforce")(pr_enforce)


@pr.callback()
def _group() -> None:
    """Gate the models of a pull request, and keep its comment."""
