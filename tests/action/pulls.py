"""Pull requests against the toy project, driven through the action's own steps."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.action.fake_github import READS, REPOSITORY, WRITES, FakeGitHub, fake_github
from tests.action.repositories import base_project, git, pull_request
from tests.action.runner import Job, bare_environment

ROOT = Path(__file__).parents[2]
ACTIONS = ROOT / ".github" / "actions"
NUMBER = 7


@dataclass
class Stage:
    """A repository with a pull request, and GitHub."""

    folder: Path
    cache: Path
    hub: FakeGitHub
    project: Path
    head: str = ""

    def open(self, change: Callable[[Path], object], *, fork: bool = False) -> None:
        """Open the pull request, and check it out as a runner does: from a bare remote."""
        self.head = pull_request(self.project, change)
        remote = self.folder / "remote.git"
        git(self.folder, "clone", "--quiet", "--bare", str(self.project), str(remote))
        git(self.folder, "clone", "--quiet", str(remote), "checkout")
        git(self.folder / "checkout", "checkout", "--quiet", "--detach", self.head)
        self.hub.open_pull(NUMBER, self.head, fork=fork)
        self._fork = fork

    def event(self) -> dict[str, Any]:
        """The payload of `pull_request`."""
        base = git(self.project, "rev-parse", "main")
        source = "stranger/search" if self._fork else REPOSITORY
        return {
            "action": "synchronize",
            "number": NUMBER,
            "repository": {"full_name": REPOSITORY},
            "pull_request": {
                "number": NUMBER,
                "head": {"sha": self.head, "ref": "change", "repo": {"full_name": source}},
                "base": {"sha": base, "ref": "main", "repo": {"full_name": REPOSITORY}},
            },
        }

    def run_event(self) -> dict[str, Any]:
        """The payload of `workflow_run`, after the run of the pull request has ended."""
        source = "stranger/search" if self._fork else REPOSITORY
        return {
            "action": "completed",
            "repository": {"full_name": REPOSITORY},
            "workflow_run": {
                "id": 4711,
                "event": "pull_request",
                "head_sha": self.head,
                "head_branch": "change",
                "head_repository": {"full_name": source},
                "pull_requests": [],
            },
        }

    def job(self, name: str, event: dict[str, Any], event_name: str) -> Job:
        """A fresh runner."""
        temporary = self.folder / f"runner-{name}"
        temporary.mkdir(exist_ok=True)
        path = temporary / "event.json"
        path.write_text(json.dumps(event))
        environment = bare_environment(
            PATH=f"{Path(sys.executable).parent}:{bare_environment()['PATH']}",
            GATES_CACHE=str(self.cache),
            GITHUB_API_URL=self.hub.address,
            GITHUB_EVENT_NAME=event_name,
            GITHUB_EVENT_PATH=str(path),
            GITHUB_REPOSITORY=REPOSITORY,
            GITHUB_RUN_ID="4710",
            GITHUB_SERVER_URL="https://github.com",
            NO_PROXY="127.0.0.1",
        )
        github = {"event": event, "event_name": event_name, "repository": REPOSITORY}
        return Job(self.folder / "checkout", temporary, github, environment)

    def gate(self, **inputs: str) -> tuple[Job, dict[str, str]]:
        """Run the gate's action on the pull request."""
        job = self.job("gate", self.event(), "pull_request")
        token = READS if self._fork else WRITES
        wanted = {"install": "false", "comment": "true", "github-token": token, **inputs}
        return job, job.run(ACTIONS / "gate", wanted)

    def comment(self, artifact: Path) -> Job:
        """Run the comment's action, after an artifact was downloaded."""
        job = self.job("comment", self.run_event(), "workflow_run")
        target = job.temporary / "gates-untrusted"
        artifact.rename(target)
        job.run(ACTIONS / "comment", {"install": "false", "github-token": WRITES})
        return job


@pytest.fixture
def stage(tmp_path: Path, gates_cache: Path) -> Iterator[Stage]:
    """A repository on `main`, and GitHub."""
    with fake_github() as hub:
        yield Stage(tmp_path, gates_cache, hub, base_project(tmp_path / "shop"))
