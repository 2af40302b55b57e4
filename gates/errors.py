"""The errors a user can meet, as one tree.

    GatesError              exit code 2
    ├── UsageError          an argument or setting is wrong
    ├── InputError          a file that we were given is wrong: where, what, what to do
    │   ├── CardError       a model card
    │   ├── GoldenError     a golden set
    │   ├── LockError       a lock or requirements.in
    │   ├── PackageError    a model folder, or what its build wrote
    │   ├── RankingError    a file of rankings, judgments or queries
    │   └── EvidenceError   an evidence file
    ├── RegistryError       MLflow: not reachable, or no such model, version or alias
    │   └── NoSuchModel     it was asked, and knows no model of that name
    ├── IntegrityError      something is not the bytes that were recorded
    ├── BuildError          an environment could not be built (UNDECIDED inside a gate)
    ├── NoChampion          nothing is in production to compare with (UNDECIDED inside a gate)
    ├── ModelFault          a model's worker died, hung or broke its contract (never leaves a gate)
    ├── ServiceError        the service cannot start or keep what it must (with its database)
    └── PromotionRefused    exit code 1: the guards said no

Raised anywhere, caught once, at the command line (`gates.cli`) or by the check that is measuring.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

__all__ = [
    "BuildError",
    "CardError",
    "EvidenceError",
    "FaultKind",
    "GatesError",
    "GoldenError",
    "InputError",
    "IntegrityError",
    "LockError",
    "ModelFault",
    "NoChampion",
    "NoSuchModel",
    "PackageError",
    "PromotionRefused",
    "RankingError",
    "RegistryError",
    "ServiceError",
    "UsageError",
]


class GatesError(Exception):
    """Something a user can put right.

    Args:
        what: One sentence, without a full stop, that says what is wrong.
        advice: What to do about it, as an imperative; empty when there is nothing to add.
        passing: True when it may be gone a while later without anybody doing something: a server
            that does not answer, a full disk.
    """

    exit_code = 2

    def __init__(self, what: str, *, advice: str = "", passing: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice
        self.passing = passing

    def __str__(self) -> str:
        return f"{self.what}\n  {self.advice}" if self.advice else self.what


class UsageError(GatesError):
    """A wrong argument, option or setting."""


class InputError(GatesError):
    """A file we were given is wrong.

    Args:
        what: What is wrong.
        path: The file or folder.
        line: The line (1-based), when known.
        advice: What to do about it.
    """

    def __init__(
        self, what: str, *, path: Path | str, line: int | None = None, advice: str = ""
    ) -> None:
        super().__init__(what, advice=advice)
        self.path = Path(path)
        self.line = line

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else str(self.path)
        return f"{where}: {super().__str__()}"


class CardError(InputError):
    """A model card is not a valid policy."""


class GoldenError(InputError):
    """A golden set is missing, empty or inconsistent."""


class LockError(InputError):
    """A lock or its requirements.in is missing or unreadable."""


class PackageError(InputError):
    """A model folder, or the model its build wrote, is not what packaging needs."""


class RankingError(InputError):
    """A file of rankings, judgments or queries is missing, unreadable or inconsistent."""


class EvidenceError(InputError):
    """An evidence file is missing, damaged, of another schema or badly signed."""


class RegistryError(GatesError):
    """MLflow could not be reached, or does not have what was asked for."""


class NoSuchModel(RegistryError):
    """The registry answers, and holds no model of that name."""


class IntegrityError(GatesError):
    """Bytes differ from the digest that was recorded for them."""


class BuildError(GatesError):
    """A model's environment could not be built from its lock."""


class NoChampion(GatesError):
    """A comparison was asked for, and nothing is in production."""

    def __init__(self) -> None:
        super().__init__("no champion: there is nothing to compare with")


FaultKind = Literal[
    "died",
    "hung",
    "out-of-memory",
    "uncaged",
    "refused",
    "load-failed",
    "predict-failed",
    "bad-frame",
    "too-large",
    "missing-input",
    "not-alone",
    "wrong-rows",
    "wrong-order",
    "wrong-type",
    "nan",
    "infinite",
]


class ModelFault(GatesError):
    """What went wrong with one version's worker, by name.

    Args:
        kind: The named outcome.
        what: The sentence a report shows.
        breach: True when the model ran and broke its contract (rows, types, NaN): that is a
            FAIL of the candidate. False when it could not run: that is UNDECIDED.
        log: The last lines the worker wrote to stderr.
    """

    def __init__(self, kind: FaultKind, what: str, *, breach: bool = False, log: str = "") -> None:
        super().__init__(what)
        self.kind = kind
        self.breach = breach
        self.log = log


class ServiceError(GatesError):
    """The service cannot start, or cannot keep what it must not forget."""


class PromotionRefused(GatesError):
    """The guards of a promotion said no; the alias has not moved."""

    exit_code = 1
