"""One comment a pull request: found again by its mark and its author, and written anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gates.domain.review import Review
from gates.errors import UsageError
from gates.pull_request.github import GitHub, GitHubError
from gates.pull_request.runner import WorkflowEvent

__all__ = ["PostedComment", "keep_comment"]

_DONE = {
    "created": "wrote a comment",
    "updated": "renewed the comment",
    "same": "the comment says so already",
    "nothing": "there is nothing to say, and no comment that says otherwise",
    "stale": "not written: there are newer commits, whose run will say more",
    "read-only": "not written: a run of a fork has a token that only reads; the second workflow of "
    "docs/pull-requests.md writes it",
}


@dataclass(frozen=True, slots=True)
class PostedComment:
    """What became of a comment.

    Attributes:
        done: What was done.
        number: The pull request.
        url: Where the comment is; empty when there is none.
    """

    done: Literal["created", "updated", "same", "nothing", "stale", "read-only"]
    number: int
    url: str = ""

    @property
    def words(self) -> str:
        """What was done, in a line."""
        return f"pull request {self.number}: {_DONE[self.done]}" + (
            f" {self.url}" if self.url else ""
        )


def keep_comment(
    github: GitHub,
    event: WorkflowEvent,
    reviews: Sequence[Review],
    bodies: Sequence[str],
    *,
    mark: str,
    author: str,
) -> PostedComment:
    """Write a pull request's one comment.

    Args:
        github: The repository.
        event: What started this workflow. It, and not the reviews, is believed.
        reviews: What the comment is about; none when no model changed.
        bodies: The comment, and shorter forms for when GitHub finds it too long.
        mark: What its first line is, and nobody else's.
        author: The login that the token writes as.

    Returns:
        What was done.

    Raises:
        UsageError: The event names no pull request, or another than the reviews.
        GitHubError: GitHub refused, or did not answer.
    """
    number = _number(event, reviews)
    pull = github.pull(number)
    head = (pull.get("head") or {}).get("sha")
    if event.after_run and any(one.head != event.head for one in reviews):
        raise UsageError(
            "the reviews are of another commit than the run that this workflow follows",
            advice="nothing was written; look at the artifact of that run before trusting it",
        )
    home = ((pull.get("base") or {}).get("repo") or {}).get("full_name")
    if home is not None and home.lower() != github.repository.lower():
        raise UsageError(f"pull request {number} is not one of {github.repository}")
    if head != event.head:
        if event.after_run:
            raise UsageError(
                f"the head of pull request {number} is not the commit of the run that this "
                "workflow follows",
                advice="nothing was written; either it has newer commits, or the artifact names a "
                "pull request that is not its own",
            )
        return PostedComment("stale", number)
    try:
        return _write(github, number, bodies, mark, author, has_news=bool(reviews))
    except GitHubError as refused:
        if refused.status == 403 and event.is_fork and not event.after_run:
            return PostedComment("read-only", number)
        raise


def _number(event: WorkflowEvent, reviews: Sequence[Review]) -> int:
    named = {one.number for one in reviews}
    if not event.after_run:
        if not event.number:
            raise UsageError(
                "this event names no pull request",
                advice="run it on: pull_request, or on: workflow_run after one",
            )
        if named - {event.number, 0}:
            raise UsageError(f"the reviews are not of pull request {event.number}")
        return event.number
    if len(named) != 1 or not (number := named.pop()) or not 0 < number < 2**53:
        raise UsageError("the reviews name no pull request", advice="nothing was written")
    return number


def _write(
    github: GitHub, number: int, bodies: Sequence[str], mark: str, author: str, *, has_news: bool
) -> PostedComment:
    for attempt in (1, 2):
        own = _own(github, number, mark, author)
        if own is None and not has_news:
            return PostedComment("nothing", number)
        if own is not None and str(own.get("body", "")).strip() == bodies[0].strip():
            return PostedComment("same", number, str(own.get("html_url", "")))
        try:
            return _first_that_fits(github, number, bodies, own)
        except GitHubError as refused:
            # It may have been heard all the same: look once more before writing a second one.
            if attempt == 2 or not (refused.status >= 500 or refused.status == 0):
                raise
    raise AssertionError("unreachable")


def _first_that_fits(
    github: GitHub, number: int, bodies: Sequence[str], own: Mapping[str, Any] | None
) -> PostedComment:
    for place, body in enumerate(bodies, 1):
        try:
            if own is None:
                made = github.create_comment(number, body)
                return PostedComment("created", number, str(made.get("html_url", "")))
            made = github.update_comment(int(own["id"]), body)
            return PostedComment("updated", number, str(made.get("html_url", "")))
        except GitHubError as refused:
            if refused.status != 422 or place == len(bodies):
                raise
    raise AssertionError("unreachable")


def _own(github: GitHub, number: int, mark: str, author: str) -> Mapping[str, Any] | None:
    """The first comment that begins with the mark and is by us; a copy by somebody else is not."""
    for comment in github.comments(number):
        login = str((comment.get("user") or {}).get("login", ""))
        if login.lower() == author.lower() and str(comment.get("body", "")).startswith(mark):
            return comment
    return None
