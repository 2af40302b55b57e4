"""The evidence: the record of a run, enough to judge it again and to draw it.

It is kept as a part of an in-toto statement (`gates.evidence.statement`), in an envelope that
carries signatures; `gates.evidence.bundle` writes and reads the file. To store more of a run, add a
field here, with a default for what was written before it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Discriminator

from gates.domain.counterexamples import Counterexample, Replay
from gates.domain.exhibits import Exhibit
from gates.domain.judging import (
    Cause,
    EnvironmentFacts,
    Judgement,
    Measurement,
    ModelVersion,
    Verdict,
)
from gates.domain.query_rows import RowsFile
from gates.evidence.bar import BarFacts
from gates.evidence.inventory import Inventory

__all__ = [
    "SCHEMA",
    "CardFacts",
    "CheckRecord",
    "Evidence",
    "FaultCause",
    "GateFacts",
    "GoldenFacts",
    "RegistryFacts",
    "Timing",
    "canonical",
    "evidence_digest",
    "of_file",
]

SCHEMA = "mlgates.evidence/3"

FaultCause = Literal[Cause.FAULT, Cause.BREACH, Cause.NO_CHAMPION]
"""Why a check could not finish; bounds that it had not measured by then are judged by it."""


_UNSTORED: Mapping[str, bool] = {"stored": False}


@dataclass(frozen=True, slots=True)
class GateFacts:
    """The gate itself: its version, and where it ran."""

    version: str
    python: str
    platform: str
    mlflow: str
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CardFacts:
    """The card that was judged by, with its whole policy."""

    path: str
    digest: str
    model: str
    task: str
    champion_alias: str
    owners: tuple[str, ...]
    policy: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GoldenFacts:
    """The golden set that was judged on, in counts."""

    path: str
    digest: str
    name: str
    synthetic: bool
    sampling: str
    queries: int
    documents: int
    judgments: int
    expectations: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegistryFacts:
    """The registry that the versions are of.

    Attributes:
        id: What the store calls itself, wherever it stands; empty when it could not be asked.
        address: Where it was reached, without credentials.
    """

    id: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """What one check gave: its measurements and exhibits, or why it could not run.

    Attributes:
        measurements: What it measured.
        exhibits: What it shows.
        seconds: How long it took, besides predictions that other checks had asked for before.
        cause: Why it could not finish; None when it did.
        fault: The same in words, for people.
        log: The last lines of the worker, when a fault came from one.
        counterexamples: What it found the candidate to get wrong, for later runs to ask.
        replay: What became of the counterexamples of earlier runs; None where it keeps none.
        rows: The file of what its measurements were made of, query by query, which can be made of
            it again; None where there is none.
    """

    check: str
    measurements: tuple[Measurement, ...] = ()
    exhibits: tuple[Annotated[Exhibit, Discriminator("kind")], ...] = ()
    seconds: float = 0.0
    cause: FaultCause | None = None
    fault: str = ""
    log: str = ""
    counterexamples: tuple[Counterexample, ...] = ()
    replay: Replay | None = None
    rows: RowsFile | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one step of the run took, in seconds."""

    step: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """One run of the gate.

    Attributes:
        schema: Always `SCHEMA`: older evidence is brought to this form when it is read.
        run_id: A random name for the run.
        created: When it ended, ISO 8601, UTC.
        gate: The gate itself.
        candidate: The version under test.
        champion: The version in production; None when there was none.
        environments: role → what that version ran in.
        seed: The seed of everything random.
        records: What each check gave, in the card's order.
        judgements: Every bound, judged, in the card's order, own tests last.
        timings: Where the time went.
        verdict: The answer.
        inventory: All that the run had to come to, listed before anything ran; None in what
            earlier versions wrote.
        registry: The registry that both versions are of, likewise.
        bar: When the bar was fixed, and how it moved since results were seen; None in what earlier
            versions wrote.
    """

    run_id: str
    created: str
    gate: GateFacts
    card: CardFacts
    golden: GoldenFacts
    candidate: ModelVersion
    champion: ModelVersion | None
    environments: Mapping[str, EnvironmentFacts]
    seed: int
    records: tuple[CheckRecord, ...]
    judgements: tuple[Judgement, ...]
    timings: tuple[Timing, ...]
    verdict: Verdict
    inventory: Inventory | None = None
    registry: RegistryFacts | None = None
    bar: BarFacts | None = None
    schema: str = field(default=SCHEMA)
    _digest: str = field(init=False, default="", compare=False, repr=False, metadata=_UNSTORED)
    _signed: bool = field(init=False, default=False, compare=False, repr=False, metadata=_UNSTORED)

    @property
    def digest(self) -> str:
        """`sha256:…` of the file it was read from or written to; empty while there is none."""
        return self._digest

    @property
    def is_signed(self) -> bool:
        """Whether its file carries a signature; by whom, and over what, is not said by that."""
        return self._signed

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """What all checks show, in their order."""
        return tuple(one for record in self.records for one in record.exhibits)

    @property
    def is_against_itself(self) -> bool:
        """Whether both versions are the same bytes: an A/A run, which speaks for no promotion."""
        return self.champion is not None and self.champion.digest == self.candidate.digest


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON values are what they are
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        stored = (one for one in dataclasses.fields(value) if one.metadata.get("stored", True))
        return {one.name: _plain(getattr(value, one.name)) for one in stored}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        # JSON has no word for these; as null, an open interval would read back as an exact value.
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def canonical(value: object) -> bytes:
    """A frozen value (evidence, or a part of it) as the bytes that are stored and signed.

    Infinite interval ends and NaN are written as the strings `Infinity`, `-Infinity`, `NaN`.
    """
    text = json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8", "backslashreplace")


def evidence_digest(content: bytes) -> str:
    """`sha256:…` of the bytes of an evidence file."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def of_file(evidence: Evidence, content: bytes, *, signed: bool = False) -> Evidence:
    """The evidence, which now knows of the file that holds it.

    Args:
        evidence: Just written or read.
        content: The bytes of its file.
        signed: Whether they carry a signature.
    """
    # Set here and not by a field of the file: the digest is that of the bytes, whatever they say.
    object.__setattr__(evidence, "_digest", evidence_digest(content))
    object.__setattr__(evidence, "_signed", signed)
    return evidence
