"""Models written as JSON that name classes and functions: Keras, skops, transformers; templates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from gates.artifacts._found import Found, Place
from gates.artifacts._layers import NotRead
from gates.domain.artifact_scan import Severity

__all__ = ["json_model", "template", "tensor_header", "tensorflow_graph"]

_MOST = 64 << 20
_MOST_NODES = 2_000_000
_HDF5 = b"\x89HDF\r\n\x1a\n"
_SAYS = re.compile(rb"class_name|__module__|auto_map|\\u00[3-7][0-9a-fA-F]")
_STARTS = re.compile(rb'\{\s*"(?:class_name|module|config|name|registered_name)"\s*:')
_LAMBDA = re.compile(rb'"class_name"\s*:\s*"Lambda"')
_LAYER = "its code comes with the model, and no lock covers it"
_PYTHON = "a function as byte code, which loading the model makes and predicting runs"
_TEMPLATE = re.compile(
    rb"\{[{%][^\n]{0,2000}?(__\w+__|\bpopen\b|\bos\.|\|\s*attr\b|_TemplateReference|cycler|lipsum)"
)
_OPERATIONS = {
    b"ReadFile": "reads or writes files when it predicts",
    b"WriteFile": "reads or writes files when it predicts",
    b"MatchingFiles": "lists files when it predicts",
    b"PyFunc": "calls Python when it predicts",
    b"PyFuncStateless": "calls Python when it predicts",
    b"EagerPyFunc": "calls Python when it predicts",
    b"DebugFileIO": "reads or writes files when it predicts",
}
_OPERATION = re.compile(
    b"\x12(?:" + b"|".join(re.escape(bytes([len(op)]) + op) for op in _OPERATIONS) + b")"
)


def json_model(place: Place) -> Iterator[Found]:
    """Keras layers (`.keras`, `.h5`), skops schemas and `auto_map`, wherever JSON has them."""
    region = place.region
    head = region.head(64).lstrip()
    within = region.head(8) == _HDF5 or place.name in ("keras_metadata.pb", "saved_model.pb")
    if not within and not head.startswith((b"{", b"[")):
        return
    if not _SAYS.search(region.data, region.start, region.end):
        return
    if region.size > _MOST and not within:
        raise NotRead("it is JSON of more than 64 MiB that names classes")
    if not within:
        try:
            documents = [json.loads(region.head(region.size))]
        except (ValueError, RecursionError, MemoryError):
            documents = []
            yield Found("medium", "names classes in JSON that cannot be parsed", _LAYER)
    else:
        documents = _embedded(place)
    found = dict.fromkeys(one for document in documents for one in _walk(document, place))
    yield from found
    lambdas = any("Lambda" in one.what for one in found)
    if not lambdas and _LAMBDA.search(region.data, region.start, region.end):
        yield Found("medium", "holds a Keras Lambda layer", _LAYER)


def _embedded(place: Place) -> list[object]:
    """The JSON that stands somewhere in a binary file."""
    region, at = place.region, place.region.start
    found: list[object] = []
    decoder = json.JSONDecoder()
    while (match := _STARTS.search(region.data, at, region.end)) and len(found) < 1_000:
        end = min(match.start() + _MOST, region.end)
        stop = region.data.find(b"\0", match.start(), end)
        text = region.data[match.start() : stop if stop > 0 else end]
        at = match.end()
        try:
            value, length = decoder.raw_decode(text.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            continue
        found.append(value)
        at = max(at, match.start() + length)
    return found


def _walk(document: object, place: Place) -> Iterator[Found]:
    waiting, count = [document], 0
    while waiting:
        count += 1
        if count > _MOST_NODES:
            raise NotRead("it is JSON of more parts than are looked at")
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            yield from _named(one, place)
            waiting += one.values()
            # Keras before 3 writes each layer's arguments as JSON inside JSON.
            inner = one.get("model_config") or one.get("metadata")
            if isinstance(inner, str) and inner.startswith("{"):
                try:
                    waiting.append(json.loads(inner))
                except (ValueError, RecursionError):
                    yield Found("medium", "holds JSON in JSON that cannot be parsed", _LAYER)


def _named(one: dict[str, object], place: Place) -> Iterator[Found]:
    """What an object of JSON names: of Keras, of skops, of transformers."""
    kind, module, config = one.get("class_name"), one.get("module"), one.get("config")
    if kind == "Lambda":
        code = isinstance(config, dict) and _has_code(config)
        held: tuple[Severity, str] = ("critical", _PYTHON) if code else ("medium", _LAYER)
        yield Found(held[0], "holds a Keras Lambda layer", held[1])
    elif kind == "__lambda__":
        yield Found("critical", "holds a Keras Lambda layer", _PYTHON)
    elif kind == "TorchModuleWrapper":
        yield Found("critical", "holds a Keras layer that is a pickle", _PYTHON)
    if isinstance(module, str) and isinstance(kind, str):
        name = config if kind == "function" and isinstance(config, str) else kind
        yield from _judged(module, name, place)
    home, cls = one.get("__module__"), one.get("__class__")
    if isinstance(home, str) and isinstance(cls, str):
        yield from _judged(home, cls, place)
        content = one.get("content")
        method = content.get("func") if isinstance(content, dict) else None
        if one.get("__loader__") == "MethodNode" and isinstance(method, str):
            yield from _judged(home, f"{cls}.{method}", place)
    if isinstance(one.get("auto_map"), dict):
        yield Found("high", "names code of its own for transformers to load (auto_map)", _LAYER)


def _has_code(config: dict[str, object]) -> bool:
    """Whether a Lambda layer brings its function as byte code."""
    function = config.get("function")
    if isinstance(function, dict):
        function = function.get("config") if function.get("class_name") == "__lambda__" else None
    return function is not None and not isinstance(function, str)


def _judged(module: str, name: str, place: Place) -> Iterator[Found]:
    ruling = place.judge(module, name)
    if ruling:
        yield Found(ruling.severity, f"names {module}.{name}", ruling.why)


def tensorflow_graph(place: Place) -> Iterator[Found]:
    """Operations of a TensorFlow graph that reach outside it."""
    region = place.region
    if not place.name.endswith((".pb", ".pbtxt", ".meta")):
        return
    for match in _OPERATION.finditer(region.data, region.start, region.end):
        name = match[0][2:]
        why = f"its TensorFlow graph has a {name.decode()} operation"
        yield Found("high", _OPERATIONS[name], why)


def template(place: Place) -> Iterator[Found]:
    """Chat templates that reach into Python: they are run as Jinja templates."""
    region = place.region
    written = region.head(4) == b"GGUF" or place.name.endswith((".jinja", ".jinja2"))
    if written or place.name in ("tokenizer_config.json", "chat_template.json"):
        match = _TEMPLATE.search(region.data, region.start, region.end)
        if match:
            what = f"holds a template that reaches for {match[1].decode(errors='replace')}"
            yield Found("critical", what, "rendering it can run commands")


def tensor_header(place: Place) -> Iterator[Found]:
    """The header of a safetensors file: nothing in it may point outside its data."""
    if not place.name.endswith(".safetensors"):
        return
    size = int.from_bytes(place.region.head(8), "little")
    if size > min(_MOST, place.region.size - 8):
        raise NotRead("it is a safetensors file with a bad header")
    try:
        header = json.loads(place.region.head(8 + size)[8:])
        tensors = [one for name, one in header.items() if name != "__metadata__"]
        ends = [one["data_offsets"] for one in tensors]
        inside = all(0 <= start <= end <= place.region.size - 8 - size for start, end in ends)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NotRead("it is a safetensors file with a bad header") from None
    if not inside:
        yield Found("high", "names values outside its own data", "no library writes such a file")
