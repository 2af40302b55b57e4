"""What a model folder's `MLmodel` tells MLflow to import and open."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from gates.artifacts._found import Found, Place
from gates.artifacts._layers import NotRead
from gates.artifacts._onnx import escapes
from gates.system.yaml_values import yaml_value

__all__ = ["mlmodel"]

_MOST = 1 << 20
# What MLflow opens below the model's folder; the `uri` of an artifact only says whence it came.
_PATHS = {
    *("artifact_path", "code", "conda", "data", "model_binary", "model_data", "model_path", "path"),
    *("pickled_model", "python_model", "pytorch_state_dict", "saved_model_dir", "state_dict"),
    "virtualenv",
}


def mlmodel(place: Place) -> Iterator[Found]:
    """The loader of the model, and every path that it is given."""
    if place.name != "MLmodel":
        return
    if place.region.size > _MOST:
        raise NotRead("it is an MLmodel file of more than 1 MiB")
    text = place.region.head(_MOST)
    try:
        said = yaml_value(text.decode("utf-8"))
    except (yaml.YAMLError, RecursionError, ValueError):
        raise NotRead("it is an MLmodel file that is no YAML") from None
    flavors = said.get("flavors") if isinstance(said, dict) else None
    if not isinstance(flavors, dict):
        return
    for flavor in flavors.values():
        if isinstance(flavor, dict):
            yield from _flavor(flavor, place)


def _flavor(flavor: dict[object, object], place: Place) -> Iterator[Found]:
    loader = flavor.get("loader_module")
    if isinstance(loader, str) and not loader.startswith("mlflow."):
        ruling = place.judge(loader, "Loader")
        if ruling:
            what = f"is loaded by {loader}, which neither MLflow nor the artifact brings"
            yield Found("critical" if ruling.severity == "critical" else "high", what, ruling.why)
    if str(flavor.get("trust_remote_code")).lower() == "true":
        yield Found(
            "high", "asks to trust code from elsewhere (trust_remote_code)", "no lock has it"
        )
    waiting: list[tuple[object, object]] = list(flavor.items())
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(key, one) for one in value]
        elif key in _PATHS and isinstance(value, str) and escapes(value):
            what = f"names {value} as its {key}, outside the artifact"
            yield Found("critical", what, "loading it reads or imports files of the host")
