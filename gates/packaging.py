"""`gates package`: from a model folder to a registered version with its lock.

`models/<model>/build.py` runs inside the model's own locked environment and writes an MLflow model.
The gate adds the lock and the facts of the build under `gates/`, and registers the whole by digest.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

import gates
from gates.domain.installation import PYTHON_VERSION, InstallableLock, SourceBuilds
from gates.domain.judging import ModelVersion
from gates.environments.cache import Environment, EnvironmentCache
from gates.environments.mlmodel import read_mlmodel
from gates.environments.scripts import run_script
from gates.environments.tasks import CagedTask, run_task
from gates.errors import BuildError, IntegrityError, LockError, PackageError
from gates.locks.lock import read_installable
from gates.registry import Registry
from gates.registry.digests import file_digest, tree_digest
from gates.system.strict_yaml import nearest, parse

__all__ = ["package"]

_FILES = {
    "package.yaml": "give the training window in it",
    "build.py": "it is run as: python build.py OUTPUT_DIR, and writes an MLflow model there",
    "requirements.in": "list in it what the model imports",
    "requirements.txt": "compile it: gates lock compile {folder}",
}
"""What a model folder holds → what to do where it does not."""
_MEMORY_MB = 65536  # of address space, which training takes plenty of


class TrainingWindow(BaseModel):
    """The days whose data a model was trained on, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: date
    end: date

    @field_validator("end")
    @classmethod
    def _after_start(cls, end: date, info: ValidationInfo) -> date:
        if "start" in info.data and end < info.data["start"]:
            raise ValueError(f"is before the start, {info.data['start']}")
        return end

    def __str__(self) -> str:
        return f"{self.start}/{self.end}"


