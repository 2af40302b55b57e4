"""Deliveries as MLflow sends them, for tests: its own code makes and signs them."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from mlflow.webhooks.delivery import _generate_hmac_signature

SECRET = "a secret that is long enough"


@dataclass(frozen=True)
class Sent:
    """What goes over the wire."""

    headers: dict[str, str]
    body: bytes


def delivery(
    entity: str = "model_version",
    action: str = "created",
    *,
    secret: str = SECRET,
    delivery_id: str | None = None,
    age: float = 0.0,
    padding: int = 0,
    **data: Any,
) -> Sent:
    """A delivery, signed."""
    said = {"name": "toy-ranker", "version": "2", **data}
    body = json.dumps(
        {
            "entity": entity,
            "action": action,
            "timestamp": "2026-11-24T10:00:00+00:00",
            "data": {**said, "description": "x" * padding},
        }
    )
    delivery_id = delivery_id or str(uuid.uuid4())
    timestamp = str(int(time.time() - age))
    signed = _generate_hmac_signature(secret, delivery_id, timestamp, body)
    headers = {
        "content-type": "application/json",
        "x-mlflow-delivery-id": delivery_id,
        "x-mlflow-timestamp": timestamp,
        "x-mlflow-signature": signed,
    }
    return Sent(headers, body.encode())
