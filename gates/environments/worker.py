"""The child process: loads one model inside its own environment and answers for it.

Run by path as `<environment>/bin/python -I -B -u worker.py <scratch> <lifeline>`, with frames
(`gates.environments.frames` describes them) on stdin and stdout. It imports nothing from `gates`
and needs nothing but the standard library, on Python 3.9 and later. The lifeline is a descriptor,
or in a container the word `stdin`: the engine closes that when the gate goes.

Two processes share this file. The *supervisor* holds no model: it waits for the model's process to
end, or for the lifeline (a pipe whose other end the gate holds) to break, and then ends whatever
the model started. The *model process* gives up what it does not need, loads, and serves.
"""

# ruff: noqa: ANN401 - models take and give anything
from __future__ import annotations

import array
import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import select
import shutil
import signal
import struct
import sys
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38
_PROCESSES_ALLOWED = 1024


class Breach(Exception):
    """The model answered, and its answer cannot be columns."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(what)
        self.kind = kind


# ---- the supervisor --------------------------------------------------------------------------


def supervise(scratch: str, lifeline: int, pipes: tuple[int, int]) -> None:
    """Fork; the child returns from here and will hold the model, this process never returns."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what the model leaves behind becomes our child
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    supervisor = os.getpid()
    model = os.fork()
    if model == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in (woken, wake, lifeline):
            os.close(descriptor)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:
            os._exit(1)
        return
    for descriptor in (0, 1, 2, *pipes):  # their ends must be seen when the model ends
        os.close(descriptor)
    status = _wait_for_either(model, lifeline, woken)
    _end_all_children()
    shutil.rmtree(scratch, ignore_errors=True)  # a killed gate does not
    _end_like(status)


def _wait_for_either(model: int, lifeline: int, woken: int) -> int:
    poller = select.poll()
    poller.register(lifeline, 0)  # what is in it is for the model: only its end is waited for
    poller.register(woken, select.POLLIN)
    while True:
        ready = [descriptor for descriptor, _ in poller.poll()]
        if lifeline in ready:
            os.kill(model, signal.SIGKILL)
            return os.waitpid(model, 0)[1]
        os.read(woken, 4096)
        with contextlib.suppress(ChildProcessError):
            while True:
                child, status = os.waitpid(-1, os.WNOHANG)
                if child == model:
                    return status
                if child == 0:
                    break


def _end_all_children() -> None:
    for _ in range(200):
        children = _children()
        if not children:
            return
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.005)


def _children() -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int(stat.read_bytes().rpartition(b")")[2].split()[1]) == os.getpid():
                found.append(int(stat.parent.name))
    return found


def _end_like(status: int) -> NoReturn:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if os.getpid() == 1:
            os._exit(128 + number)  # a container's first process cannot kill itself
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        time.sleep(1)
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)


# ---- giving up what a model does not need ----------------------------------------------------


def confine(memory_bytes: int, file_bytes: int) -> dict[str, bool]:
    """Take away network, memory and files beyond the limits; says which of it worked."""
    layers = {"network": _leave_network(), "no-new-privileges": _prctl(_PR_SET_NO_NEW_PRIVS, 1)}
    layers["core-dumps"] = _limit(resource.RLIMIT_CORE, 0)
    layers["file-size"] = _limit(resource.RLIMIT_FSIZE, file_bytes)
    # The limit counts every task of the user, and is not applied to root.
    layers["processes"] = os.geteuid() != 0 and _limit(
        resource.RLIMIT_NPROC, _tasks_of_user() + _PROCESSES_ALLOWED
    )
    layers["memory"] = sys.platform == "linux" and _limit(resource.RLIMIT_AS, memory_bytes)
    return layers


def _prctl(option: int, value: int) -> bool:
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)


def _limit(which: int, value: int) -> bool:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    try:
        resource.setrlimit(which, (value, value))
    except (OSError, ValueError):
        return False
    return True


def _tasks_of_user() -> int:
    count = 0
    for tasks in Path("/proc").glob("[0-9]*/task"):
        with contextlib.suppress(OSError):
            if tasks.stat().st_uid == os.getuid():
                count += len(list(tasks.iterdir()))
    return count


def _leave_network() -> bool:
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) == 0:
        return True
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    # Without these the model would find itself to be nobody.
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with contextlib.suppress(OSError):
            Path("/proc/self", name).write_text(text, encoding="ascii")
    return True


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
    columns = {name: _typed(name, values) for name, values in _columns_of(result).items()}
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
    if values and all(isinstance(value, (list, tuple)) for value in values):
        widths = {len(value) for value in values}
        if len(widths) > 1:
            raise Breach("wrong-type", "returned lists of different lengths")
        width = widths.pop()
        names = ["prediction"] if width == 1 else [str(i) for i in range(width)]
        return {name: [value[i] for value in values] for i, name in enumerate(names)}
    return {"prediction": values}


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


# ---- why a model scored as it did ------------------------------------------------------------

_HOLDERS = ("lgb_model", "xgb_model", "booster", "model")  # MLflow's wrappers, a loader of its own


class Unavailable(Exception):
    """There are no contributions, and why."""


