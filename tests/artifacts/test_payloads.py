"""Payloads that reach a command, a file or code by way of harmless names; none is ever loaded.

Each is written opcode by opcode: nothing here imports what it names.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.domain.artifact_scan import SEVERITIES, ScanReport
from tests.artifacts.samples import hostile, scan, zipped


def text(value: str) -> bytes:
    """A text."""
    raw = value.encode()
    return b"X" + len(raw).to_bytes(4, "little") + raw


def data(value: bytes) -> bytes:
    """A byte string."""
    return b"B" + len(value).to_bytes(4, "little") + value


def named(full: str) -> bytes:
    """Something imported: `os:system`."""
    module, name = full.split(":")
    return text(module) + text(name) + b"\x93"


def listed(*items: bytes) -> bytes:
    """A list."""
    return b"](" + b"".join(items) + b"e"


def call(function: bytes | str, *arguments: bytes) -> bytes:
    """A call."""
    target = named(function) if isinstance(function, str) else function
    return target + b"(" + b"".join(arguments) + b"tR"


def whole(value: bytes) -> bytes:
    """A pickle of protocol 4."""
    return b"\x80\x04" + value + b"."


def mapped(function: str | bytes, *arguments: bytes) -> bytes:
    """`list(map(function, [argument], …))`: nothing calls the function but `map`."""
    target = named(function) if isinstance(function, str) else function
    lists = [listed(one) for one in arguments]
    return call("builtins:list", call("builtins:map", target, *lists))


CODE = text("__import__('os').system('id')")
X = text("x")

CRITICAL = {
    "map over a command": mapped("os:system", X),
    "map over a method that evaluates": mapped("pandas.core.frame:DataFrame.eval", X, CODE),
    "map over a method that writes": mapped("pathlib:Path.write_text", X, CODE),
    "filter over a reader of pickles": call(
        "builtins:list",
        call("builtins:filter", named("pandas.io.pickle:read_pickle"), listed(X)),
    ),
    "sorted by a key that runs": call(
        "functools:partial", named("builtins:sorted"), named("numpy.f2py.crackfortran:myeval")
    ),
    "reduce": call("functools:reduce", named("torch.fx.graph_module:reduce_graph_module"), X),
    "partial of a command of MLflow": call(
        call("functools:partial", named("mlflow.utils.process:_exec_cmd"), X)
    ),
    "starmap over a writer": call(
        "itertools:starmap", named("numpy:savetxt"), listed(b"(" + X + CODE + b"t")
    ),
    "vectorize": call(call("numpy:vectorize", named("torch.hub:load")), X),
    "delayed by joblib": call("joblib.parallel:delayed", named("mlflow.projects:run")),
    "batched calls of joblib": call(
        "joblib.parallel:BatchedCalls", listed(named("mlflow.pyfunc:load_model"))
    ),
    "what a default factory runs": call(
        "collections:defaultdict", named("sklearn.datasets:fetch_file")
    ),
    "a function kept in the state of an estimator": (
        named("sklearn.preprocessing:FunctionTransformer")
        + b")\x81}"
        + text("func")
        + named("linecache:getlines")
        + b"sb"
    ),
    "a command in a slot": (
        named("sklearn.base:BaseEstimator") + b")\x81N}" + X + named("posix:system") + b"s\x86b"
    ),
    "getattr of a path": call(
        call("builtins:getattr", call("pathlib:Path", X), text("write_text")), CODE
    ),
    "getattr of getattr": call(
        call(
            "builtins:getattr",
            call("builtins:getattr", named("pandas:DataFrame"), text("query")),
            text("__call__"),
        ),
        CODE,
    ),
    "methodcaller": call("operator:methodcaller", text("system"), X),
    "operator.call": call("operator:call", named("posix:system"), X),
    "a code object of the pickle's own": call(
        call("types:FunctionType", call("types:CodeType", data(b"\x97\0")), b"}")
    ),
    "annotations that are evaluated": call("typing:get_type_hints", X),
    "a data class made of texts": call("dataclasses:make_dataclass", X, listed(CODE)),
    "pandas.eval": mapped("pandas:eval", CODE),
    "the evaluator behind pandas.eval": mapped("pandas.core.computation.eval:eval", CODE),
    "numexpr": mapped("numexpr:evaluate", CODE),
    "sympify": mapped("sympy.core.sympify:sympify", CODE),
    "a log file": call("logging:FileHandler", X),
    "a file opened by io": call("io:open", X, text("w")),
    "a file opened by codecs": call("codecs:open", X, text("w")),
    "an exit handler": call("atexit:register", named("shop.text:clean")),
    "a thread": call("_thread:start_new_thread", named("shop.text:clean"), b")"),
    "a finalizer": call("weakref:finalize", X, named("shop.text:clean")),
    "a reducer registered for later": call("copyreg:pickle", X, named("shop.text:clean")),
    "a mock's importer": call("unittest.mock:_importer", text("os")),
    "a database that loads a library": call("sqlite3:connect", X),
    "numpy.load": mapped("numpy:load", X),
    "a pickle of protocol 0 that PyTorch loads": call(
        "torch.storage:_load_from_bytes", data(b"cos\nsystem\n(S'id'\ntR.")
    ),
    "the same, from a text": call(
        "torch.storage:_load_from_bytes",
        call("_codecs:encode", text("cos\nsystem\n(S'id'\ntR."), text("latin1")),
    ),
    "the same, longer than a name": call(
        "torch.storage:_load_from_bytes",
        call("_codecs:encode", text("]." + "#" * 300), text("rot13")),
    ),
    "a class that is changed": (
        named("sklearn.base:BaseEstimator")
        + b"}"
        + text("__reduce__")
        + named("shop.text:f")
        + b"sb"
    ),
    "functions as code, called": call(
        call("cloudpickle.cloudpickle:_make_function", data(b"\xe3")), X
    ),
    "a Keras utility that fetches": mapped("keras.src.utils.file_utils:get_file", X),
    "transformers that load code": call(
        "transformers.dynamic_module_utils:get_class_from_dynamic_module", X
    ),
}

HIGH = {
    "an unknown function that is called": call("shop.text:clean", X),
    "an unknown function that is handed on": mapped("shop.text:clean", X),
    "a function of a known package that nobody knows": mapped("lightgbm.basic:_choose", X),
    "something made that is called": call(call("functools:partial", named("numpy:sum")), X),
    "data unpacked on loading": call("zlib:decompress", data(b"x")),
    "a codec that unpacks": call("_codecs:encode", X, text("zlib")),
    "the network": mapped("urllib.request:urlopen", X),
}


def worst(report: ScanReport) -> str:
    """The worst severity found."""
    return min((one.severity for one in report.findings), key=SEVERITIES.index, default="")


@pytest.mark.parametrize("name", CRITICAL)
def test_a_payload_that_runs_or_writes_is_critical(name: str, tmp_path: Path) -> None:
    assert worst(scan(tmp_path, whole(CRITICAL[name]))) == "critical"


@pytest.mark.parametrize("name", HIGH)
def test_what_nobody_can_tell_or_that_only_gets_data_is_high(name: str, tmp_path: Path) -> None:
    assert worst(scan(tmp_path, whole(HIGH[name]))) == "high"


HARMLESS = {
    "a partial of a function that computes": call("functools:partial", named("numpy:sum")),
    "a ufunc in a pipeline": call("functools:partial", named("numpy:arctan")),
    "a score in a selector": listed(named("sklearn.feature_selection:f_classif")),
    "a type of numbers": listed(named("numpy:float32"), named("torch:float32")),
    "a metric": call("functools:partial", named("sklearn.metrics:ndcg_score")),
    "a default factory": call("collections:defaultdict", named("builtins:list")),
    "a method of a text": call("builtins:getattr", text(" "), text("join")),
    "a sort key": call("operator:itemgetter", X),
    "options of a command line": call("argparse:Namespace"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_only_computes_is_no_finding(name: str, tmp_path: Path) -> None:
    assert scan(tmp_path, whole(HARMLESS[name])).findings == ()


@pytest.mark.parametrize("root", ["pathlib", "pandas", "types"])
def test_a_file_of_the_same_name_makes_nothing_harmless(root: str, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / f"{root}.py").write_text("", encoding="utf-8")
    names = {"pathlib": "Path.write_text", "pandas": "eval", "types": "FunctionType"}
    assert worst(scan(tmp_path, whole(mapped(f"{root}:{names[root]}", X)))) == "critical"


def test_a_payload_in_an_archive_in_a_byte_string_is_found(tmp_path: Path) -> None:
    inner = zipped({"data.pkl": hostile()})
    assert worst(scan(tmp_path, whole(listed(data(inner))))) == "critical"
