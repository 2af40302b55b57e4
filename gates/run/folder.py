"""The folder of a run: what was resolved, and what each of its processes measured.

What the run has to come to stands in `inventory.json` before any test runs.

A run that was stopped can go on in a folder that its caller named: `run.json` says what it was
about, and what its checks gave is in `parts/` and not measured again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gates.domain.judging import EnvironmentFacts, ModelVersion
from gates.errors import InputError
from gates.evidence.evidence import CheckRecord, Timing, canonical
from gates.evidence.inventory import Inventory
from gates.system.files import write_atomically
from gates.system.json_files import JsonFile

__all__ = ["ResolvedRun", "RunFolder", "RunPart"]


@dataclass(frozen=True)
class ResolvedRun:
    """What a run is about, once its versions are resolved.

    Attributes:
        run_id: Of this run alone.
        card: The card's path.
        candidate: The version under test.
        champion: The version it is compared with, if any.
        gate: The version of mlgates.
        schema: The form in which it records what it measures.
        card_digest: The digest of the card's policy.
        golden_digest: The digest of the golden set.
    """

    run_id: str
    card: str
    candidate: ModelVersion
    champion: ModelVersion | None
    gate: str
    schema: str = ""
    card_digest: str = ""
    golden_digest: str = ""

    @property
    def rests_on(self) -> tuple[object, ...]:
        """All that a record of it depends on."""
        versions = (self.candidate, self.champion)
        named = [(one.uri, one.digest) if one else None for one in versions]
        return (self.gate, self.schema, self.card_digest, self.golden_digest, *named)


@dataclass(frozen=True)
class RunPart:
    """What one process, or one check, measured.

    Attributes:
        records: What the checks gave.
        environments: role → the facts of the environment they ran in.
        timings: How long what took.
    """

    records: tuple[CheckRecord, ...]
    environments: Mapping[str, EnvironmentFacts]
    timings: tuple[Timing, ...] = ()


_RUN = JsonFile(ResolvedRun)
_PART = JsonFile(RunPart, advice="remove this file and run the gate again")


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run.

    Attributes:
        path: Where it is.
        named: Whether the caller named it, to go on in it: it is then kept without a verdict too.
    """

    path: Path
    named: bool = False

    @classmethod
    def new(cls, output: Path, run: ResolvedRun) -> RunFolder:
        """A folder of a run's own.

        Args:
            output: Where runs have their folders.
        """
        now = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        name = f"{run.candidate.name}-{run.candidate.version}-{now}-{run.run_id[:6]}"
        return cls(output / name)

    def begun(self) -> ResolvedRun | None:
        """The run that was begun here; None when there is none, or it is not whole."""
        try:
            return _RUN.read(self.path / "run.json")
        except InputError:
            return None

    def begin(self, run: ResolvedRun) -> None:
        """Begin a run here; what another one left is removed.

        Raises:
            UsageError: The folder cannot be written.
        """
        for path in self.path.iterdir() if self.path.is_dir() else ():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        write_atomically(self.path / "run.json", canonical(run))

    def fix(self, inventory: Inventory) -> None:
        """Record what the run has to come to.

        Raises:
            UsageError: The folder cannot be written.
        """
        write_atomically(self.path / "inventory.json", canonical(inventory))

    def leave(self, name: str, part: RunPart) -> None:
        """Leave a part for whoever concludes the run.

        Args:
            name: Of this process or check.
            part: What it measured.

        Raises:
            UsageError: The folder cannot be written.
        """
        write_atomically(self.path / "parts" / f"{name}.json", canonical(part))

    def leave_beside(self, name: str, content: bytes) -> None:
        """Leave a file that belongs to the evidence and stands beside it.

        Raises:
            UsageError: The folder cannot be written.
        """
        write_atomically(self.path / name, content, durable=True)

    def parts(self) -> Iterator[RunPart]:
        """The parts that were left, in the order of their names.

        Raises:
            InputError: One is damaged.
        """
        for path in sorted((self.path / "parts").glob("*.json")):
            yield _PART.read(path)

    def discard(self) -> None:
        """Remove it, unless the caller named it: there is no verdict, and nothing half-written."""
        if not self.named:
            shutil.rmtree(self.path, ignore_errors=True)
