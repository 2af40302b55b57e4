"""`gates serve`: registry events in, verdicts out, a page to look at."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ProjectOption,
    Speech,
    TrackingOption,
    settings_from,
)
from gates.errors import UsageError

__all__ = ["serve"]


def serve(
    host: Annotated[
        str | None, typer.Option(metavar="HOST", help="Address to listen on (default: 127.0.0.1).")
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="Port; 0 for a free one (default: 8470).")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="Address people reach it by, for links."),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="sqlite:///FILE, or postgresql://… for several hosts "
            "(default: .gates/service.db in the project).",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Gates that run at once here (default: 1).")
    ] = None,
    queue: Annotated[
        int | None, typer.Option(metavar="N", help="Gates that may wait (default: 1000).")
    ] = None,
    gate_time: Annotated[
        str | None, typer.Option(metavar="SPAN", help="Time for one gate (default: 2h).")
    ] = None,
    poll: Annotated[
        str | None, typer.Option(metavar="SPAN", help="Read the registry this often (60s).")
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            metavar="EVENTS",
            help="What asks for a gate: created, alias:NAME, tag:KEY, tag:KEY=VALUE (created).",
        ),
    ] = None,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve webhooks, an API and pages until stopped; needs mlgates[serve].

    Secrets come from the environment: GATES_WEBHOOK_SECRETS, GATES_SERVE_TOKENS.

    Exit codes: 0 after SIGTERM or Ctrl-C, 2 when it could not start.

    Example: gates serve --port 8470 --on created,alias:candidate
    """
    try:
        from gates.service.config import Flags, load_config
        from gates.service.server import run_service
    except ModuleNotFoundError as problem:
        raise UsageError(
            f"the service needs the package '{problem.name}'",
            advice="install what serving needs: pip install 'mlgates[serve]'",
        ) from None
    settings = settings_from(project, tracking_uri, cache)
    flags = Flags(host, port, url, database, workers, queue, gate_time, poll, on)
    config = load_config(settings, flags)
    speech = Speech(as_json)

    def listening(address: str) -> None:
        speech.say(f"serving {settings.project} at {address}")
        if not config.secrets:
            speech.say(
                "  webhooks are refused: set GATES_WEBHOOK_SECRETS, then gates webhook install",
                "yellow",
            )
        if not config.guarded:
            speech.say("  nobody has to say who they are: this machine only", "yellow")
        if as_json:  # one line, so that a program can read it and go on
            said = {"serving": address, "project": str(settings.project)}
            sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
            sys.stdout.flush()

    run_service(config, settings, listening)
