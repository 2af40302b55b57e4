"""Both versions as own tests see them in their cage: every question goes to the judge's process.

A question is JSON and, where a model is asked, a frame of columns. The answer comes pickled: the
judge believes nothing of what it is sent, but whoever is in the cage may believe the judge.
"""

from __future__ import annotations

import json
import os
import pickle
import struct
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.environments.frames import encode_columns, encode_message, framed
from gates.errors import NoChampion

if TYPE_CHECKING:
    from gates.domain.artifact_scan import ScanReport
    from gates.domain.counterexamples import Recall
    from gates.domain.golden_set import Columns, GoldenSet
    from gates.domain.judging import EnvironmentFacts, ModelVersion, Role
    from gates.domain.lock_report import LockChange, LockReport
    from gates.domain.subject import (
        Contributions,
        LockQuestions,
        NoContributions,
        NoSplits,
        Snapshot,
        Splits,
    )
    from gates.kernels.packed import Floats

__all__ = ["QUESTION", "CagedSubject", "Channel"]

QUESTION = b"ask     "
"""The tag of a question: the length of its JSON (`<I`), the JSON, a frame of columns or none."""


class Channel:
    """The two pipes to the judge."""

    def __init__(self, requests: int, replies: int) -> None:
        self._requests = requests
        self._replies = replies
        self._mutex = threading.RLock()
        self._process = os.getpid()

    def read(self) -> bytes | None:
        """The next payload; None when the judge has gone."""
        head = self._exactly(8)
        return self._exactly(struct.unpack("<Q", head)[0]) if head else None

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a message."""
        self._write(encode_message(message))

    def ask(self, question: Mapping[str, Any], columns: Columns | None = None) -> Any:  # noqa: ANN401 - any answer
        """Ask the judge, and raise what it raised.

        Args:
            question: What is asked.
            columns: The rows that a model is asked about.
        """
        head = json.dumps(question).encode()
        body = b"" if columns is None else encode_columns(columns, "arrow")
        with self._mutex:
            self._write(b"".join((QUESTION, struct.pack("<I", len(head)), head, body)))
            answer = self.read()
        if answer is None:
            raise SystemExit(1)
        kind, *given = pickle.loads(answer[8:])  # noqa: S301 - it comes from the judge
        if kind == "value":
            return given[0]
        cls, arguments, state = given
        problem = cls.__new__(cls)
        problem.args = arguments
        vars(problem).update(state)
        raise problem

    def _write(self, payload: bytes) -> None:
        if os.getpid() != self._process:
            os._exit(0)  # a test forked, and both came back: only one may speak
        left = memoryview(framed(payload))
        while left:
            left = left[os.write(self._replies, left) :]

    def _exactly(self, size: int) -> bytes | None:
        taken = bytearray()
        while len(taken) < size:
            chunk = os.read(self._requests, min(size - len(taken), 1 << 20))
            if not chunk:
                return None
            taken += chunk
        return bytes(taken)


class _Predicting(ABC):
    """What a version is asked for, whichever process of it answers."""

    @abstractmethod
    def _ask(self, what: str, columns: Columns | None = None) -> Any:  # noqa: ANN401 - as its callers say
        """Ask the judge."""

    def scores(self, columns: Columns) -> Floats:
        """Score each row of a frame."""
        found: Floats = self._ask("scores", columns)
        return found

    def labels(self, columns: Columns) -> tuple[tuple[str, ...], Floats]:
        """Label each row of a frame, with the label's score."""
        found: tuple[tuple[str, ...], Floats] = self._ask("labels", columns)
        return found

    def vectors(self, columns: Columns) -> Floats:
        """A vector for each row of a frame."""
        found: Floats = self._ask("vectors", columns)
        return found


class CagedApart(_Predicting):
    """A version in a process of its own; see `gates.domain.subject.Apart`.

    Args:
        channel: To the judge.
        number: How the judge calls it.
    """

    def __init__(self, channel: Channel, number: int) -> None:
        self._channel = channel
        self._number = number

    def _ask(self, what: str, columns: Columns | None = None) -> Any:  # noqa: ANN401 - as its callers say
        return self._channel.ask({"apart": self._number, "what": what}, columns)