def contributions(model: Any, frame: Any) -> Any:
    """Feature → what it added to each row's raw score, with `(bias)` for what no feature did.

    A model's own `contributions` method goes before the tree model that may stand behind it.
    """
    behind = [model]
    for wrapped in ("_model_impl", "python_model"):  # as pyfunc wraps a loader's and a Python model
        behind += [getattr(behind[-1], wrapped)] if hasattr(behind[-1], wrapped) else []
    for one in behind:
        if callable(getattr(one, "contributions", None)):
            return one.contributions(frame)
    parts = [getattr(one, name, None) for one in behind for name in _HOLDERS]
    # What nobody has imported, no part can be an instance of.
    lightgbm, xgboost = sys.modules.get("lightgbm"), sys.modules.get("xgboost")
    for part in [*behind, *parts]:
        if lightgbm and isinstance(part, (lightgbm.Booster, lightgbm.LGBMModel)):
            return _by_lightgbm(getattr(part, "booster_", part), frame)
        if xgboost and isinstance(part, (xgboost.Booster, xgboost.XGBModel)):
            return _by_xgboost(xgboost, part, frame)
    raise Unavailable(
        "it is neither a LightGBM nor an XGBoost model, and has no contributions method"
    )


def _by_lightgbm(booster: Any, frame: Any) -> dict[str, Any]:
    asked = booster.feature_name()
    unnamed = asked == [f"Column_{i}" for i in range(len(asked))]
    names = _feature_columns(frame, None if unnamed else asked, len(asked))
    return _by_feature(names, booster.predict(_matrix(frame, names), pred_contrib=True))


def _by_xgboost(xgboost: Any, model: Any, frame: Any) -> dict[str, Any]:
    booster, options, trees = model, {}, (0, 0)
    if isinstance(model, xgboost.XGBModel):  # its predict heeds both, the bare booster neither
        booster, options = model.get_booster(), {"missing": model.missing}
        best = getattr(model, "best_iteration", None)
        trees = (0, 0) if best is None else (0, best + 1)
    names = _feature_columns(frame, booster.feature_names, booster.num_features())
    rows: Any = _matrix(frame, names)
    known: Any = names
    if booster.feature_names is None:  # it refuses columns that have names
        rows, known = importlib.import_module("numpy").asarray(rows), None
    data = xgboost.DMatrix(rows, feature_names=known, enable_categorical=True, **options)
    return _by_feature(names, booster.predict(data, pred_contribs=True, iteration_range=trees))


def _feature_columns(frame: Any, asked: Any, width: int) -> list[str]:
    """The frame's columns in the order of a booster's features; by place where it has no names."""
    columns = list(frame)
    if asked is None:
        if len(columns) != width:
            raise Unavailable(f"it was trained on {width} unnamed columns, not {len(columns)}")
        return columns
    written = {name.replace(" ", "_"): name for name in columns}  # as LightGBM writes them
    written.update({name: name for name in columns})
    missing = [name for name in asked if name not in written]
    if missing:
        raise Unavailable(f"its trees ask for {missing[0]}, which is not among its input columns")
    return [written[name] for name in asked]


def _matrix(frame: Any, names: list[str]) -> Any:
    if isinstance(frame, dict):
        return importlib.import_module("numpy").column_stack([frame[name] for name in names])
    texts = [name for name in names if frame[name].dtype.kind == "O"]
    return frame[names].astype(dict.fromkeys(texts, "category"))


def _by_feature(names: list[str], values: Any) -> dict[str, Any]:
    if values.ndim != 2 or values.shape[1] != len(names) + 1:
        raise Unavailable("its trees give more than one score a row")
    return {name: values[:, i] for i, name in enumerate([*names, "(bias)"])}


def unavailable(error: BaseException) -> bytes:
    """Why there are no contributions, as the payload that tells the gate: no fault of the model."""
    named = "" if isinstance(error, Unavailable) else f"{type(error).__name__} while explaining: "
    try:
        reason = named + str(error)
    except Exception:  # noqa: BLE001 - a model's exception may fail to print itself
        reason = named
    return json_payload({"unavailable": reason[:2000]})


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
    process = os.getpid()
    explain = payload[:8] == b"explain "
    try:
        frame = decode(payload[8:] if explain else payload)
        result = contributions(model, frame) if explain else model.predict(frame)
        reply = encode(normalise(result), encoding)
    except Exception as error:  # noqa: BLE001 - the gate is told, by name
        reply = unavailable(error) if explain else fault(error, "predict-failed")
    if os.getpid() != process:
        os._exit(0)  # the model forked and both came back: only one may answer
    return reply


def serve(requests: int, replies: int) -> None:
    """Hello, confine, load, then answer until the gate closes the pipe."""
    first = read_frame(requests)
    if first is None:
        return
    hello = json.loads(first[8:])
    contained = hello.get("cage") == "container"  # which has taken away all there is already
    layers = {} if contained else confine(hello["memory_bytes"], hello["file_bytes"])
    try:
        encoding = "plain" if optional("pyarrow") is None else "arrow"
        gc.disable()  # importing makes objects that stay: looking for garbage finds none
        model = load(hello)
        gc.enable()
        optional("pandas")  # now, rather than within the first prediction's time
    except Exception as error:  # noqa: BLE001 - the gate is told, by name
        write_frame(replies, fault(error, "load-failed"))
        return
    write_frame(replies, json_payload({"ready": {"encoding": encoding, "layers": layers}}))
    while True:
        payload = read_frame(requests)
        if payload is None:
            return
        write_frame(replies, answer(payload, model, encoding))


def main() -> None:
    """Take the pipes away from the model's prints, split in two, and serve."""
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)  # a stray print goes to stderr
    lifeline = os.dup(requests) if sys.argv[2] == "stdin" else int(sys.argv[2])
    supervise(sys.argv[1], lifeline, (requests, replies))
    serve(requests, replies)


if __name__ == "__main__":
    main()
