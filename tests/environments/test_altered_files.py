"""Every installed file that is not the one its distribution brought is found and named."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gates.environments.cache import Environment
from gates.environments.inspect import Altered, altered_files, distributions
from gates.errors import BuildError


@pytest.fixture(scope="module")
def installed(data: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some distributions of a real environment, few enough to be copied for each test."""
    copy = tmp_path_factory.mktemp("installed") / "env"
    (packages,) = data.path.glob("lib/python*/site-packages")
    names = ("click", "zipp", "uvicorn", "pyyaml", "protobuf", "google_auth", "typing_extensions")
    for record in (one for name in names for one in packages.glob(f"{name}-*.dist-info/RECORD")):
        for row in csv.reader(record.read_text(encoding="utf-8").splitlines()):
            target = copy / packages.relative_to(data.path) / row[0]
            Path(os.path.normpath(target)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(packages / row[0], os.path.normpath(target))
    return copy


@pytest.fixture
def copy(installed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(installed, tmp_path / "env", symlinks=True))


@pytest.fixture
def packages(copy: Path) -> Path:
    return next(copy.glob("lib/python*/site-packages"))


def seen(environment: Path) -> list[tuple[str, str, str]]:
    """Distribution, path within site-packages, and the first words of what is wrong."""
    inside = next(environment.glob("lib/python*/site-packages")).relative_to(environment)
    return [
        (one.distribution, one.path.removeprefix(f"{inside}/"), " ".join(one.what.split()[:2]))
        for one in altered_files(environment)
    ]


def test_a_whole_environment_has_none(data: Environment) -> None:
    assert altered_files(data.path) == ()


def test_neither_has_an_empty_one(bare: Environment) -> None:
    assert altered_files(bare.path) == ()


def test_a_copy_without_byte_code_has_none(copy: Path) -> None:
    for cache in list(copy.rglob("__pycache__")):
        shutil.rmtree(cache)
    assert altered_files(copy) == ()


def test_a_changed_byte_is_found_whatever_the_times_say(copy: Path, packages: Path) -> None:
    path = packages / "click" / "core.py"
    before = path.stat()
    text = path.read_bytes()
    path.write_bytes(bytes([text[0] ^ 1]) + text[1:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    (found,) = altered_files(copy)
    assert found.distribution == "click"
    assert "was changed: its sha256 is " in found.what
    inside = packages.relative_to(copy)
    assert found.message.startswith(f"{inside}/click/core.py of click was changed")


def test_longer_shorter_and_missing_files_are_told_apart(copy: Path, packages: Path) -> None:
    with (packages / "zipp" / "__init__.py").open("a") as stream:
        stream.write("#")
    (packages / "click" / "core.py").unlink()
    (found,) = [one for one in altered_files(copy) if one.distribution == "zipp"]
    assert found.what.endswith("were installed")
    assert ("click", "click/core.py", "is missing") in seen(copy)


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("evil.pth", ""),
        ("sitecustomize.py", ""),
        ("click/_hidden.py", "click"),
        ("click/new/deep.so", "click"),
        ("google/surprise.py", ""),  # several distributions share the folder
        ("zipp/__pycache__/never.cpython-311.pyc", "zipp"),  # no such source
        ("lone.pyc", ""),
    ],
)
def test_added_files_are_found_with_whose_folder_they_are_in(
    copy: Path, packages: Path, path: str, owner: str
) -> None:
    (packages / path).parent.mkdir(parents=True, exist_ok=True)
    (packages / path).write_bytes(b"")
    assert seen(copy) == [(owner, path, "was added:")]


def test_byte_code_of_an_installed_source_is_no_addition(copy: Path, packages: Path) -> None:
    for name in ("core.cpython-311.pyc", "core.cpython-313t.opt-2.pyc", "core.pypy310.pyc"):
        (packages / "click" / "__pycache__").mkdir(exist_ok=True)
        (packages / "click" / "__pycache__" / name).write_bytes(b"")
    (packages / "__pycache__").mkdir(exist_ok=True)
    (packages / "__pycache__" / "typing_extensions.cpython-312.pyc").write_bytes(b"")
    assert altered_files(copy) == ()


def test_a_link_in_place_of_a_file_or_folder_is_found(copy: Path, packages: Path) -> None:
    (packages / "click" / "core.py").rename(copy / "elsewhere.py")
    (packages / "click" / "core.py").symlink_to(copy / "elsewhere.py")
    (packages / "zipp").rename(copy / "zipp")
    (packages / "zipp").symlink_to(copy / "zipp")
    found = seen(copy)
    assert ("click", "click/core.py", "cannot be") in found
    assert ("", "zipp", "was added:") in found


def test_what_is_no_file_is_not_read(copy: Path, packages: Path) -> None:
    (packages / "click" / "core.py").unlink()
    os.mkfifo(packages / "click" / "core.py")
    assert seen(copy) == [("click", "click/core.py", "is no")]


def test_scripts_in_bin_are_compared_too(copy: Path) -> None:
    (copy / "bin" / "uvicorn").write_text("#!/bin/sh\n")
    (found,) = altered_files(copy)
    assert (found.distribution, found.path) == ("uvicorn", "bin/uvicorn")


Edit = Callable[[str], str]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda text: text + "\n\n,,\n", []),
        (lambda text: text + "click/made.pyc,,\n", []),
        (
            lambda text: text.replace("click/core.py,sha256=", "click/core.py,md5="),
            ["has no"],
        ),
        (lambda text: text + "../../../../out.py,sha256=AAAA,3\n", ["is recorded"]),
        (lambda text: text + "/etc/hostname,,\n", ["is recorded"]),
        (lambda text: text + "click/gone.py,sha256=AAAA,x\n", ["is missing"]),
    ],
    ids=["empty rows", "byte code", "weak digest", "outside", "absolute", "missing"],
)
def test_odd_rows_of_a_record(copy: Path, packages: Path, edit: Edit, expected: list[str]) -> None:
    (record,) = packages.glob("click-*.dist-info/RECORD")
    record.write_text(edit(record.read_text(encoding="utf-8")), encoding="utf-8")
    assert [what for _, _, what in seen(copy)] == expected