class CagedArm(_Predicting):
    """One version; see `gates.domain.subject.Arm`.

    Args:
        channel: To the judge.
        name: How the judge calls it.
    """

    def __init__(
        self,
        channel: Channel,
        name: str,
        role: Role,
        version: ModelVersion,
        inputs: tuple[str, ...] | None,
    ) -> None:
        # No dataclass: Hypothesis would print all its fields into every example that fails.
        self._channel = channel
        self._name = name
        self.role = role
        self.version = version
        self.inputs = inputs

    def __repr__(self) -> str:
        return f"<{self._name} {self.version.uri}>"

    def contributions(self, columns: Columns) -> Contributions | NoContributions:
        """What each feature added to each row's score, or why that is not known."""
        found: Contributions | NoContributions = self._ask("contributions", columns)
        return found

    def timed(self, columns: Columns) -> float:
        """Seconds that one prediction takes."""
        found: float = self._ask("timed", columns)
        return found

    @contextmanager
    def apart(self) -> Iterator[CagedApart]:
        """A fresh process of this version, which ends with the context."""
        number = self._ask("apart")
        try:
            yield CagedApart(self._channel, number)
        finally:
            self._channel.ask({"apart": number, "what": "end"})

    def splits(self) -> Splits | NoSplits:
        """What its trees split on."""
        found: Splits | NoSplits = self._ask("splits")
        return found

    def peak_memory(self) -> int | None:
        """Most resident memory, bytes, of the worker that `timed` asks."""
        found: int | None = self._ask("peak_memory")
        return found

    def environment(self) -> EnvironmentFacts:
        """What it ran in."""
        found: EnvironmentFacts = self._ask("environment")
        return found

    def lock_report(self, questions: LockQuestions) -> LockReport:
        """What verifying its lock gave, offline: own tests have the judge fetch nothing."""
        asked = {"arm": self._name, "what": "lock_report", "questions": asdict(questions)}
        found: LockReport = self._channel.ask(asked)
        return found

    def scan(self) -> ScanReport:
        """What a look at its files gave."""
        found: ScanReport = self._ask("scan")
        return found

    def _ask(self, what: str, columns: Columns | None = None) -> Any:  # noqa: ANN401 - as its callers say
        return self._channel.ask({"arm": self._name, "what": what}, columns)


@dataclass(frozen=True)
class CagedSubject:
    """Both versions, the golden set and the seed; see `gates.domain.subject.Subject`."""

    channel: Channel
    project: Path
    _arms: dict[str, CagedArm] = field(default_factory=dict)

    @cached_property
    def _facts(self) -> Mapping[str, Any]:
        facts: Mapping[str, Any] = self.channel.ask({"what": "subject"})
        return facts

    @property
    def golden(self) -> GoldenSet:
        """The golden set."""
        golden: GoldenSet = self._facts["golden"]
        return golden

    @property
    def seed(self) -> int:
        """The seed of everything random in this run."""
        return int(self._facts["seed"])

    @property
    def candidate(self) -> CagedArm:
        """The version under test."""
        return self._arm("candidate")

    @property
    def champion(self) -> CagedArm | None:
        """The version in production, or None when there is none yet."""
        return self._arm("champion") if "champion" in self._facts["arms"] else None

    def lock_changes(self) -> tuple[LockChange, ...]:
        """What differs between the champion's lock and the candidate's."""
        found: tuple[LockChange, ...] = self.channel.ask({"what": "lock_changes"})
        return found

    def recall(self, check: str) -> Recall:
        """The counterexamples that earlier runs left for a check."""
        found: Recall = self.channel.ask({"what": "recall", "check": check})
        return found

    def training(self, path: str, columns: Sequence[str]) -> Snapshot:
        """Some columns of a training snapshot in the project, read in the cage."""
        from gates.golden.snapshot import read_snapshot

        return read_snapshot(self.project / path, columns)

    def transplanted(self, binary: Role) -> CagedArm:
        """The binary of one version in the other's environment."""
        if self.champion is None:
            raise NoChampion
        return self._arm(binary, f"{binary} transplanted")

    def _arm(self, role: Role, name: str = "") -> CagedArm:
        name = name or role
        if name not in self._arms:
            version, inputs = self._facts["arms"][role]
            self._arms[name] = CagedArm(self.channel, name, role, version, inputs)
        return self._arms[name]
