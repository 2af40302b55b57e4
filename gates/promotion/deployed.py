"""`gates deployed`: is what serves the champion that the evidence speaks for.

Files are compared by their digest. A scoring server does not show its files: it is asked the golden
inputs, and answers as the champion does in its own environment, or not.
"""

from __future__ import annotations

import json
import math
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import requests

from gates.card.policy import Policy
from gates.domain.judging import ModelVersion
from gates.domain.subject import Columns
from gates.domain.tasks import AnswerForm
from gates.environments._engine import connected, engine_troubles
from gates.environments.outputs import as_labels, as_scores, as_vectors
from gates.errors import InputError, ModelFault, RegistryError
from gates.evidence.bundle import read_evidence
from gates.registry import Registry
from gates.registry.digests import tree_digest
from gates.run.predictions import Answer, rows_of
from gates.system.json_files import json_value

__all__ = [
    "Agreement",
    "agreement",
    "ask_server",
    "container_digest",
    "evidence_problems",
    "folder_digest",
    "in_form",
    "version_with",
]

_SECONDS, _LONGEST = 60.0, 64 << 20
_LARGEST = 8 << 30  # bytes of a model folder in a container


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the answers of a server are those of a version.

    Attributes:
        rows: How many inputs were asked.
        differing: How many were answered in another way.
        largest: The largest difference of a number; 0 for labels.
    """

    rows: int
    differing: int
    largest: float


def evidence_problems(registry: Registry, champion: ModelVersion) -> tuple[str, ...]:
    """Why no evidence speaks for a version's files as they are; nothing when some does.

    Raises:
        RegistryError: The registry failed.
        EvidenceError: The evidence cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="gates-") as scratch:
        path = registry.evidence(champion.uri, Path(scratch))
        if path is None:
            return (f"{champion.uri} was never gated: no evidence speaks for it",)
        recorded = read_evidence(path).candidate
    if (recorded.uri, recorded.digest) != (champion.uri, champion.digest):
        was, now = f"{recorded.uri} with digest {recorded.digest}", champion.digest
        return (f"its evidence is for {was}, and it has {now}",)
    return ()


def version_with(registry: Registry, model: str, digest: str) -> str:
    """The version of a model whose files have a digest now; empty when there is none.

    Raises:
        RegistryError: The registry failed.
        IntegrityError: The version that was packaged with that digest has other files by now.
    """
    for one in registry.versions(model):
        if one.tags.get("gates.digest") == digest:  # a tag is a hint: its files are digested
            found = registry.resolve(f"models:/{model}/{one.version}")
            if found.digest == digest:
                return found.uri
    return ""


def container_digest(container: str, folder: str) -> str:
    """The digest of a model folder in a container, running or not.

    Args:
        container: Its name or id.
        folder: Where the model is in it.

    Raises:
        BuildError: The engine cannot be reached.
        InputError: There is no such container or folder, or it holds no model.
        IntegrityError: The folder cannot be digested.
    """
    from docker.errors import NotFound

    doing = f"copy {folder} out of the container '{container}'"
    with (
        connected() as engine,
        engine_troubles(doing),
        tempfile.TemporaryDirectory(prefix="gates-") as scratch,
    ):
        try:
            chunks, facts = engine.containers.get(container).get_archive(folder)
        except NotFound as problem:
            raise InputError(
                f"there is no such container, or no such folder in it: {problem.explanation}",
                path=f"{container}:{folder}",
                advice="see docker ps; name the model's folder with --path",
            ) from None
        archive = Path(scratch) / "model.tar"
        with archive.open("wb") as stream:
            for chunk in chunks:
                stream.write(chunk)
                if stream.tell() > _LARGEST:
                    raise InputError("it is larger than 8 GiB", path=f"{container}:{folder}")
        target = Path(scratch) / "model"
        try:
            with tarfile.open(archive) as opened:
                opened.extractall(target, filter="data")  # no path, link or device leads out
        except tarfile.TarError as problem:
            raise InputError(
                f"what is in it cannot be copied: {problem}", path=f"{container}:{folder}"
            ) from None
        return folder_digest(
            target / (facts["name"] if facts else PurePosixPath(folder).name),
            f"{container}:{folder}",
        )


