"""What GitHub's OpenAPI description says of the four operations the action uses.

Facts read off the description that GitHub publishes (version 23.0.2 of its package for npm): which
statuses an operation has, what a request must hold, and what an answer must hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

USER = [
    "avatar_url",
    "events_url",
    "followers_url",
    "following_url",
    "gists_url",
    "gravatar_id",
    "html_url",
    "id",
    "node_id",
    "login",
    "organizations_url",
    "received_events_url",
    "repos_url",
    "site_admin",
    "starred_url",
    "subscriptions_url",
    "type",
    "url",
]
COMMENT = ["id", "node_id", "html_url", "issue_url", "user", "url", "created_at", "updated_at"]
SIDE = ["label", "ref", "repo", "sha", "user"]
PULL = [
    "_links",
    "assignee",
    "labels",
    "base",
    "body",
    "closed_at",
    "comments_url",
    "commits_url",
    "created_at",
    "diff_url",
    "head",
    "html_url",
    "id",
    "node_id",
    "issue_url",
    "merge_commit_sha",
    "merged_at",
    "milestone",
    "number",
    "patch_url",
    "review_comment_url",
    "review_comments_url",
    "statuses_url",
    "state",
    "locked",
    "title",
    "updated_at",
    "url",
    "user",
    "author_association",
    "auto_merge",
    "additions",
    "changed_files",
    "comments",
    "commits",
    "deletions",
    "mergeable",
    "mergeable_state",
    "merged",
    "maintainer_can_modify",
    "merged_by",
    "review_comments",
]


@dataclass(frozen=True)
class Operation:
    """One operation.

    Attributes:
        statuses: The statuses its description names, and those that any operation may have.
        takes: What its request must hold, each a text.
        gives: What each thing in a good answer must hold.
    """

    statuses: frozenset[int]
    takes: tuple[str, ...]
    gives: tuple[str, ...]


_ANY = frozenset({401, 403, 429, 500, 502, 503})
OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("GET", r"issues/\d+/comments\?.*"): Operation(
        frozenset({200, 404, 410}) | _ANY, (), tuple(COMMENT)
    ),
    ("POST", r"issues/\d+/comments"): Operation(
        frozenset({201, 403, 404, 410, 422}) | _ANY, ("body",), tuple(COMMENT)
    ),
    ("PATCH", r"issues/comments/\d+"): Operation(
        frozenset({200, 404, 422}) | _ANY, ("body",), tuple(COMMENT)
    ),
    ("GET", r"pulls/\d+"): Operation(
        frozenset({200, 304, 404, 406, 500, 503}) | _ANY, (), tuple(PULL)
    ),
}


def departures(method: str, path: str, value: Any, status: int, body: Any) -> Iterator[str]:
    """How a request or its answer departs from the description.

    Args:
        method: The request's method.
        path: Its path and query, under the repository's.
        value: Its body, as read from JSON.
        status: The answer's status.
        body: The answer's body.
    """
    found = [
        operation
        for (verb, pattern), operation in OPERATIONS.items()
        if verb == method and re.fullmatch(pattern, path)
    ]
    if not found:
        yield f"{method} {path} is none of the operations"
        return
    (operation,) = found
    if status not in operation.statuses:
        yield f"{method} {path} is not answered with {status}"
    for name in operation.takes:
        if not isinstance(value, dict) or not isinstance(value.get(name), str):
            yield f"{method} {path} holds no text '{name}'"
    if status >= 400:
        if not isinstance(body.get("message"), str):
            yield f"{method} {path}: a trouble has no message"
        return
    for one in body if isinstance(body, list) else [body]:
        yield from (f"{method} {path} lacks {name}" for name in operation.gives if name not in one)
        yield from (f"a user lacks {name}" for name in USER if name not in one["user"])
        for side in ("head", "base"):
            if side in one:
                yield from (f"{side} lacks {name}" for name in SIDE if name not in one[side])
