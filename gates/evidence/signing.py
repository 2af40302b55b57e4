"""Ed25519 keys that sign evidence, and those that it is verified by.

A signing key is named by where it is:

    gate.pem               a PEM file
    env:GATE_KEY           an environment variable that holds the PEM text
    command:sign-evidence  a program that signs: it reads the bytes to sign from stdin and writes
                           the signature in base64, so that the key can stay where it is kept
"""

from __future__ import annotations

import base64
import binascii
import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import UsageError

if TYPE_CHECKING:
    from securesystemslib.signer import Signer, SSlibKey

__all__ = ["COMMAND", "VARIABLE", "key_file", "public_key", "signer_of"]

VARIABLE, COMMAND = "env:", "command:"

_SIGNING_ADVICE = "make one: openssl genpkey -algorithm ed25519 -out gate.pem"
_VERIFY_ADVICE = "take it from the signing key: openssl pkey -in gate.pem -pubout -out gate.pub"
_SECONDS = 60.0
_TRIED = b"mlgates asks whether this key can sign"


def key_file(key: str) -> Path | None:
    """The file that a signing key is in; None where it is in none, or there is no key.

    Args:
        key: Where the key is, as this module's head says.
    """
    return Path(key) if key and not key.startswith((VARIABLE, COMMAND)) else None


def signer_of(key: str, verify_key: Path | None = None) -> Signer:
    """Whoever signs with a key, once it has shown that it can.

    Args:
        key: Where the key is, as this module's head says.
        verify_key: The public half, a PEM file; a program that signs needs it, for what it says
            is verified.

    Raises:
        UsageError: The key cannot be read, is not Ed25519 or cannot sign.
    """
    if not key.startswith(COMMAND):
        return _held(key)
    if verify_key is None:
        raise UsageError(
            "the signing key is a command, and no public key is set to verify what it signs",
            advice="set GATES_VERIFY_KEY to the public half",
        )
    signer = _by_command(key.removeprefix(COMMAND), public_key(verify_key))
    signer.sign(_TRIED)
    return signer


def _held(key: str) -> Signer:
    """A signer by a private key that is read."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    what = f"the signing key {key}"
    try:
        private = load_pem_private_key(_pem(key), password=None)
    except OSError as problem:
        raise UsageError(
            f"{what} cannot be read: {problem.strerror}", advice=_SIGNING_ADVICE
        ) from None
    except (ValueError, TypeError):
        raise UsageError(
            f"{what} is not an unencrypted PEM private key", advice=_SIGNING_ADVICE
        ) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageError(f"{what} is not Ed25519", advice=_SIGNING_ADVICE)
    return CryptoSigner(private)


def _pem(key: str) -> bytes:
    if not key.startswith(VARIABLE):
        return Path(key).read_bytes()
    name = key.removeprefix(VARIABLE)
    text = os.environ.get(name)
    if not text:
        raise UsageError(
            f"the signing key is to be in the variable {name}, which is not set",
            advice=f"set {name} to the PEM text of the key",
        )
    return text.encode()


def _by_command(command: str, public: SSlibKey) -> Signer:
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import Key, SecretsHandler, Signature, Signer

    class CommandSigner(Signer):
        """Signs by a program."""

        @property
        def public_key(self) -> Key:
            return public

        @classmethod
        def from_priv_key_uri(
            cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
        ) -> Signer:
            raise NotImplementedError

        def sign(self, payload: bytes) -> Signature:
            signature = Signature(public.keyid, _said(command, payload).hex())
            try:
                public.verify_signature(signature, payload)
            except UnverifiedSignatureError:
                raise _unsigned(
                    command, "what it wrote is no signature by the key that GATES_VERIFY_KEY names"
                ) from None
            return signature

    return CommandSigner()


def _said(command: str, payload: bytes) -> bytes:
    """The signature that a program gives for some bytes."""
    try:
        ended = subprocess.run(
            shlex.split(command), input=payload, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, ValueError) as problem:
        raise _unsigned(command, f"it cannot be run: {problem}") from None
    except subprocess.TimeoutExpired:
        raise _unsigned(command, f"it took more than {_SECONDS:g} s") from None
    if ended.returncode:
        wrote = ended.stderr.decode(errors="replace").strip()[-500:]
        raise _unsigned(command, f"exit code {ended.returncode}" + (f": {wrote}" if wrote else ""))
    try:
        return base64.b64decode(b"".join(ended.stdout.split()), validate=True)
    except binascii.Error:
        raise _unsigned(command, "what it wrote is not base64") from None


def _unsigned(command: str, why: str) -> UsageError:
    return UsageError(
        f"the command that is to sign evidence did not: {why}",
        advice=f"it reads bytes from stdin and writes their signature in base64; try: {command}",
    )


def public_key(key: Path) -> SSlibKey:
    """A public key that evidence is verified by.

    Args:
        key: A PEM file with an Ed25519 public key.

    Raises:
        UsageError: It cannot be read, or is not Ed25519.
    """
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

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
    return SSlibKey.from_crypto(public)