class Recipe(BaseModel):
    """What `package.yaml` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    training_window: TrainingWindow
    python: str | None = Field(default=None, pattern=PYTHON_VERSION)
    environment: tuple[str, ...] = ()
    timeout_seconds: float = Field(default=3600.0, gt=0)


@dataclass(frozen=True, slots=True)
class _Source:
    """A model folder that was read and found complete."""

    model: str
    folder: Path
    recipe: Recipe
    variables: dict[str, str]
    installable: InstallableLock

    @property
    def lock(self) -> Path:
        return self.folder / "requirements.txt"

    @property
    def inputs(self) -> Path:
        return self.folder / "requirements.in"


def package(
    model: str,
    *,
    models: Path,
    registry: Registry,
    environments: EnvironmentCache,
    golden_digest: str,
    by: str,
    progress: Callable[[str], None],
    sources: SourceBuilds | None = None,
    caged: bool = False,
) -> ModelVersion:
    """Build a model in its own environment and register what it wrote.

    Args:
        model: The name of the registered model, and of its folder.
        models: The folder that holds a folder for each model.
        registry: Where to register the version.
        environments: Where environments are found or built.
        golden_digest: The digest of the model's golden set, as it is now.
        by: Who packages, for the history.
        progress: Told what is being done, a line at a time.
        sources: What of the lock may be built from source; None for wheels alone.
        caged: Whether `build.py` is a stranger's: it then runs in a cage, without network and
            variables, and sees the project alone, and of that no hidden file.

    Returns:
        The registered version.

    Raises:
        PackageError: The model folder, its build or what that wrote is wrong. Nothing was
            registered.
        BuildError: The environment could not be built.
        RegistryError: The registry failed.
    """
    source = _read_source(model, models)
    if caged:
        _require_own_files(source, models)
    commit, dirty = _git_state(source.folder)
    environment = environments.ensure(
        source.installable, python=source.recipe.python, sources=sources, progress=progress
    )
    with tempfile.TemporaryDirectory(prefix="gates-package-") as scratch:
        output = Path(scratch) / "model"
        output.mkdir()
        progress(f"building {model} in Python {environment.facts.python}")
        started = time.monotonic()
        if caged:
            _build_in_cage(source, environment, output, models)
        else:
            _build(source, environment, output, progress)
        seconds = round(time.monotonic() - started, 3)
        _check_output(source, output)
        facts = {
            "model": model,
            "golden_digest": golden_digest,
            "git_commit": commit,
            "git_dirty": dirty,
            "training_window": source.recipe.training_window.model_dump(mode="json"),
            "python": environment.facts.python,
            "platform": f"{platform.system()}-{platform.machine()}",
            "mlgates": gates.__version__,
            "build_seconds": seconds,
        }
        _add_facts(source, output, facts)
        tags = {
            "gates.lock_digest": file_digest(source.lock),
            "gates.golden_digest": golden_digest,
            "gates.git_commit": commit + ("-dirty" if dirty else ""),
            "gates.training_window": str(source.recipe.training_window),
            "gates.python": environment.facts.python,
        }
        progress(f"registering {model}")
        description = f"Packaged by mlgates from models/{model}, commit {commit[:12] or 'unknown'}."
        present = {key: value for key, value in tags.items() if value}
        return registry.register(model, output, present, description, by=by)


def _read_source(model: str, models: Path) -> _Source:
    folder = models / model
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", model) or not folder.is_dir():
        known = [one.name for one in models.iterdir() if one.is_dir()] if models.is_dir() else []
        raise PackageError(
            "there is no such model folder", path=folder, advice=nearest(model, known)
        )
    for name, purpose in _FILES.items():
        if not (folder / name).is_file():
            advice = purpose.format(folder=folder)
            raise PackageError("is missing", path=folder / name, advice=advice)
    path = folder / "package.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise PackageError(f"cannot be read: {problem}", path=path) from None
    recipe, lines = parse(text, Recipe, path=path, error=PackageError)
    unset = [name for name in recipe.environment if name not in os.environ]
    if unset:
        raise PackageError(
            f"the build is to see {', '.join(unset)}, which is not set",
            path=path,
            line=lines.of("environment"),
            advice="set it, or take it out of 'environment'",
        )
    variables = {name: os.environ[name] for name in recipe.environment}
    return _Source(model, folder, recipe, variables, _lock(folder / "requirements.txt"))


def _lock(path: Path) -> InstallableLock:
    try:
        return read_installable(path)
    except LockError as problem:
        again = f"compile it again: gates lock compile {path.parent}"
        raise PackageError(
            problem.what, path=problem.path, line=problem.line, advice=problem.advice or again
        ) from None


def _build(
    source: _Source, environment: Environment, output: Path, progress: Callable[[str], None]
) -> None:
    script = source.folder / "build.py"
    try:
        run_script(
            environment,
            script,
            [str(output)],
            cwd=source.folder,
            extra_env=source.variables,
            timeout=source.recipe.timeout_seconds,
            progress=progress,
        )
    except BuildError as problem:
        what = problem.what.removeprefix(f"{script} ")  # which the error names anyway
        raise PackageError(what, path=script, advice=problem.advice) from None


def _require_own_files(source: _Source, models: Path) -> None:
    """See that a stranger's model folder asks for nothing of this machine.

    A link would have another file of it read, shown, or copied into the artifact.
    """
    files = [source.folder / name for name in (*_FILES, "Dockerfile")]
    for path in (models, source.folder, *files):
        if path.is_symlink():
            raise PackageError(
                "is a link, which a pull request's build does not follow",
                path=path,
                advice="put the file itself there",
            )
    if source.variables:
        raise PackageError(
            f"the build is to see {', '.join(source.variables)}, and a pull request's sees no "
            "variables",
            path=source.folder / "package.yaml",
            advice="take 'environment' out; or, where every author may see what the job sees, run "
            "gates pr gate --trust-builds",
        )


def _build_in_cage(source: _Source, environment: Environment, output: Path, models: Path) -> None:
    script = source.folder.absolute() / "build.py"
    beside = [
        path
        for path in models.absolute().parent.iterdir()
        if not path.name.startswith(".") and not path.is_symlink()
    ]
    task = CagedTask(
        called=str(script),
        doing="running it in a cage",
        task={
            "kind": "script",
            "script": str(script),
            "folder": str(script.parent),
            "arguments": [],
        },
        folder=script.parent,
        shown=beside,
        seconds=source.recipe.timeout_seconds,
        memory_mb=_MEMORY_MB,
    )
    try:
        run_task(task, python=environment.python, base=environment.base, output=output)
    except BuildError as problem:
        raise PackageError(
            problem.what.removeprefix(f"{script}: "),
            path=script,
            advice=problem.advice
            or "a pull request's build has no network, no variables, and sees the project without "
            "hidden files; see gates pr gate --help, --trust-builds",
        ) from None


def _check_output(source: _Source, output: Path) -> None:
    script = source.folder / "build.py"
    if not any(output.iterdir()):
        raise PackageError(
            "it ended well but wrote nothing into OUTPUT_DIR",
            path=script,
            advice="save the model to sys.argv[1]",
        )
    if (output / "gates").exists():
        raise PackageError(
            "it wrote a folder 'gates' into OUTPUT_DIR",
            path=script,
            advice="use another name: the gate keeps its own facts there",
        )
    try:
        read_mlmodel(output)
        tree_digest(output)
    except PackageError as problem:  # the path in it is about to be removed
        raise PackageError(
            f"it wrote a model whose MLmodel cannot be used: {problem.what}",
            path=script,
            advice=problem.advice or "write it with MLflow's save_model(path=sys.argv[1])",
        ) from None
    except IntegrityError as problem:
        raise PackageError(
            f"it wrote something that cannot be registered: {problem.what}",
            path=script,
            advice=problem.advice,
        ) from None


def _add_facts(source: _Source, output: Path, facts: dict[str, object]) -> None:
    folder = output / "gates"
    folder.mkdir()
    shutil.copyfile(source.lock, folder / "requirements.txt")
    shutil.copyfile(source.inputs, folder / "requirements.in")
    if (source.folder / "Dockerfile").is_file():  # its base images are part of what is verified
        shutil.copyfile(source.folder / "Dockerfile", folder / "Dockerfile")
    text = json.dumps(facts, indent=2, sort_keys=True) + "\n"
    (folder / "package.json").write_text(text, encoding="utf-8")


def _git_state(folder: Path) -> tuple[str, bool]:
    """The commit checked out, and whether the folder differs from it; empty outside of git."""
    commit = _git(folder, "rev-parse", "HEAD")
    return commit, bool(commit and _git(folder, "status", "--porcelain", "--", "."))


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
