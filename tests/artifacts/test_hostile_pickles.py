"""What a hostile pickle does is named, however it is written; none of these is ever loaded."""

from __future__ import annotations

import _compat_pickle
import builtins
import contextlib
import importlib
import io
import os
import pickle
import random
import runpy
import shutil
import socket
import subprocess
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from gates.artifacts._pickles import follow
from gates.artifacts._values import Region, ScanBudget
from tests.artifacts.samples import Calls, hostile, said, scan, stack_global

SYSTEM = f"{os.name}.system"
CALLS = f"model.pkl calls {SYSTEM}('id') (critical)"


@pytest.mark.parametrize("protocol", range(6))
def test_a_command_is_named_in_every_protocol(protocol: int, tmp_path: Path) -> None:
    assert said(scan(tmp_path, hostile(protocol))) == [CALLS]


@pytest.mark.parametrize(
    ("function", "what", "severity"),
    [
        (subprocess.Popen, "subprocess.Popen('x')", "critical"),
        (builtins.eval, "builtins.eval('x')", "critical"),
        (importlib.import_module, "importlib.import_module('x')", "critical"),
        (runpy.run_path, "runpy.run_path('x')", "critical"),
        (shutil.rmtree, "shutil.rmtree('x')", "critical"),
        (socket.create_connection, "socket.create_connection('x')", "critical"),
        (pickle.loads, "_pickle.loads('x')", "critical"),
        (webbrowser.open, "webbrowser.open('x')", "high"),
    ],
)
def test_what_runs_code_is_critical_and_what_reaches_the_network_high(
    function: Callable[..., Any], what: str, severity: str, tmp_path: Path
) -> None:
    found = said(scan(tmp_path, pickle.dumps(Calls(function, "x"))))
    assert found == [f"model.pkl calls {what} ({severity})"]


@pytest.mark.parametrize(
    ("module", "name", "severity"),
    [
        ("numpy.testing._private.utils", "runstring", "critical"),
        ("numpy", "load", "critical"),
        ("pandas", "read_pickle", "critical"),
        ("pandas", "eval", "critical"),
        ("joblib", "load", "critical"),
        ("inspect", "os.system", "critical"),
        ("collections", "OrderedDict.__init__.__globals__", "critical"),
        ("pip", "main", "critical"),
        ("operator", "attrgetter", "critical"),
        ("cloudpickle", "loads", "critical"),
        ("torch.serialization", "load", "critical"),
        ("requests", "get", "high"),
        ("urllib.request", "urlopen", "high"),
        ("shop.features", "Normaliser", "medium"),
        ("numpy", "vectorize", "medium"),
        ("__main__", "Model", "medium"),
    ],
)
def test_globals_are_judged_by_what_calling_them_can_do(
    module: str, name: str, severity: str, tmp_path: Path
) -> None:
    found = said(scan(tmp_path, stack_global(module, name)))
    assert found == [f"model.pkl calls {module}.{name} ({severity})"]


def test_a_call_deep_inside_other_values_is_found(tmp_path: Path) -> None:
    value = [1, {"a": (2, [Calls(os.system, "id"), 3.0])}]
    assert said(scan(tmp_path, pickle.dumps(value))) == [CALLS]


def test_commands_of_python_2_are_read_as_their_python_3_names(tmp_path: Path) -> None:
    found = said(scan(tmp_path, b"ccommands\ngetoutput\n(S'id'\ntR."))
    assert found == ["model.pkl calls subprocess.getoutput('id') (critical)"]


@pytest.mark.parametrize("content", [b"(S'id'\nios\nsystem\n.", b"(cos\nsystem\nS'id'\no."])
def test_old_ways_to_call_are_followed(content: bytes, tmp_path: Path) -> None:
    assert said(scan(tmp_path, content)) == ["model.pkl calls os.system('id') (critical)"]


CALL_ID = b"\x8c\x02id\x85R."


@pytest.mark.parametrize(
    "content",
    [
        # names kept in the memo and fetched in another order
        b"\x80\x04\x8c\x06system\x94\x8c\x02os\x940\x30h\x01h\x00\x93" + CALL_ID,
        # a memo entry that is written over before it is used
        b"\x80\x04\x8c\x05numpyq\x050\x8c\x02osq\x050h\x05\x8c\x06system\x93" + CALL_ID,
        # a value put on the stack and taken away again between the names
        b"\x80\x04\x8c\x02os\x8c\x05dummy0\x8c\x06system\x93" + CALL_ID,
        # a second pickle whose memo starts anew
        b"\x80\x04\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93."
        b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940\x30h\x00h\x01\x93" + CALL_ID,
    ],
    ids=["reordered", "overwritten", "between", "second-memo"],
)
def test_names_are_followed_through_stack_and_memo(content: bytes, tmp_path: Path) -> None:
    assert said(scan(tmp_path, content)) == ["model.pkl calls os.system('id') (critical)"]


