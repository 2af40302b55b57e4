"""Versions in the files that MLflow writes beside a model, read as data only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from gates.errors import LockError
from gates.locks._lines import decode, requirement_lines
from gates.locks._written import Unread, Written
from gates.locks.markers import holds

__all__ = ["mlmodel_versions"]

_MOST_BYTES = 16 << 20
# What MLflow's flavours call the version of their library, where that is not the library's name.
_LIBRARY = {
    "sklearn": "scikit-learn",
    "lgb": "lightgbm",
    "xgb": "xgboost",
    "pytorch": "torch",
    "paddle": "paddlepaddle",
}
_LIBRARIES = frozenset(
    {"catboost", "cloudpickle", "diviner", "fastai", "h2o", "keras", "langchain", "llama_index"}
    | {"onnx", "openai", "pmdarima", "prophet", "pyspark", "sentence_transformers", "shap"}
    | {"spacy", "statsmodels", "tensorflow", "transformers"}
)


def mlmodel_versions(
    model: Path, environment: Mapping[str, str] | None
) -> Iterator[Written | Unread]:
    """Every version in a model folder's MLmodel, requirements.txt and python_env.yaml.

    The model's requirements.txt is MLflow's own: of it only what is pinned counts. What
    python_env.yaml lists for building may be left out of a lock.

    Args:
        model: The model folder.
        environment: PEP 508 markers of the Python the lock is for; None for this one.
    """
    yield from _mlmodel(model / "MLmodel")
    for name, read in (("python_env.yaml", _python_env), ("requirements.txt", _own_requirements)):
        try:
            yield from read(model / name, environment)
        except LockError as error:
            yield Unread(f"{name}: {error.what}")


def _mlmodel(path: Path) -> Iterator[Written | Unread]:
    raw = _yaml(path)
    if isinstance(raw, Unread):
        yield raw
        return
    version = raw.get("mlflow_version")
    if isinstance(version, str):
        yield Written("mlflow", version, "MLmodel, mlflow_version", optional=True)
    flavours = raw.get("flavors")
    for flavour, settings in flavours.items() if isinstance(flavours, Mapping) else ():
        if not isinstance(settings, Mapping):
            continue
        for key, value in settings.items():
            package, ending, rest = str(key).rpartition("_version")
            if rest or not ending or not isinstance(value, str):
                continue
            if (flavour, package) == ("tensorflow", "keras"):  # MLflow writes TensorFlow's there
                package = "tensorflow"
            name = str(canonicalize_name(_LIBRARY.get(package, package)))
            # Another flavour's keys are compared where they name something that is locked.
            known = package in _LIBRARIES or package in _LIBRARY or package == "python"
            yield Written(name, value, f"MLmodel, {flavour}.{key}", optional=not known)


def _python_env(path: Path, environment: Mapping[str, str] | None) -> Iterator[Written | Unread]:
    raw = _yaml(path)
    if isinstance(raw, Unread):
        yield raw
        return
    if isinstance(raw.get("python"), str):
        yield Written("python", raw["python"], path.name)
    for key in ("build_dependencies", "dependencies"):
        lines = raw.get(key)
        if isinstance(lines, list):
            text = "\n".join(one for one in lines if isinstance(one, str))
            yield from _requirements(text, path, environment, optional=key != "dependencies")


def _own_requirements(
    path: Path, environment: Mapping[str, str] | None
) -> Iterator[Written | Unread]:
    content = _read(path)
    if content is not None:
        yield from _requirements(decode(content, path), path, environment)


def _requirements(
    text: str, path: Path, environment: Mapping[str, str] | None, *, optional: bool = False
) -> Iterator[Written | Unread]:
    for line in requirement_lines(text, path):
        try:
            parsed = Requirement(line.requirement)
        except (InvalidRequirement, RecursionError):
            continue  # an option, a URL or a path: not a version
        pinned = [one.version for one in parsed.specifier if one.operator in ("==", "===")]
        applies = holds(str(parsed.marker or ""), environment, path=path, line=line.number)
        if len(parsed.specifier) == 1 and pinned and "*" not in pinned[0] and applies:
            name = str(canonicalize_name(parsed.name))
            may_lack = optional or name == "mlflow"  # MLflow lists itself, needed or not
            yield Written(name, pinned[0], f"{path.name}:{line.number}", optional=may_lack)


def _yaml(path: Path) -> Mapping[str, Any] | Unread:
    import yaml

    from gates.system.yaml_values import yaml_value

    try:
        content = _read(path)
        text = content.decode("utf-8") if content is not None else "{}"
        raw = yaml_value(text, most_characters=_MOST_BYTES)
    except LockError as error:
        return Unread(f"{path.name}: {error.what}")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return Unread(f"{path.name} is not valid YAML: {type(error).__name__}")
    return raw if isinstance(raw, Mapping) else Unread(f"{path.name} is not a YAML mapping")


def _read(path: Path) -> bytes | None:
    """A small file's bytes; None when there is no such file."""
    try:
        with path.open("rb") as handle:
            content = handle.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LockError(f"it cannot be read: {error.strerror}", path=path) from error
    if len(content) > _MOST_BYTES:
        raise LockError("it is larger than 16 MiB", path=path)
    return content
