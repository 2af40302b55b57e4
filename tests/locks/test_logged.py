"""Requirements that came with a model: names and versions are taken, the rest is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.errors import LockError
from gates.locks.logged import read_logged


def written(folder: Path, text: str, name: str = "requirements.txt") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_names_versions_extras_and_markers_are_taken(tmp_path: Path) -> None:
    text = "mlflow==3.1.0\n# a comment\nnumpy <3 ; python_version > '3.9'\nuvicorn[standard]\n"
    found = read_logged(written(tmp_path, text))
    assert found.requirements == (
        "mlflow==3.1.0",
        'numpy<3; python_version > "3.9"',
        "uvicorn[standard]",
    )


def test_a_constraints_file_beside_it_is_followed(tmp_path: Path) -> None:
    written(tmp_path, "pandas<3\n", "constraints.txt")
    found = read_logged(written(tmp_path, "mlflow==3.1.0\n-c constraints.txt\n"))
    assert found.constraints == ("pandas<3",)


def test_hashes_are_left_out_since_a_lock_gets_its_own(tmp_path: Path) -> None:
    found = read_logged(written(tmp_path, f"six==1.17.0 --hash=sha256:{'0' * 64}\n"))
    assert found.requirements == ("six==1.17.0",)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--index-url https://elsewhere.example/simple", "option of the installer"),
        ("--extra-index-url=https://elsewhere.example/simple", "option of the installer"),
        ("--find-links ./wheels", "option of the installer"),
        ("--trusted-host elsewhere.example", "option of the installer"),
        ("-i https://elsewhere.example/simple", "option of the installer"),
        ("-e .", "option of the installer"),
        ("-e git+https://elsewhere.example/x.git#egg=x", "option of the installer"),
        ("-r more.txt", "option of the installer"),
        ("six --global-option=build_ext", "option of the installer"),
        ("six @ https://elsewhere.example/six.whl", "asks for a URL or a path"),
        ("https://user:secret@elsewhere.example/six.whl", "no name with versions"),
        ("./wheels/six.whl", "no name with versions"),
        ("../../etc/passwd", "no name with versions"),
        ("six; $(touch /tmp/owned)", "no name with versions"),
        ("six && curl elsewhere.example", "no name with versions"),
        ("`id`", "no name with versions"),
        ("-c ../constraints.txt", "names no file beside it"),
        ("-c https://elsewhere.example/c.txt", "names no file beside it"),
    ],
)
def test_whatever_says_more_than_a_name_is_refused_with_its_line(
    tmp_path: Path, line: str, says: str
) -> None:
    path = written(tmp_path, f"numpy==2.0.1\n{line}\n")
    with pytest.raises(LockError) as refused:
        read_logged(path)
    assert "requirements.txt:2" in refused.value.what
    assert says in refused.value.what
    assert "secret" not in refused.value.what
    assert "--requirements FILE" in refused.value.advice


def test_every_refused_line_is_named(tmp_path: Path) -> None:
    written(tmp_path, "pandas<3\n-e .\n", "constraints.txt")
    path = written(tmp_path, "-e .\nnumpy\n--pre\n-c constraints.txt\n")
    with pytest.raises(LockError) as refused:
        read_logged(path)
    for where in ("requirements.txt:1", "requirements.txt:3", "constraints.txt:2"):
        assert where in refused.value.what


@pytest.mark.parametrize("text", ["", "# nothing\n", "\n\n"])
def test_a_file_that_asks_for_nothing_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(LockError, match="asks for nothing"):
        read_logged(written(tmp_path, text))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes(b"six\xff\xfe\n")
    with pytest.raises(LockError, match="not UTF-8"):
        read_logged(path)
