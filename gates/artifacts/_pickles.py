"""What a pickle would import and call, told from its opcodes; nothing is imported or called.

Opcodes are followed on a stack of stand-ins, as an unpickler follows them on real values. To list
the globals that stand in the bytes is not enough: names come out of the memo, and joblib writes
arrays raw between two opcodes, where a plain list of opcodes ends.

Sources: CPython's `pickletools` and `pickle._Unpickler`, `joblib.numpy_pickle.NumpyUnpickler`.
"""

from __future__ import annotations

import _compat_pickle
from collections.abc import Callable

from gates.artifacts._joblib import ArrayProblem, array_bytes
from gates.artifacts._tape import Tape
from gates.artifacts._values import (
    OTHER,
    Broken,
    Budget,
    Made,
    Name,
    Reading,
    Region,
    TooMuch,
    Use,
    Value,
)

__all__ = ["follow"]

_MOST_NAMES = 10_000
_MOST_ENTRIES = 64
_SHOWN = 60
_GETATTR = ("builtins", "getattr")
_VENDORED = "joblib.externals."
_IMPORTERS = {
    ("builtins", "__import__"),
    ("importlib", "import_module"),
    ("importlib", "__import__"),
    ("cloudpickle.cloudpickle", "subimport"),
}
_REBUILDERS = {("copyreg", name) for name in ("_reconstructor", "__newobj__", "__newobj_ex__")}
_FUNCTION_MAKERS = {
    ("cloudpickle.cloudpickle", name)
    for name in ("_make_function", "_make_skel_func", "_fill_function")
}


def follow(region: Region, budget: Budget, *, joblib: bool = True) -> Reading:
    """Follow the pickle at the start of a region.

    Args:
        region: Where it begins, and what must not be passed.
        budget: What may still be done; what is done is taken from it.
        joblib: Read past the arrays of a joblib file, as joblib does and pickle does not.

    Raises:
        TooMuch: The budget, or what may be kept in memory, is used up.
    """
    reading = Reading()
    machine = _Machine(region, budget, reading, joblib=joblib)
    try:
        machine.run()
    except Broken as problem:
        reading.broken = str(problem)
    except (IndexError, KeyError, ValueError, TypeError) as problem:
        reading.broken = f"the opcode before byte {machine.at - region.start:,} makes no sense"
        reading.broken += f" ({type(problem).__name__})"
    reading.end = machine.at
    return reading


