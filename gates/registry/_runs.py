"""MLflow runs that hold what was done to a model: one experiment a model, one run an event."""

from __future__ import annotations

import math
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from gates.errors import RegistryError
from gates.evidence.bundle import ROWS
from gates.evidence.version_2 import SIGNATURE
from gates.registry import Event
from gates.registry._connection import Connection, Taken
from gates.registry._events import PREFIX, event_of, event_tags

_EVIDENCE = "evidence.json"
_SIGNATURE = _EVIDENCE + SIGNATURE  # of what earlier versions wrote


class Runs:
    """The gate's runs in one MLflow store.

    Args:
        connection: The store.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def record(self, event: Event, files: Sequence[Path] = ()) -> str:
        """Record an event in a new run, or complete the run it names; gives the run's id."""
        from mlflow.entities import RunTag

        with self._connection.calls(f"record the {event.kind} of '{event.model}'") as client:
            tags, run = event_tags(event), event.run_id
            if run:
                client.log_batch(run, tags=[RunTag(key, value) for key, value in tags.items()])
            else:
                title = f"{event.kind} {event.version}".strip()
                experiment = self.experiment(event.model)
                run = str(client.create_run(experiment, tags=tags, run_name=title).info.run_id)
            for file in files:
                client.log_artifact(run, str(file))
            if event.state != "begun":
                client.set_terminated(run, "FINISHED" if event.state == "done" else "FAILED")
        return run

    def recorded(self, model: str, since: datetime | None = None) -> tuple[Event, ...]:
        """The events of a model, all or those begun since a moment, newest first."""
        found: list[Event] = []
        experiment = self._found(model)
        if experiment is None:
            return ()
        with self._connection.calls(f"read the history of '{model}'") as client:
            token = None
            wanted = f"tags.`{PREFIX}model` != ''"
            if since is not None:
                wanted += f" and attributes.start_time >= {int(since.timestamp() * 1000)}"
            while True:
                page = client.search_runs([experiment], wanted, max_results=500, page_token=token)
                events = (event_of(run.data.tags, run.info.run_id) for run in page)
                found += [event for event in events if event and event.model == model]
                token = page.token
                if not token:
                    break
        return tuple(sorted(found, key=lambda event: event.when, reverse=True))

    def gate_of(self, event: Event) -> Event | None:
        """The event that records the same evidence of the same version already, if any does."""
        experiment = self._found(event.model) if event.evidence_digest else None
        if experiment is None:
            return None
        wanted = f"tags.`{PREFIX}evidence_digest` = '{event.evidence_digest}'"
        with self._connection.calls(f"read the history of '{event.model}'") as client:
            runs = client.search_runs([experiment], wanted)
        found = (event_of(run.data.tags, run.info.run_id) for run in runs)
        key = (event.kind, event.version, event.verdict)
        known = (one for one in found if one and (one.kind, one.version, one.verdict) == key)
        return next(known, None)

    def keep_evidence(
        self,
        run: str,
        evidence: Path,
        files: Sequence[Path],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
    ) -> None:
        """Store evidence (as `evidence.json`), what belongs to it, and numbers to plot."""
        with (
            tempfile.TemporaryDirectory(prefix="gates-") as folder,
            self._connection.calls("store the evidence", transfer=True) as client,
        ):
            for tag, text in tags.items():
                client.set_tag(run, tag, text)
            for metric, value in metrics.items():
                if math.isfinite(value):
                    client.log_metric(run, re.sub(r"[^\w\-. :/]", "_", metric), value)
            for source in (evidence, *files):
                name = source.name.replace(evidence.name, _EVIDENCE)
                client.log_artifact(run, str(shutil.copyfile(source, Path(folder) / name)))

    def fetch_evidence(self, run: str, into: Path) -> Path:
        """Fetch `evidence.json`, and what belongs to it, from a gate run.

        Raises:
            RegistryError: The run holds none.
        """
        with self._connection.calls(f"fetch the evidence of run {run}", transfer=True) as client:
            there = {one.path for one in client.list_artifacts(run)}
            into.mkdir(parents=True, exist_ok=True)
            names = {name for name in there if name.endswith(ROWS) and "/" not in name}
            for name in sorted(names | there & {_EVIDENCE, _SIGNATURE}):
                client.download_artifacts(run, name, str(into))
        if _EVIDENCE not in there:
            raise RegistryError(f"the gate run {run} holds no {_EVIDENCE}", advice="gate again")
        return into / _EVIDENCE

    def experiment(self, model: str) -> str:
        """The id of the experiment that holds a model's history, made where it is missing."""
        found = self._found(model)
        if found is not None:
            return found
        location = self._connection.experiment_location(quote(model, safe=""))
        try:
            with self._connection.calls(f"make the experiment of '{model}'") as client:
                return str(client.create_experiment(_title(model), artifact_location=location))
        except Taken:
            return self.experiment(model)

    def _found(self, model: str) -> str | None:
        with self._connection.calls(f"find the experiment of '{model}'") as client:
            found = client.get_experiment_by_name(_title(model))
        if found and found.lifecycle_stage != "active":
            raise RegistryError(
                f"the experiment '{found.name}', which holds the history of '{model}', was deleted",
                advice=f"restore it: mlflow experiments restore -x {found.experiment_id}",
            )
        return str(found.experiment_id) if found else None


def _title(model: str) -> str:
    return f"gates/{model}"
