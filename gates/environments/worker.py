"""The child process: loads one model inside its own environment and answers for it.

Run by path as `<python> -I -S -B -u worker.py <scratch> <lifeline>`, with the interpreter that the
model's environment was built on, and with frames (`gates.environments.frames` describes them) on
stdin and stdout. It imports nothing from `gates` and needs nothing but the standard library, on
Python 3.9 and later; `cage`, `view` and `explain` are parts of it in files of their own. The
lifeline is a descriptor, or in a container the word `stdin`: the engine closes that when the gate
goes.

Hello comes in; the cage closes; what it could shut off goes out before anything of the model or
of its environment has run (`.pth` files there are code as well). Then, inside, the environment's
own Python starts over, loads the model, says that it is ready, and serves.
"""

# ruff: noqa: ANN401 - models take and give anything
from __future__ import annotations

import array
import ctypes
import gc
import importlib
import importlib.util
import json
import os
import shutil
import struct
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

_PR_SET_DUMPABLE = 4


class Breach(Exception):
    """The model answered, and its answer cannot be columns."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(what)
        self.kind = kind


def beside(name: str) -> ModuleType:
    """Another file of the worker, by its place: this folder is not on the module path."""
    known = sys.modules.get("gates_worker_" + name)
    if known is not None:
        return known
    place = Path(__file__).with_name(name + ".py")
    spec = importlib.util.spec_from_file_location("gates_worker_" + name, place)
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - it is a file
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


# ---- frames ----------------------------------------------------------------------------------


def read_frame(descriptor: int) -> bytes | None:
    """The next payload, or None when the gate has closed the pipe."""
    head = _read_exactly(descriptor, 8)
    return _read_exactly(descriptor, struct.unpack("<Q", head)[0]) if head else None


def _read_exactly(descriptor: int, size: int) -> bytes | None:
    taken = bytearray()
    while len(taken) < size:
        chunk = os.read(descriptor, min(size - len(taken), 1 << 20))
        if not chunk:
            return None
        taken += chunk
    return bytes(taken)


def write_frame(descriptor: int, payload: bytes) -> None:
    """Write one payload with its length before it."""
    for part in (struct.pack("<Q", len(payload)), payload):
        left = memoryview(part)
        while left:
            left = left[os.write(descriptor, left) :]


def json_payload(message: dict[str, Any]) -> bytes:
    """A JSON message as a payload."""
    return b"json    " + json.dumps(message).encode("ascii")


def decode(payload: bytes) -> Any:
    """The columns the gate sent, as what a model takes: a DataFrame, or a dict of lists.

    Missing numbers are NaN, as pandas has them; missing booleans and texts are None.
    """
    pandas = optional("pandas")
    if payload[:8] == b"arrow   ":
        pyarrow = importlib.import_module("pyarrow")
        table = pyarrow.ipc.open_stream(memoryview(payload)[8:]).read_all()
        if pandas is not None:
            return table.to_pandas()
        columns = {
            name: (str(table.column(name).type), table.column(name).to_pylist())
            for name in table.column_names
        }
    else:
        columns = _decode_plain(payload[8:])
    lists = {name: _numbers_with_nan(kind, values) for name, (kind, values) in columns.items()}
    return lists if pandas is None else pandas.DataFrame(lists)


def _numbers_with_nan(kind: str, values: list[Any]) -> list[Any]:
    if kind not in ("float64", "double", "int64") or None not in values:
        return values
    return [float("nan") if value is None else float(value) for value in values]


def _decode_plain(body: bytes) -> dict[str, tuple[str, list[Any]]]:
    size = struct.unpack_from("<I", body)[0]
    header = json.loads(body[4 : 4 + size])
    rows, at, columns = header["rows"], 4 + size, {}
    for one in header["columns"]:
        valid, data = body[at : at + rows], body[at + rows : at + rows + one["bytes"]]
        at += rows + one["bytes"]
        values = _unpack(one["type"], data, rows)
        if 0 in valid:
            values = [v if there else None for v, there in zip(values, valid)]  # noqa: B905
        columns[one["name"]] = (one["type"], values)
    return columns


def _unpack(kind: str, data: bytes, rows: int) -> list[Any]:
    if kind == "string":
        places = _little(array.array("Q", data[: 8 * (rows + 1)]))
        text = data[8 * (rows + 1) :]
        return [text[a:b].decode("utf-8") for a, b in zip(places, places[1:])]  # noqa: B905, RUF007
    if kind == "bool":
        return [byte == 1 for byte in data]
    return list(_little(array.array({"float64": "d", "int64": "q"}[kind], data)))


def _little(numbers: Any) -> Any:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def encode(columns: dict[str, tuple[str, list[Any]]], encoding: str) -> bytes:
    """Typed columns as a payload in the encoding this environment speaks."""
    if encoding == "arrow":
        return b"arrow   " + _encode_arrow(columns)
    header, buffers = [], []
    for name, (kind, values) in columns.items():
        data = _pack(kind, values)
        header.append({"name": name, "type": kind, "bytes": len(data)})
        buffers += [bytes([value is not None for value in values]), data]
    rows = len(next(iter(columns.values()))[1]) if columns else 0
    head = json.dumps({"rows": rows, "columns": header}).encode("ascii")
    return b"plain   " + b"".join([struct.pack("<I", len(head)), head] + buffers)  # noqa: RUF005


def _encode_arrow(columns: dict[str, tuple[str, list[Any]]]) -> bytes:
    pa = importlib.import_module("pyarrow")
    types = {"float64": pa.float64(), "int64": pa.int64(), "bool": pa.bool_(), "string": pa.utf8()}
    schema = pa.schema([(name, types[kind]) for name, (kind, _) in columns.items()])
    arrays = [pa.array(values, types[kind]) for kind, values in columns.values()]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=schema))
    return bytes(sink.getvalue())


def _pack(kind: str, values: list[Any]) -> bytes:
    if kind == "string":
        texts = [(value or "").encode("utf-8") for value in values]
        places = array.array("Q", [0])
        for text in texts:
            places.append(places[-1] + len(text))
        return bytes(_little(places).tobytes() + b"".join(texts))
    if kind == "bool":
        return bytes([bool(value) for value in values])
    code = {"float64": "d", "int64": "q"}[kind]
    return bytes(_little(array.array(code, [value or 0 for value in values])).tobytes())


# ---- what models answer ----------------------------------------------------------------------


def normalise(result: Any) -> dict[str, tuple[str, list[Any]]]:
    """Whatever a pyfunc model may return, as typed columns; `prediction` when it is one column."""
    found = _spread(_columns_of(result))
    columns = {name: _typed(name, values) for name, values in found.items()}
    lengths = {name: len(values) for name, (_, values) in columns.items()}
    if len(set(lengths.values())) > 1:
        raise Breach("wrong-rows", f"returned columns of different lengths: {lengths}")
    return columns


def _columns_of(result: Any) -> dict[str, list[Any]]:
    if isinstance(result, dict):
        return {str(name): _list_of(name, values) for name, values in result.items()}
    if hasattr(result, "iloc"):
        if not hasattr(result, "columns"):
            return {"prediction": result.tolist()}
        names = [str(name) for name in result.columns]
        if len(set(names)) != len(names):
            raise Breach("wrong-type", f"returned two columns of one name: {names}")
        return {name: result.iloc[:, i].tolist() for i, name in enumerate(names)}
    values = _list_of("prediction", result)
    if values and all(isinstance(value, dict) for value in values):
        names = list(dict.fromkeys(str(name) for value in values for name in value))
        return {name: [value.get(name) for value in values] for name in names}
    return {"prediction": values}


def _spread(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """One column of lists as a column for each place in them: vectors, or a matrix's rows."""
    if len(columns) != 1:
        return columns
    (values,) = columns.values()
    rows = [value.tolist() if hasattr(value, "tolist") else value for value in values]
    if not rows or not all(isinstance(row, (list, tuple)) for row in rows):
        return columns
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        raise Breach("wrong-type", "returned lists of different lengths")
    width = widths.pop()
    names = ["prediction"] if width == 1 else [str(i) for i in range(width)]
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def _list_of(name: object, values: Any) -> list[Any]:
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, (list, tuple)):
        return list(values)
    raise Breach("wrong-type", f"returned {type(values).__name__} for {name!r}, not rows")


