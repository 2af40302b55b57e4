"""When the bar of a run was fixed: the card's commit, and how it moved since results were seen.

Gates of the same bytes are found by their digest, so that a version which is packaged again under
another number is no way around.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from gates.card.card import Card
from gates.domain.bar import moved_bounds
from gates.domain.judging import ModelVersion
from gates.errors import GatesError
from gates.evidence.bar import BarFacts, CardCommit, MovedBar
from gates.evidence.bundle import read_evidence
from gates.evidence.evidence import Evidence
from gates.evidence.facts import now
from gates.evidence.inventory import Inventory
from gates.registry import Listed, Registry

__all__ = ["bar_facts"]

_SECONDS = 10.0


def bar_facts(
    registry: Registry,
    card: Card,
    candidate: ModelVersion,
    inventory: Inventory,
    golden_digest: str,
    *,
    by: str,
) -> BarFacts:
    """Look up when the bar was fixed, and what it was when the same bytes were gated before.

    Args:
        registry: Where the candidate and its gates are.
        candidate: The version under test.
        inventory: All that the run has to come to.
        golden_digest: Of the golden set.
        by: Who runs the gate.
    """
    commit, uncommitted = _commit(card)
    try:
        versions = registry.versions(candidate.name)
        before = _gated_before(registry, candidate, versions)
    except GatesError as problem:
        return BarFacts(commit, uncommitted, unknown=str(problem).splitlines()[0])
    packaged = next((one.created for one in versions if one.version == candidate.version), None)
    moved: tuple[MovedBar, ...] = ()
    if before is not None:
        moved = before.bar.moved if before.bar else ()
        bounds = moved_bounds(before.inventory.bounds if before.inventory else (), inventory.bounds)
        golden = before.golden.digest != golden_digest
        if bounds or golden:
            who, when = (commit.author, commit.when) if commit and not uncommitted else (by, now())
            verdict = before.verdict.outcome.value
            last = MovedBar(before.created, before.digest, verdict, who, when, bounds, golden)
            moved = (last, *moved)
    return BarFacts(commit, uncommitted, packaged.isoformat() if packaged else "", moved)


def _gated_before(
    registry: Registry, candidate: ModelVersion, versions: tuple[Listed, ...]
) -> Evidence | None:
    """The evidence of the last gate of the same bytes; it carries how the bar moved before."""
    same = {one.version for one in versions if one.tags.get("gates.digest") == candidate.digest}
    same.add(candidate.version)
    for event in registry.events(candidate.name):
        gated = event.kind == "gate" and event.state == "done" and event.verdict and event.run_id
        if not gated or event.version not in same:
            continue
        with tempfile.TemporaryDirectory(prefix="gates-") as scratch:
            found = read_evidence(registry.evidence_of(event.run_id, Path(scratch)))
        if found.candidate.digest == candidate.digest and found.inventory is not None:
            return found
    return None


def _commit(card: Card) -> tuple[CardCommit | None, bool]:
    """The card's last commit, and whether it has changes that are in none."""
    path = card.path.absolute()
    said = _git(
        path, "log", "-1", "--no-show-signature", "--format=%H%x00%an%x00%cI", "--", path.name
    )
    parts = (said or "").strip().split("\0")
    if len(parts) != 3:
        return None, False
    return CardCommit(*parts), _git(path, "status", "--porcelain", "--", path.name) != ""


def _git(path: Path, *arguments: str) -> str | None:
    """What git says of a file in its folder; None where there is no git, or it is under none."""
    # A project's own settings could name programs for git to run.
    safe = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--literal-pathspecs"]
    try:
        done = subprocess.run(
            ["git", *safe, *arguments],
            cwd=path.parent,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
