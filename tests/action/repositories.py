"""A toy project under git: a base on `main`, and a branch with one commit of changes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.toys import make_project, set_params

WEAK = {"weights": {"good": 0.6, "noise": 0.6}}


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody in particular, whatever this machine is set up for."""
    who = {
        f"GIT_{role}_{what}": "tests@example.com" if what == "EMAIL" else "tests"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    isolated = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **who, **isolated},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def commit(folder: Path, message: str) -> str:
    """Commit everything; the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def base_project(folder: Path) -> Path:
    """The toy project on `main`, with one commit."""
    project = make_project(folder)
    set_params(project, **WEAK)
    (project / ".gitignore").write_text(".gates/\n__pycache__/\n")
    git(project, "init", "--quiet", "--initial-branch", "main")
    commit(project, "base")
    return project


def pull_request(project: Path, change: Callable[[Path], object]) -> str:
    """A branch with one commit of changes, checked out; the commit."""
    git(project, "switch", "--quiet", "--create", "change")
    change(project)
    return commit(project, "change")
