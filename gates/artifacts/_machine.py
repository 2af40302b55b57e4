"""The machine that opcodes of pickles work on: names, calls and collections, all of stand-ins.

Sources: CPython's `pickle._Unpickler` and `joblib.numpy_pickle.NumpyUnpickler`.
"""

from __future__ import annotations

import _compat_pickle
from collections.abc import Callable, Sequence

from gates.artifacts._joblib import ArrayProblem, array_bytes
from gates.artifacts._names import CALLERS
from gates.artifacts._packed import ENCODERS, LOADER, encoded, loaded
from gates.artifacts._tape import Tape
from gates.artifacts._values import (
    OTHER,
    Broken,
    Made,
    Name,
    Reading,
    Region,
    ScanBudget,
    TooMuch,
    Use,
    Value,
)
from gates.domain.artifact_scan import Severity

__all__ = ["Machine", "Step"]

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
_WRITERS = {"tofile", "dump", "eval", "query", "to_pickle", "to_csv", "save", "write", "open"}
_FUNCTION_MAKERS = {
    ("cloudpickle.cloudpickle", name)
    for name in ("_make_function", "_make_skel_func", "_fill_function")
}

Step = Callable[["Machine"], object]


class Machine(Tape):
    """Does with stand-ins what an unpickler does with values, and notes what it would do.

    Args:
        region: Where the pickle begins, and what must not be passed.
        budget: What may still be done.
        reading: Where to note what is met.
        table: What each of the 256 bytes does as an opcode; None where it is none.
        joblib: Whether arrays stand between opcodes, as joblib writes and reads them.
    """

    def __init__(
        self,
        region: Region,
        budget: ScanBudget,
        reading: Reading,
        table: Sequence[Step | None],
        *,
        joblib: bool,
    ) -> None:
        super().__init__(region, budget, reading)
        self.table, self.joblib = table, joblib
        self.names: dict[tuple[str, str], Name] = {}
        self.protocol = 0
        self.frame_end = 0
        self.running = True

    def run(self) -> None:
        """Follow opcodes to the end of the pickle.

        Raises:
            Broken: It has no end.
            TooMuch: The budget, or what may be kept in memory, is used up.
        """
        data, table, last, done = self.data, self.table, self.last, 0
        try:
            for done in range(1, self.budget.opcodes + 1):  # noqa: B007 - counts, also when stopped
                at = self.at
                if at >= last:
                    raise self.breaks_off()
                step = table[data[at]]
                if step is None:
                    raise Broken(f"byte {at - self.start:,} is no opcode")
                self.at = at + 1
                step(self)
                if not self.running:
                    return
        finally:
            self.budget.opcodes -= done
        raise TooMuch("the artifact has more opcodes than are followed")

    # Names and calls

    def named(self, module: str, name: str) -> Name:
        if self.protocol < 3:  # an unpickler reads names of Python 2 as those of Python 3
            if (module, name) in _compat_pickle.NAME_MAPPING:
                module, name = _compat_pickle.NAME_MAPPING[module, name]
            else:
                module = _compat_pickle.IMPORT_MAPPING.get(module, module)
        if not name:  # importing runs the module, though nothing of it can be had
            self.reading.uses.setdefault((module, name), Use())
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

    def odd(self, severity: Severity, what: str) -> None:
        self.reading.acts = True
        self.reading.oddities[what] = severity

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
                self.odd("critical", "calls a function that it holds as code")
            elif not key[0].startswith("cloudpickle"):
                self.odd("high", "calls something that it made itself")
                self.reading.hands_on = True
            return Made(by)
        key = (function.module.removeprefix(_VENDORED), function.name)
        if key == _GETATTR:
            found = self.attribute(arguments)
            if found is not None:
                return found
        self.note_call(function, arguments)
        if (function.module, function.name) in CALLERS:
            self.reading.hands_on = True
        first = arguments[0] if isinstance(arguments, tuple) and arguments else None
        if key in _IMPORTERS and isinstance(first, str):
            return self.interned(first, "")
        if key == LOADER:
            region = loaded(first, self.budget)
            if region is None:
                self.odd("critical", "loads bytes that cannot be told")
            else:
                self.reading.inner.append(region)
        if key in ENCODERS and isinstance(arguments, tuple):
            packed = encoded(arguments)
            if packed is None:
                self.odd("high", "unpacks data by a codec, into which nobody looked")
            return packed or OTHER
        if key in _REBUILDERS and isinstance(first, Name):
            return Made(first)
        return Made(function, arguments if isinstance(arguments, tuple) else ())

    def attribute(self, arguments: Value) -> Value | None:
        """What `getattr` gives, where that can be told; None where it might be anything."""
        match arguments:
            case (Name() as target, str() as name) if not name.startswith("__"):
                dotted = f"{target.name}.{name}" if target.name else name
                return self.interned(target.module, dotted)
            case (Made(by=None), _):
                return None
            case (Made(by=Name() as by), str() as name) if not name.startswith("__"):
                return self.interned(by.module, f"{by.name}.{name}")
            case (target, str() as name) if target is OTHER and name in _WRITERS:
                return None
            case (_, str() as name) if not name.startswith("__"):
                self.reading.acts = True
                return Made(None)
        return None

    # Opcodes that are more than a line

    def stack_global(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if isinstance(name, str) and isinstance(module, str):
            self.stack.append(self.named(module, name))
        else:
            self.odd("critical", "imports something whose name is hidden")
            self.stack.append(OTHER)

    def extension(self, size: int) -> None:
        self.skip(size)
        self.odd("high", "imports something by a number that only its loader knows")
        self.stack.append(OTHER)

    def text_global(self) -> Name:
        module = self.line().decode()
        return self.named(module, self.line().decode())

    def inst(self) -> None:
        name = self.text_global()
        made = self.call(name, tuple(self.hand_on(self.pop_mark())))
        self.stack.append(made)

    def obj(self) -> None:
        items = self.hand_on(self.pop_mark())
        self.stack.append(self.call(items[0], tuple(items[1:])))

    def reduce(self) -> None:
        arguments = self.stack.pop()
        self.stack[-1] = self.call(self.stack[-1], arguments)

    def new_object(self) -> None:
        """`cls.__new__(cls, …)`: of a class, so that no function is called."""
        arguments = self.stack.pop()
        cls = self.stack[-1]
        self.reading.acts = True
        by = cls.by if isinstance(cls, Made) else cls if isinstance(cls, Name) else None
        self.stack[-1] = Made(by, arguments if isinstance(arguments, tuple) else ())

    def new_object_ex(self) -> None:
        self.hand_on([self.stack.pop()])
        self.new_object()

    def build(self) -> None:
        (state,) = self.hand_on([self.stack.pop()])
        target = self.stack[-1]
        if isinstance(target, Name):
            self.odd("critical", f"changes {target.module}.{target.name}".rstrip(".") + " itself")
        elif isinstance(target, Made) and target.by is not None:
            target.build(state)
            if self.joblib and target.by.name.rpartition(".")[2] == "NumpyArrayWrapper":
                self.array(target)
                self.stack[-1] = OTHER

    def array(self, wrapper: Made) -> None:
        self.reading.arrays = True
        if self.at < self.frame_end:
            self.odd("critical", "hides opcodes behind an array inside a frame")
            raise Broken("an array stands inside a frame of opcodes")
        try:
            count, padded = array_bytes(wrapper)
        except ArrayProblem as problem:
            raise Broken(str(problem)) from None
        if count is None:
            rest = Region(self.data, self.at, self.last)
            inner = Machine(rest, self.budget, self.reading, self.table, joblib=False)
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

    def tuple_of_mark(self) -> None:
        items = tuple(self.hand_on(self.pop_mark()))
        self.stack.append(items)

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
        self.take_part()

    def take_part(self) -> None:
        if not self.stack:
            raise Broken("it adds to a collection that is not there")

    def append(self) -> None:
        self.hand_on([self.stack.pop()])
        self.take_part()

    def stop(self) -> None:
        self.stack.pop()
        self.running = False
