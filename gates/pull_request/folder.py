"""The folder of a pull request's reviews: written by us, and perhaps by a stranger's job.

    NAME/review.json, NAME/gate/evidence.json, NAME/before/evidence.json, and reports

What comes from a run of a fork is data of a stranger: it is read under limits, by schema, and
nothing in it is taken for Markdown, a path or an instruction.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from gates.domain.review import SCHEMA, Review
from gates.errors import EvidenceError, UsageError
from gates.evidence.bundle import read_evidence
from gates.evidence.evidence import Evidence
from gates.evidence.verdict import settled_verdict
from gates.pull_request.gating import REVIEW
from gates.system.json_files import JsonFile

__all__ = ["Reviewed", "forget_others", "read_reviews"]

_MODELS = 200
_FILES = 5_000
_FILE_BYTES = 64 * 1024 * 1024
_ALL_BYTES = 512 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PLACES = ("", "gate/evidence.json", "before/evidence.json")

_REVIEW = JsonFile(
    Review, SCHEMA, EvidenceError, advice="gate the pull request again", most_bytes=_FILE_BYTES
)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A review with its evidence, read."""

    review: Review
    evidence: Evidence | None = None
    before: Evidence | None = None


def read_reviews(folder: Path) -> tuple[Reviewed, ...]:
    """Every review of a folder, by model, checked as a stranger's.

    Args:
        folder: What `gates pr gate` wrote, or several such folders side by side.

    Raises:
        UsageError: There is no such folder, or none in it.
        EvidenceError: Something in it is not what `gates pr gate` writes, or is too large.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", advice="run gates pr gate first")
    _check_sizes(folder)
    paths = sorted(folder.rglob(REVIEW))[: _MODELS + 1]
    if len(paths) > _MODELS:
        raise EvidenceError(f"holds more than {_MODELS} reviews", path=folder)
    found = [_read(path) for path in paths]
    names = [one.review.change.model for one in found]
    if len(set(names)) < len(names):
        raise EvidenceError("holds two reviews of one model", path=folder)
    if len({(one.review.head, one.review.number) for one in found}) > 1:
        raise EvidenceError("holds reviews of different commits", path=folder)
    return tuple(sorted(found, key=lambda one: one.review.change.model))


def forget_others(folder: Path, head: str) -> None:
    """Remove the reviews of other commits, and those that cannot be read.

    Args:
        folder: Where reviews are written; it need not be there.
        head: The commit whose reviews stay.
    """
    for path in folder.glob(f"*/{REVIEW}"):
        with contextlib.suppress(EvidenceError):
            if _REVIEW.read(path).head == head:
                continue
        shutil.rmtree(path.parent)


def _read(path: Path) -> Reviewed:
    review = _REVIEW.read(path)
    for what, value, form in (
        ("model", review.change.model, _NAME),
        ("head", review.head, _COMMIT),
        ("base", review.base, _COMMIT),
    ):
        if not form.fullmatch(value):
            raise EvidenceError(f"has a '{what}' that is none: {value[:100]!r}", path=path)
    for place in (review.evidence, review.before):
        if place not in _PLACES:
            raise EvidenceError(f"names evidence at {place[:100]!r}", path=path)
    evidence = read_evidence(path.parent / review.evidence) if review.evidence else None
    before = read_evidence(path.parent / review.before) if review.before else None
    for one, place in ((evidence, review.evidence), (before, review.before)):
        if one and one.candidate.name != review.change.model:
            raise EvidenceError(f"its evidence is of {one.candidate.name[:100]!r}", path=path)
        if one and one.inventory is None:
            raise EvidenceError(
                "lists nothing that it had to cover",
                path=path.parent / place,
                advice="gate the pull request again, with this version of mlgates",
            )
        if one:
            settled_verdict(one, path.parent / place)
    if evidence and evidence.verdict.outcome.value != review.outcome:
        raise EvidenceError("says another verdict than its evidence", path=path)
    if not evidence and review.outcome not in ("ERROR", "UNDECIDED"):
        raise EvidenceError(f"says {review.outcome} and has no evidence", path=path)
    return Reviewed(review, evidence, before)


def _check_sizes(folder: Path) -> None:
    files = total = 0
    for where, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(where) / name
            if path.is_symlink():
                raise EvidenceError("is a symbolic link", path=path)
        for name in names:
            size = (Path(where) / name).lstat().st_size
            files, total = files + 1, total + size
            if size > _FILE_BYTES or total > _ALL_BYTES or files > _FILES:
                raise EvidenceError("is too large, or one file too many", path=Path(where) / name)
