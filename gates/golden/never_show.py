"""`never-show.csv`: documents that must not stand high for any query."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gates.domain.golden_set import NeverShown
from gates.golden.files import read_csv
from gates.golden.pairs import codes

__all__ = ["read_never_show"]


def read_never_show(path: Path) -> tuple[NeverShown, ...]:
    """Read and check `never-show.csv`.

    Returns:
        Its rows, in file order. A document need not be a candidate of any golden query.

    Raises:
        GoldenError: A column is missing, or a row is wrong.
    """
    table = read_csv(path)
    table.need("doc_id", "k")
    table.filled("doc_id", advice="Write the document's id.")
    document, k = table.text("doc_id"), table.numbers("k")
    table.unique(codes(document)[0], show=("doc_id",), advice="Keep one row for each document.")
    wrong = ~((k >= 1) & (k == np.floor(k)) & np.isfinite(k))
    if wrong.any():
        raise table.defect(
            "`k` is not a depth",
            wrong,
            show=("doc_id", "k"),
            advice="Write how many places must be free of the document, a whole number ≥ 1.",
        )
    lines = table.lines(range(table.rows))
    rows = zip(document.to_pylist(), k.astype(int).tolist(), lines, strict=True)
    return tuple(NeverShown(one, depth, line or 0) for one, depth, line in rows)
