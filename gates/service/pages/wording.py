"""States, verdicts and times, in words: a colour never says it alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from gates.registry import Event, GateOrigin
from gates.report.text import count
from gates.service.store.values import Job, JobState, Origin, Step

__all__ = [
    "DONE",
    "ORIGINS",
    "PROBLEMS",
    "STATES",
    "STEPS",
    "VERDICTS",
    "ago",
    "aloud",
    "headline",
    "moment",
    "now_doing",
    "short_digest",
    "steps",
    "where",
]

VERDICTS: Mapping[str, str] = {"PASS": "✓", "FAIL": "✕", "UNDECIDED": "?", "WAIVED": "⚑"}
"""Verdict or outcome → its sign, as reports write it."""

STATES: Mapping[JobState, tuple[str, str]] = {
    "queued": ("waiting", "waits for its turn"),
    "running": ("running", "is being worked on"),
    "done": ("done", "it has a verdict"),
    "parked": (
        "parked",
        "stopped by a problem that will not go away by itself; somebody has to fix it",
    ),
    "cancelled": ("cancelled", "stopped by somebody"),
    "skipped": ("skipped", "the same version, champion, card and golden set were gated before"),
}
"""State → its name for people, and what it means."""

STEPS: Mapping[Step, str] = {
    "resolve": "Find both versions and compute their digests",
    "environments": "Build their environments",
    "score": "Score the golden set with both",
    "judge": "Compare the results with what the card requires",
    "record": "Store the evidence in MLflow",
    "promote": "Promote the version, as the card says",
}
"""Step → what is done in it."""

ORIGINS: Mapping[Origin, str] = {
    "webhook": "by MLflow's webhook",
    "reconciler": "found in the registry",
    "api": "through the API",
    "page": "on a page",
    "hand": "by hand",
    "ci": "in CI",
    "elsewhere": "by another service",
    "unknown": "where it ran was not recorded",
}
"""What asked for a gate, or where one ran that is not the service's own."""

_PLACES: Mapping[GateOrigin, str] = {
    "": "",
    "hand": "by hand",
    "ci": "in CI",
    "service": "by the service",
}

DONE: Mapping[str, str] = {
    "asked": "The gate was requested.",
    "again": "This version already has a gate that waits or runs: this one.",
    "cancelled": "The gate was told to stop.",
    "promoted": "The version was promoted: the alias has moved.",
    "rolled-back": "Rolled back: the alias has moved.",
}
"""What a page says after a button was pressed; an address can ask for no other text."""

PROBLEMS: Mapping[int, tuple[str, str]] = {
    0: ("Something went wrong", "Go back and try again; the service's log says more."),
    400: ("That cannot be read", "Go back, load the page again and try once more."),
    401: ("Say who you are", "Sign in, or ask through the proxy that knows you."),
    403: ("You may not do that", "Ask somebody with the role 'operator', or sign in again."),
    404: ("There is no such page", "Look for it among the models, or among all gates."),
    405: ("That does not work here", "Use the buttons on the pages."),
    413: ("That is too long", "Write less than 2000 characters."),
    503: ("Not now", "Wait a little, then load the page again."),
}
"""Status → title and advice; 0 for all others."""


def moment(when: datetime | None) -> str:
    """A time to the second, in UTC; a dash when there is none."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if when else "–"


def ago(when: datetime | None, now: datetime) -> str:
    """How long ago something was, roughly: `just now`, `5 min ago`, `3 days ago`."""
    if when is None:
        return "–"
    seconds = max(0, int((now - when).total_seconds()))
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if seconds < 86_400:
        return f"{seconds // 3600} h ago"
    return f"{count(seconds // 86_400, 'day')} ago"


def where(event: Event) -> str:
    """Where a gate ran; empty when that was not recorded."""
    return _PLACES[event.origin]


def short_digest(digest: str) -> str:
    """The beginning of a digest, enough to tell two apart by eye."""
    return digest.removeprefix("sha256:")[:12]


def now_doing(job: Job) -> str:
    """What is being done about a job that waits or runs, in a sentence."""
    if job.state == "queued":
        return "Waits to be tried again." if job.next_attempt_at else "Waits for its turn."
    doing = (job.progress or STEPS.get(job.step, "It begins")).strip().rstrip(".")
    return f"{doing[:1].upper()}{doing[1:]}."


def aloud(job: Job) -> str:
    """Where a job is, short enough to be read aloud at each change."""
    if job.state == "running":
        return f"Running: {STEPS.get(job.step, 'it begins')}."
    if job.state == "done":
        return f"Done: {job.verdict}."
    return now_doing(job) if job.state == "queued" else f"{STATES[job.state][0].capitalize()}."


def headline(job: Job) -> str:
    """What came of a gate, in a sentence about the candidate."""
    said = {
        "PASS": "meets what its card requires",
        "FAIL": "does not meet what its card requires",
        "UNDECIDED": "could not be judged",
    }
    counts = job.summary.get("counts")
    waived = counts.get("WAIVED", 0) if isinstance(counts, Mapping) else 0
    resting = f", with {waived} of its bounds waived" if waived and job.verdict == "PASS" else ""
    return f"Version {job.version} {said.get(job.verdict, 'has a verdict')}{resting}"


def steps(job: Job) -> list[tuple[str, str, str]]:
    """The steps of a job: what is done, how it stands (a CSS class), and that in words."""
    names = [one for one in STEPS if one != "promote" or job.step == "promote"]
    here = names.index(job.step) if job.step in names else -1
    found = []
    for place, name in enumerate(names):
        state, word = "later", "to come"
        if job.state == "done" or place < here:
            state, word = "over", "done"
        elif place == here and job.state in {"queued", "running"}:
            state, word = "now", "now"
        elif place == here:
            state, word = "halt", "ended here"
        elif job.state not in {"queued", "running"}:
            word = "not reached"
        found.append((STEPS[name], state, word))
    return found
