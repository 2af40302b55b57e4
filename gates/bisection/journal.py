"""The journal of a bisection: what has been tested, on disk after each test.

A bisection that was stopped, however it was, goes on from its journal. One process at a time holds
it; a journal of other locks, another model or another golden set is never gone on from.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gates.bisection.bench import Failure
from gates.card.policy import UNWRITTEN, EnvironmentPolicy
from gates.comparison.answers import Difference, Tolerance
from gates.domain.golden_set import GoldenSet
from gates.environments.launching import Limits
from gates.errors import UsageError
from gates.evidence.evidence import canonical
from gates.locks.ddmin import Shows
from gates.locks.lock import Lock
from gates.registry.digests import tree_digest
from gates.system.file_locks import take_exclusive_if_free
from gates.system.files import write_atomically
from gates.system.json_files import JsonFile

__all__ = ["Journal", "Trial", "bisection_key", "open_journal"]

_SCHEMA = "mlgates.bisection/1"
_ANOTHER = "name another file with --state, or start this one anew with --fresh"


@dataclass(frozen=True, slots=True)
class Trial:
    """One test: the model under a lock in which some of the changes are made.

    Attributes:
        changes: The names of the changes that were made, sorted.
        shows: Whether it shows what is searched for.
        difference: How its answers differ from those under the old lock, when it gave any.
        failure: Why it gave none.
        seconds: How long it took, building its environment included.
        kept: True when it was read from the journal of an earlier call.
    """

    changes: tuple[str, ...]
    shows: Shows
    difference: Difference | None
    failure: Failure | None
    seconds: float
    kept: bool = False


@dataclass(frozen=True)
class _Page:
    key: Mapping[str, str]
    trials: tuple[Trial, ...] = ()
    schema: str = _SCHEMA


_PAGE = JsonFile(_Page, _SCHEMA, advice="name another file with --state")


def bisection_key(
    old: Lock,
    new: Lock,
    model_dir: Path,
    golden: GoldenSet,
    *,
    tolerance: Tolerance,
    limits: Limits,
    python: str | None,
    policy: EnvironmentPolicy = UNWRITTEN,
) -> dict[str, str]:
    """What a bisection is about: two of one key test the same things with the same outcome.

    Args:
        model_dir: The model folder.
        golden: What the model is asked.
        tolerance: How far a score may move.
        limits: What a worker may use.
        python: The Python version of the environments; None for the gate's own.
        policy: What a card says of the model's answers.

    Returns:
        Digests and settings by name, and their own digest as `digest`.

    Raises:
        IntegrityError: The model folder cannot be digested.
    """
    about = {
        "old lock": old.digest,
        "new lock": new.digest,
        "model": tree_digest(model_dir),
        "golden set": golden.digest,
        "tolerance": f"{tolerance.absolute:g} + {tolerance.relative:g} relative",
        "limits": f"{limits.memory_mb} MiB, {limits.start_seconds:g} s, "
        f"{limits.predict_seconds:g} s, layers {', '.join(limits.require) or 'as they are'}",
        "python": python or platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }
    said = {
        key: value
        for key, value in policy.model_dump(mode="json", exclude_defaults=True).items()
        if key in ("answer", "labels_only")
    }
    if said:
        about["answers"] = json.dumps(said, sort_keys=True)
    text = json.dumps(about, sort_keys=True)
    return {**about, "digest": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"}


class Journal:
    """The trials of one bisection; made by `open_journal`.

    Attributes:
        trials: Every trial in the order of testing, those of earlier calls first.
    """

    def __init__(self, path: Path, key: Mapping[str, str], trials: tuple[Trial, ...]) -> None:
        self._path = path
        self._key = key
        self.trials = list(trials)

    def find(self, part: frozenset[str]) -> Trial | None:
        """The trial of a part, if it was tested."""
        return next((one for one in self.trials if frozenset(one.changes) == part), None)

    def add(self, trial: Trial) -> None:
        """Keep a trial, on disk as well.

        Raises:
            UsageError: The journal cannot be written.
        """
        self.trials.append(trial)
        page = _Page(self._key, tuple(self.trials))
        write_atomically(self._path, canonical(page), durable=True)


@contextmanager
def open_journal(path: Path, key: Mapping[str, str], *, fresh: bool) -> Iterator[Journal]:
    """Hold a journal while the block runs.

    Args:
        path: The file; `<path>.lock` beside it is held as well, and never removed.
        key: What the bisection is about, from `bisection_key`.
        fresh: True to start anew whatever the file holds, if it is a journal at all.

    Raises:
        UsageError: Another process holds it, it is about something else, or cannot be written.
        InputError: It cannot be read, or is no journal.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        held = take_exclusive_if_free(lock)
    except OSError as problem:
        raise UsageError(
            f"the state file {path} cannot be made: {problem.strerror}",
            advice="name a file in a folder that can be written: --state FILE",
        ) from None
    if held is None:
        raise UsageError(
            f"another process is at work on the state file {path}",
            advice="wait until it is done, then run again; or name another: --state FILE",
        )
    with held:
        yield Journal(path, key, _read(path, key, fresh=fresh))


def _read(path: Path, key: Mapping[str, str], *, fresh: bool) -> tuple[Trial, ...]:
    page = _PAGE.read_if_there(path)
    if page is None:
        return ()
    if fresh:
        return ()
    other = [name for name in key if name != "digest" and page.key.get(name) != key[name]]
    if other:
        raise UsageError(
            f"the state file {path} is of another bisection: its {', '.join(other)} "
            f"{'is' if len(other) == 1 else 'are'} not this one's",
            advice=_ANOTHER,
        )
    # An index that could not be reached yesterday says nothing about today.
    lasting = (one for one in page.trials if not one.failure or one.failure.kind != "not-built")
    return tuple(replace(one, kept=True) for one in lasting)
