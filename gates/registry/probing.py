"""Whether an MLflow store or server is what it should be: its version, its clock, and writing."""

from __future__ import annotations

import tempfile
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from gates.errors import IntegrityError, RegistryError
from gates.registry._connection import Connection, Taken

__all__ = ["Answered", "Probe"]

_EXPERIMENT = "gates/doctor"
_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What a store or server said of itself.

    Attributes:
        shown: Its address, without a password.
        is_server: Whether it is a server; else a file database.
        version: The server's MLflow version; empty when it does not say.
        clock: How far the server's clock is ahead of ours, to the second; None when it does not
            say.
    """

    shown: str
    is_server: bool
    version: str
    clock: timedelta | None


class Probe:
    """Asks one MLflow.

    Args:
        tracking_uri: A file database or a server.
        cache_root: The cache folder.

    Raises:
        UsageError: The URI is neither.
    """

    def __init__(self, tracking_uri: str, cache_root: Path) -> None:
        self._connection = Connection(tracking_uri, cache_root)

    def answer(self) -> Answered:
        """Open it, and ask what it is.

        Raises:
            RegistryError: It does not answer, or its tables are of another version.
        """
        with self._connection.calls("open the registry"):
            pass
        if self._connection.database:
            return Answered(self._connection.uri, is_server=False, version="", clock=None)
        version, date = self._get("/version")
        clock = None
        if date:
            clock = timedelta(seconds=round((date - datetime.now(UTC)).total_seconds()))
        return Answered(self._connection.shown, is_server=True, version=version, clock=clock)

    def write(self) -> None:
        """Write a run with a file, read it back, and delete it again.

        Raises:
            RegistryError: One of it is refused, or fails.
            IntegrityError: Other bytes come back.
        """
        said = uuid.uuid4().hex
        with tempfile.TemporaryDirectory(prefix="gates-") as folder:
            written = Path(folder) / "doctor.txt"
            written.write_text(said)
            experiment = self._experiment()
            with self._connection.calls("write a run", transfer=True) as client:
                run = client.create_run(experiment, run_name="gates doctor").info.run_id
            try:
                with self._connection.calls("write and read an artifact", transfer=True) as client:
                    client.log_artifact(run, str(written))
                    back = client.download_artifacts(run, written.name, folder + "/")
                if Path(back).read_text() != said:
                    raise IntegrityError("the artifact store gives back other bytes")
            finally:
                with self._connection.calls("delete a run") as client:
                    client.delete_run(run)

    def _experiment(self) -> str:
        with self._connection.calls(f"find the experiment {_EXPERIMENT}") as client:
            found = client.get_experiment_by_name(_EXPERIMENT)
        if found:
            if found.lifecycle_stage != "active":
                raise RegistryError(
                    f"the experiment '{_EXPERIMENT}' was deleted",
                    advice=f"restore it: mlflow experiments restore -x {found.experiment_id}",
                )
            return str(found.experiment_id)
        location = self._connection.experiment_location("gates-doctor")
        try:
            with self._connection.calls("make an experiment") as client:
                return str(client.create_experiment(_EXPERIMENT, artifact_location=location))
        except Taken:  # another doctor was quicker
            return self._experiment()

    def _get(self, path: str) -> tuple[str, datetime | None]:
        import requests

        try:
            found = requests.get(self._connection.uri + path, timeout=_SECONDS)
            text = found.text.strip() if found.ok else ""
            date = found.headers.get("date")
            return text[:40], parsedate_to_datetime(date) if date else None
        except (requests.RequestException, ValueError, TypeError):
            return "", None
