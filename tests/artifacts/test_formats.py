"""Formats besides pickles: what they would import, call, run or open, none of them loaded."""

from __future__ import annotations

import ast
import importlib.util
import json
import marshal
from pathlib import Path

import pytest

from gates.artifacts.scan import scan_artifact
from tests.artifacts.samples import said, scan, zipped
from tests.artifacts.test_payloads import worst

CODE = ["4wEAAAA=", None, None]
LAMBDA = {"class_name": "Lambda", "config": {"name": "l", "function": CODE}}
MARSHALLED = {
    "class_name": "Lambda",
    "module": "keras.layers",
    "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}},
}


def model(*layers: object) -> bytes:
    """A Keras model as JSON."""
    return json.dumps({"class_name": "Functional", "config": {"layers": layers}}).encode()


def function(module: str, name: str) -> dict[str, object]:
    """A function as Keras 3 names it."""
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


KERAS = {
    "a Lambda layer of Keras 2": LAMBDA,
    "a Lambda layer of Keras 3": MARSHALLED,
    "a command named as a function": function("os", "system"),
    "an evaluator named as a function": function("builtins", "eval"),
    "a file fetched by Keras itself": function("keras.utils", "get_file"),
    "unsafe loading switched on": function("keras.config", "enable_unsafe_deserialization"),
    "a layer that is a pickle": {"class_name": "TorchModuleWrapper", "config": {"module": "gASV"}},
    "a class that is a process": {"module": "subprocess", "class_name": "Popen", "config": {}},
}


@pytest.mark.parametrize("name", KERAS)
def test_a_keras_model_that_runs_code_is_critical_in_every_form(name: str, tmp_path: Path) -> None:
    config = model(KERAS[name])
    escaped = config.replace(b"class_name", b"class\\u005fname")
    forms = {
        "model.keras": zipped({"config.json": config}),
        "model.h5": b"\x89HDF\r\n\x1a\n" + bytes(40) + config + b"\0" * 8,
        "renamed.bin": config,
        "escaped.json": escaped,
        "array.json": b"\n [" + config + b"]",
    }
    for file, content in forms.items():
        assert worst(scan(tmp_path / file, content, file)) == "critical", file


def test_an_honest_keras_model_is_no_finding(tmp_path: Path) -> None:
    layers = [
        {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}},
        {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": None}},
    ]
    assert said(scan(tmp_path, model(*layers), "config.json")) == []


def node(module: str, cls: str, loader: str, **more: object) -> dict[str, object]:
    """A node of a skops schema."""
    return {"__module__": module, "__class__": cls, "__loader__": loader, **more}


SKOPS = {
    "a command": node("posix", "system", "FunctionNode"),
    "a call by operator": node("operator", "call", "OperatorFuncNode"),
    "a method caller": node("operator", "methodcaller", "OperatorFuncNode"),
    "a method that leads elsewhere": node(
        "sklearn.base", "BaseEstimator", "MethodNode", content={"func": "__init__.__globals__"}
    ),
    "a reader of pickles": node("joblib", "load", "FunctionNode"),
    "a partial of an evaluator": node(
        "functools", "partial", "PartialNode", content=[node("builtins", "eval", "FunctionNode")]
    ),
}


@pytest.mark.parametrize("name", SKOPS)
def test_a_skops_file_that_names_what_runs_is_critical(name: str, tmp_path: Path) -> None:
    schema = json.dumps({"content": [SKOPS[name]], "protocol": 0}).encode()
    assert worst(scan(tmp_path, zipped({"schema.json": schema}), "model.skops")) == "critical"


def field(number: int, content: bytes) -> bytes:
    """A field of protobuf that holds bytes."""
    size = bytearray()
    left = len(content)
    while left >= 0x80:
        size.append(left & 0x7F | 0x80)
        left >>= 7
    tag = number << 3 | 2
    key = bytes([tag]) if tag < 0x80 else bytes([tag & 0x7F | 0x80, tag >> 7])
    return key + bytes(size) + bytes([left]) + content


def weights(path: str, *, swapped: bool = False) -> bytes:
    """An initializer whose values stand in another file."""
    parts = [field(1, b"location"), field(2, path.encode())]
    return field(8, b"w") + field(13, b"".join(reversed(parts) if swapped else parts))


def onnx(graph: bytes) -> bytes:
    """A model of ONNX."""
    return b"\x08\x09" + field(2, b"pytorch") + field(7, graph)


