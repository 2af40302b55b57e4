"""Evidence files as the tests look into them and spoil them: the record inside the envelope."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gates.evidence.envelope import seal
from gates.evidence.evidence import Evidence, canonical
from gates.evidence.signing import signer_of
from gates.evidence.statement import statement_of


def statement_in(path: Path) -> dict[str, Any]:
    """The in-toto statement of an evidence file."""
    return _opened(json.loads(path.read_bytes()))


def record_in(path: Path) -> dict[str, Any]:
    """The record of an evidence file, as JSON."""
    return record_of(json.loads(path.read_bytes()))


def record_of(envelope: dict[str, Any]) -> dict[str, Any]:
    """The record in an envelope."""
    found: dict[str, Any] = _opened(envelope)["predicate"]["mlgates"]
    return found


def _opened(envelope: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
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


def forge(path: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a record as one who knows the form would: the statement says what the record makes.

    Args:
        path: An evidence file.
        target: Where the forged one goes.
        change: Changes the record in place.
    """
    statement = statement_in(path)
    change(statement["predicate"]["mlgates"])
    with suppress(ValidationError):  # what is no record keeps the statement that it had
        record = TypeAdapter(Evidence).validate_python(statement["predicate"]["mlgates"])
        statement = statement_of(record)
    target.write_bytes(seal(canonical(statement), None))
