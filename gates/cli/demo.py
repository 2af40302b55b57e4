"""`gates demo`: the whole road on a small synthetic shop."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gates.cli._errors import report_error
from gates.cli.common import CacheOption, JsonOption, Speech, settings_from
from gates.errors import GatesError

__all__ = ["demo"]


def demo(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where to lay the demo out.")
    ] = Path("mlgates-demo"),
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Package, gate, promote and refuse: a tour on an embedded MLflow store, with synthetic data.

    Example: gates demo mlgates-demo
    """
    from gates.demo.tour import TourStep, make_workspace, run_tour, steps

    speech = Speech(as_json)
    workspace = make_workspace(folder)
    store = f"sqlite:///{workspace / '.gates' / 'mlflow.db'}"
    settings = settings_from(workspace, store, cache)
    options = ["--project", str(workspace), "--tracking-uri", store, "--cache", str(settings.cache)]
    started = time.perf_counter()
    total = len(steps())
    codes: list[int] = []

    def say(number: int, step: TourStep) -> None:
        speech.say(f"\n[{number}/{total}] {step.says}", "bold")
        words = " ".join(f'"{one}"' if " " in one else one for one in step.command)
        speech.say(f"$ gates {words}", "cyan")

    def call(command: Sequence[str]) -> int:
        code = _call(context, [*command, *options], quiet=as_json)
        codes.append(code)
        return code

    run_tour(workspace, call, say)
    reports = sorted((workspace / ".gates" / "runs").glob("*/report.html"))
    speech.say(f"\nThe demo took {time.perf_counter() - started:.0f} s.", "bold")
    speech.say("Everything in it is synthetic. Look at the reports in a browser:")
    for report in reports:
        speech.say(f"  {report}")
    speech.say("\nWhat to type next:")
    speech.say(f"  cd {workspace}")
    for line in (
        "gates show models:/product-ranker/3",
        'gates rollback product-ranker --why "trying it"',
        "gates run models:/product-ranker/4 -- -k lockfile",
    ):
        speech.say(f"  {line}")
    speech.result(
        {
            "folder": str(workspace),
            "tracking_uri": store,
            "steps": [
                {"command": ["gates", *step.command], "exit_code": code}
                for step, code in zip(steps(), codes, strict=True)
            ],
            "reports": [str(one) for one in reports],
        }
    )


def _call(context: typer.Context, arguments: list[str], *, quiet: bool) -> int:
    """One command of this same command line, in this process."""
    import contextlib
    import io

    # As JSON, stdout belongs to the demo's own result alone.
    hush = contextlib.redirect_stdout(io.StringIO()) if quiet else contextlib.nullcontext()
    with hush:
        try:
            code = context.find_root().command.main(arguments, standalone_mode=False)
        except GatesError as problem:
            report_error(problem, as_json=False)
            return problem.exit_code
    if code == 128 + signal.SIGINT:
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0
