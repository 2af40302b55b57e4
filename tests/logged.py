"""Models in an MLflow store as teams have them before a gate: no lock, no digest, no card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from gates.registry._connection import Connection

LABELLER = """\
class Labeller:
    def __init__(self, known):
        self.known = known

    def predict(self, frame):
        (texts,) = frame.values()
        return [next((l for w, l in self.known if w in text), "other") for text in texts]


def _load_pyfunc(path):
    import json
    with open(path) as stream:
        return Labeller(json.load(stream))
"""
RANKER = """\
class Ranker:
    def __init__(self, weights):
        self.weights = weights

    def predict(self, frame):
        columns = [[weight * value for value in frame[name]] for name, weight in self.weights]
        return [float(sum(row)) for row in zip(*columns)]


def _load_pyfunc(path):
    import json
    with open(path) as stream:
        return Ranker(json.load(stream))
"""
TEXT_TO_LABEL = (
    [{"type": "string", "name": "text", "required": True}],
    [{"type": "string", "required": True}],
)


def model_folder(
    folder: Path,
    *,
    data: object,
    signature: tuple[Sequence[Mapping[str, object]], Sequence[Mapping[str, object]]] | None,
    source: str = LABELLER,
    requirements: str | None = "six==1.17.0\n",
    example: Mapping[str, object] | None = None,
    flavors: Mapping[str, Mapping[str, object]] | None = None,
    function: Mapping[str, object] | None = None,
) -> Path:
    """An MLflow model folder, as `mlflow.pyfunc.save_model(loader_module=…)` lays it out.

    Args:
        folder: Where; made.
        data: What the model is made from, as JSON.
        signature: Its inputs and outputs; None for none.
        source: Its loader module.
        requirements: Its requirements.txt; None for none.
        example: Its input example; None for none.
        flavors: Further flavours.
        function: Other settings of the python_function flavour.
    """
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "shop_model.py").write_text(source)
    (folder / "data.json").write_text(json.dumps(data))
    python_function = {
        "loader_module": "shop_model",
        "code": "code",
        "data": "data.json",
        **(function or {}),
    }
    written: dict[str, object] = {
        "flavors": {**(flavors or {}), "python_function": python_function}
    }
    if signature:
        inputs, outputs = signature
        written["signature"] = {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs)}
    if example:
        written["saved_input_example_info"] = {"artifact_path": "input_example.json"}
        (folder / "input_example.json").write_text(json.dumps(example))
    if requirements is not None:
        (folder / "requirements.txt").write_text(requirements)
    (folder / "MLmodel").write_text(yaml.safe_dump(written))
    return folder


def register(
    tracking_uri: str,
    cache: Path,
    name: str,
    folder: Path,
    *,
    params: Mapping[str, str] | None = None,
    champion: bool = False,
) -> str:
    """Log a model folder on a run and register it, by MLflow's own client.

    Args:
        tracking_uri: The store.
        cache: The gate's cache.
        name: The registered model; made when it is new.
        folder: The model folder.
        params: Parameters of the run.
        champion: Whether it gets the alias `champion`.

    Returns:
        The version's number.
    """
    connection = Connection(tracking_uri, cache)
    client = connection.client
    run = client.create_run("0", tags={"mlflow.user": "ana"}, run_name="nightly")
    for key, value in (params or {}).items():
        client.log_param(run.info.run_id, key, value)
    client.log_metric(run.info.run_id, "accuracy", 0.93)
    client.log_artifacts(run.info.run_id, str(folder), "model")
    client.set_terminated(run.info.run_id)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    source = f"{run.info.artifact_uri}/model"
    made = client.create_model_version(name, source, run.info.run_id)
    if champion:
        client.set_registered_model_alias(name, "champion", made.version)
    return str(made.version)
