"""Evidence on disk: `evidence.json`, an envelope with signatures over the statement.

Beside it stand the files that it names with their digests: what measurements were made of, query
by query. What earlier versions of mlgates wrote, plain JSON with its signature beside it, is read
as well.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import EvidenceError
from gates.evidence import version_1, version_2
from gates.evidence.envelope import is_envelope, payload_of, seal, verify
from gates.evidence.evidence import SCHEMA, Evidence, canonical, evidence_digest, of_file
from gates.evidence.statement import evidence_in, statement_of
from gates.system.files import read_bounded, write_atomically
from gates.system.json_files import JsonFile

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

__all__ = ["ROWS", "read_evidence", "read_rows", "rows_beside", "write_evidence"]

ROWS = ".rows.parquet"
"""How the names of files of rows end."""

_MOST_ROWS = 256 << 20

_FILE = JsonFile(
    Evidence,
    SCHEMA,
    EvidenceError,
    advice="run the gate again: gates run",
    older={version_1.SCHEMA: version_1.brought_up, version_2.SCHEMA: version_2.brought_up},
)


def write_evidence(path: Path, evidence: Evidence, *, signer: Signer | None = None) -> str:
    """Write evidence, signed where there is a signer.

    Args:
        path: Where to; the evidence knows the digest of this file from then on.
        evidence: What.
        signer: As `gates.evidence.signing.signer_of` gives it.

    Returns:
        The evidence digest.

    Raises:
        UsageError: The file cannot be written or the key not used; nothing is half-written.
    """
    content = seal(canonical(statement_of(evidence)), signer)
    write_atomically(path, content, durable=True)
    of_file(evidence, content, signed=signer is not None)
    return evidence_digest(content)


def rows_beside(path: Path, evidence: Evidence) -> dict[str, Path]:
    """Where the rows of evidence stand: check → file, whether it is there or not.

    Args:
        path: Of the `evidence.json`.
        evidence: Read from it, or written to it.

    Raises:
        EvidenceError: A name of a file is none.
    """
    found = {}
    for one in evidence.records:
        if one.rows is None:
            continue
        if Path(one.rows.file).name != one.rows.file or not one.rows.file.endswith(ROWS):
            what = f"names rows at {one.rows.file[:100]!r}, which is no file beside it"
            raise EvidenceError(what, path=path, advice=_FILE.advice)
        found[one.check] = path.with_name(one.rows.file)
    return found


def read_rows(path: Path, evidence: Evidence) -> dict[str, bytes]:
    """The rows that stand beside evidence, each as the evidence digested it: check → bytes.

    Args:
        path: Of the `evidence.json`.
        evidence: Read from it.

    Raises:
        EvidenceError: A file is missing, cannot be read, or is not what was digested.
    """
    files, found = rows_beside(path, evidence), {}
    for one in evidence.records:
        if one.rows is None:
            continue
        file = files[one.check]
        try:
            content = read_bounded(file, _MOST_ROWS)
        except OSError as problem:
            raise EvidenceError(
                f"cannot be read: {problem.strerror}",
                path=file,
                advice=f"it belongs to {path.name}: put it beside it, or gate again",
            ) from None
        now = evidence_digest(content)
        if now != one.rows.digest:
            raise EvidenceError(
                f"is not what the evidence was made of: it has {one.rows.digest}, now it is {now}",
                path=file,
                advice="it was altered after its run; gate again: gates run",
            )
        found[one.check] = content
    return found


def read_evidence(path: Path, *, verify_key: Path | None = None) -> Evidence:
    """Read evidence, checking its schema and, when a key is given, its signature.

    Args:
        path: The `evidence.json`.
        verify_key: A PEM file with an Ed25519 public key; then a valid signature is demanded.

    Raises:
        EvidenceError: It is missing, damaged, of another schema, unsigned or wrongly signed.
    """
    content = _FILE.content(path)
    value = _FILE.value(content, path)
    if is_envelope(value):
        if verify_key:
            verify(value, verify_key, path)
        statement = _FILE.value(payload_of(value, path), path)
        return of_file(evidence_in(statement, path), content, signed=bool(value.get("signatures")))
    if verify_key:
        version_2.verify(path, content, verify_key)
    if isinstance(value, dict) and value.get("schema") == SCHEMA:
        raise EvidenceError(
            f"is no envelope, as evidence of {SCHEMA} is", path=path, advice=_FILE.advice
        )
    signed = path.with_name(path.name + version_2.SIGNATURE).is_file()
    return of_file(_FILE.checked(value, path), content, signed=signed)