def _typed(name: str, values: list[Any]) -> tuple[str, list[Any]]:
    plain = [_scalar(value) for value in values]
    kinds = {type(value) for value in plain if value is not None}
    if int in kinds and not all(-(1 << 63) <= v < 1 << 63 for v in plain if type(v) is int):
        raise Breach("wrong-type", f"returned integers beyond 64 bits for {name!r}")
    if kinds == {int}:
        return "int64", plain
    if kinds <= {int, float}:
        return "float64", [None if value is None else float(value) for value in plain]
    if kinds == {bool}:
        return "bool", plain
    if kinds == {str}:
        return "string", plain
    held = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise Breach("wrong-type", f"returned {held} for {name!r}")


def _scalar(value: Any) -> Any:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    for kind in (bool, int, float, str):
        if type(value) is kind:
            return value
    if hasattr(value, "dtype") and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return value.item()
    for kind in (str, float, int):
        if isinstance(value, kind):
            return kind(value)
    return value


# ---- loading and serving ---------------------------------------------------------------------


def optional(name: str) -> Any:
    """A module of the model's environment, or None when it does not have it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def load(hello: dict[str, Any]) -> Any:
    """Load the model, which must have a predict method.

    MLflow's own loader is used where the environment has it, else pyfunc's contract itself:
    `loader_module._load_pyfunc(data_path)`.
    """
    model_dir, loader = hello["model_dir"], hello["loader_module"]
    if hello["code"]:
        sys.path.insert(0, str(Path(model_dir, hello["code"])))
    pyfunc = optional("mlflow.pyfunc")
    if pyfunc is not None:
        # The environment is the lock: MLflow need not look whether its requirements agree.
        return _that_predicts(pyfunc.load_model(model_dir, suppress_warnings=True))
    if loader.split(".")[0] == "mlflow":
        raise ImportError(
            f"its loader is {loader}, and its lock does not hold MLflow with NumPy and pandas: "
            "add mlflow to requirements.in, or save the model with a loader of its own"
        )
    data = str(Path(model_dir, hello["data"])) if hello["data"] else model_dir
    load_pyfunc = vars(importlib.import_module(loader)).get("_load_pyfunc")
    if load_pyfunc is None:
        raise ImportError(f"its loader module {loader} has no _load_pyfunc")
    return _that_predicts(load_pyfunc(data))


def _that_predicts(model: Any) -> Any:
    if getattr(model, "predict", None) is None:
        raise TypeError(f"the loaded {type(model).__name__} has no predict method")
    return model


def fault(error: BaseException, default: str) -> bytes:
    """What went wrong, as the payload that tells the gate."""
    kind = getattr(error, "kind", default) if isinstance(error, Breach) else default
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a model's exception may fail to print itself
        text = "(it does not print)"
    starved = ("Cannot allocate memory", "bad_alloc", "bad allocation")
    if isinstance(error, MemoryError) or any(words in text for words in starved):
        kind = "out-of-memory"
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    detail = {"kind": kind, "type": type(error).__name__, "message": text[:2000]}
    return json_payload({"error": dict(detail, traceback="".join(lines)[-8000:])})


def answer(payload: bytes, model: Any, encoding: str) -> bytes:
    """Predict for one payload, or explain it; whatever goes wrong is an answer as well."""
    if payload[:8] == b"memory  ":
        return json_payload({"peak_bytes": peak_bytes()})
    process = os.getpid()
    explain = payload[:8] == b"explain "
    try:
        frame = decode(payload[8:] if explain else payload)
        result = beside("explain").contributions(model, frame) if explain else model.predict(frame)
        reply = encode(normalise(result), encoding)
    except Exception as error:  # noqa: BLE001 - the gate is told, by name
        reply = unavailable(error) if explain else fault(error, "predict-failed")
    if os.getpid() != process:
        os._exit(0)  # the model forked and both came back: only one may answer
    return reply


def peak_bytes() -> int | None:
    """The most resident memory this process has held; None where its Python cannot tell."""
    resource = optional("resource")
    if resource is None:
        return None
    peak = int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return peak if sys.platform == "darwin" else peak << 10  # elsewhere it counts in KiB


def unavailable(error: BaseException) -> bytes:
    """Why there are no contributions, as the payload that tells the gate: no fault of the model."""
    expected = isinstance(error, beside("explain").Unavailable)
    named = "" if expected else f"{type(error).__name__} while explaining: "
    try:
        reason = named + str(error)
    except Exception:  # noqa: BLE001 - a model's exception may fail to print itself
        reason = named
    return json_payload({"unavailable": reason[:2000]})


def serve(hello: dict[str, Any], requests: int, replies: int) -> None:
    """Load, then answer until the gate closes the pipe."""
    try:
        encoding = "plain" if optional("pyarrow") is None else "arrow"
        gc.disable()  # importing makes objects that stay: looking for garbage finds none
        model = load(hello)
        gc.enable()
        optional("pandas")  # now, rather than within the first prediction's time
    except Exception as error:  # noqa: BLE001 - the gate is told, by name
        write_frame(replies, fault(error, "load-failed"))
        return
    write_frame(replies, json_payload({"ready": {"encoding": encoding}}))
    while True:
        payload = read_frame(requests)
        if payload is None:
            return
        write_frame(replies, answer(payload, model, encoding))


def start() -> None:
    """Take the pipes away from the model's prints, close the cage, and start over inside."""
    scratch = sys.argv[1]
    requests, replies = os.dup(0), os.dup(1)
    lifeline = os.dup(requests) if sys.argv[2] == "stdin" else int(sys.argv[2])
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)  # a stray print goes to stderr
    first = read_frame(requests)
    if first is None:
        shutil.rmtree(scratch, ignore_errors=True)
        return
    hello = json.loads(first[8:])
    cage, view = beside("cage"), beside("view")
    layers = cage.enter(scratch, lifeline, (requests, replies), hello, view)
    write_frame(replies, json_payload({"layers": layers}))
    if any(layers.get(name, "unknown") for name in hello["require"]):
        return
    for pipe in (requests, replies):
        os.set_inheritable(pipe, True)
    inside = [str(requests), str(replies), json.dumps(hello)]
    command = [hello["python"], "-I", "-B", "-u", __file__, *inside]
    try:
        os.execv(hello["python"], command)  # noqa: S606 - a shell is not wanted
    except OSError as error:
        write_frame(replies, fault(error, "load-failed"))


def go_on() -> None:
    """Serve, inside the cage."""
    requests, replies = int(sys.argv[1]), int(sys.argv[2])
    for pipe in (requests, replies):
        os.set_inheritable(pipe, False)
    if sys.platform == "linux":  # the other arm's worker may be the same user
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    serve(json.loads(sys.argv[3]), requests, replies)


if __name__ == "__main__":
    start() if len(sys.argv) == 3 else go_on()
