"""`queries.csv`: what shoppers typed, how often, and how each query came into the set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gates.domain.design import Design, read_design
from gates.golden.files import read_csv

if TYPE_CHECKING:
    from gates.domain.golden_set import Manifest

__all__ = ["Queries", "read_queries"]


@dataclass(frozen=True)
class Queries(Design):
    """The queries of a golden set.

    Attributes:
        text: Q texts, none blank.
    """

    text: tuple[str, ...]


def read_queries(path: Path, manifest: Manifest) -> Queries:
    """Read and check `queries.csv`.

    Args:
        manifest: The set's manifest: its `slices` must be columns here.

    Raises:
        GoldenError: It is missing, empty, or a row is wrong.
    """
    table = read_csv(path)
    table.need("query_id", "query")
    design = read_design(table, manifest.slices, cluster=manifest.cluster, noun=manifest.task.items)
    table.filled("query", advice="Write what the shopper typed, or remove the row.")
    return Queries(**vars(design), text=tuple(table.text("query").to_pylist()))