def test_a_name_that_only_exists_while_loading_is_critical(tmp_path: Path) -> None:
    content = b"\x80\x04cbuiltins\nstr\n)R\x8c\x06system\x93" + CALL_ID
    assert "model.pkl imports something whose name is hidden (critical)" in said(
        scan(tmp_path, content)
    )


def test_getattr_on_an_imported_module_is_what_it_gives(tmp_path: Path) -> None:
    content = (
        b"\x80\x04cbuiltins\ngetattr\n(ccloudpickle.cloudpickle\nsubimport\n"
        b"\x8c\x02os\x85R\x8c\x06systemtR" + CALL_ID
    )
    assert "model.pkl calls os.system('id') (critical)" in said(scan(tmp_path, content))


def test_getattr_handed_to_something_else_is_critical(tmp_path: Path) -> None:
    content = b"\x80\x04cfunctools\npartial\n(cbuiltins\ngetattr\ntR."
    assert said(scan(tmp_path, content)) == ["model.pkl calls builtins.getattr (critical)"]


def test_getattr_for_a_bound_method_or_an_enum_member_is_harmless(tmp_path: Path) -> None:
    method = pickle.dumps(" ".join)
    member = stack_global("builtins", "getattr", b"cre\nRegexFlag\n\x8c\x05ASCII\x86R.")
    assert said(scan(tmp_path / "method", method)) == []
    assert said(scan(tmp_path / "member", member)) == []


def test_a_call_before_the_pickle_breaks_off_is_found(tmp_path: Path) -> None:
    for at, broken in enumerate((hostile()[:-1], hostile()[:-1] + b"\xff\xff")):
        found = said(scan(tmp_path / str(at), broken))
        assert CALLS in found
        assert any("could not be read as a pickle to its end" in one for one in found)


def test_a_call_whose_last_line_has_no_end_is_found(tmp_path: Path) -> None:
    """The unpickler written in Python, which joblib uses, makes this call."""
    assert "model.pkl calls os.system('id') (critical)" in said(
        scan(tmp_path, b"(S'id'\nios\nsystem!")
    )


def test_a_truncated_pickle_is_high(tmp_path: Path) -> None:
    report = scan(tmp_path, pickle.dumps({"weights": list(range(1000))})[:-100])
    assert [one.severity for one in report.findings] == ["high"]
    assert "its loader might" in said(report)[0]
    assert "breaks off" in report.findings[0].detail


def test_a_second_pickle_in_a_file_is_followed(tmp_path: Path) -> None:
    assert said(scan(tmp_path, pickle.dumps({"a": 1}) + hostile())) == [CALLS]


def test_a_pickle_after_other_bytes_is_found_and_placed(tmp_path: Path) -> None:
    found = said(scan(tmp_path, bytes(range(64)) + hostile(), "weights.bin"))
    assert found == [f"weights.bin (from byte 64) calls {SYSTEM}('id') (critical)"]


def test_a_pickle_inside_a_byte_string_of_a_pickle_is_found(tmp_path: Path) -> None:
    found = said(scan(tmp_path, pickle.dumps({"state": hostile()})))
    assert found == [f"model.pkl: bytes calls {SYSTEM}('id') (critical)"]


def test_a_pickle_that_changes_a_class_is_critical(tmp_path: Path) -> None:
    content = b"\x80\x04csklearn.base\nBaseEstimator\n}\x8c\x01a\x8c\x01bsb."
    assert said(scan(tmp_path, content)) == [
        "model.pkl changes sklearn.base.BaseEstimator itself (critical)"
    ]


def test_functions_as_code_are_one_medium_finding_and_critical_once_called(tmp_path: Path) -> None:
    code = b"ccloudpickle.cloudpickle\n_builtin_type\n\x8c\x08CodeType\x85R0"
    made = b"ccloudpickle.cloudpickle\n_make_function\n(tR"
    found = said(scan(tmp_path / "made", b"\x80\x04" + code + made + b"."))
    assert found == ["model.pkl holds functions or classes as code (medium)"]
    called = said(scan(tmp_path / "called", b"\x80\x04" + code + made + b")R."))
    assert called[0] == "model.pkl calls a function that it holds as code (critical)"


