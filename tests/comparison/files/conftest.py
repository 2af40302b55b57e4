"""What tests of long files share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gates.comparison.files.aligned import MEMORY, align
from gates.comparison.per_query import PerQuery, measure_queries
from gates.comparison.plan import ComparisonPlan

Measured = tuple[list[str], PerQuery]


@pytest.fixture
def measured(tmp_path: Path) -> Callable[..., Measured]:
    """Align three files and measure all their queries: their ids and their metrics."""

    def run(files: tuple[Path, Path, Path], *, memory: int = MEMORY) -> Measured:
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        aligned = align(*files, scratch=scratch, progress=lambda _done, _of: None, memory=memory)
        plan = ComparisonPlan(*files)
        return aligned.names.to_pylist(), measure_queries(
            plan, aligned, np.ones(aligned.query.size), lambda _: None
        )

    return run
