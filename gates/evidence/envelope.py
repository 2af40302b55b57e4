"""DSSE envelopes: a payload, what kind of payload it is, and signatures over both.

The form is that of https://github.com/secure-systems-lab/dsse, version 1; securesystemslib signs
and verifies. An envelope without a signature is whole, and vouched for by nobody.
"""

from __future__ import annotations

import base64
import binascii
import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.errors import EvidenceError
from gates.evidence.signing import public_key

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

__all__ = ["PAYLOAD_TYPE", "is_envelope", "payload_of", "seal", "verify"]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""An in-toto statement, as JSON."""


def seal(payload: bytes, signer: Signer | None) -> bytes:
    """An envelope, as the bytes of a JSON file.

    Args:
        payload: What it holds.
        signer: Who signs; None for an envelope without a signature.

    Raises:
        UsageError: The signer cannot sign.
    """
    from securesystemslib.dsse import Envelope

    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    if signer is not None:
        envelope.sign(signer)
    written = json.dumps(envelope.to_dict(), sort_keys=True, separators=(",", ":"))
    return written.encode() + b"\n"


def is_envelope(value: object) -> bool:
    """Whether a JSON value is an envelope, or means to be one."""
    return isinstance(value, Mapping) and "payloadType" in value


def payload_of(envelope: Mapping[str, Any], path: Path) -> bytes:
    """What an envelope holds, whoever signed it.

    Args:
        envelope: Its JSON object.
        path: Where it stands.

    Raises:
        EvidenceError: It holds no in-toto statement, or is damaged.
    """
    kind, payload = envelope["payloadType"], envelope.get("payload")
    if kind != PAYLOAD_TYPE:
        raise _damaged(path, f"is an envelope of {repr(kind)[:100]}, not of {PAYLOAD_TYPE!r}")
    try:
        return base64.b64decode(str(payload), validate=True)
    except (binascii.Error, ValueError):
        raise _damaged(path, "is damaged at 'payload': it is not base64") from None


def verify(envelope: Mapping[str, Any], key: Path, path: Path) -> None:
    """Demand that an envelope is signed by a key.

    Args:
        envelope: Its JSON object.
        key: A PEM file with an Ed25519 public key.
        path: Where it stands.

    Raises:
        EvidenceError: It has no signature, or none by that key over what it holds.
        UsageError: The key cannot be used.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import Error

    known = public_key(key)
    if not envelope.get("signatures"):
        raise EvidenceError(
            "has no signature, and a verification key is set",
            path=path,
            advice="gate again with GATES_SIGNING_KEY set",
        )
    try:
        # What reads it changes what it is given.
        Envelope.from_dict(copy.deepcopy(dict(envelope))).verify([known], 1)
    except (Error, KeyError, TypeError, ValueError, AttributeError):
        raise EvidenceError(
            f"its signature is not by {key.name} over these bytes",
            path=path,
            advice="it was edited, or signed by another gate: gate again",
        ) from None


def _damaged(path: Path, what: str) -> EvidenceError:
    return EvidenceError(what, path=path, advice="run the gate again: gates run")
