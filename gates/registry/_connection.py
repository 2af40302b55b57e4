"""One MLflow store or server, opened: quick to say when it is down, and quiet.

Everything that knows MLflow's quirks as a program (its retries, its migrations, its log lines, its
exceptions) is here, so that `gates.registry.mlflow` can speak of models only.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from gates.errors import RegistryError, UsageError
from gates.system.file_locks import HeldLock, take_exclusive
from gates.system.files import temporary_beside

if TYPE_CHECKING:
    from mlflow import MlflowClient

_FIRST = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "8"}
_LATER = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
_TRANSFER = _LATER | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "120"}
_QUIET = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # With a server, MLflow prints the run's address on stdout, which with --json is JSON's alone.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}

_LOCK_SECONDS, _PROMOTION_SECONDS = 60.0, 900.0
_BUSY = {"TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "INTERNAL_ERROR"}
_PASSING = (
    r"error code (429|5\d\d)|too many \d+ error responses|timed out|failed with exception"
    r"|database is locked|disk I/O error|disk is full|no space left"
)


class Absent(RegistryError):
    """MLflow says that what was asked for does not exist."""


class Taken(RegistryError):
    """MLflow says that what was to be made exists already."""


class Connection:
    """An MLflow tracking URI that was checked, and the client for it.

    Args:
        tracking_uri: `sqlite:///path`, or `http(s)://…` of an MLflow server.
        cache_root: Where the lock for a server is kept; a local store has its own.

    Raises:
        UsageError: The URI is neither.
    """

    def __init__(self, tracking_uri: str, cache_root: Path) -> None:
        self.database = _database(tracking_uri)
        self.uri = f"sqlite:///{self.database}" if self.database else tracking_uri.rstrip("/")
        self.shown = _masked(self.uri)
        self._lock_path = (
            self.database.with_name(self.database.name + ".lock")
            if self.database
            else cache_root / "locks" / (re.sub(r"[^A-Za-z0-9.]+", "-", self.shown) + ".lock")
        )

    @cached_property
    def client(self) -> MlflowClient:
        """The MLflow client, after one request that shows that the store answers.

        Raises:
            RegistryError: It does not.
        """
        with self._translated("open the registry", _FIRST):
            if self.database:
                self._open(self.database)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of MLflow's own imports; users may run -W error
                from mlflow import MlflowClient

                client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
                client.search_registered_models(max_results=1)
                client.search_experiments(max_results=1)
        return client

    @contextmanager
    def calls(self, doing: str, *, transfer: bool = False) -> Iterator[MlflowClient]:
        """The client, for requests that say what they were for when they fail.

        Args:
            doing: What is being done, as an infinitive without `to`.
            transfer: True when whole files move, which takes longer.

        Raises:
            Absent: What was asked for does not exist.
            Taken: What was to be made exists.
            RegistryError: Anything else went wrong.
        """
        client = self.client
        with self._translated(doing, _TRANSFER if transfer else _LATER):
            yield client

    def exclusive(self, model: str = "") -> HeldLock:
        """No other process of this machine moves an alias of this registry while this is held.

        Args:
            model: Whose promotions and rollbacks take turns, a lock of its own: these fetch and
                digest whole artifacts, and other models need not wait for that.

        Raises:
            RegistryError: The lock cannot be made, or another process held it for too long.
        """
        path, patience = self._lock_path, _LOCK_SECONDS
        if model:
            path, patience = self._model_lock(model), _PROMOTION_SECONDS
        try:
            return take_exclusive(path, patience=patience)
        except TimeoutError as held:
            raise RegistryError(
                str(held), advice="see whether another gate hangs, end it and try again"
            ) from None
        except OSError as problem:
            raise RegistryError(
                f"the lock {path} cannot be made: {problem.strerror}",
                advice="make its folder writable, or choose another",
            ) from None

    def lock_identity(self, model: str) -> str:
        """Which file it is that promotions and rollbacks of a model lock here; empty before.

        Wherever it is the same, the system lets only one process have it, and no dead one.
        """
        try:
            status = self._model_lock(model).stat()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return ""
        return f"{boot}:{status.st_dev}:{status.st_ino}"

    def _model_lock(self, model: str) -> Path:
        name = hashlib.sha256(model.encode()).hexdigest()[:16]
        return self._lock_path.with_name(f"{self._lock_path.name}.{name}")

    def experiment_location(self, folder: str) -> str | None:
        """Where a new experiment keeps its files: beside the database, or as the server likes."""
        return (self.database.parent / "artifacts" / folder).as_uri() if self.database else None

    def _open(self, database: Path) -> None:
        database.parent.mkdir(parents=True, exist_ok=True)
        if not database.exists() or not database.stat().st_size:
            with self.exclusive():
                if not database.exists() or not database.stat().st_size:
                    _create(database)
        with database.open("rb") as stream:
            if stream.read(16) != b"SQLite format 3\0":
                raise RegistryError(
                    f"{database} is not an SQLite database",
                    advice="name another file in MLFLOW_TRACKING_URI; a missing one is made",
                )

    @contextmanager
    def _translated(self, doing: str, patience: Mapping[str, str]) -> Iterator[None]:
        with _defaults({**patience, **_QUIET}):
            try:
                yield
            except _foreign() as problem:
                raise self._explained(problem, doing) from problem

    def _explained(self, problem: Exception, doing: str) -> RegistryError:
        text = str(problem).replace(self.uri, self.shown)
        text = re.sub(r"//[^/@\s]+@", "//***@", text).strip() or type(problem).__name__
        unreached = re.search(r"Caused by \w+\(.*?\): (.*?)[\"']\)", text)
        if unreached:  # the rest of the sentence is the HTTP library's inner life
            text = f"it does not answer: {unreached[1]}"
        what = f"could not {doing} at {self.shown}: {text.splitlines()[0][:400]}"
        code = getattr(problem, "error_code", "")
        if code == "RESOURCE_DOES_NOT_EXIST":
            return Absent(what)
        if code == "RESOURCE_ALREADY_EXISTS":
            return Taken(what)
        passing = bool(unreached) or _passes(problem, code, text)
        if self.database:
            return RegistryError(
                what,
                passing=passing,
                advice=f"check that {self.database} is whole, that it and its folder can be "
                "written, and that MLflow here is not older than the one that made it",
            )
        if "401" in text or "403" in text:
            return RegistryError(
                what,
                advice="check MLFLOW_TRACKING_USERNAME and _PASSWORD, or MLFLOW_TRACKING_TOKEN",
            )
        return RegistryError(
            what,
            passing=passing,
            advice="check that the server runs (GET /health), that MLFLOW_TRACKING_URI names it, "
            "and that no proxy stands between",
        )


def _passes(problem: Exception, code: str, text: str) -> bool:
    """Whether trouble may be gone a while later: nobody answered, or was too busy to."""
    from requests import RequestException

    return (
        isinstance(problem, RequestException | OSError)
        or code in _BUSY
        or re.search(_PASSING, text, re.IGNORECASE) is not None
    )


def _database(uri: str) -> Path | None:
    if uri.startswith(("http://", "https://")):
        if not urlsplit(uri).hostname:
            raise UsageError(f"the tracking URI '{_masked(uri)}' names no host")
        return None
    path = uri.removeprefix("sqlite:///").partition("?")[0]
    if not uri.startswith("sqlite:///") or path in {"", ":memory:"}:
        raise UsageError(
            f"the tracking URI '{_masked(uri)}' is neither a file database nor a server",
            advice="use sqlite:///path/mlflow.db, or the http(s):// address of an MLflow server",
        )
    return Path(path).absolute()


def _masked(uri: str) -> str:
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"***@{host}"))


def _create(database: Path) -> None:
    """Make the database under another name and rename it: a kill leaves nothing half-migrated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        unfinished = temporary_beside(database)
        noisy = [logging.getLogger(name) for name in ("mlflow.store.db.utils", "alembic")]
        levels = [logger.level for logger in noisy]
        try:
            for logger in noisy:
                logger.setLevel(logging.WARNING)
            artifacts = (database.parent / "artifacts").as_uri()
            store = SqlAlchemyStore(  # type: ignore[no-untyped-call]  # MLflow does not annotate it
                f"sqlite:///{unfinished}", artifacts
            )
            store.engine.dispose()
            unfinished.replace(database)
        finally:
            unfinished.unlink(missing_ok=True)
            for logger, level in zip(noisy, levels, strict=True):
                logger.setLevel(level)


@contextmanager
def _defaults(wanted: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for MLflow, where the user has not set them."""
    ours = [name for name in wanted if name not in os.environ]
    os.environ.update({name: wanted[name] for name in ours})
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)


def _foreign() -> tuple[type[Exception], ...]:
    """What MLflow and the libraries under it raise; asked for only once something was raised."""
    from alembic.util import CommandError
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, RequestException, SQLAlchemyError, CommandError, OSError
