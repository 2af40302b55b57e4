"""What a pickle would import and call, told from its opcodes; nothing is imported or called.

Opcodes are followed on a stack of stand-ins, as an unpickler follows them on real values. To list
the globals that stand in the bytes is not enough: names come out of the memo, and joblib writes
arrays raw between two opcodes, where a plain list of opcodes ends.

Sources: CPython's `pickletools` and `pickle._Unpickler`, `joblib.numpy_pickle.NumpyUnpickler`.
"""

from __future__ import annotations

from collections.abc import Callable

from gates.artifacts._machine import Machine, Step
from gates.artifacts._tape import Tape
from gates.artifacts._values import OTHER, Broken, CutOff, Reading, Region, ScanBudget, Value

__all__ = ["follow"]


def follow(region: Region, budget: ScanBudget, *, joblib: bool = True) -> Reading:
    """Follow the pickle at the start of a region.

    Args:
        region: Where it begins, and what must not be passed.
        budget: What may still be done; what is done is taken from it.
        joblib: Read past the arrays of a joblib file, as joblib does and pickle does not.

    Raises:
        TooMuch: The budget, or what may be kept in memory, is used up.
    """
    reading, before = Reading(), budget.opcodes
    machine = Machine(region, budget, reading, _TABLE, joblib=joblib)
    try:
        machine.run()
    except Broken as problem:
        reading.broken, reading.cut = str(problem), isinstance(problem, CutOff)
    except (IndexError, KeyError, ValueError, TypeError) as problem:
        reading.broken = f"the opcode before byte {machine.at - region.start:,} makes no sense"
        reading.broken += f" ({type(problem).__name__})"
    reading.end = machine.at
    reading.steps = before - budget.opcodes
    return reading


def _push(value: Value) -> Step:
    return lambda m: m.stack.append(value)


def _other(read: Step) -> Step:
    def step(machine: Machine) -> None:
        read(machine)
        machine.stack.append(OTHER)

    return step


def _get(index: Callable[[Machine], int]) -> Step:
    return lambda m: m.stack.append(m.memo[index(m)])


_STEPS: dict[int, Step] = {
    ord(code): step
    for code, step in {
        "\x80": Machine.proto,
        "\x95": Machine.frame,
        ".": Machine.stop,
        # Numbers and constants
        "N": _push(None),
        "\x88": _push(True),
        "\x89": _push(False),
        "I": Tape.decimal,
        "L": Tape.decimal,
        "F": _other(Machine.line),
        "J": lambda m: m.stack.append(int.from_bytes(m.take(4), "little", signed=True)),
        "K": lambda m: m.stack.append(m.number(1)),
        "M": lambda m: m.stack.append(m.number(2)),
        "\x8a": lambda m: m.long(1),
        "\x8b": lambda m: m.long(4),
        "G": _other(lambda m: m.skip(8)),
        # Texts and bytes
        "S": Tape.quoted,
        "V": Tape.escaped,
        "T": lambda m: m.text(4, "latin-1"),
        "U": lambda m: m.text(1, "latin-1"),
        "X": lambda m: m.text(4),
        "\x8c": Tape.short_text,
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
        "0": Machine.pop,
        "2": lambda m: m.stack.append(m.stack[-1]),
        "a": Machine.append,
        "e": lambda m: m.collect(push=False),
        "\x90": lambda m: m.collect(push=False),
        "l": lambda m: m.collect(push=True),
        "\x91": lambda m: m.collect(push=True),
        "t": Machine.tuple_of_mark,
        "\x85": lambda m: m.tuple_of(1),
        "\x86": lambda m: m.tuple_of(2),
        "\x87": lambda m: m.tuple_of(3),
        "d": Machine.dict_of,
        "s": Machine.set_item,
        "u": lambda m: m.put(m.pop_mark()),
        # Memo
        "p": lambda m: m.keep(int(m.line())),
        "q": lambda m: m.keep(m.number(1)),
        "r": lambda m: m.keep(m.number(4)),
        "\x94": Tape.memoize,
        "g": _get(lambda m: int(m.line())),
        "h": _get(lambda m: m.number(1)),
        "j": _get(lambda m: m.number(4)),
        # Imports and calls
        "c": lambda m: m.stack.append(m.text_global()),
        "\x93": Machine.stack_global,
        "\x82": lambda m: m.extension(1),
        "\x83": lambda m: m.extension(2),
        "\x84": lambda m: m.extension(4),
        "i": Machine.inst,
        "o": Machine.obj,
        "R": Machine.reduce,
        "\x81": Machine.new_object,
        "\x92": Machine.new_object_ex,
        "b": Machine.build,
        "P": _other(Machine.line),
        "Q": _other(lambda m: m.stack.pop()),
    }.items()
}
_TABLE = [_STEPS.get(byte) for byte in range(256)]
