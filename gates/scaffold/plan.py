"""Everything `gates init` makes for a model, as files to write, with what is missing in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gates.domain.judging import ModelVersion
from gates.domain.tasks import TASKS, Task
from gates.errors import UsageError
from gates.locks.late import late_lock_of, late_lock_place
from gates.registry import Registry
from gates.registry.names import parse_uri
from gates.scaffold.card import CardDraft, card_text
from gates.scaffold.detection import FoundTask, find_task
from gates.scaffold.locks import make_lock
from gates.scaffold.model import ModelFacts, read_model
from gates.scaffold.pages import own_test_name, own_test_text, workflow_text
from gates.scaffold.tasks import SCAFFOLDS, GoldenDraft
from gates.system.files import write_atomically

__all__ = ["Scaffold", "Wishes", "chosen", "plan_locks", "plan_scaffold", "write"]

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person said, where they said anything.

    Attributes:
        task: The task, where it cannot be found out.
        queries: A CSV file of texts.
        candidates: A CSV or Parquet file of candidates.
        requirements: What the versions need, instead of what was logged.
    """

    task: Task | None = None
    queries: Path | None = None
    candidates: Path | None = None
    requirements: Path | None = None


@dataclass(frozen=True)
class Scaffold:
    """What would be written; nothing is yet.

    Attributes:
        version: The version it is made for.
        task: Its task; None where only locks are made.
        because: What the task was found out from, in words.
        files: Path in the project → its bytes, in the order of writing.
        kept: Locks that are there already, for these very bytes.
        records: Whether the expectations are to be recorded from the version.
        notes: What a reader should know.
        missing: What the gate will ask for and could not be had, in words.
    """

    version: ModelVersion
    task: Task | None
    because: str
    files: Mapping[str, bytes]
    kept: tuple[str, ...] = ()
    records: bool = False
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def chosen(named: str, registry: Registry) -> tuple[ModelVersion, ...]:
    """The versions a person means: the one to scaffold for first, then others that need a lock.

    Args:
        named: `models:/NAME/VERSION`, `models:/NAME@ALIAS` or `NAME`, which is its champion, or
            where there is none its newest version.
        registry: Where to look.

    Returns:
        The version, and the champion where it is another; for `NAME` also the newest version.

    Raises:
        RegistryError: There is no such model or version, or the registry cannot be reached.
    """
    bare = named.removeprefix("models:/")
    is_name = not set("/@") & set(bare)
    name = bare if is_name else parse_uri(named).name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise UsageError(
            f"{name!r} cannot be the name of a card, a folder and a model alike",
            advice="use letters, digits, dots, - and _; register the model under such a name",
        )
    champion = registry.alias(name, "champion")
    if not is_name:
        first = registry.resolve(named)
        return _once((first, *((champion,) if champion else ())))
    newest = registry.newest(name)
    if newest is None:
        raise UsageError(
            f"model '{name}' has no version yet",
            advice="register one, or package one: gates package",
        )
    last = registry.resolve(f"models:/{name}/{newest}")
    return _once((champion, last) if champion else (last,))


def _once(versions: Iterable[ModelVersion]) -> tuple[ModelVersion, ...]:
    return tuple({one.version: one for one in versions}.values())


def plan_locks(
    versions: Iterable[ModelVersion],
    *,
    project: Path,
    registry: Registry,
    wishes: Wishes,
    force: bool,
    progress: Progress,
) -> tuple[dict[str, bytes], tuple[str, ...], tuple[str, ...]]:
    """Locks for those versions that have none.

    Args:
        versions: The versions, resolved.
        project: The project's folder.
        registry: Where they are.
        wishes: What a person said.
        force: Whether a lock made before is made anew.
        progress: Told, in words, what takes long.

    Returns:
        Files to write, locks that are there already, and notes.

    Raises:
        LockError: A lock cannot be made.
        PackageError: An artifact has no usable MLmodel.
    """
    files: dict[str, bytes] = {}
    kept, notes = [], []
    for version in versions:
        folder = late_lock_place(Path(), version.name, version.version).as_posix()
        if version.lock_digest:
            notes.append(f"{version.uri} has its own lock; none was made")
        elif not force and late_lock_of(project, version):
            kept.append(f"{folder}/requirements.txt")
        else:
            progress(f"compiling a lock for {version.uri}")
            made = make_lock(
                version,
                read_model(registry.path(version)),
                registered=registry.origin(version).registered,
                requirements=wishes.requirements,
                progress=progress,
            )
            files |= {f"{folder}/{name}": content for name, content in made.files.items()}
            notes.append(f"lock of {version.uri}: {made.requirements} pins, from {made.source}")
    return files, tuple(kept), tuple(notes)


