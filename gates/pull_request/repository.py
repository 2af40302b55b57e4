"""What git knows of a project: the base of a change, what differs from it, and a checkout of it."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gates.errors import UsageError

__all__ = ["Repository", "open_repository"]

_TIMEOUT = 300
_FETCH = "fetch the whole history first (actions/checkout with fetch-depth: 0), or name another ref"


@dataclass(frozen=True)
class Repository:
    """A project under git, compared with the commit that a change starts from.

    Attributes:
        project: The project's folder.
        inside: The project's folder, from the top of the repository; empty at the top.
        base: The commit that the change starts from: the merge base of the ref and HEAD.
        head: The commit checked out.
    """

    project: Path
    inside: str
    base: str
    head: str

    def changed(self) -> tuple[str, ...]:
        """Files of the project that differ from the base now, from its folder, sorted.

        What is not committed counts, as it is packaged too; what git ignores does not.
        """
        tracked = self._lines("diff", "--name-only", "--no-renames", "--relative", "-z", self.base)
        new = self._lines("ls-files", "--others", "--exclude-standard", "-z")
        return tuple(sorted({*tracked, *new}))

    def changed_lines(self, path: str) -> frozenset[int]:
        """The lines of a file, as it is now, that the base has not.

        Args:
            path: The file, from the project's folder.
        """
        text = _git(
            self.project, "diff", "--unified=0", "--no-color", "--relative", self.base, "--", path
        )
        found: set[int] = set()
        for start, length in re.findall(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", text, re.MULTILINE):
            found.update(range(int(start), int(start) + int(length or 1)))
        return frozenset(found)

    def at_base(self, path: str) -> str | None:
        """The text of a file in the base; None where it was not there.

        Args:
            path: The file, from the project's folder.
        """
        done = _run(self.project, "show", f"{self.base}:./{path}")
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None

    def was_there(self, folder: str) -> bool:
        """Whether the base holds anything in a folder.

        Args:
            folder: The folder, from the project's folder.
        """
        return bool(_git(self.project, "ls-tree", self.base, "--", f"{folder}/"))

    @contextmanager
    def base_checkout(self) -> Iterator[Path]:
        """The project as the base has it, in a folder that is removed afterwards.

        No hook of the repository runs.

        Raises:
            UsageError: git could not check it out.
        """
        no_hooks = ("-c", "core.hooksPath=/dev/null")
        with tempfile.TemporaryDirectory(prefix="gates-base-") as scratch:
            folder = Path(scratch).resolve() / "base"
            _git(self.project, *no_hooks, "worktree", "add", "--detach", str(folder), self.base)
            try:
                yield folder / self.inside
            finally:
                _run(self.project, "worktree", "remove", "--force", str(folder))

    def _lines(self, *arguments: str) -> list[str]:
        return [one for one in _git(self.project, *arguments).split("\0") if one]


def open_repository(project: Path, ref: str) -> Repository:
    """The repository of a project, and where a change to it starts.

    Args:
        project: The project's folder.
        ref: What the change is to be merged into: a branch, a tag or a commit.

    Raises:
        UsageError: The project is not under git, or the ref is not known or has no history in
            common with HEAD.
    """
    found = _run(project, "rev-parse", "--git-dir")
    if found.returncode:
        raise UsageError(
            f"{project} is not under git, or git may not read it: {_last_words(found)}",
            advice="run this in a checkout of the repository",
        )
    head = _git(project, "rev-parse", "--verify", "HEAD^{commit}").strip()
    found = _run(
        project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
    )
    if found.returncode:
        raise UsageError(f"git knows no commit '{ref}'", advice=_FETCH)
    base = _run(project, "merge-base", found.stdout.decode().strip(), head)
    if base.returncode:
        raise UsageError(f"'{ref}' and HEAD have no history in common here", advice=_FETCH)
    inside = _git(project, "rev-parse", "--show-prefix").strip()
    return Repository(project, inside, base.stdout.decode().strip(), head)


def _git(folder: Path, *arguments: str) -> str:
    done = _run(folder, *arguments)
    if done.returncode:
        words = [one for one in arguments if not one.startswith("-") and "=" not in one]
        raise UsageError(f"git {words[0]} failed: {_last_words(done)}")
    return done.stdout.decode("utf-8", "surrogateescape")


def _last_words(done: subprocess.CompletedProcess[bytes]) -> str:
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return said[-1] if said else f"exit code {done.returncode}"


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    # quotepath off: names come as they are; literal pathspecs: a name is never a pattern.
    command = ["git", "-c", "core.quotepath=off", "--literal-pathspecs", *arguments]
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, check=False, timeout=_TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise UsageError(f"git could not be run: {problem}", advice="install git") from None
