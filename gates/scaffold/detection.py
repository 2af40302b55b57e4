"""Which task a registered model has, from its signature, flavours, parameters and files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gates.domain.tasks import Task
from gates.domain.tasks.classification import CLASSIFICATION
from gates.domain.tasks.embedding import EMBEDDING
from gates.domain.tasks.ranking import RANKING
from gates.scaffold.model import Column, ModelFacts

__all__ = ["FoundTask", "find_task"]

_RANKS = re.compile(r"lambdarank|rank_xendcg|rank:(?:pairwise|ndcg|map)|YetiRank|QuerySoftMax")
_MOST_BYTES, _MOST_FILES = 64 << 20, 200
_TRANSFORMERS: Mapping[str, Task] = {
    "text-classification": CLASSIFICATION,
    "sentiment-analysis": CLASSIFICATION,
    "feature-extraction": EMBEDDING,
}


@dataclass(frozen=True, slots=True)
class FoundTask:
    """A model's task, or that it cannot be told.

    Attributes:
        task: The task; None when it cannot be told.
        because: What says so, in words; empty when it cannot be told.
        looked_at: What was looked at and what it said, in words.
    """

    task: Task | None
    because: str
    looked_at: tuple[str, ...]


def find_task(model: ModelFacts, params: Mapping[str, str]) -> FoundTask:
    """Find out which task a model has.

    Args:
        model: What its files say.
        params: The parameters of the run that logged it.
    """
    looked_at: list[str] = []
    for task, words in _clues(model, params):
        if task is not None:
            return FoundTask(task, words, (*looked_at, words))
        looked_at.append(words)
    return FoundTask(None, "", tuple(looked_at))


def _clues(model: ModelFacts, params: Mapping[str, str]) -> Iterator[tuple[Task | None, str]]:
    """What there is to go by, the surest first: the task it tells, if any, and what it says."""
    yield _by_flavour(model)
    yield _by_signature(model)
    named = next((f"{k}={v}" for k, v in sorted(params.items()) if _RANKS.search(v)), "")
    if named:
        yield RANKING, f"the run's parameter {named} is a ranking objective"
    else:
        yield None, f"none of the run's {len(params)} parameters is a ranking objective"
    yield _by_files(model.folder)


def _by_flavour(model: ModelFacts) -> tuple[Task | None, str]:
    names = ", ".join(sorted(model.flavors)) or "pyfunc alone"
    if "sentence_transformers" in model.flavors:
        return EMBEDDING, "its flavour is sentence_transformers"
    task = model.flavors.get("transformers", {}).get("task")
    if isinstance(task, str) and task in _TRANSFORMERS:
        return _TRANSFORMERS[task], f"its transformers pipeline is for {task}"
    return None, f"its flavour ({names}) does not tell a task"


def _by_signature(model: ModelFacts) -> tuple[Task | None, str]:
    if model.inputs is None:
        return None, "it has no signature"
    told = f"its signature goes from {_side(model.inputs)} to {_side(model.outputs)}"
    names = {one.name for one in model.outputs or ()}
    if "label" in names:
        return CLASSIFICATION, told
    if model.text_input is None:
        return None, told
    if model.gives_probabilities:
        return CLASSIFICATION, f"{told}, by {model.predict}"
    if model.gives_labels_only:
        return CLASSIFICATION, told
    numbers = [one for one in model.outputs or () if one.kind in ("whole", "number")]
    all_numbers = len(numbers) == len(model.outputs or ())
    if numbers and all_numbers and (len(numbers) > 1 or numbers[0].wide):
        return EMBEDDING, told
    return None, told


def _side(columns: tuple[Column, ...] | None) -> str:
    if not columns:
        return "nothing known"
    kinds = [f"{'a list of ' if one.wide else ''}{one.kind}" for one in columns]
    shown = ", ".join(dict.fromkeys(kinds))
    return f"{len(columns)} column{'' if len(columns) == 1 else 's'} ({shown})"


def _by_files(folder: Path) -> tuple[Task | None, str]:
    """A ranking objective in the bytes of the model: boosters and pickles spell it out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    skipped = {"MLmodel", "requirements.txt", "conda.yaml", "python_env.yaml"}
    looked = 0
    for path in files[:_MOST_FILES]:
        if path.name in skipped or path.suffix in (".py", ".md"):
            continue
        try:
            with path.open("rb") as stream:
                content = stream.read(_MOST_BYTES)
        except OSError:
            continue
        looked += 1
        found = re.search(_RANKS.pattern.encode(), content)
        if found:
            where = path.relative_to(folder)
            return RANKING, f"{where} names the objective {found[0].decode()}"
    return None, f"none of its {looked} other files names a ranking objective"
