"""Ed25519 signatures over evidence bytes; beside `evidence.json` stands `evidence.json.sig`."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import EvidenceError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["sign", "verify"]

_SIGNING_ADVICE = "make one: openssl genpkey -algorithm ed25519 -out gate.pem"
_VERIFY_ADVICE = "take it from the signing key: openssl pkey -in gate.pem -pubout -out gate.pub"


def sign(content: bytes, key: Path) -> bytes:
    """An Ed25519 signature over evidence bytes, in base64.

    Raises:
        UsageError: The key cannot be read or is not Ed25519.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(key.read_bytes(), password=None)
    except OSError as problem:
        raise UsageError(
            f"the signing key {key} cannot be read: {problem.strerror}", advice=_SIGNING_ADVICE
        ) from None
    except (ValueError, TypeError):
        raise UsageError(
            f"the signing key {key} is not an unencrypted PEM private key", advice=_SIGNING_ADVICE
        ) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageError(
            f"the signing key {key} is not Ed25519",
            advice=_SIGNING_ADVICE,
        )
    return base64.b64encode(private.sign(content)) + b"\n"


def verify(path: Path, content: bytes, key: Path) -> None:
    """Demand that evidence bytes carry a valid signature.

    Args:
        path: The evidence file; its signature is `<path>.sig`.
        key: A PEM file with the Ed25519 public key.

    Raises:
        EvidenceError: There is no signature, or it is not by that key over these bytes.
        UsageError: The key cannot be used.
    """
    from cryptography.exceptions import InvalidSignature

    public = _public_key(key)
    try:
        signature = base64.b64decode(path.with_name(path.name + ".sig").read_bytes())
        public.verify(signature, content)
    except OSError:
        raise EvidenceError(
            "has no signature, and a verification key is set",
            path=path,
            advice="gate again with GATES_SIGNING_KEY set",
        ) from None
    except (InvalidSignature, ValueError):
        raise EvidenceError(
            f"its signature is not by {key.name} over these bytes",
            path=path,
            advice="it was edited, or signed by another gate: gate again",
        ) from None


def _public_key(key: Path) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        public = load_pem_public_key(key.read_bytes())
    except OSError as problem:
        raise UsageError(
            f"the verification key {key} cannot be read: {problem.strerror}", advice=_VERIFY_ADVICE
        ) from None
    except ValueError:
        raise UsageError(
            f"the verification key {key} is not a PEM public key", advice=_VERIFY_ADVICE
        ) from None
    if not isinstance(public, ed25519.Ed25519PublicKey):
        raise UsageError(f"the verification key {key} is not Ed25519", advice=_VERIFY_ADVICE)
    return public
