"""Evidence on disk: one file, `evidence.json`, an envelope with signatures over the statement.

What earlier versions of mlgates wrote, plain JSON with its signature beside it, is read as well.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import EvidenceError
from gates.evidence import version_1, version_2
from gates.evidence.envelope import is_envelope, payload_of, seal, verify
from gates.evidence.evidence import SCHEMA, Evidence, canonical, evidence_digest, of_file
from gates.evidence.statement import evidence_in, statement_of
from gates.system.files import write_atomically
from gates.system.json_files import JsonFile

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

__all__ = ["read_evidence", "write_evidence"]

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
    of_file(evidence, content)
    return evidence_digest(content)


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
        return of_file(evidence_in(statement, path), content)
    if verify_key:
        version_2.verify(path, content, verify_key)
    if isinstance(value, dict) and value.get("schema") == SCHEMA:
        raise EvidenceError(
            f"is no envelope, as evidence of {SCHEMA} is", path=path, advice=_FILE.advice
        )
    return of_file(_FILE.checked(value, path), content)
