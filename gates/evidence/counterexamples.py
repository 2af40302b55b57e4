"""Counterexamples kept between runs: a small file for each model and check.

Runs that end at the same moment take turns, by a lock on the folder, and each adds to what the
other wrote. A file is replaced whole. One that cannot be read is said and begun anew.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from gates.domain.counterexamples import Counterexample, KnownCounterexample, Recall, Replay
from gates.errors import InputError, UsageError
from gates.evidence.evidence import CheckRecord, canonical
from gates.system.file_locks import HeldLock, take_exclusive
from gates.system.files import write_atomically
from gates.system.json_files import JsonFile

__all__ = ["LONGEST", "MOST", "SCHEMA", "VERSIONS", "CounterexampleStore"]

SCHEMA = "mlgates.counterexamples/1"
MOST = 100
"""So many counterexamples a file keeps."""
LONGEST = 1_000
"""A longer text is not kept, in characters."""
VERSIONS = 5
"""A counterexample goes once so many versions, one after the other, did it right."""

_LARGEST = 8 << 20  # bytes; hundred cases of the longest texts are far smaller
_WAIT = 10.0


@dataclass(frozen=True, slots=True)
class _File:
    """What a file holds."""

    model: str
    check: str
    runs: int
    cases: tuple[KnownCounterexample, ...]
    schema: str = SCHEMA


_KEPT = JsonFile(_File, SCHEMA, most_bytes=_LARGEST)


@dataclass(frozen=True, slots=True)
class CounterexampleStore:
    """The counterexamples of one model.

    Attributes:
        folder: Where those of all models are kept.
        model: The registered model's name.
    """

    folder: Path
    model: str

    def path(self, check: str) -> Path:
        """The file of a check, whether it exists or not.

        Args:
            check: The check's name.
        """
        return self.folder / self.model / f"{check}.json"

    def recall(self, check: str) -> Recall:
        """What earlier runs left for a check; it never raises.

        Args:
            check: The check's name.
        """
        path = self.path(check)
        place = f"{self.folder.name}/{self.model}/{path.name}"
        try:
            content = _KEPT.content_if_there(path)
            if content is None:
                return Recall(place=place)
            held = _KEPT.parse(content, path)
        except InputError as problem:
            return Recall(place=place, trouble=f"{path}: it {problem.what}; it is begun anew")
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        return Recall(held.cases[:MOST], max(held.runs, 0), digest, place)

    def keep(self, record: CheckRecord, version: str, digest: str) -> None:
        """Keep what a check found and what became of older counterexamples.

        A check that does not replay leaves nothing, and so does one that could not finish.

        Args:
            record: What the check gave.
            version: The candidate's URI.
            digest: The candidate's digest.

        Raises:
            UsageError: The file cannot be written, or another process has held the folder too long.
        """
        if record.replay is None or record.cause is not None:
            return
        path = self.path(record.check)
        with _turn(path.parent):
            # Not what the run began with: another may have ended since.
            held = self.recall(record.check)
            cases = _merged(held.cases, record.replay, record.counterexamples, version, digest)
            file = _File(self.model, record.check, held.runs + 1, cases)
            write_atomically(path, canonical(file))


def _merged(
    held: tuple[KnownCounterexample, ...],
    replay: Replay,
    found: tuple[Counterexample, ...],
    version: str,
    digest: str,
) -> tuple[KnownCounterexample, ...]:
    cases = {one.case.asked: one for one in held}
    for one in replay.cases:
        key = one.known.case.asked
        if one.fails:
            cases[key] = KnownCounterexample(one.known.case, version)
        elif one.fails is None:
            cases.pop(key, None)
        elif key in cases and digest not in cases[key].passed:
            cases[key] = replace(cases[key], passed=(*cases[key].passed, digest))
    new = {
        case.asked: KnownCounterexample(case, version)
        for case in found
        if max(len(case.query), len(case.typed), len(case.label)) <= LONGEST
    }
    every = {**new, **{key: one for key, one in cases.items() if key not in new}}
    kept = [one for one in every.values() if len(one.passed) < VERSIONS]
    # Where there are too many, those go first that more versions did right, and then the oldest.
    return tuple(sorted(kept, key=lambda one: len(one.passed))[:MOST])


def _turn(folder: Path) -> HeldLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return take_exclusive(folder, patience=_WAIT, make=False)
    except TimeoutError as held:
        raise UsageError(
            str(held), advice="see whether another gate hangs, end it and run again"
        ) from None
    except OSError as problem:
        raise UsageError(
            f"{folder} cannot be used: {problem.strerror}",
            advice="make it writable, or name another folder: --counterexamples DIR",
        ) from None
