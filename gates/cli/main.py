"""`gates`: the command line as a whole."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Annotated

import typer
from rich.console import Console

from gates import __version__
from gates.cli.demo import demo
from gates.cli.golden import golden
from gates.cli.history import history
from gates.cli.lock import lock
from gates.cli.package import package
from gates.cli.promote import promote
from gates.cli.rollback import rollback
from gates.cli.run import run_gate
from gates.cli.show import show
from gates.errors import GatesError

__all__ = ["app", "run"]

app = typer.Typer(
    name="gates",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo)
app.command("package")(package)
app.command("run", context_settings={"allow_extra_args": True, "ignore_unknown_options": False})(
    run_gate
)
app.command("show")(show)
app.command("promote")(promote)
app.command("rollback")(rollback)
app.command("history")(history)
app.add_typer(lock, name="lock")
app.add_typer(golden, name="golden")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mlgates {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where an error came from.")
    ] = False,
) -> None:
    """A release gate for search models: may this version replace the one in production?

    Exit codes: 0 PASS, 1 FAIL or refused, 2 usage or input error, 3 UNDECIDED.
    """
    del version
    if traceback:
        os.environ["GATES_TRACEBACK"] = "1"


def run() -> None:
    """Run the command line: the one place where an error becomes words and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that only knows ASCII shows '?' for '≥' instead of a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except GatesError as problem:
        if os.environ.get("GATES_TRACEBACK"):
            raise
        report_error(problem, as_json="--json" in sys.argv)
        sys.exit(problem.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader (head, less) has seen enough; say nothing more into its closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def report_error(problem: GatesError, *, as_json: bool) -> None:
    """Say what was wrong and what to do: words on stderr, and JSON on stdout where it is wanted.

    Args:
        problem: The error.
        as_json: Whether the caller wants JSON.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("error:", style="bold red", end=" ")
    console.print(str(problem), markup=False)
    if as_json:
        value = {
            "error": {
                "kind": type(problem).__name__,
                "message": problem.what,
                "advice": problem.advice,
                "path": str(getattr(problem, "path", "")) or None,
                "line": getattr(problem, "line", None),
            }
        }
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