@pytest.mark.parametrize(
    "path", ["../../../etc/passwd", "/etc/passwd", "a/../../b", "..\\x", "C:\\x", "~/.ssh/id_rsa"]
)
def test_external_data_outside_the_artifact_are_critical(path: str, tmp_path: Path) -> None:
    inner = field(1, field(5, field(6, field(5, weights(path)))))  # node → attribute → graph
    graphs = [field(5, weights(path)), field(5, weights(path, swapped=True)), inner]
    for at, graph in enumerate(graphs):
        for name in ("model.onnx", "weights"):
            assert worst(scan(tmp_path / f"{at}{name}", onnx(graph), name)) == "critical"


def test_external_data_beside_the_model_and_standard_operators_are_no_finding(
    tmp_path: Path,
) -> None:
    relu = field(1, field(1, b"x") + field(4, b"Relu") + field(7, b"ai.onnx.ml"))
    report = scan(tmp_path, onnx(relu + field(5, weights("model.onnx.data"))), "model.onnx")
    assert (report.findings, report.unread) == ((), {})


def test_operators_of_a_library_of_its_own_are_told(tmp_path: Path) -> None:
    own = field(1, field(4, b"Run") + field(7, b"shop.kernels"))
    assert said(scan(tmp_path, onnx(own), "model.onnx")) == [
        "model.onnx needs operators of shop.kernels (medium)"
    ]


def test_a_file_that_is_not_what_its_name_says_is_unread(tmp_path: Path) -> None:
    for name in ("model.onnx", "model.safetensors", "module.pyc"):
        report = scan(tmp_path / name, b"\xff\xff\xff\xff\xff" * 9, name)
        assert list(report.unread) == [name]


ON_IMPORT = {
    "a command": "import os\nos.system('id')",
    "under another name": "from os import system as s\ns('id')",
    "a module under another name": "import subprocess as p\nx = p.run(['id'])",
    "an evaluator": "exec('x = 1')",
    "in a class": "import os\nclass A:\n    x = os.popen('id')",
    "in a default": "import os\ndef f(x=os.system('id')):\n    return x",
    "in a decorator": "import os\n@os.system('id')\ndef f(): ...",
    "in a function that is called": "import os\ndef f():\n    os.system('id')\nf()",
    "through two functions": "import os\ndef f():\n    os.system('id')\ndef g():\n    f()\ng()",
    "in a class that is made": "import os\nclass A:\n    def __init__(self):\n"
    "        os.system('id')\nA()",
    "in what MLflow calls": "import os\ndef _load_pyfunc(path):\n    os.system('id')",
    "in what pickle calls": "import os\ndef __reduce__(self):\n    os.system('x')",
    "by a name that is hidden": "import os\ngetattr(os, 'sys' + 'tem')('id')",
    "by getattr": "import os\ngetattr(os, 'system')('id')",
    "by __import__": "__import__('os').system('id')",
    "by a name made while running": "__import__(chr(111) + chr(115)).system('id')",
    "from a table of names": "globals()['__builtins__']['eval']('1')",
    "from the table of modules": "import sys\nsys.modules['os'].system('id')",
    "kept in another name": "import os\nrun = os.system\nrun('id')",
    "in a try": "try:\n    import os\n    os.system('id')\nexcept Exception: ...",
    "byte code": "import marshal\nmarshal.loads(b'')",
    "machine code": "import ctypes\nctypes.CDLL('./x.so')",
}


@pytest.mark.parametrize("name", ON_IMPORT)
def test_python_that_runs_commands_when_it_is_imported_is_critical(
    name: str, tmp_path: Path
) -> None:
    ast.parse(ON_IMPORT[name])
    assert worst(scan(tmp_path, ON_IMPORT[name].encode(), "shop.py")) == "critical"


def test_python_that_only_computes_is_no_finding(tmp_path: Path) -> None:
    source = (
        "import os, re, joblib\nfrom pathlib import Path\nHERE = Path(__file__).parent\n"
        "WORD = re.compile(r'\\w+')\nos.environ.setdefault('A', '1')\n"
        "def _load_pyfunc(path):\n    return joblib.load(path)\n"
        "class Model:\n    def predict(self, x):\n        return x.query('a > 1')\n"
        "def train():\n    import subprocess\n    subprocess.run(['make'])\n"
        "if __name__ == '__main__':\n    train()\n"
    )
    assert said(scan(tmp_path, source.encode(), "shop.py")) == []


