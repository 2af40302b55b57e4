"""An embedded store for one run: an empty one is made once a machine, and copied."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path

from gates.errors import UsageError
from gates.registry._connection import Connection
from gates.system.files import temporary_beside

__all__ = ["scratch_store"]


def scratch_store(folder: Path, cache_root: Path) -> str:
    """The tracking URI of a new, empty store.

    To migrate an empty database takes seconds, to copy one nothing.

    Args:
        folder: Where to put it; made when it is not there.
        cache_root: Where an empty store of this MLflow is kept.

    Raises:
        RegistryError: It could not be made.
        UsageError: A folder cannot be written.
    """
    empty = cache_root / "stores" / f"mlflow-{version('mlflow-skinny')}.db"
    if not empty.is_file():
        # Made under the same name, and renamed, by the first that needs it.
        Connection(f"sqlite:///{empty}", cache_root).client  # noqa: B018 - opening it makes it
    store = folder / "mlflow.db"
    temporary = temporary_beside(store)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(empty, temporary)
        temporary.replace(store)
    except OSError as problem:
        raise UsageError(f"{store} could not be written: {problem.strerror or problem}") from None
    return f"sqlite:///{store}"
