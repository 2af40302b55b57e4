"""The bytes of a pickle, and the stack and memo on which its opcodes work."""

from __future__ import annotations

import io
import pickletools

from gates.artifacts._values import (
    OTHER,
    Broken,
    Bytes,
    CutOff,
    Reading,
    Region,
    ScanBudget,
    TooMuch,
    Value,
)

__all__ = ["Tape"]

_MOST_KEPT = 4_000_000
_MOST_MARKS = 100_000
_MOST_TEXT = 256
_NESTED = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x93NUMPY", b"\x78\x9c", b"\x78\x01")


class Tape:
    """A pickle being read.

    Args:
        region: Where it begins, and what must not be passed.
        budget: What may still be done.
        reading: Where to note what is met.
    """

    def __init__(self, region: Region, budget: ScanBudget, reading: Reading) -> None:
        self.data, self.at, self.last = region.data, region.start, region.end
        self.start = region.start
        self.budget, self.reading = budget, reading
        self.stack: list[Value] = []
        self.marks: list[list[Value]] = []
        self.memo: dict[int, Value] = {}

    def skip(self, count: int) -> int:
        """Pass some bytes; where they begin."""
        start, end = self.at, self.at + count
        if count < 0 or end > self.last:
            raise self.breaks_off()
        self.at = end
        return start

    def take(self, count: int) -> bytes:
        """Read some bytes."""
        start = self.skip(count)
        return self.data[start : self.at]

    def breaks_off(self) -> CutOff:
        """What it is when the bytes end too early."""
        return CutOff(f"it breaks off after {self.last - self.start:,} bytes")

    def number(self, size: int) -> int:
        """Read an unsigned number of some bytes."""
        if size == 1 and self.at < self.last:  # by far the most frequent
            self.at += 1
            return self.data[self.at - 1]
        start = self.at
        end = start + size
        if end > self.last:
            raise self.breaks_off()
        self.at = end
        return int.from_bytes(self.data[start:end], "little")

    def line(self) -> bytes:
        """Read to the end of the line."""
        end = self.data.find(b"\n", self.at, self.last)
        if end < 0:  # the unpickler in Python takes the last byte for the end of the line
            end = max(self.at, self.last - 1)
        start, self.at = self.at, min(end + 1, self.last)
        return self.data[start:end]

    def pop_mark(self) -> list[Value]:
        """Everything above the topmost mark, which goes too."""
        items = self.stack
        self.stack = self.marks.pop()
        return items

    def mark(self) -> None:
        """Set a mark."""
        self.marks.append(self.stack)
        self.stack = []
        if len(self.marks) > _MOST_MARKS:
            raise TooMuch(f"it nests more than {_MOST_MARKS:,} deep")

    def keep(self, index: int) -> None:
        """Put the top of the stack into the memo."""
        if index < 0:
            raise Broken("it has a negative place in its memo")
        self.memo[index] = self.stack[-1]
        if len(self.memo) > _MOST_KEPT:
            raise TooMuch(f"it keeps more than {_MOST_KEPT:,} values")

    def memoize(self) -> None:
        """Put the top of the stack into the next place of the memo."""
        memo = self.memo
        memo[len(memo)] = self.stack[-1]
        if len(memo) > _MOST_KEPT:
            raise TooMuch(f"it keeps more than {_MOST_KEPT:,} values")

    def text(self, size: int, encoding: str = "utf-8") -> None:
        """Push a text that its length in bytes, a number of some bytes, stands before."""
        count = self.number(size)
        if count > _MOST_TEXT:  # it names nothing, and would only be held in memory
            self.binary(count, text=True)
        else:
            self.stack.append(self.take(count).decode(encoding, "surrogatepass"))

    def short_text(self) -> None:
        """Push a text of less than 256 bytes: the names and words of which most pickles consist."""
        start = self.at + 1
        if start > self.last:
            raise self.breaks_off()
        end = start + self.data[start - 1]
        if end > self.last:
            raise self.breaks_off()
        self.at = end
        self.stack.append(self.data[start:end].decode("utf-8", "surrogatepass"))

    def binary(self, count: int, *, text: bool = False) -> None:
        """Push a byte string of a length, noting it where it looks like a file of its own."""
        start = self.skip(count)
        head = self.data[start : start + min(count, 6)]
        if head.startswith(_NESTED) or (count > 2 and head[0] == 0x80 and head[1] <= 5):
            self.reading.inner.append(Region(self.data, start, start + count))
        self.stack.append(Bytes(Region(self.data, start, start + count), text))

    def quoted(self) -> None:
        """Push a text in quotes (protocol 0)."""
        found = pickletools.read_stringnl(io.BytesIO(self.line() + b"\n"))
        self.stack.append(found if len(found) <= _MOST_TEXT else OTHER)

    def escaped(self) -> None:
        """Push a text with escapes (protocol 0)."""
        raw = self.line()
        self.stack.append(str(raw, "raw-unicode-escape") if len(raw) <= _MOST_TEXT else OTHER)

    def decimal(self) -> None:
        """Push a number in digits, `00` and `01` being truth values (protocol 0)."""
        raw = self.line()
        if raw in (b"00", b"01"):
            self.stack.append(raw == b"01")
        else:
            self.stack.append(int(raw.rstrip(b"L")) if len(raw) < 20 else OTHER)

    def long(self, size: int) -> None:
        """Push a signed number that its length in bytes stands before."""
        raw = self.take(self.number(size))
        found = int.from_bytes(raw, "little", signed=True) if len(raw) <= 8 else OTHER
        self.stack.append(found)
