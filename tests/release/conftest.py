"""What a release is made of, built once for all tests here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from gates import __version__

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Source:
    """A repository of its own that holds the project as it is now, and shares its environment."""

    folder: Path

    def git(self, *arguments: str) -> str:
        """Run git in it."""
        environment = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_DATE": "2026-11-24T12:00:00Z",
            "GIT_COMMITTER_DATE": "2026-11-24T12:00:00Z",
        }
        who = ("-c", "user.name=tests", "-c", "user.email=tests@example.com")
        return subprocess.run(
            ["git", *who, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def commit(self) -> None:
        """Commit all there is."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "All there is")

    def release(self, *arguments: str, umask: int = 0o022) -> subprocess.CompletedProcess[str]:
        """Run its scripts/release."""
        return subprocess.run(
            ["scripts/release", *arguments],
            cwd=self.folder,
            umask=umask,
            capture_output=True,
            text=True,
            check=False,
        )

    def built(self) -> dict[str, bytes]:
        """What lies in its dist/."""
        return {path.name: path.read_bytes() for path in sorted((self.folder / "dist").iterdir())}


def tracked() -> list[str]:
    """The files of the project, as git knows them."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in out.split("\0") if name and (ROOT / name).is_file()]


def make_source(folder: Path, *, modified: float) -> Source:
    """Lay a repository out whose files were all changed at a given time (seconds since 1970)."""
    for name in tracked():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
        os.utime(target, (modified, modified))
    source = Source(folder)
    source.git("init", "--quiet", "--initial-branch", "main")
    source.commit()
    # Not matched by .gitignore's `.venv/`, which speaks of a folder: keep git from seeing it.
    (folder / ".git" / "info" / "exclude").write_text(".venv\n")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return source


def say_released(source: Source) -> None:
    """Make CHANGELOG.md start with the version, and tag."""
    changelog = source.folder / "CHANGELOG.md"
    text = re.sub(
        r"## \[.*?\].*", f"## [{__version__}] - 2026-11-24", changelog.read_text(), count=1
    )
    changelog.write_text(text)
    source.commit()
    source.git("tag", f"v{__version__}")


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A repository with a release built in it; tests only read it."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is an unpacked sdist, not a repository: nothing to release from")
    made = make_source(tmp_path_factory.mktemp("release") / "project", modified=time.time())
    done = made.release("--rehearse")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="session")
def wheel(request: pytest.FixtureRequest) -> Path:
    """The wheel under test: the one named by GATES_TEST_WHEEL, else one built here."""
    if named := os.environ.get("GATES_TEST_WHEEL"):
        return Path(named).absolute()
    source: Source = request.getfixturevalue("source")
    return next((source.folder / "dist").glob("*.whl"))
