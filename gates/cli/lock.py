"""`gates lock`: locks compiled, compared, verified, and the change found that did it."""

from __future__ import annotations

import typer

from gates.cli.lock_bisect import bisect_locks
from gates.cli.lock_check import lock_check
from gates.cli.lock_compile import lock_compile
from gates.cli.lock_diff import lock_diff

__all__ = ["lock"]

lock = typer.Typer(
    no_args_is_help=True,
    help="Compile, compare, verify and bisect locks.",
    rich_markup_mode=None,
)

lock.command("compile")(lock_compile)
lock.command("check")(lock_check)
lock.command("diff")(lock_diff)
lock.command("bisect")(bisect_locks)


@lock.callback()
def _group() -> None:
    """Compile, compare, verify and bisect locks."""
