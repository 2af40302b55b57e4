"""Which models a change touches, and what of each: source, lock, golden set, card."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml

from gates.domain.review import Kind, ModelChange, Part
from gates.pull_request.repository import Repository
from gates.system.files import read_bounded
from gates.system.yaml_values import yaml_value

__all__ = ["Changes", "find_changes"]

_LOCK_FILES = frozenset({"requirements.txt", "requirements.in"})
_ORDER: tuple[Part, ...] = ("source", "lock", "golden", "card")
_MOST_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FRONT = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from the base, model by model.

    Attributes:
        base: The commit that the change starts from.
        head: The commit checked out.
        models: Every model that is touched, by name.
        cache_key: A digest of the locks that will be built, old and new: a key for a cache of
            environments.
    """

    base: str
    head: str
    models: tuple[ModelChange, ...]
    cache_key: str

    @property
    def to_gate(self) -> tuple[ModelChange, ...]:
        """Those that are still there."""
        return tuple(one for one in self.models if one.kind != "removed")


def find_changes(repository: Repository) -> Changes:
    """Which models differ from the base, and what of each.

    `models/NAME/`, `model_cards/NAME.md` and the golden set that the card names (else
    `golden/NAME`) belong to a model. A card counts when its front matter changed: its prose is
    judged by people.

    Args:
        repository: The project, and its base.

    Raises:
        UsageError: git failed.
    """
    goldens = _golden_folders(repository.project)
    files: dict[str, set[str]] = {}
    parts: dict[str, set[Part]] = {}
    for path in repository.changed():
        for model, part in _belongs(path, goldens):
            if part == "card" and not _policy_changed(repository, path):
                continue
            files.setdefault(model, set()).add(path)
            parts.setdefault(model, set()).add(part)
    models = tuple(
        ModelChange(
            model,
            _kind(repository, model, parts[model]),
            tuple(one for one in _ORDER if one in parts[model]),
            tuple(sorted(files[model])),
        )
        for model in sorted(files)
    )
    return Changes(repository.base, repository.head, models, _cache_key(repository, models))


def _belongs(path: str, goldens: dict[str, set[str]]) -> Iterator[tuple[str, Part]]:
    names = PurePosixPath(path).parts
    if names[0] == "models" and len(names) > 2 and _NAME.fullmatch(names[1]):
        yield names[1], "lock" if len(names) == 3 and names[2] in _LOCK_FILES else "source"
    elif names[0] == "model_cards" and len(names) == 2 and path.endswith(".md"):
        yield PurePosixPath(path).stem, "card"
    for folder, models in goldens.items():
        if PurePosixPath(path).is_relative_to(folder):
            for model in models:
                yield model, "golden"


def _golden_folders(project: Path) -> dict[str, set[str]]:
    """Golden set → the models that are judged on it, as the cards say now."""
    found: dict[str, set[str]] = {}
    for card in sorted((project / "model_cards").glob("*.md")):
        written = _golden_of(_text(card))
        folder = PurePosixPath(written or f"golden/{card.stem}")
        found.setdefault(folder.as_posix(), set()).add(card.stem)
    return found


def _golden_of(card: str) -> str:
    """What a card names as its golden set, as far as it can be read; a gate says what is wrong."""
    front = _FRONT.match(card)
    try:
        policy = yaml_value(front[1]) if front else None
    except yaml.YAMLError:
        return ""
    golden = policy.get("golden") if isinstance(policy, dict) else None
    return golden if isinstance(golden, str) else ""


def _text(card: Path) -> str:
    """What a card says; nothing where it cannot be read, is no file or is no card by its size."""
    try:
        return read_bounded(card, _MOST_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return ""


def _policy_changed(repository: Repository, path: str) -> bool:
    card = repository.project / path
    now = _text(card)
    fronts = [_FRONT.match(text) for text in (repository.at_base(path) or "", now)]
    before, after = (front[1] if front else None for front in fronts)
    return before != after or before is None


def _kind(repository: Repository, model: str, parts: set[Part]) -> Kind:
    folder = f"models/{model}"
    card = repository.project / "model_cards" / f"{model}.md"
    here, was = (repository.project / folder).is_dir(), repository.was_there(folder)
    if (was and not here) or not card.is_file():
        return "removed" if was or repository.at_base(f"model_cards/{model}.md") else "new"
    if here and not was:
        return "new"
    if "source" in parts:
        return "model"
    return "lock" if "lock" in parts else "criteria"


def _cache_key(repository: Repository, models: tuple[ModelChange, ...]) -> str:
    digest = hashlib.sha256()
    for change in models:
        path = f"models/{change.model}/requirements.txt"
        lock = repository.project / path
        now = lock.read_bytes() if lock.is_file() else b""
        for content in ((repository.at_base(path) or "").encode(), now):
            digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:32]
