"""Reviews written by hand, as a stranger might."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gates.domain.judging import Outcome
from gates.domain.review import Kind, ModelChange, Review, Trouble
from gates.evidence.evidence import Evidence, canonical
from tests.toys import MODEL


def review_of(
    head: str, number: int = 7, *, kind: Kind = "model", outcome: str = "ERROR"
) -> Review:
    """A review without evidence."""
    change = ModelChange(MODEL, kind, ("source",), (f"models/{MODEL}/params.json",))
    trouble = Trouble("PackageError", "it did not build", "mend it", f"models/{MODEL}/build.py", 3)
    base = "c" * 40
    return Review(change, "ERROR", base, head, number, "this pull request", trouble=trouble)


def write_review(folder: Path, *, head: str, number: int) -> Path:
    """A review in a folder of its own."""
    folder.mkdir(parents=True)
    path = folder / "review.json"
    path.write_bytes(canonical(review_of(head, number)))
    return path


def judged(evidence: Evidence, head: str = "a" * 40, *, kind: Kind = "model") -> Review:
    """A review with evidence."""
    review = review_of(head, kind=kind)
    outcome = Outcome(evidence.verdict.outcome)
    change = replace(review.change, model=evidence.card.model)
    return replace(
        review, change=change, outcome=outcome.value, trouble=None, champion="the base",
        evidence="gate/evidence.json",
    )  # fmt: skip
