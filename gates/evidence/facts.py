"""The plain facts that evidence holds about a run's surroundings."""

from __future__ import annotations

import platform
import re
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gates import __version__
from gates.card.card import Card
from gates.domain.subject import GoldenSet
from gates.evidence.evidence import CardFacts, GateFacts, GoldenFacts

__all__ = ["card_facts", "gate_facts", "golden_facts", "now", "relative"]


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def relative(path: Path, project: Path) -> str:
    """A path as people write it: from the project's folder when it lies in it."""
    return path.relative_to(project).as_posix() if path.is_relative_to(project) else path.name


def gate_facts(command: tuple[str, ...]) -> GateFacts:
    """The gate's own versions and where it runs.

    Args:
        command: How it was called; credentials in addresses are masked.
    """
    try:
        mlflow = version("mlflow-skinny")
    except PackageNotFoundError:
        mlflow = "unknown"
    python = platform.python_version()
    # A tracking URI may hold a password, and evidence is there to be shown around.
    shown = tuple(re.sub(r"//[^/@\s]+@", "//***@", one) for one in command)
    return GateFacts(
        __version__, python, f"{platform.system()} {platform.machine()}", mlflow, shown
    )


def card_facts(card: Card) -> CardFacts:
    """What evidence keeps of a card: enough to judge by it again."""
    policy = card.policy
    return CardFacts(
        path=relative(card.path.absolute(), card.project),
        digest=card.digest,
        model=policy.model,
        task=policy.task.name,
        champion_alias=policy.champion,
        owners=tuple(policy.owners),
        policy=policy.model_dump(mode="json"),
    )


def golden_facts(golden: GoldenSet, project: Path) -> GoldenFacts:
    """What evidence keeps of a golden set: digest, counts, warnings.

    Args:
        project: The project's folder.
    """
    return GoldenFacts(
        path=relative(golden.path.absolute(), project),
        digest=golden.digest,
        name=golden.manifest.name,
        synthetic=golden.manifest.synthetic,
        sampling=golden.manifest.sampling,
        queries=len(golden.query_id),
        documents=len(golden.row_doc),
        judgments=len(golden.judged_doc),
        expectations=len(golden.expectations),
        warnings=golden.warnings,
    )
