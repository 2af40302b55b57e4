"""Approvals: somebody saw the evidence of a gate, and says so with a key of their own.

An approval is an in-toto statement about the bytes of the evidence, in a DSSE envelope. It speaks
for these bytes alone: another gate of the same version is other evidence, and asks again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from gates.system.json_files import json_value

if TYPE_CHECKING:
    from securesystemslib.signer import Key, Signer

__all__ = ["Approval", "approver", "key_of", "signed"]

_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "urn:mlgates:approval:v1"
_PAYLOAD = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class Approval:
    """What is approved.

    Attributes:
        model: The registered model's name.
        version: The version that may be promoted.
        store: The registry that it is of, as that names itself.
        evidence: `sha256:…` of the evidence.
    """

    model: str
    version: str
    store: str
    evidence: str


def signed(approval: Approval, signer: Signer) -> str:
    """An approval in its envelope, as JSON on one line.

    Args:
        approval: What.
        signer: By whom.
    """
    from securesystemslib.dsse import Envelope

    subject = {
        "name": f"models:/{approval.model}/{approval.version}",
        "digest": {"sha256": approval.evidence.removeprefix("sha256:")},
    }
    statement = {
        "_type": _STATEMENT,
        "subject": [subject],
        "predicateType": _PREDICATE,
        "predicate": asdict(approval),
    }
    payload = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()
    envelope = Envelope(payload, _PAYLOAD, {})
    envelope.sign(signer)
    return json.dumps(envelope.to_dict(), sort_keys=True, separators=(",", ":"))


def approver(envelope: str, keys: Mapping[str, str], wanted: Approval) -> str:
    """Who of some people signed an approval.

    Args:
        envelope: From anywhere.
        keys: Person → public key, as a card writes it.
        wanted: What must have been approved.

    Returns:
        The person whose key signed; empty when it is none of theirs, or of something else.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import Error

    try:
        read = Envelope.from_dict(json_value(envelope.encode()))
        said = json_value(read.payload)
        is_wanted = said["predicateType"] == _PREDICATE and said["predicate"] == asdict(wanted)
    except (Error, ValueError, KeyError, TypeError, AttributeError):
        return ""
    if not is_wanted or read.payload_type != _PAYLOAD:
        return ""
    for person, key in keys.items():
        try:
            read.verify([key_of(key)], 1)
        except Error:
            continue
        return person
    return ""


def key_of(text: str) -> Key:
    """A public key, as a card writes it: the line of its PEM file between the others."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    pem = f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"
    return SSlibKey.from_crypto(load_pem_public_key(pem.encode()))