class _Machine(Tape):
    def __init__(self, region: Region, budget: Budget, reading: Reading, *, joblib: bool) -> None:
        super().__init__(region, budget, reading)
        self.joblib = joblib
        self.names: dict[tuple[str, str], Name] = {}
        self.protocol = 0
        self.frame_end = 0
        self.running = True

    def run(self) -> None:
        data, table, budget = self.data, _TABLE, self.budget
        while self.running:
            if self.at >= self.last:
                raise self.breaks_off()
            step = table.get(data[self.at])
            if step is None:
                raise Broken(f"byte {self.at - self.start:,} is no opcode")
            budget.opcodes -= 1
            if budget.opcodes < 0:
                raise TooMuch("the artifact has more opcodes than are followed")
            self.at += 1
            step(self)

    # Names and calls

    def named(self, module: str, name: str) -> Name:
        if self.protocol < 3:  # an unpickler reads names of Python 2 as those of Python 3
            if (module, name) in _compat_pickle.NAME_MAPPING:
                module, name = _compat_pickle.NAME_MAPPING[module, name]
            else:
                module = _compat_pickle.IMPORT_MAPPING.get(module, module)
        return self.interned(module, name)

    def interned(self, module: str, name: str) -> Name:
        known = self.names.get((module, name))
        if known is None:
            if len(self.names) >= _MOST_NAMES:
                raise Broken(f"it names more than {_MOST_NAMES:,} different things")
            known = self.names[module, name] = Name(module, name)
            if name and (module, name) != _GETATTR:
                self.reading.uses.setdefault((module, name), Use())
        return known

    def note_call(self, name: Name, arguments: Value = ()) -> None:
        self.reading.acts = True
        use = self.reading.uses.setdefault((name.module, name.name), Use())
        use.called = True
        if not use.argument and isinstance(arguments, tuple):
            texts = [one for one in arguments if isinstance(one, str)]
            use.argument = texts[0][:_SHOWN] if texts else ""

    def odd(self, what: str) -> None:
        self.reading.acts = True
        self.reading.oddities[what] = self.reading.oddities.get(what, 0) + 1

    def hand_on(self, items: list[Value]) -> list[Value]:
        """A `getattr` that is handed to something else may be called there with anything."""
        getter = self.names.get(_GETATTR)
        if getter is not None and any(one is getter for one in items):
            self.note_call(getter)
        return items

    def call(self, function: Value, arguments: Value) -> Value:
        if not isinstance(function, Name):
            by = function.by if isinstance(function, Made) else None
            key = (by.module.removeprefix(_VENDORED), by.name) if by else ("", "")
            if key in _FUNCTION_MAKERS:
                self.odd("calls a function that it holds as code")
            elif not key[0].startswith("cloudpickle"):
                self.odd("calls something that it made itself")
            return Made(by)
        key = (function.module.removeprefix(_VENDORED), function.name)
        if key == _GETATTR:
            found = self.attribute(arguments)
            if found is not None:
                return found
        self.note_call(function, arguments)
        first = arguments[0] if isinstance(arguments, tuple) and arguments else None
        if key in _IMPORTERS and isinstance(first, str):
            return self.interned(first, "")
        if key in _REBUILDERS and isinstance(first, Name):
            return Made(first)
        described = function.name == "dtype" and isinstance(arguments, tuple)
        return Made(function, arguments if described else ())  # type: ignore[arg-type]

    def attribute(self, arguments: Value) -> Value | None:
        """What `getattr` gives, where that can be told; None where it might be anything."""
        match arguments:
            case (Name() as target, str() as name) if not name.startswith("__"):
                dotted = f"{target.name}.{name}" if target.name else name
                return self.interned(target.module, dotted)
            case (Made(by=Name()), str() as name) if not name.startswith("__"):
                self.reading.acts = True
                return Made(None)
        return None

    # Opcodes that are more than a line

    def stack_global(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if isinstance(name, str) and isinstance(module, str):
            self.stack.append(self.named(module, name))
        else:
            self.odd("imports something whose name cannot be followed")
            self.stack.append(OTHER)

    def extension(self, size: int) -> None:
        self.skip(size)
        self.odd("imports something by a number that only the loading process knows")
        self.stack.append(OTHER)

    def text_global(self) -> Name:
        module = self.line().decode()
        return self.named(module, self.line().decode())

    def inst(self) -> None:
        name = self.text_global()
        self.stack.append(self.call(name, tuple(self.hand_on(self.pop_mark()))))

    def obj(self) -> None:
        items = self.hand_on(self.pop_mark())
        self.stack.append(self.call(items[0], tuple(items[1:])))

    def reduce(self) -> None:
        arguments = self.stack.pop()
        self.stack[-1] = self.call(self.stack[-1], arguments)

    def new_object(self) -> None:
        arguments = self.stack.pop()
        cls = self.stack[-1]
        self.stack[-1] = Made(cls.by) if isinstance(cls, Made) else self.call(cls, arguments)

    def new_object_ex(self) -> None:
        self.hand_on([self.stack.pop()])
        self.new_object()

    def build(self) -> None:
        (state,) = self.hand_on([self.stack.pop()])
        target = self.stack[-1]
        if isinstance(target, Name):
            self.odd(f"changes {target.module}.{target.name}".rstrip(".") + " itself")
        elif isinstance(target, Made) and target.by is not None:
            target.build(state)
            if self.joblib and target.by.name.rpartition(".")[2] == "NumpyArrayWrapper":
                self.array(target)
                self.stack[-1] = OTHER

    def array(self, wrapper: Made) -> None:
        self.reading.arrays = True
        if self.at < self.frame_end:
            raise Broken("an array stands inside a frame of opcodes")
        try:
            count, padded = array_bytes(wrapper)
        except ArrayProblem as problem:
            raise Broken(str(problem)) from None
        if count is None:
            rest = Region(self.data, self.at, self.last)
            inner = _Machine(rest, self.budget, self.reading, joblib=False)
            inner.run()
            self.at = inner.at
            return
        if padded:
            self.skip(self.number(1))
        self.skip(count)

    def frame(self) -> None:
        size = self.number(8)
        if self.joblib and self.at < self.frame_end:
            raise Broken("a frame of opcodes begins inside another")
        if self.at + size > self.last:
            raise self.breaks_off()
        self.frame_end = self.at + size

    def proto(self) -> None:
        self.protocol = self.number(1)
        if self.protocol > 5:
            raise Broken(f"there is no pickle protocol {self.protocol}")

    def pop(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.pop_mark()

    def tuple_of(self, count: int) -> None:
        if len(self.stack) < count:
            raise Broken("a tuple holds more than there is")
        items = self.stack[-count:]
        self.stack[-count:] = [tuple(self.hand_on(items))]

    def put(self, items: list[Value]) -> None:
        target = self.stack[-1]
        self.hand_on(items)
        if isinstance(target, dict):
            for key, value in zip(items[::2], items[1::2], strict=False):
                if isinstance(key, str) and (len(target) < _MOST_ENTRIES or key in target):
                    target[key] = value

    def dict_of(self) -> None:
        items = self.pop_mark()
        self.stack.append({})
        self.put(items)

    def set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.put([key, value])

    def collect(self, *, push: bool) -> None:
        self.hand_on(self.pop_mark())
        if push:
            self.stack.append(OTHER)
        self.stack[-1]  # noqa: B018 - where there is none, an unpickler fails too

    def append(self) -> None:
        self.hand_on([self.stack.pop()])
        self.stack[-1]  # noqa: B018 - likewise

    def stop(self) -> None:
        self.stack.pop()
        self.running = False


def _push(value: Value) -> Callable[[_Machine], object]:
    return lambda m: m.stack.append(value)


def _after(count: int, value: Value = OTHER) -> Callable[[_Machine], object]:
    return lambda m: (m.skip(count), m.stack.append(value))


def _get(index: Callable[[_Machine], int]) -> Callable[[_Machine], object]:
    return lambda m: m.stack.append(m.memo[index(m)])


_TABLE: dict[int, Callable[[_Machine], object]] = {
    ord(code): step
    for code, step in {
        "\x80": _Machine.proto,
        "\x95": _Machine.frame,
        ".": _Machine.stop,
        # Numbers and constants
        "N": _push(None),
        "\x88": _push(True),
        "\x89": _push(False),
        "I": Tape.decimal,
        "L": Tape.decimal,
        "F": lambda m: (m.line(), m.stack.append(OTHER)),
        "J": lambda m: m.stack.append(int.from_bytes(m.take(4), "little", signed=True)),
        "K": lambda m: m.stack.append(m.number(1)),
        "M": lambda m: m.stack.append(m.number(2)),
        "\x8a": lambda m: m.long(1),
        "\x8b": lambda m: m.long(4),
        "G": _after(8),
        # Texts and bytes
        "S": Tape.quoted,
        "V": Tape.escaped,
        "T": lambda m: m.text(4, "latin-1"),
        "U": lambda m: m.text(1, "latin-1"),
        "X": lambda m: m.text(4),
        "\x8c": lambda m: m.text(1),
        "\x8d": lambda m: m.text(8),
        "B": lambda m: m.binary(m.number(4)),
        "C": lambda m: m.binary(m.number(1)),
        "\x8e": lambda m: m.binary(m.number(8)),
        "\x96": lambda m: m.binary(m.number(8)),
        "\x97": _push(OTHER),
        "\x98": lambda m: m.stack[-1],
        # Collections
        "]": _push(OTHER),
        "\x8f": _push(OTHER),
        ")": _push(()),
        "}": lambda m: m.stack.append({}),
        "(": Tape.mark,
        "1": Tape.pop_mark,
        "0": _Machine.pop,
        "2": lambda m: m.stack.append(m.stack[-1]),
        "a": _Machine.append,
        "e": lambda m: m.collect(push=False),
        "\x90": lambda m: m.collect(push=False),
        "l": lambda m: m.collect(push=True),
        "\x91": lambda m: m.collect(push=True),
        "t": lambda m: m.stack.append(tuple(m.hand_on(m.pop_mark()))),
        "\x85": lambda m: m.tuple_of(1),
        "\x86": lambda m: m.tuple_of(2),
        "\x87": lambda m: m.tuple_of(3),
        "d": _Machine.dict_of,
        "s": _Machine.set_item,
        "u": lambda m: m.put(m.pop_mark()),
        # Memo
        "p": lambda m: m.keep(int(m.line())),
        "q": lambda m: m.keep(m.number(1)),
        "r": lambda m: m.keep(m.number(4)),
        "\x94": lambda m: m.keep(len(m.memo)),
        "g": _get(lambda m: int(m.line())),
        "h": _get(lambda m: m.number(1)),
        "j": _get(lambda m: m.number(4)),
        # Imports and calls
        "c": lambda m: m.stack.append(m.text_global()),
        "\x93": _Machine.stack_global,
        "\x82": lambda m: m.extension(1),
        "\x83": lambda m: m.extension(2),
        "\x84": lambda m: m.extension(4),
        "i": _Machine.inst,
        "o": _Machine.obj,
        "R": _Machine.reduce,
        "\x81": _Machine.new_object,
        "\x92": _Machine.new_object_ex,
        "b": _Machine.build,
        "P": lambda m: (m.line(), m.stack.append(OTHER)),
        "Q": lambda m: (m.stack.pop(), m.stack.append(OTHER)),
    }.items()
}
