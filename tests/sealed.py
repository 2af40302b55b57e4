"""Evidence files as the tests look into them and spoil them: the record inside the envelope."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from gates.evidence.envelope import seal
from gates.evidence.evidence import canonical
from gates.evidence.signing import signer_of


def statement_in(path: Path) -> dict[str, Any]:
    """The in-toto statement of an evidence file."""
    found: dict[str, Any] = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))
    return found


def record_in(path: Path) -> dict[str, Any]:
    """The record of an evidence file, as JSON."""
    found: dict[str, Any] = statement_in(path)["predicate"]["mlgates"]
    return found


def reseal(path: Path, *, key: Path | None = None, **changes: Any) -> None:
    """Change fields of the record, and nothing else of the statement, and write the file again.

    Args:
        key: A private key that signs; None for no signature.
        changes: Fields of the record.
    """
    statement = statement_in(path)
    statement["predicate"]["mlgates"] |= changes
    path.write_bytes(seal(canonical(statement), signer_of(str(key)) if key else None))
