"""A release: the same commit gives the same bytes, and they hold what they should."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from gates import __version__
from tests.release.conftest import ROOT, Source, make_source, say_released, tracked

NAME = f"mlgates-{__version__}"


def names_in_wheel(source: Source) -> set[str]:
    return set(zipfile.ZipFile(io.BytesIO(source.built()[f"{NAME}-py3-none-any.whl"])).namelist())


def test_built_elsewhere_at_another_time_by_somebody_else_the_bytes_are_the_same(
    source: Source, tmp_path: Path
) -> None:
    other = make_source(tmp_path / "a folder of another name", modified=1_000_000_000)
    (other.folder / "gates" / "not-committed.py").write_text("")
    done = other.release("--rehearse", umask=0o077)
    assert done.returncode == 0, done.stderr
    assert list(other.built()) == ["SHA256SUMS", f"{NAME}-py3-none-any.whl", f"{NAME}.tar.gz"]
    assert other.built() == source.built()


def test_the_sums_are_those_of_the_files(source: Source) -> None:
    built = source.built()
    for line in built["SHA256SUMS"].decode().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(built[name]).hexdigest() == digest


def test_the_wheel_holds_the_package_and_the_demo_and_nothing_else(source: Source) -> None:
    expected = {name for name in tracked() if name.startswith("gates/")}
    demo = [name for name in tracked() if name.startswith(("models/", "golden/", "model_cards/"))]
    expected |= {f"gates/demo/project/{name}" for name in demo}
    records = ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    expected |= {f"{NAME}.dist-info/{name}" for name in records}
    assert names_in_wheel(source) == expected
    assert {"gates/py.typed", "gates/report/templates/page.html.j2"} <= expected


def test_the_sdist_holds_every_file_of_the_repository(source: Source) -> None:
    with tarfile.open(fileobj=io.BytesIO(source.built()[f"{NAME}.tar.gz"])) as archive:
        names = {member.name for member in archive.getmembers() if member.isfile()}
    assert names == {f"{NAME}/{name}" for name in [*tracked(), "PKG-INFO"]}


def test_the_suite_runs_from_the_sdist(source: Source, tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(source.built()[f"{NAME}.tar.gz"])) as archive:
        archive.extractall(tmp_path, filter="data")
    script = (
        "import sys; sys.path.insert(0, '')\n"
        "import pathlib, gates, pytest\n"
        "assert pathlib.Path(gates.__file__).is_relative_to(pathlib.Path.cwd()), gates.__file__\n"
        "files = ['tests/domain/test_judging.py', 'tests/docs/test_statistics.py']\n"
        "sys.exit(pytest.main(['-q', *files]))\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path / NAME, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def mine(source: Source, tmp_path: Path) -> Source:
    """A repository to spoil."""
    subprocess.run(
        ["git", "clone", "--quiet", str(source.folder), str(tmp_path / "mine")], check=True
    )
    made = Source(tmp_path / "mine")
    (made.folder / ".git" / "info" / "exclude").write_text(".venv\n")
    (made.folder / ".venv").symlink_to(ROOT / ".venv")
    return made


def test_a_release_wants_its_version_on_top_of_the_changelog(mine: Source) -> None:
    changelog = mine.folder / "CHANGELOG.md"
    changelog.write_text("# Changelog\n\n## [9.9.9] - 2026-11-24\n")
    mine.commit()
    done = mine.release()
    assert done.returncode == 2
    assert f"CHANGELOG.md starts with [9.9.9], gates/__init__.py says {__version__}" in done.stderr


def test_a_release_wants_its_tag(mine: Source) -> None:
    say_released(mine)
    assert mine.release().returncode == 0
    mine.git("tag", "--delete", f"v{__version__}")
    done = mine.release()
    assert done.returncode == 2
    assert f"HEAD does not carry the tag v{__version__}" in done.stderr


def test_a_release_wants_everything_committed(mine: Source) -> None:
    (mine.folder / "README.md").write_text("changed\n")
    done = mine.release("--rehearse")
    assert done.returncode == 2
    assert "not committed" in done.stderr


def test_an_unknown_argument_is_named(mine: Source) -> None:
    done = mine.release("--publish")
    assert (done.returncode, "'--publish'" in done.stderr) == (2, True)
