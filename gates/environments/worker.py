"""The child process: loads one model inside its own environment and answers for it.

Run by path as `<python> -I -S -B -u worker.py <scratch> <lifeline>`, with the interpreter that the
model's environment was built on, and with frames (`gates.environments.frames` describes them) on
stdin and stdout. It imports nothing from `gates` and needs nothing but the standard library, on
Python 3.9 and later. Parts of it in files of their own are `cage` with `view`, `rights`,
`supervisor`, `landlock` and `system_calls`; `columns`; `signature`; `explain`; `task_worker`. The
lifeline is a pair of descriptors, as `7,8` (orders and their answers), or in a container the word
`stdin`: the engine closes that when the gate goes.

Hello comes in; the cage closes; what it could shut off goes out before anything of the model or
of its environment has run (`.pth` files there are code as well). Then, inside, the environment's
own Python starts over, loads the model, says that it is ready, and serves.
"""

# ruff: noqa: ANN401 - models take and give anything
from __future__ import annotations

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


# ---- loading and serving ---------------------------------------------------------------------


def load(hello: dict[str, Any]) -> Any:
    """Load the model, which must have a predict method.

    MLflow's own loader is used where the environment has it, else pyfunc's contract itself:
    `loader_module._load_pyfunc(data_path)`.
    """
    model_dir, loader = hello["model_dir"], hello["loader_module"]
    if hello["code"]:
        sys.path.insert(0, str(Path(model_dir, hello["code"])))
    pyfunc = beside("columns").optional("mlflow.pyfunc")
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
    answered = isinstance(error, beside("columns").Breach)
    kind = getattr(error, "kind", default) if answered else default
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


def answer(payload: bytes, model: Any, encoding: str, types: dict[str, Any]) -> bytes:
    """Predict for one payload, or explain it; whatever goes wrong is an answer as well."""
    if payload[:8] == b"memory  ":
        return json_payload({"peak_bytes": peak_bytes()})
    process, columns = os.getpid(), beside("columns")
    explain = payload[:8] == b"explain "
    try:
        frame = columns.decode(payload[8:] if explain else payload)
        frame = beside("signature").as_signed(frame, types)
        rows = columns.rows_of(frame)
        result = beside("explain").contributions(model, frame) if explain else model.predict(frame)
        columns.check_order(result, rows)
        reply = bytes(columns.encode(columns.normalise(result), encoding))
    except Exception as error:  # noqa: BLE001 - the gate is told, by name
        reply = unavailable(error) if explain else fault(error, "predict-failed")
    if os.getpid() != process:
        os._exit(0)  # the model forked and both came back: only one may answer
    return reply


def peak_bytes() -> int | None:
    """The most resident memory this process has held; None where its Python cannot tell."""
    resource = beside("columns").optional("resource")
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
        optional = beside("columns").optional
        encoding = "plain" if optional("pyarrow") is None else "arrow"
        gc.disable()  # importing makes objects that stay: looking for garbage finds none
        model = load(hello)
        gc.enable()
        optional("pandas")  # now, rather than within the first prediction's time
    except Exception as error:  # noqa: BLE001 - the gate is told, by name
        write_frame(replies, fault(error, "load-failed"))
        return
    write_frame(replies, json_payload({"ready": {"encoding": encoding}}))
    types: dict[str, Any] = {}
    while True:
        payload = read_frame(requests)
        if payload is None:
            return
        if payload[:8] == b"types   ":
            types = json.loads(payload[8:])
            write_frame(replies, json_payload({"types": "known"}))
        else:
            write_frame(replies, answer(payload, model, encoding, types))


def do(task: dict[str, Any], replies: int) -> None:
    """Do something else than serving a model, and tell when it is done."""
    try:
        beside("task_worker").perform(task, lambda payload: write_frame(replies, payload))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the gate is told, by name
        write_frame(replies, fault(error, "task-failed"))
        return
    write_frame(replies, json_payload({"done": True}))


def start() -> None:
    """Take the pipes away from the model's prints, close the cage, and start over inside."""
    scratch = sys.argv[1]
    requests, replies = os.dup(0), os.dup(1)
    lifeline: tuple[int, int | None] = os.dup(requests), None
    if sys.argv[2] != "stdin":
        os.close(lifeline[0])
        orders, answers = map(int, sys.argv[2].split(","))
        lifeline = orders, answers
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)  # a stray print goes to stderr
    first = read_frame(requests)
    if first is None:
        shutil.rmtree(scratch, ignore_errors=True)
        return
    hello = json.loads(first[8:])
    layers = beside("cage").enter(scratch, lifeline, (requests, replies), hello, beside)
    write_frame(replies, json_payload({"layers": layers}))
    needed = [[name] for name in hello["require"]] + hello.get("one_of", [])
    if any(all(layers.get(name, "unknown") for name in group) for group in needed):
        return
    for pipe in (requests, replies):
        os.set_inheritable(pipe, True)
    inside = [str(requests), str(replies), json.dumps(hello)]
    program = hello.get("program", __file__)  # own tests have one; a model has this
    command = [hello["python"], "-I", "-B", "-u", program, *inside]
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
    hello = json.loads(sys.argv[3])
    if "task" in hello:
        do(hello["task"], replies)
    else:
        serve(hello, requests, replies)


if __name__ == "__main__":
    start() if len(sys.argv) == 3 else go_on()
