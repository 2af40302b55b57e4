"""What single annotators said of a query's documents, so that a report can show where they part."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from gates.domain.subject import GoldenSet
from gates.kernels.packed import offsets

__all__ = ["annotator_grades"]


def annotator_grades(golden: GoldenSet) -> Callable[[int, Collection[str]], dict[str, list[float]]]:
    """A look-up: query index and documents → document → raw grades, in the order of annotators.

    Documents that no annotator is named for are left out.

    Args:
        golden: A ranking golden set.
    """
    raw = np.array(list(golden.annotators.values())).reshape(
        len(golden.annotators), golden.grade.size
    )
    by_query = np.argsort(golden.judged_query, kind="stable")
    starts = offsets(golden.judged_query[by_query], len(golden.query_id))

    def spread(query: int, documents: Collection[str]) -> dict[str, list[float]]:
        found = {}
        for judged in by_query[starts[query] : starts[query + 1]] if raw.size else ():
            grades = raw[:, judged]
            if golden.judged_doc[judged] in documents and not np.isnan(grades).all():
                found[golden.judged_doc[judged]] = grades[~np.isnan(grades)].tolist()
        return found

    return spread
