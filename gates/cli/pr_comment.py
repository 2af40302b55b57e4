"""`gates pr comment`: one comment a pull request, kept up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gates.cli.common import JsonOption, Speech

__all__ = ["pr_comment"]


def pr_comment(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="What gates pr gate wrote, of one job or several.")
    ],
    nothing_changed: Annotated[
        bool,
        typer.Option(
            "--nothing-changed", help="No model changed: only renew a comment that is there."
        ),
    ] = False,
    author: Annotated[
        str, typer.Option(metavar="LOGIN", help="Who the token writes as.")
    ] = "github-actions[bot]",
    as_json: JsonOption = False,
) -> None:
    """Write the reviews into the pull request's comment, making it when there is none.

    Which pull request, is said by the event (GITHUB_EVENT_PATH): its own, or, after the run of
    another workflow, the one whose head that run was for. The folder may come from a stranger's
    run: all of it is checked, and no Markdown is taken from it. Needs GITHUB_TOKEN with the
    permission pull-requests: write.

    Example: gates pr comment .gates/pull-request
    """
    from gates.pull_request.comments import keep_comment
    from gates.pull_request.folder import read_reviews
    from gates.pull_request.github import GitHub
    from gates.pull_request.runner import read_event, run_url
    from gates.report import pull_request

    speech = Speech(as_json)
    event = read_event()
    reviewed = () if nothing_changed else read_reviews(folder)
    drawn = [(one.review, one.evidence, one.before) for one in reviewed]
    bodies = [
        pull_request.render(
            drawn,
            run_url=run_url(event),
            of_stranger=event.is_fork and event.after_run,
            limit=limit,
        )
        for limit in (pull_request.LIMIT, pull_request.LIMIT // 4)
    ]
    kept = keep_comment(
        GitHub.from_environment(),
        event,
        [one.review for one in reviewed],
        bodies,
        mark=pull_request.MARKER,
        author=author,
    )
    speech.say(kept.words)
    speech.result({"pull_request": kept.number, "comment": kept.url or None, "done": kept.done})
