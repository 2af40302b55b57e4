"""What a check's measurements were made of, one row a query, as the bytes of a Parquet file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

__all__ = ["QueryRows", "RowsFile"]


@dataclass(frozen=True, slots=True)
class RowsFile:
    """A file of rows that stands beside evidence.

    Attributes:
        file: Its name.
        digest: `sha256:…` of its bytes.
        queries: How many rows it has.
    """

    file: str
    digest: str
    queries: int


@dataclass(frozen=True, slots=True)
class QueryRows:
    """Rows, as a check yields them.

    Attributes:
        content: The bytes of a Parquet file.
        queries: How many rows it has.
    """

    content: bytes
    queries: int

    def as_file(self, check: str) -> RowsFile:
        """How evidence names them.

        Args:
            check: The check that yielded them.
        """
        digest = "sha256:" + hashlib.sha256(self.content).hexdigest()
        return RowsFile(f"{check}.rows.parquet", digest, self.queries)
