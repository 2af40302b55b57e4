"""What a store calls itself: a name made once and kept in it, wherever it is moved or reached."""

from __future__ import annotations

import uuid

from gates.errors import RegistryError
from gates.evidence.evidence import RegistryFacts
from gates.registry._connection import Connection, Taken

__all__ = ["identity_of"]

_EXPERIMENT = "gates"
_TAG = "gates.registry"


def identity_of(connection: Connection) -> RegistryFacts:
    """The name of a store, given to it now where it has none.

    A path can be renamed and a server have several addresses, so neither names a store. Its
    `id` is empty where the caller may not write and nobody else has named it yet.

    Args:
        connection: The store.

    Raises:
        RegistryError: It could not be asked.
    """
    address = connection.shown
    found = _kept(connection)
    if found is None:
        try:
            # MLflow makes one experiment of a name, its tags with it: whoever comes second reads.
            with connection.calls("name the registry") as client:
                location = connection.experiment_location(_EXPERIMENT)
                client.create_experiment(
                    _EXPERIMENT, artifact_location=location, tags={_TAG: uuid.uuid4().hex}
                )
        except Taken:
            pass
        except RegistryError as problem:
            if problem.passing:
                raise
            return RegistryFacts("", address)
        found = _kept(connection)
    return RegistryFacts(found or "", address)


def _kept(connection: Connection) -> str | None:
    """The name; empty where an experiment of ours has lost it, None where there is none yet."""
    with connection.calls("ask the registry for its name") as client:
        found = client.get_experiment_by_name(_EXPERIMENT)
    return str(found.tags.get(_TAG, "")) if found else None
