"""What mlgates wrote as `mlgates.evidence/2`: the record alone, with its signature beside it.

The record itself has the form of today. Like that of `mlgates.evidence/1` it was canonical JSON,
and an Ed25519 signature over those bytes stood in base64 in `evidence.json.sig`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gates.errors import EvidenceError
from gates.evidence.signing import public_key

__all__ = ["SCHEMA", "SIGNATURE", "brought_up", "verify"]

SCHEMA = "mlgates.evidence/2"
SIGNATURE = ".sig"
"""What follows the name of the evidence in that of its signature."""


def brought_up(evidence: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same run in the form of today.

    Args:
        evidence: The JSON object of the file.
    """
    return evidence


def verify(path: Path, content: bytes, key: Path) -> None:
    """Demand that the bytes of such a file carry a valid signature.

    Args:
        path: The evidence file; its signature stands beside it.
        content: Its bytes.
        key: A PEM file with an Ed25519 public key.

    Raises:
        EvidenceError: There is no signature, or it is not by that key over these bytes.
        UsageError: The key cannot be used.
    """
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import Signature

    known = public_key(key)
    try:
        written = path.with_name(path.name + SIGNATURE).read_bytes()
        signature = Signature(known.keyid, base64.b64decode(written).hex())
        known.verify_signature(signature, content)
    except OSError:
        raise EvidenceError(
            "has no signature, and a verification key is set",
            path=path,
            advice="gate again with GATES_SIGNING_KEY set",
        ) from None
    except (UnverifiedSignatureError, ValueError):
        raise EvidenceError(
            f"its signature is not by {key.name} over these bytes",
            path=path,
            advice="it was edited, or signed by another gate: gate again",
        ) from None