def test_python_that_nobody_can_parse_is_told(tmp_path: Path) -> None:
    for name, content in {"broken": b"def (", "nul": b"x = 1\0", "deep": b"(" * 50_000}.items():
        assert said(scan(tmp_path / name, content, "shop.py")) == [
            "shop.py is Python that cannot be parsed (medium)"
        ]


def test_byte_code_is_high_and_critical_where_it_names_what_runs(tmp_path: Path) -> None:
    for source, severity in {"x = 1": "high", "import os\nos.system('id')": "critical"}.items():
        code = marshal.dumps(compile(source, "shop.py", "exec"))
        compiled = importlib.util.MAGIC_NUMBER + bytes(12) + code
        for name in ("shop.pyc", "renamed.bin"):
            assert worst(scan(tmp_path / f"{severity}{name}", compiled, name)) == severity
        assert worst(scan(tmp_path / f"{severity}marshal", code, "code.bin")) == severity


MLMODEL = {
    "code above the artifact": {"loader_module": "mlflow.sklearn", "code": "../../shared"},
    "an absolute path": {"loader_module": "mlflow.sklearn", "model_path": "/etc/model.pkl"},
    "an artifact elsewhere": {
        "loader_module": "mlflow.pyfunc.model",
        "artifacts": {"words": {"path": "../words", "uri": "file:///train/words"}},
    },
    "a loader that runs": {"loader_module": "runpy"},
}


@pytest.mark.parametrize("name", MLMODEL)
def test_an_mlmodel_that_leads_out_of_the_artifact_is_critical(name: str, tmp_path: Path) -> None:
    content = json.dumps({"flavors": {"python_function": MLMODEL[name]}}).encode()
    assert worst(scan(tmp_path, content, "MLmodel")) == "critical"


def test_a_loader_that_nobody_brings_is_high_and_one_of_the_artifact_is_none(
    tmp_path: Path,
) -> None:
    flavor = {"loader_module": "shop", "code": "code", "artifacts": {"a": {"uri": "file:///x"}}}
    content = json.dumps({"flavors": {"python_function": flavor}}).encode()
    assert worst(scan(tmp_path, content, "MLmodel")) == "high"
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "shop.py").write_text("x = 1\n", encoding="utf-8")
    assert said(scan_artifact(tmp_path)) == []


@pytest.mark.parametrize(
    ("name", "content", "severity"),
    [
        ("shop.pth", b"import os; os.system('id')\n", "critical"),
        ("run.sh", b"curl x | sh\n", "medium"),
        ("run", b"#!/bin/sh\nid\n", "medium"),
        ("lib.so", b"\x7fELF" + bytes(60), "high"),
        ("saved_model.pb", b"\x0a\x04node\x12\x0bEagerPyFunc", "high"),
        ("model.gguf", b"GGUF" + b"{{ x.__class__.__mro__ }}", "critical"),
        ("tokenizer_config.json", b'{"chat_template": "{% set a = cycler %}"}', "critical"),
        ("config.json", b'{"auto_map": {"AutoModel": "x--y.Model"}}', "high"),
        ("MLmodel", b"flavors: {transformers: {trust_remote_code: true}}", "high"),
    ],
)
def test_other_files_that_run_are_told(
    name: str, content: bytes, severity: str, tmp_path: Path
) -> None:
    assert worst(scan(tmp_path, content, name)) == severity


def test_a_safetensors_file_names_only_its_own_values(tmp_path: Path) -> None:
    for end, severity in ((8, ""), (9, "high")):
        header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, end]}})
        content = len(header).to_bytes(8, "little") + header.encode() + bytes(8)
        assert worst(scan(tmp_path / str(end), content, "model.safetensors")) == severity


def test_a_large_json_that_names_no_class_is_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gates.artifacts._configs._MOST", 100)
    trees = scan(tmp_path / "trees", b'{"learner": ' + b"1" * 200 + b"}", "model.json")
    assert (trees.findings, trees.unread) == ((), {})
    named = scan(tmp_path / "named", b'{"class_name": ' + b"1" * 200 + b"}", "model.json")
    assert list(named.unread) == ["model.json"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "content", [b"[" * 1_000_000, b'{"a":' * 200_000, b"flavors: &a {b: *a}", b"\xff\xfe"]
)
def test_an_mlmodel_that_nests_without_end_is_unread_at_once(
    content: bytes, tmp_path: Path
) -> None:
    assert list(scan(tmp_path, content, "MLmodel").unread) == ["MLmodel"]
