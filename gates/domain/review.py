"""What a pull request changed, and what came of gating it: the values its comment is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "SCHEMA",
    "CriteriaChanges",
    "Kind",
    "ModelChange",
    "Part",
    "PolicyMove",
    "QueryMove",
    "Review",
    "ReviewOutcome",
    "Trouble",
]

SCHEMA = "mlgates.review/2"

Part = Literal["source", "lock", "golden", "card"]
Kind = Literal["new", "model", "lock", "criteria", "removed"]
ReviewOutcome = Literal["PASS", "FAIL", "UNDECIDED", "ERROR"]


@dataclass(frozen=True, slots=True)
class ModelChange:
    """One model that a pull request touches.

    Attributes:
        model: Its name.
        kind: `new`, its folder was not there before; `model`, its source changed; `lock`, only its
            lock or requirements.in did (its golden set or card perhaps too); `criteria`, only its
            golden set or card; `removed`.
        parts: What of it changed.
        files: The changed files, from the project's folder.
    """

    model: str
    kind: Kind
    parts: tuple[Part, ...]
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a model could not be gated: an error of `gates.errors`, with its place from the project.

    `line` is 0 where there is none, `path` empty.
    """

    kind: str
    message: str
    advice: str = ""
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class QueryMove:
    """A query that was added, removed or changed.

    Attributes:
        text: What is searched for.
        what: What of it changed, in words; empty when all of it is new or gone.
    """

    id: str
    text: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class PolicyMove:
    """A line of a card's policy that changed; the side on which it is absent is empty."""

    key: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class CriteriaChanges:
    """What a model is judged by, before and after: its golden set, and its card.

    Attributes:
        queries: How many golden queries there were, and are now.
        added: New queries, the first of them.
        removed: Queries that are gone, likewise.
        changed: Queries of which something changed, likewise.
        counts: How many were added, removed and changed, all of them counted.
        policy: What changed in the card.
        others: Other files of the golden set that changed, such as its own tests.
    """

    queries: tuple[int, int]
    added: tuple[QueryMove, ...]
    removed: tuple[QueryMove, ...]
    changed: tuple[QueryMove, ...]
    counts: tuple[int, int, int]
    policy: tuple[PolicyMove, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """What came of gating one model of a pull request.

    Attributes:
        change: What the pull request does to it.
        outcome: The verdict, or `ERROR` when something in the pull request is not valid.
        base: The commit it was compared with.
        head: The commit that was gated.
        number: The pull request; 0 when it was none.
        candidate: What was gated, in words.
        champion: What it was compared with, in words; empty when there was nothing.
        evidence: The evidence, from the review's folder; empty when there is none.
        before: The evidence of the same version on the base's golden set and card, likewise.
        criteria: How golden set and card changed; None when they did not.
        trouble: Why there is no verdict, or none of before; None when nothing went wrong.
        seconds: How long it took.
        schema: Always `SCHEMA`.
    """

    change: ModelChange
    outcome: ReviewOutcome
    base: str
    head: str
    number: int
    candidate: str
    champion: str = ""
    evidence: str = ""
    before: str = ""
    criteria: CriteriaChanges | None = None
    trouble: Trouble | None = None
    seconds: float = 0.0
    schema: str = SCHEMA
