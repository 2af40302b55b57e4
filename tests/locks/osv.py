"""OSV records for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def osv(
    name: str,
    package: str = "six",
    *,
    fixed: str = "99",
    modified: str = "2026-11-20T00:00:00Z",
    **more: Any,
) -> dict[str, Any]:
    """A record of everything before one version."""
    events = [{"introduced": "0"}, {"fixed": fixed}]
    affected = {
        "package": {"ecosystem": "PyPI", "name": package},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    record = {"schema_version": "1.7.0", "id": name, "modified": modified, "affected": [affected]}
    return record | more
