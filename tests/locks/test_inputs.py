from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gates.errors import LockError
from gates.locks.inputs import read_inputs

from .samples import Write

PROJECT = '[project]\nname = "Shop_Search"\n'


def test_requirements_are_read_with_their_place_through_includes(write: Write) -> None:
    write("numpy<2.3  # for numba\n-c ../limits.txt\n-r ../requirements.in\n", "more/base.in")
    write("six!=1.16\n", "limits.txt")
    path = write("--pre\nIDNA[all]>=3 ; python_version >= '3.11'\n-r more/base.in\n")
    assert [
        (one.where, one.name, str(one.specifier), one.extras, one.marker, one.constraint)
        for one in read_inputs(path)
    ] == [
        ("requirements.in:2", "idna", ">=3", ("all",), 'python_version >= "3.11"', False),
        ("more/base.in:1", "numpy", "<2.3", (), "", False),
        ("limits.txt:1", "six", "!=1.16", (), "", True),
    ]


@pytest.mark.parametrize("text", ["-e .", "./six", "six @ https://example.org/six.whl"])
def test_what_is_no_version_is_read_as_direct(write: Write, text: str) -> None:
    (asked,) = read_inputs(write(text))
    assert asked.direct


def test_a_pyproject_gives_its_dependencies_and_all_its_groups(write: Write) -> None:
    path = write(
        PROJECT + 'dependencies = ["six>=1"]\n[project.optional-dependencies]\n'
        'Server = ["idna"]\ndev = ["shop.search[server]", "pytest"]\n',
        "pyproject.toml",
    )
    assert [(one.where, one.name) for one in read_inputs(path)] == [
        ("pyproject.toml, dependencies", "six"),
        ("pyproject.toml, optional-dependencies.server", "idna"),
        ("pyproject.toml, optional-dependencies.dev", "pytest"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[project", "it is not TOML"),
        ("n = " + "9" * 5000, "it is not TOML"),
        ("[tool.x]\n", "no [project] table"),
        (PROJECT + 'dynamic = ["dependencies"]\n', "dependencies are dynamic"),
        (PROJECT + 'dependencies = "six"\n', "are not lists"),
        (PROJECT + "optional-dependencies = 3\n", "are not lists"),
        (PROJECT + "dependencies = [3]\n", "3 in dependencies is not a requirement"),
        (PROJECT + 'dependencies = ["six=1"]\n', "`six=1` is not a requirement"),
        (PROJECT + 'dependencies = ["shop-search[gpu]"]\n', "names no group of this project"),
    ],
)
def test_a_pyproject_that_cannot_be_read_says_why(write: Write, text: str, message: str) -> None:
    with pytest.raises(LockError) as caught:
        read_inputs(write(text, "pyproject.toml"))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("six=1", "requirements.in:1: `six=1` is not a requirement"),
        ("\n-r ../secret.in", "requirements.in:2: it includes `../secret.in`, which is outside"),
        ("-c /etc/hostname", "which is outside its folder"),
        ("-r gone.in", "it includes `gone.in`, which is not there"),
        ("-r https://me:secret@example.org/x", "`https://…@example.org/x`, which is not there"),
        ("-r " + "x" * 5000, "which is no file that can be read"),
    ],
)
def test_a_line_that_cannot_be_followed_is_an_error_at_its_line(
    write: Write, text: str, message: str
) -> None:
    with pytest.raises(LockError) as caught:
        read_inputs(write(text))
    assert message in str(caught.value)


def test_a_link_out_of_the_folder_is_not_followed(write: Write, tmp_path: Path) -> None:
    path = write("-r linked.in\n", "model/requirements.in")
    (path.parent / "linked.in").symlink_to(write("six\n", "outside.in"))
    with pytest.raises(LockError, match="outside its folder"):
        read_inputs(path)


def test_missing_inputs_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="there is no such file"):
        read_inputs(tmp_path / "requirements.in")


random_lines = st.lists(st.sampled_from(["six", "-r", "-c", "-e", " ", "\n", "/", "..", "[", "=="]))


@settings(deadline=None)
@given(text=st.text() | random_lines.map("".join))
@pytest.mark.parametrize("name", ["random.in", "random.toml"])
def test_no_text_raises_anything_but_a_lock_error(
    name: str, text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        found = read_inputs(path)
    except LockError:
        return
    assert all(one.where.startswith(name) for one in found)
