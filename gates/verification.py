"""`gates verify`: a bundle of evidence held against itself, without a model and without a network.

What can be made again is made again, by the code that made it first: the verdict from the
measurements, and the measurements from the rows of the queries. The rest was measured once and is
taken as it is: it is counted, so that nobody takes it for more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gates.domain.judging import Measurement
from gates.domain.query_rows import RowsFile
from gates.errors import EvidenceError
from gates.evidence.bundle import read_evidence, read_rows
from gates.evidence.evidence import CheckRecord, Evidence, canonical
from gates.evidence.verdict import settled_verdict

__all__ = ["Remeasured", "Verification", "verify_bundle"]

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Remeasured:
    """A check whose measurements were made again.

    Attributes:
        rows: What they were made of.
        measurements: How many came out as they are recorded, to the bit.
    """

    check: str
    rows: RowsFile
    measurements: int


@dataclass(frozen=True, slots=True)
class Verification:
    """What held of a bundle.

    Attributes:
        evidence: What it holds.
        key: The key that its signature was verified by; None when none was given.
        remeasured: The checks whose measurements were made again.
        taken: How many measurements were taken as they are.
    """

    evidence: Evidence
    key: Path | None
    remeasured: tuple[Remeasured, ...]
    taken: int


def verify_bundle(path: Path, *, key: Path | None = None) -> Verification:
    """Verify evidence and the rows beside it.

    Args:
        path: The `evidence.json`.
        key: A PEM file with an Ed25519 public key; then a signature by it is demanded.

    Raises:
        EvidenceError: It is damaged, not signed as demanded, contradicts itself, or its rows are
            missing, altered or come to other measurements.
    """
    evidence = read_evidence(path, verify_key=key)
    settled_verdict(evidence, path)
    rows = read_rows(path, evidence)
    remeasured = tuple(
        _remeasured(one, one.rows, rows[one.check], path.with_name(one.rows.file))
        for one in evidence.records
        if one.rows is not None
    )
    measured = sum(len(one.measurements) for one in evidence.records)
    again = sum(one.measurements for one in remeasured)
    return Verification(evidence, key, remeasured, measured - again)


def _remeasured(record: CheckRecord, file: RowsFile, content: bytes, path: Path) -> Remeasured:
    # Only where rows are to be measured: it brings NumPy and Arrow.
    from gates.comparison.measured_rows import RowsError, measure_again

    try:
        again = measure_again(content)
    except RowsError as problem:
        raise EvidenceError(
            str(problem), path=path, advice="use the mlgates version that wrote it"
        ) from None
    differences = [*_differences(record, again)]
    if differences:
        shown = "; ".join(differences[:_SHOWN])
        more = len(differences) - _SHOWN
        raise EvidenceError(
            f"comes to other measurements than the evidence: {shown}"
            + (f"; and {more} more" if more > 0 else ""),
            path=path,
            advice="the evidence was made of other rows, or by another version of mlgates: "
            "gate again: gates run",
        )
    return Remeasured(record.check, file, len(again))


def _differences(record: CheckRecord, again: tuple[Measurement, ...]) -> Iterator[str]:
    recorded = {(one.metric, one.slice): one for one in record.measurements}
    for one in again:
        said = recorded.get((one.metric, one.slice))
        name = one.metric + (f"[{one.slice}]" if one.slice else "")
        if said is None:
            yield f"{name} is not recorded"
        elif canonical(said) != canonical(one):
            yield f"{name} is recorded as {_value(said)}, and the rows make {_value(one)}"


def _value(one: Measurement) -> str:
    ends = "" if one.lower is None else f" [{one.lower!r}, {one.upper!r}]"
    return f"{one.value!r}{ends} (n={one.n})"
