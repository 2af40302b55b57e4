"""What tests of long files share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gates.comparison.files.aligned import MEMORY, align
from gates.comparison.per_query import PerQuery
from gates.comparison.plan import ComparisonPlan
from tests.comparison.files.files import measured_rows

Measured = tuple[list[str], PerQuery]


@pytest.fixture
def measured(tmp_path: Path) -> Callable[..., Measured]:
    """Align three files and measure all their queries: their ids and their metrics."""

    def run(files: tuple[Path, Path, Path], *, memory: int = MEMORY) -> Measured:
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        aligned = align(*files, scratch=scratch, progress=lambda _done, _of: None, memory=memory)
        plan = ComparisonPlan(*files)
        return aligned.names.to_pylist(), measured_rows(plan, aligned)

    return run