@pytest.mark.parametrize("damage", ["missing", "not text", "not csv"])
def test_without_a_record_nothing_can_vouch_for_the_files(
    copy: Path, packages: Path, damage: str
) -> None:
    (record,) = packages.glob("zipp-*.dist-info/RECORD")
    if damage == "missing":
        record.unlink()
    else:
        record.write_bytes(b"\xff\xfe" if damage == "not text" else b'"zipp/__init__.py')
    found = altered_files(copy)
    assert any(one.distribution == "zipp" and "nothing tells which" in one.what for one in found)
    assert any(one.path.endswith("zipp/__init__.py") and "added" in one.what for one in found)


def test_a_file_that_two_distributions_bring_may_be_either_ones(copy: Path, packages: Path) -> None:
    (record,) = packages.glob("zipp-*.dist-info/RECORD")
    shared = f"click/core.py,sha256={'A' * 43},{(packages / 'click' / 'core.py').stat().st_size}\n"
    record.write_text(record.read_text(encoding="utf-8") + shared, encoding="utf-8")
    assert altered_files(copy) == ()


def test_names_that_are_no_text_can_be_shown(copy: Path, packages: Path) -> None:
    Path(os.fsdecode(os.fsencode(packages) + b"/a\xff\n\x1b[31m.py")).touch()
    (found,) = altered_files(copy)
    assert found.message.encode().isascii()
    assert found.path.isprintable()


def test_metadata_without_a_name_says_which(copy: Path, packages: Path) -> None:
    (metadata,) = packages.glob("zipp-*.dist-info/METADATA")
    metadata.write_text("Metadata-Version: 2.1\nVersion: 1\n", encoding="utf-8")
    for look in (altered_files, distributions):
        with pytest.raises(BuildError, match=r"zipp-.* has a METADATA without Name"):
            look(copy)


def test_what_is_altered_sorts_by_distribution() -> None:
    assert Altered("a", "z", "is missing") < Altered("b", "a", "is missing")


@pytest.fixture
def modules(copy: Path) -> Callable[[], dict[str, tuple[str, ...]]]:
    return lambda: {one.name: one.modules for one in distributions(copy)}


Modules = Callable[[], dict[str, tuple[str, ...]]]


def test_single_modules_extensions_and_namespaces_are_what_can_be_imported(
    modules: Modules,
) -> None:
    found = modules()
    assert found["typing-extensions"] == ("typing_extensions",)
    assert found["pyyaml"] == ("_yaml", "yaml")
    assert found["protobuf"] == found["google-auth"] == ("google",)


def test_without_a_record_the_names_are_those_that_its_build_wrote(
    packages: Path, modules: Modules
) -> None:
    (folder,) = packages.glob("zipp-*.dist-info")
    (folder / "RECORD").unlink()
    (folder / "top_level.txt").write_text("zipp\nnot a name\n", encoding="utf-8")
    assert modules()["zipp"] == ("zipp",)


def test_an_editable_installation_has_the_names_that_its_build_wrote(
    packages: Path, modules: Modules
) -> None:
    (folder,) = packages.glob("zipp-*.dist-info")
    for name in ("__editable___zipp_1_finder.py", "__editable__.zipp-1.pth"):
        (packages / name).touch()
    rows = f"__editable___zipp_1_finder.py,,\n__editable__.zipp-1.pth,,\n{folder.name}/RECORD,,\n"
    (folder / "RECORD").write_text(rows, encoding="utf-8")
    (folder / "top_level.txt").write_text("zipp\n", encoding="utf-8")
    assert modules()["zipp"] == ("zipp",)
