"""What gating a pull request calls upon: packaging here, each run of the gate in a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gates.domain.judging import ModelVersion
from gates.errors import GatesError, InputError, NoSuchModel
from gates.project import Project
from gates.pull_request.budget import TimeBudget
from gates.run.request import RunRequest
from gates.settings import Settings, load_settings
from gates.system.interruption import checkpoint, deferred
from gates.system.json_files import json_value

if TYPE_CHECKING:
    from gates.card.card import Card

__all__ = ["GatingTools"]

_GRACE, _LOOK = 30.0, 0.2
# A run executes tests that a pull request brings: they see nothing of the job around them.
_HIDDEN = ("GITHUB_", "ACTIONS_", "RUNNER_", "INPUT_")


@dataclass(frozen=True)
class GatingTools:
    """`gates.pull_request.gating.Tools`, within a budget of time.

    Attributes:
        settings: Where the cache is.
        budget: How long all of it may take.
        progress: Told, in words, what is being done.
        trust_builds: Whether each `build.py` runs as this user, and not in a cage.
    """

    settings: Settings
    budget: TimeBudget
    progress: Callable[[str], None]
    trust_builds: bool = False

    def project(self, folder: Path, store: str | None = None) -> Project:
        """See `Tools.project`."""
        return Project(load_settings(folder, tracking_uri=store, cache=self.settings.cache))

    def package(self, model: str, card: Card, project: Project) -> ModelVersion:
        """See `Tools.package`."""
        from gates import packaging
        from gates.golden import golden_digest
        from gates.locks.source_files import source_builds
        from gates.run.delivery import who
        from gates.run.pruning import environments_of

        self.progress(f"packaging {model}")
        with self.budget.kept():
            return packaging.package(
                model,
                models=project.models_folder,
                registry=project.registry,
                environments=environments_of(self.settings),
                golden_digest=golden_digest(card.golden_path),
                by=who(),
                progress=self.progress,
                sources=source_builds(card.policy.environment.source_builds),
                caged=not self.trust_builds,
            )

    def champion(self, model: str, alias: str, project: Project) -> ModelVersion | None:
        """See `Tools.champion`."""
        try:
            return project.registry.alias(model, alias)
        except NoSuchModel:
            return None

    def scratch(self, folder: Path) -> str:
        """See `Tools.scratch`."""
        from gates.registry.scratch import scratch_store

        return scratch_store(folder, self.settings.cache)

    def gate(self, request: RunRequest) -> Path:
        """See `Tools.gate`."""
        self.progress(f"gating {request.candidate}")
        command = [sys.executable, "-P", "-m", *request.as_command(), "--json"]
        said, heard = self._call(command, request.settings.project)
        try:
            answer = json_value(said)
        except ValueError:
            raise GatesError(
                "the gate ended without a word: its process died",
                advice=f"it wrote: {heard.strip()[-500:]}" if heard.strip() else "run it by hand",
            ) from None
        if "error" in answer:
            raise _as_error(answer["error"])
        return Path(answer["evidence"]).parent

    def _call(self, command: list[str], folder: Path) -> tuple[str, str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(_HIDDEN)}
        pipe = subprocess.PIPE
        with deferred():
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True
            )
            try:
                while True:
                    checkpoint()
                    left = self.budget.left()
                    try:
                        return process.communicate(
                            timeout=_LOOK if left is None else min(_LOOK, left)
                        )
                    except subprocess.TimeoutExpired:
                        continue
            finally:
                _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()  # it stops its workers, then
        try:
            process.communicate(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _as_error(error: dict[str, object]) -> GatesError:
    """An error as a command gave it in JSON."""
    what, advice = str(error["message"]), str(error.get("advice") or "")
    path, line = error.get("path"), error.get("line")
    if not path:
        return GatesError(what, advice=advice)
    return InputError(what, path=str(path), line=int(str(line)) if line else None, advice=advice)
