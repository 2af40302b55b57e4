"""JSON that was written earlier, or by others, read back: a checked value, or one kind of error.

`JsonFile` says what one kind of file holds. Reading takes nothing for granted: a file may be empty,
cut short, of another encoding or another version, nested deeper than Python can follow, or huge.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gates.errors import InputError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["JsonFile", "json_value"]

HeldT = TypeVar("HeldT")

_DEEPEST = 64
_ADAPTERS: dict[type[Any], Any] = {}


def json_value(content: bytes | str) -> Any:  # noqa: ANN401 - any JSON
    """The value that a JSON text holds: of objects, arrays, texts, numbers, true, false and null.

    Raises:
        ValueError: It is not JSON, not UTF-8, not finite, or nested too deep.
    """
    try:
        value = json.loads(content, parse_constant=_not_json)
    except RecursionError:
        raise ValueError("nested too deep") from None
    level = _within([[value]])
    for _ in range(_DEEPEST):
        level = _within(level)
        if not level:
            return value
    raise ValueError("nested too deep")


@dataclass(frozen=True)
class JsonFile(Generic[HeldT]):
    """One kind of JSON file.

    Attributes:
        holds: The class of what it holds.
        schema: What its key `schema` says; empty when it has none.
        error: What is raised for a file that is not right.
        advice: What to do about one.
        older: Earlier schemas, each with what brings a value of it to this one.
        most_bytes: No such file is larger.
    """

    holds: type[HeldT]
    schema: str = ""
    error: type[InputError] = InputError
    advice: str = ""
    older: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = field(
        default_factory=dict
    )
    most_bytes: int = 256 << 20

    def read(self, path: Path, *, advice: str = "") -> HeldT:
        """What a file holds.

        Args:
            advice: What to do about one that is not right, where that depends on which it is.

        Raises:
            InputError: It is missing, cannot be read, or does not hold that; of the class `error`.
        """
        return self.parse(self.content(path, advice=advice), path, advice=advice)

    def read_if_there(self, path: Path, *, advice: str = "") -> HeldT | None:
        """As `read`; None when there is no such file."""
        content = self.content_if_there(path, advice=advice)
        return None if content is None else self.parse(content, path, advice=advice)

    def content(self, path: Path, *, advice: str = "") -> bytes:
        """The bytes of a file, to be digested or verified before they are parsed.

        Raises:
            InputError: It is missing, cannot be read or is too large; of the class `error`.
        """
        content = self.content_if_there(path, advice=advice)
        if content is None:
            raise self._error("cannot be read: no such file", path, advice)
        return content

    def content_if_there(self, path: Path, *, advice: str = "") -> bytes | None:
        """As `content`; None when there is no such file."""
        try:
            with path.open("rb") as stream:
                content = stream.read(self.most_bytes + 1)
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise self._error(f"cannot be read: {problem.strerror}", path, advice) from None
        if len(content) > self.most_bytes:
            most = f"{self.most_bytes:,} bytes"
            raise self._error(f"is larger than the {most} that such a file may have", path, advice)
        return content

    def parse(self, content: bytes, path: Path, *, advice: str = "") -> HeldT:
        """What bytes of a file hold.

        Raises:
            InputError: They do not hold that; of the class `error`.
        """
        return self.checked(self.value(content, path, advice=advice), path, advice=advice)

    def value(self, content: bytes, path: Path, *, advice: str = "") -> Any:  # noqa: ANN401 - JSON
        """The JSON value of bytes, whatever it holds.

        Raises:
            InputError: They are no JSON; of the class `error`.
        """
        try:
            return json_value(content)
        except ValueError:
            raise self._error("is not JSON", path, advice) from None

    def checked(self, value: Any, path: Path, *, advice: str = "") -> HeldT:  # noqa: ANN401 - JSON
        """What a JSON value holds, as `parse`."""
        from pydantic import ValidationError

        now = self._brought_up(value, path, advice)
        try:
            held: HeldT = _adapter(self.holds).validate_python(now)
        except ValidationError as invalid:
            first = invalid.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            what = f"is damaged at '{place}': {first['msg']}" if place else f"is {first['msg']}"
            raise self._error(what, path, advice) from None
        return held

    def _brought_up(self, value: Any, path: Path, advice: str) -> Any:  # noqa: ANN401 - JSON
        if not self.schema:
            return value
        schema = value.get("schema") if isinstance(value, dict) else None
        if schema == self.schema:
            return value
        bring_up = self.older.get(schema) if isinstance(schema, str) else None
        if bring_up is None:
            reads = " and ".join(map(repr, (self.schema, *self.older)))
            raise self._error(
                f"has schema {repr(schema)[:100]}; this gate reads {reads}",
                path,
                f"use the mlgates version that wrote it, or {advice or self.advice}",
            )
        try:
            return {**bring_up(value), "schema": self.schema}
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise self._error(f"is damaged: it is not of schema {schema!r}", path, advice) from None

    def _error(self, what: str, path: Path, advice: str) -> InputError:
        return self.error(what, path=path, advice=advice or self.advice)


def _adapter(holds: type[HeldT]) -> TypeAdapter[HeldT]:
    """What checks values of a class, made once: several kinds of file may hold the same."""
    from pydantic import TypeAdapter  # slow to import, for who reads nothing

    if holds not in _ADAPTERS:
        _ADAPTERS[holds] = TypeAdapter(holds)
    found: TypeAdapter[HeldT] = _ADAPTERS[holds]
    return found


def _within(values: list[Any]) -> list[Any]:
    """The objects and arrays that stand directly in some objects and arrays."""
    found: list[Any] = []
    for one in values:
        inner = one.values() if type(one) is dict else one
        # All that JSON is made of has one of a few exact types, which are told apart the fastest.
        found += [part for part in inner if type(part) is dict or type(part) is list]
    return found


def _not_json(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