def plan_scaffold(
    versions: tuple[ModelVersion, ...],
    *,
    project: Path,
    registry: Registry,
    tracking_uri: str,
    wishes: Wishes,
    force: bool,
    progress: Progress,
) -> Scaffold:
    """Card, golden set, workflow, first test and locks of a model; nothing is written.

    Args:
        versions: What `chosen` gave.
        project: The project's folder.
        registry: Where they are.
        tracking_uri: The store's address, for the workflow.
        wishes: What a person said.
        force: Whether locks made before are made anew.
        progress: Told, in words, what takes long.

    Raises:
        UsageError: The task cannot be found out, or a file does not belong to it.
        GoldenError: A file that was named cannot be used.
        LockError: A lock cannot be made.
        PackageError: The artifact has no usable MLmodel.
    """
    version = versions[0]
    model, origin = read_model(registry.path(version)), registry.origin(version)
    found = find_task(model, origin.params)
    task = wishes.task or found.task
    if task is None:
        raise _no_task(version, found)
    because = "as --task says" if wishes.task else found.because
    scaffold, golden = SCAFFOLDS[task.name], _golden(version, task, model, wishes)
    locks, kept, said = plan_locks(
        versions,
        project=project,
        registry=registry,
        wishes=wishes,
        force=force,
        progress=progress,
    )
    card = card_text(
        CardDraft(
            version=version,
            scaffold=scaffold,
            because=because,
            model=model,
            origin=origin,
            golden=golden,
            late_lock=not version.lock_digest,
        )
    )
    folder = f"golden/{version.name}"
    texts = {f"{folder}/{name}": text for name, text in golden.files.items()}
    texts[f"{folder}/{own_test_name(version.name)}"] = own_test_text(version.name, scaffold)
    texts[f"model_cards/{version.name}.md"] = card
    texts[".github/workflows/gates.yml"] = workflow_text(tracking_uri)
    return Scaffold(
        version=version,
        task=task,
        because=because,
        files={name: text.encode() for name, text in texts.items()} | locks,
        kept=kept,
        records=golden.records and not golden.missing,
        notes=(*golden.notes, *said),
        missing=golden.missing,
    )


def _no_task(version: ModelVersion, found: FoundTask) -> UsageError:
    *first, last = TASKS
    return UsageError(
        f"what {version.uri} is for cannot be found out: {'; '.join(found.looked_at)}",
        advice=f"say it: --task {', '.join(first)} or {last}",
    )


def _golden(version: ModelVersion, task: Task, model: ModelFacts, wishes: Wishes) -> GoldenDraft:
    option, file = "--queries", wishes.queries
    other, unused = "--candidates", wishes.candidates
    if task.has_candidates:
        option, other, file, unused = other, option, unused, file
    if unused:
        what = f"{other} is not for {task.called} model"
        raise UsageError(what, advice=f"name its file by {option}")
    return SCAFFOLDS[task.name].golden(version, model, file)


def write(scaffold: Scaffold, project: Path, *, force: bool) -> tuple[Path, ...]:
    """Write the files, if none of them is there yet.

    Args:
        scaffold: What to write.
        project: The project's folder.
        force: Whether files that are there are replaced.

    Returns:
        The files that were written.

    Raises:
        UsageError: A file is there already, or cannot be written; in the first case nothing was.
    """
    there = [name for name in scaffold.files if (project / name).exists()]
    if there and not force:
        more = f" and {len(there) - 5} more" if len(there) > 5 else ""
        raise UsageError(
            f"nothing was written: {', '.join(there[:5])}{more} "
            f"{'is' if len(there) == 1 else 'are'} there already",
            advice="keep them, and make only the lock of another version: gates init --lock-only "
            "URI; or replace them: --force",
        )
    for name, content in scaffold.files.items():
        path = project / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{path.parent} cannot be made: {error.strerror}") from None
        write_atomically(path, content)
    return tuple(project / name for name in scaffold.files)
