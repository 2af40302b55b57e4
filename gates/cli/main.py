"""`gates`: the command line as a whole."""

from __future__ import annotations

import atexit
import gc
import io
import os
import signal
import sys
import traceback
from typing import Annotated, cast

import typer

from gates import __version__
from gates.cli._errors import report_error, write_error
from gates.cli.approve import approve
from gates.cli.changed import changed
from gates.cli.demo import demo
from gates.cli.deployed import deployed
from gates.cli.diff import DiffCommand, diff
from gates.cli.doctor import doctor
from gates.cli.env import env
from gates.cli.golden import golden
from gates.cli.guard import guard
from gates.cli.history import history
from gates.cli.init import init
from gates.cli.lock import lock
from gates.cli.package import package
from gates.cli.plan import plan
from gates.cli.pr import pr
from gates.cli.promote import promote
from gates.cli.rejudge import rejudge
from gates.cli.rollback import rollback
from gates.cli.run import run_gate
from gates.cli.serve import serve
from gates.cli.show import show
from gates.cli.verify import verify
from gates.cli.webhook import webhook
from gates.errors import GatesError
from gates.system.interruption import interrupted_by

__all__ = ["app", "run"]

_INTERRUPTED, _TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
_PIPE_CLOSED = 128 + signal.SIGPIPE
# Every wrong argument or option; typer gives the class no name of its own.
_MISUSE = cast("type[typer.BadParameter]", typer.BadParameter.__base__)

app = typer.Typer(
    name="gates",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo)
app.command("init")(init)
app.command("package")(package)
app.command("plan")(plan)
app.command("run", context_settings={"allow_extra_args": True, "ignore_unknown_options": False})(
    run_gate
)
app.command("show")(show)
app.command("verify")(verify)
app.command("rejudge")(rejudge)
app.command("diff", cls=DiffCommand)(diff)
app.command("approve")(approve)
app.command("promote")(promote)
app.command("rollback")(rollback)
app.command("history")(history)
app.command("deployed")(deployed)
app.command("guard")(guard)
app.command("serve")(serve)
app.command("doctor")(doctor)
app.add_typer(webhook, name="webhook")
app.command("changed")(changed)
app.add_typer(lock, name="lock")
app.add_typer(golden, name="golden")
app.add_typer(env, name="env")
app.add_typer(pr, name="pr")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mlgates {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    show_traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where an error came from.")
    ] = False,
) -> None:
    """A release gate for search models: may this version replace the one in production?

    Exit codes: 0 PASS, 1 FAIL or refused, 2 usage or input error, 3 UNDECIDED.
    """
    del version
    if show_traceback:
        os.environ["GATES_TRACEBACK"] = "1"


def run() -> None:
    """Run the command line: the one place where an error becomes words and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that only knows ASCII shows '?' for '≥' instead of a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    as_json = "--json" in sys.argv
    # Commands are short: looking for garbage while MLflow's three thousand modules are imported
    # is a sixth of their time.
    gc.set_threshold(100_000, 50, 50)
    # Python's last collection would walk through all of them once more: a second, for nothing.
    atexit.register(gc.freeze)
    try:
        # SIGTERM ends it as Ctrl-C does, so that what it started ends too.
        with interrupted_by((signal.SIGINT, signal.SIGTERM)) as came:
            code = app(standalone_mode=False)
        if code == _INTERRUPTED:
            terminated = signal.SIGTERM in came
            signalled = "SIGTERM" if terminated else "SIGINT"
            stopped = GatesError(
                f"stopped by {signalled} before it was done",
                advice="a gate leaves no verdict then; gates history says how far a promotion came",
            )
            report_error(stopped, as_json=as_json)
            code = _TERMINATED if terminated else _INTERRUPTED
        sys.exit(code if isinstance(code, int) else 0)
    except _MISUSE as problem:
        problem.show()
        if as_json:
            write_error("UsageError", problem.format_message())
        sys.exit(problem.exit_code)
    except GatesError as problem:
        if os.environ.get("GATES_TRACEBACK"):
            raise
        report_error(problem, as_json=as_json)
        sys.exit(problem.exit_code)
    except BrokenPipeError:
        # The reader (head, less) has seen enough; say nothing more into its closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_PIPE_CLOSED)
    except Exception:  # noqa: BLE001 - Python would exit with 1, which means FAIL here
        traceback.print_exc()
        unforeseen = GatesError(
            "something went wrong that mlgates does not know; no verdict was given",
            advice="please report it with the lines above",
        )
        report_error(unforeseen, as_json=as_json)
        sys.exit(unforeseen.exit_code)
