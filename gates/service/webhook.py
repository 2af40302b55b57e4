"""A webhook delivery as MLflow 3 sends it: who sent it, when, and what it says.

MLflow signs `"{delivery id}.{timestamp}." + body` by HMAC-SHA256 with the secret's UTF-8 bytes and
sends `v1,` and the digest in base64. A retry repeats id, timestamp and signature. Source:
`mlflow/webhooks/delivery.py` of MLflow 3.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gates.system.json_files import json_value

__all__ = [
    "DELIVERY_HEADER",
    "SIGNATURE_HEADER",
    "TIMESTAMP_HEADER",
    "Headers",
    "Refused",
    "RegistryEvent",
    "read_event",
    "signature",
    "verify",
]

DELIVERY_HEADER = "x-mlflow-delivery-id"
TIMESTAMP_HEADER = "x-mlflow-timestamp"
SIGNATURE_HEADER = "x-mlflow-signature"
_CLOCK_TOLERANCE = timedelta(minutes=5)  # between the sender's clock and ours, either way

_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_SECONDS = re.compile(r"[0-9]{1,12}")
_MOST_SIGNATURES = 8


class Refused(Exception):
    """A delivery that can never succeed.

    Args:
        status: The HTTP status, 400 to 499.
        why: Why, without anything that was sent.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


@dataclass(frozen=True, slots=True)
class Headers:
    """What a delivery says about itself, unverified.

    Attributes:
        delivery_id: Its id, which a retry shares.
        timestamp: Unix seconds, as written.
        signatures: What it is signed with; several while secrets are being changed.
    """

    delivery_id: str
    timestamp: str
    signatures: tuple[str, ...]

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> Headers:
        """The headers of a delivery.

        Args:
            headers: HTTP headers, by lower-case names.

        Raises:
            Refused: One is missing or is not of its form.
        """
        delivery_id = headers.get(DELIVERY_HEADER, "")
        timestamp = headers.get(TIMESTAMP_HEADER, "")
        signatures = tuple(headers.get(SIGNATURE_HEADER, "").split())
        if not signatures:
            raise Refused(401, "it is not signed: set a secret for the webhook in MLflow")
        if not _ID.fullmatch(delivery_id):
            raise Refused(400, "it has no delivery id of MLflow's form")
        if not _SECONDS.fullmatch(timestamp):
            raise Refused(400, "it has no timestamp in Unix seconds")
        return cls(delivery_id, timestamp, signatures[:_MOST_SIGNATURES])


def signature(secret: str, delivery_id: str, timestamp: str, body: bytes) -> str:
    """What MLflow signs a delivery with.

    Args:
        secret: The shared secret.
        delivery_id: The delivery's id.
        timestamp: Unix seconds, as sent.
        body: The raw body.
    """
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:
    """Make sure that whoever knows a secret sent this, and not long ago.

    Every secret is compared with every signature, in constant time each, whatever matched before.

    Args:
        headers: The delivery's headers.
        body: Its raw body.
        secrets: Those it may be signed with.
        now: The time.

    Raises:
        Refused: It is signed with none of them, or is too old or too new.
    """
    known = False
    for secret in secrets:
        expected = signature(secret, headers.delivery_id, headers.timestamp, body).encode()
        for sent in headers.signatures:
            known |= hmac.compare_digest(expected, sent.encode())
    if not known:
        raise Refused(401, "its signature is of no secret that is known here")
    sent_at = datetime.fromtimestamp(int(headers.timestamp), UTC)
    if abs(now - sent_at) > _CLOCK_TOLERANCE:
        raise Refused(401, "its timestamp is too far from this machine's clock")


@dataclass(frozen=True, slots=True)
class RegistryEvent:
    """What happened in the registry.

    Attributes:
        entity: `model_version`, `model_version_alias`, `model_version_tag`, or another.
        action: `created`, `set`, `deleted`, or another.
        model: The registered model; empty when it is about none.
        version: The version's number; empty when it is about none.
        alias: The alias that was set.
        key: The key of the tag that was set.
    """

    entity: str
    action: str
    model: str = ""
    version: str = ""
    alias: str = ""
    key: str = ""
    value: str = ""


def read_event(body: bytes) -> RegistryEvent:
    """The event in a body.

    Raises:
        Refused: It is none.
    """
    try:
        read = json_value(body)
    except ValueError:
        raise Refused(400, "its body is not JSON") from None
    if not isinstance(read, dict) or not isinstance(read.get("data", {}), dict):
        raise Refused(400, "its body is not an event as MLflow sends it")
    data = read.get("data", {})
    entity, action = read.get("entity"), read.get("action")
    if not isinstance(entity, str) or not isinstance(action, str):
        raise Refused(400, "its body names no entity and action")

    def text(key: str) -> str:
        value = data.get(key)
        return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""

    return RegistryEvent(
        entity, action, *(text(key) for key in ("name", "version", "alias", "key", "value"))
    )
