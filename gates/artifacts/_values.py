"""What stands for the values of a pickle while it is followed, and what is noted of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from mmap import mmap

from gates.domain.artifact_scan import Severity

__all__ = [
    "OTHER",
    "Broken",
    "Bytes",
    "CutOff",
    "Made",
    "Name",
    "Reading",
    "Region",
    "ScanBudget",
    "TooMuch",
    "Use",
    "Value",
]

Value = object
"""A text, number, None, tuple or dict as the pickle has it; a `Name`, a `Made`, or `OTHER`."""

MOST_EXPANDED = 2 << 30

OTHER: Value = object()
"""Any value of which nothing more needs to be known."""


class Broken(Exception):
    """The bytes are no pickle from here on: an unpickler would stop here as well."""


class CutOff(Broken):
    """The bytes end before the pickle does."""


class TooMuch(Exception):
    """Following it would take more than the limits allow."""


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A global that a pickle imports; of one pickle there is one for each (module, name).

    Attributes:
        module: The module's dotted name.
        name: The dotted name inside it; empty for the module itself.
    """

    module: str
    name: str


@dataclass(slots=True, eq=False)
class Made:
    """What a call in a pickle gives.

    Attributes:
        by: What was called; None when it was not a global.
        arguments: What it was called with, kept only where it matters.
        state: What BUILD gave it: a dict is merged, anything else replaces.
    """

    by: Name | None
    arguments: tuple[Value, ...] = ()
    state: Value = None

    def build(self, state: Value) -> None:
        """Take a state as BUILD gives it."""
        merge = isinstance(state, dict) and isinstance(self.state, dict)
        self.state = {**self.state, **state} if merge else state  # type: ignore[dict-item]


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of bytes: `data[start:end]`."""

    data: bytes | mmap
    start: int
    end: int

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return self.end - self.start

    def head(self, count: int) -> bytes:
        """Its first bytes."""
        return self.data[self.start : min(self.start + count, self.end)]

    def after(self, start: int) -> Region:
        """What is left of it from an offset into `data` on."""
        return Region(self.data, start, self.end)


@dataclass(frozen=True, slots=True, eq=False)
class Bytes:
    """A byte string, or a text that is long, in a pickle.

    Attributes:
        region: Where it stands.
        text: Whether a loader would have to encode it before it is bytes.
    """

    region: Region
    text: bool = False


@dataclass(slots=True)
class ScanBudget:
    """What may still be done for one artifact: bounds on time and space that never vary.

    Attributes:
        opcodes: How many opcodes may be followed.
        expanded: How many bytes compressed files may grow to.
        layers: How many members and byte strings may be looked into.
    """

    opcodes: int = 20_000_000
    expanded: int = field(default_factory=lambda: MOST_EXPANDED)
    layers: int = 100_000


@dataclass(slots=True)
class Use:
    """How a pickle uses one global.

    Attributes:
        called: True when it is called while the pickle loads; False when it is only named.
        argument: The first text it is called with, shortened; empty when there is none.
    """

    called: bool = False
    argument: str = ""


@dataclass(slots=True)
class Reading:
    """What following one pickle gave.

    Attributes:
        uses: (module, name) → how it is used.
        oddities: What hardly any honest pickle does, in words → how bad that is.
        inner: Byte strings inside that may be pickles or archives themselves.
        end: Where it ended in the data.
        broken: Why it could not be followed to its end; empty when it could.
        cut: Whether that is because the bytes end too early.
        steps: How many opcodes were followed.
        arrays: Whether joblib wrote arrays between its opcodes.
        acts: Whether anything is called.
        hands_on: Whether something is called that calls what it is handed.
    """

    uses: dict[tuple[str, str], Use] = field(default_factory=dict)
    oddities: dict[str, Severity] = field(default_factory=dict)
    inner: list[Region] = field(default_factory=list)
    end: int = 0
    broken: str = ""
    cut: bool = False
    steps: int = 0
    arrays: bool = False
    acts: bool = False
    hands_on: bool = False
