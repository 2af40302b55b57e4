"""Processes that promote and roll back two candidates at once: run as a program, it forks them.

    python -m tests.promotion.racing TRACKING_URI CACHE MODEL PROCESSES OPERATIONS

Each does its operations one after the other. Prints what came of them as JSON: `moved`, `refused`,
or the error that nobody expects.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gates.errors import PromotionRefused
from gates.promotion.promote import promote
from gates.promotion.rollback import rollback
from gates.registry.mlflow import MlflowRegistry

from .parts import criteria, toy_card, write_gated


def race(uri: str, cache: Path, model: str, processes: int, operations: int) -> Counter[str]:
    """Fork the processes, and wait for all."""
    import mlflow.store.model_registry.sqlalchemy_store
    import mlflow.store.tracking.rest_store
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401 - imported once, for all that fork

    begin_read, begin_write = os.pipe()
    said_read, said_write = os.pipe()
    for number in range(processes):
        if os.fork() == 0:
            os.close(begin_write)
            os.read(begin_read, 1)  # until all are there
            registry = MlflowRegistry(uri, cache)
            for operation in range(operations):
                try:
                    said = _one(registry, model, number + operation)
                except BaseException as problem:  # noqa: BLE001 - whatever it is, it is told
                    said = f"{type(problem).__name__}: {problem}".replace("\n", " ")[:300]
                os.write(said_write, f"{said}\n".encode())
            os._exit(0)
    os.close(said_write)
    os.close(begin_write)
    with os.fdopen(said_read) as stream:
        return Counter(line.strip() for line in stream)


def _one(registry: MlflowRegistry, model: str, number: int) -> str:
    """Promote one of two candidates, or roll back."""
    try:
        if number % 2:
            rollback(registry, model, "champion", why="a race", by=f"racer {number}")
            return "moved"
        with tempfile.TemporaryDirectory() as scratch:
            card = toy_card(Path(scratch), model)
            # Dated ahead, for a rollback spends what was gated before.
            later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
            evidence = write_gated(
                Path(scratch) / "evidence.json",
                registry,
                card,
                str(2 + number // 2 % 2),
                created=later,
                run_id=uuid.uuid4().hex,
            )
            asked = criteria(evidence)
            promote(
                registry,
                card,
                f"{model}/{2 + number // 2 % 2}",
                evidence,
                criteria=asked,
                why="a race",
                by=f"racer {number}",
            )
    except PromotionRefused:
        return "refused"
    return "moved"


if __name__ == "__main__":
    uri, cache, model, processes, operations = sys.argv[1:]
    print(json.dumps(race(uri, Path(cache), model, int(processes), int(operations))))
