"""Cards, golden sets and keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gates.doctor.finding import Diagnosis
from gates.errors import EvidenceError, GatesError
from gates.evidence.envelope import seal, verify
from gates.evidence.signing import signer_of
from gates.golden import read_golden
from gates.project import Project
from gates.settings import Settings
from gates.system.json_files import json_value

__all__ = ["cards", "keys"]


def cards(project: Project) -> Iterator[Diagnosis]:
    """Whether every card can be read, and its golden set."""
    found = project.cards()
    if not found:
        yield Diagnosis(
            "cards",
            "wrong",
            f"there is no model card in {project.card_folder}",
            "make one: gates init models:/NAME/VERSION; or name the project: --project DIR",
        )
        return
    good = 0
    for path in found:
        try:
            card = project.read_card(path)
            card.bounds(read_golden(card.golden_path))
        except GatesError as problem:
            advice = problem.advice or "mend it there; docs/model-cards.md says what it may hold"
            yield Diagnosis("cards", "wrong", str(problem).splitlines()[0], advice)
        else:
            good += 1
    if good:
        models = "card" if good == 1 else "cards"
        yield Diagnosis(
            "cards", "ok", f"{good} {models}, each with its golden set, in {project.card_folder}"
        )


def keys(settings: Settings) -> Iterator[Diagnosis]:
    """Whether evidence can be signed, and by the key that promotions ask for.

    Args:
        settings: Where the keys are.
    """
    signing, verifying = settings.signing_key, settings.verify_key
    if not signing:
        what = "evidence is not signed" if verifying is None else "no signing key is set here"
        yield Diagnosis(
            "signing key",
            "note",
            what,
            "set GATES_SIGNING_KEY to an Ed25519 key; see docs/evidence.md",
        )
        return
    sealed = json_value(seal(b"gates doctor", signer_of(signing, verifying)))
    if verifying is None:
        yield Diagnosis(
            "signing key",
            "note",
            "evidence is signed, and a promotion does not ask for the signature",
            "set GATES_VERIFY_KEY to the public half",
        )
        return
    try:
        verify(sealed, verifying, Path("evidence.json"))
    except EvidenceError:
        yield Diagnosis(
            "signing key",
            "wrong",
            f"{verifying} is not the public half of {signing}",
            "every promotion would be refused: name the pair's two halves",
        )
        return
    yield Diagnosis("signing key", "ok", "evidence is signed, and promotions ask for it")