def test_what_the_team_allows_and_the_artifacts_own_modules_are_no_findings(tmp_path: Path) -> None:
    content = stack_global("shop.features", "Normaliser")
    assert said(scan(tmp_path, content)) != []
    assert said(scan(tmp_path, content, allow=["shop.features.Normaliser"])) == []
    (tmp_path / "code" / "shop").mkdir(parents=True)
    (tmp_path / "code" / "shop" / "features.py").write_text("class Normaliser: ...\n", "utf-8")
    assert said(scan(tmp_path, content)) == []


def test_names_from_a_pickle_are_printed_on_one_line(tmp_path: Path) -> None:
    report = scan(tmp_path, b"\x80\x04\x8c\x04a\nbc\x8c\x05\x1b[31m\x93)R.")
    assert all(sentence.isprintable() for sentence in said(report))


def _array(numbers: bytes, before: bytes = b"\x80\x02") -> bytes:
    """A joblib file of one array of bytes, without padding."""

    def text(value: str) -> bytes:
        return b"X" + len(value).to_bytes(4, "little") + value.encode()

    shape = text("shape") + b"K" + bytes([len(numbers)]) + b"\x85"
    dtype = text("dtype") + b"cnumpy\ndtype\n" + text("u1") + b"\x85R"
    wrapper = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(" + shape + dtype + b"ub"
    return before + wrapper + numbers + b"."


RUN = b"cos\nsystem\n(S'id'\ntR"


def test_an_array_of_numbers_is_read_past(tmp_path: Path) -> None:
    assert said(scan(tmp_path, _array(bytes(range(200))))) == []


def test_opcodes_among_the_numbers_are_found_as_pickle_would_run_them(tmp_path: Path) -> None:
    assert said(scan(tmp_path, _array(RUN))) == ["model.pkl calls os.system('id') (critical)"]


def test_opcodes_that_joblib_would_run_from_a_frame_around_an_array_are_critical(
    tmp_path: Path,
) -> None:
    content = _array(RUN, b"\x80\x04\x95" + (200).to_bytes(8, "little"))
    assert "model.pkl hides opcodes behind an array inside a frame (critical)" in said(
        scan(tmp_path, content)
    )


def test_bytes_after_the_end_of_a_file_with_arrays_are_high(tmp_path: Path) -> None:
    found = said(scan(tmp_path, _array(bytes(8)) + b"(more"))
    assert [one.endswith("might go on (high)") for one in found] == [True]


class _Stub:
    """Stands for whatever a pickle imports."""

    def __new__(cls, *arguments: object, **named: object) -> Self:
        return object.__new__(cls)

    def __init__(self, *arguments: object, **named: object) -> None: ...

    def __call__(self, *arguments: object, **named: object) -> _Stub:
        return self

    def __setstate__(self, state: object) -> None: ...

    append = extend = add = update = __setstate__


class _Importing(pickle._Unpickler):
    """CPython's own unpickler, which imports nothing and notes what it would import."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.proto = 0
        self.seen: set[tuple[str, str]] = set()

    def find_class(self, module: str, name: str) -> type[_Stub]:
        if self.proto < 3:
            module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
            module = _compat_pickle.IMPORT_MAPPING.get(module, module)
        self.seen.add((module, name))
        return _Stub


def test_damaged_pickles_import_nothing_that_is_not_seen() -> None:
    """As CPython's unpickler reads them, opcode by opcode."""
    generator = random.Random(11)  # noqa: S311 - no secret
    wholes = [hostile(protocol) for protocol in range(6)]
    wholes += [pickle.dumps([{"a": (1, Calls(os.system, "id"))}] * 3, p) for p in range(6)]
    wholes += [b"(S'id'\nios\nsystem\n.", b"(cos\nsystem\nS'id'\no."]
    imports = 0
    for _ in range(4_000):
        content = bytearray(generator.choice(wholes))
        for _ in range(generator.randint(1, 5)):
            at = generator.randrange(len(content) - 1)
            match generator.randrange(3):
                case 0:
                    content[at] = generator.choice(
                        b"\x80\x93\x94hq0(12tbRcio\x81\x85\x86\x8c.\x00\n"
                    )
                case 1 if len(content) > 9:
                    del content[at : at + generator.randint(1, 6)]
                case _:
                    content[at:at] = content[: generator.randint(1, 9)]
        whole = bytes(content)
        unpickler = _Importing(whole)
        with contextlib.suppress(Exception):
            unpickler.load()
        reading = follow(Region(whole, 0, len(whole)), ScanBudget(), joblib=False)
        hidden = any("hidden" in what for what in reading.oddities)
        assert hidden or unpickler.seen <= reading.uses.keys(), whole
        imports += bool(unpickler.seen)
    assert imports > 500
