"""Where a version came from: the run behind it, as MLflow keeps it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gates.registry import Origin
from gates.registry._connection import Absent, Connection

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion as Registered


def origin_of(found: Registered, connection: Connection) -> Origin:
    """What MLflow knows of where a registered version came from.

    Args:
        found: The version.
        connection: The store that it is in.

    Raises:
        RegistryError: The store does not answer.
    """
    registered = _moment(found.creation_timestamp)
    run = _run(found.run_id, connection) if found.run_id else None
    if run is None:
        return Origin(registered, by=found.user_id or "", description=found.description or "")
    return Origin(
        registered=registered,
        by=found.user_id or run.data.tags.get("mlflow.user", ""),
        run=run.info.run_name or run.info.run_id,
        trained=_moment(run.info.start_time),
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
        datasets=tuple(_datasets(run)),
        description=found.description or "",
    )


def _run(run_id: str, connection: Connection) -> Run | None:
    try:
        with connection.calls(f"read the run {run_id}") as client:
            return client.get_run(run_id)
    except Absent:  # runs are removed, versions stay
        return None


def _datasets(run: Run) -> list[str]:
    inputs = run.inputs.dataset_inputs if run.inputs else []
    found = []
    for one in inputs:
        context = next((tag.value for tag in one.tags if tag.key == "mlflow.data.context"), "")
        words = f"{one.dataset.name} (digest {one.dataset.digest})"
        found.append(f"{words}, {context}" if context else words)
    return found


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
