"""Every format besides pickles that is looked into: a new one is a function and a line here."""

from __future__ import annotations

from gates.artifacts._configs import json_model, template, tensor_header, tensorflow_graph
from gates.artifacts._found import Format
from gates.artifacts._loading import mlmodel
from gates.artifacts._onnx import onnx
from gates.artifacts._source import byte_code, path_file, program, python

__all__ = ["FORMATS"]

FORMATS: tuple[Format, ...] = (
    mlmodel,
    python,
    byte_code,
    path_file,
    program,
    json_model,
    tensorflow_graph,
    template,
    tensor_header,
    onnx,
)