def folder_digest(folder: Path, shown: str = "") -> str:
    """The digest of a model folder.

    Args:
        folder: It holds an `MLmodel`.
        shown: What to call it in errors.

    Raises:
        InputError: It holds no model.
        IntegrityError: It cannot be digested.
    """
    if not (folder / "MLmodel").is_file():
        raise InputError(
            "it holds no MLmodel file: it is no model folder",
            path=shown or folder,
            advice="name the folder that the model was downloaded to",
        )
    return tree_digest(folder)


def ask_server(url: str, inputs: Columns) -> Answer:
    """What an MLflow scoring server answers for a frame.

    Args:
        url: Its address, without `/invocations`.
        inputs: Column → values.

    Returns:
        Output column → values; a list without names is the column `prediction`.

    Raises:
        RegistryError: It does not answer, or not as a scoring server does.
    """
    names = list(inputs)
    rows = [[_plain(value) for value in row] for row in zip(*inputs.values(), strict=True)]
    body = json.dumps({"dataframe_split": {"columns": names, "data": rows}}, allow_nan=False)
    address = url.rstrip("/") + "/invocations"
    try:
        with requests.post(
            address,
            data=body,
            headers={"content-type": "application/json"},
            timeout=_SECONDS,
            allow_redirects=False,
            stream=True,
        ) as answer:
            content = answer.raw.read(_LONGEST + 1, decode_content=True)
    except requests.RequestException as problem:
        raise RegistryError(
            f"{address} does not answer: {type(problem).__name__}",
            advice="name the address of an MLflow scoring server: mlflow models serve",
            passing=True,
        ) from None
    if answer.status_code != 200 or len(content) > _LONGEST:
        raise RegistryError(
            f"{address} answers with status {answer.status_code} and {len(content)} bytes",
            advice="see its log: it was asked the golden inputs as a dataframe_split",
        )
    try:
        return _columns(json_value(content)["predictions"])
    except (ValueError, KeyError, TypeError, IndexError):
        raise RegistryError(
            f"{address} does not answer as an MLflow scoring server: no predictions",
            advice="name the address of one: mlflow models serve",
        ) from None


def in_form(answer: Answer, inputs: Columns, policy: Policy, of: str = "") -> object:
    """An answer in the form that the model's task asks for: numbers or labels.

    Args:
        answer: What was answered.
        inputs: What was asked.
        policy: The model's card.
        of: The address of the server that answered; empty for a version of ours.

    Raises:
        ModelFault: A version of ours breaks the contract.
        RegistryError: A server does.
    """
    rows, form = rows_of(inputs), policy.task.answers
    try:
        if form is AnswerForm.LABELS:
            chosen = policy.environment
            return as_labels(answer, rows, chosen.answer, alone=chosen.labels_only)[0]
        if form is AnswerForm.VECTORS:
            return as_vectors(answer, rows)
        return as_scores(answer, rows, policy.environment.answer)
    except ModelFault as fault:
        if not of:
            raise
        raise RegistryError(
            f"{of} does not answer as a {policy.task.called} model: {fault.what}",
            advice="name the server of this very model",
        ) from None


def agreement(ours: object, theirs: object, tolerance: float) -> Agreement:
    """How far two answers are one.

    Args:
        ours: float64[rows] or float64[rows, dimensions], or `rows` labels.
        theirs: The same from elsewhere.
        tolerance: By how much numbers may differ, in units of theirs where they are above 1.
    """
    a, b = np.asarray(ours), np.asarray(theirs)
    rows = len(a)
    if a.shape != b.shape:  # vectors of other lengths
        return Agreement(rows, rows, 0.0)
    if a.dtype.kind != "f":
        return Agreement(rows, int(np.count_nonzero(a != b)), 0.0)
    apart = np.abs(a - b)
    over = apart > tolerance * np.maximum(1.0, np.abs(a))
    differing = np.count_nonzero(over.reshape(rows, -1).any(axis=1)) if rows else 0
    return Agreement(rows, int(differing), float(apart.max(initial=0.0)))


def _plain(value: Any) -> Any:  # noqa: ANN401 - what a column holds
    """As JSON has it: what is missing is null."""
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _columns(predictions: Any) -> Answer:  # noqa: ANN401 - any JSON
    if isinstance(predictions, Mapping):
        return {str(name): list(values) for name, values in predictions.items()}
    first = predictions[0]
    if isinstance(first, Mapping):
        return {str(name): [row[name] for row in predictions] for name in first}
    if isinstance(first, list):
        return {str(place): [row[place] for row in predictions] for place in range(len(first))}
    return {"prediction": list(predictions)}
