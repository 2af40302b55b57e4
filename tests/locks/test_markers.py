from __future__ import annotations

from pathlib import Path

import pytest

from gates.errors import LockError, UsageError
from gates.locks.markers import holds, target_environment


@pytest.mark.parametrize(
    ("version", "full"),
    [("3.12", "3.12.0"), ("3.12.4", "3.12.4"), ("3.14.0rc1", "3.14.0rc1")],
)
def test_a_target_has_the_markers_of_its_python(version: str, full: str) -> None:
    target = target_environment(version)
    assert target["python_full_version"] == target["implementation_version"] == full
    assert target["python_version"] == version[:4]


@pytest.mark.parametrize("version", ["", "3", "3.x", "v1", "python3.12"])
def test_what_is_no_python_version_is_a_usage_error(version: str) -> None:
    with pytest.raises(UsageError, match="is not a Python version"):
        target_environment(version)


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("", True),
        ("python_version < '3.12'", True),
        ("python_full_version >= '3.12'", False),
        ("sys_platform == 'no-such-platform'", False),
        ("extra == 'server'", False),
    ],
)
def test_a_marker_holds_for_the_target(marker: str, expected: bool) -> None:
    assert holds(marker, target_environment("3.11"), path=Path("x")) is expected


def test_a_marker_without_an_answer_is_an_error_at_its_line() -> None:
    with pytest.raises(LockError, match=r"x:7: the marker .* has no answer"):
        holds("os_name ~= 'x'", None, path=Path("x"), line=7)
