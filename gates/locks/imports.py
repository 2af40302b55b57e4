"""Imports of the model's code that no locked distribution provides; read, never run."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gates.domain.lock_report import Distribution, LockProblem
from gates.errors import LockError
from gates.locks._import_statements import import_statements
from gates.locks._lines import one_line
from gates.locks._standard_library import standard_library
from gates.locks.finding import LockFinding, counted

__all__ = ["imports"]

_NOBODY = "no locked distribution provides"
_MOST_BYTES = 16 << 20
_MOST_FILES = 20_000
_MODULE_ENDINGS = (".py", ".so", ".pyd")


def imports(
    code: Sequence[Path],
    installed: Sequence[Distribution],
    environment: Mapping[str, str] | None,
) -> LockFinding:
    """Find what the model's code imports and its environment does not provide.

    An import counts wherever it stands, in a function too, unless the code says that it can do
    without (`except ImportError`) or that it is not run (`TYPE_CHECKING`, another Python's branch
    of `sys.version_info`). What a distribution provides that nobody asked for by name is provided.

    Args:
        code: Python files, and folders with all the Python files in them.
        installed: What an environment built from the lock holds.
        environment: PEP 508 markers of the Python the lock is for; None for this one.

    Returns:
        Kind `imports`, one thing looked at a module that a file imports; nothing when there is no
        file or none imports anything. Absent when a file cannot be read.
    """
    minor = int(environment["python_version"].split(".")[1]) if environment else sys.version_info[1]
    provided = (
        standard_library(minor) | {"__main__"} | {name for one in installed for name in one.modules}
    )
    if any(one.name == "setuptools" for one in installed):
        provided |= {"distutils"}  # it lends its own copy to a Python that has none
    files, looked_at, problems = 0, 0, list[LockProblem]()
    try:
        for root, path in _sources(code):
            files += 1
            place = one_line(path.relative_to(root).as_posix())
            parsed = _parsed(path, place, minor)
            if isinstance(parsed, LockProblem):
                looked_at += 1
                problems.append(parsed)
                continue
            lines = dict(reversed(list(import_statements(parsed, minor))))
            looked_at += len(lines)
            problems += [
                LockProblem(
                    "imports", name, f"{place}:{lines[name]} imports {name}, which {_NOBODY}"
                )
                for name in sorted(lines.keys() - provided, key=lambda name: (lines[name], name))
                if not any(_is_local(name, beside) for beside in _beside(path, root, code))
            ]
    except LockError as error:
        return LockFinding("imports", absent=f"{error.path}: {error.what}")
    nothing = "the Python files import nothing" if files else "there is no Python file to look at"
    return counted("imports", looked_at, problems, nothing=nothing)


def _sources(code: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Every Python file with the folder that it is shown relative to."""
    count = 0
    for given in code:
        root = given.parent if given.is_file() else given
        found = [given] if given.is_file() else sorted(_below(given))
        for path in found:
            count += 1
            if count > _MOST_FILES:
                raise LockError(f"it holds more than {_MOST_FILES:,} Python files", path=given)
            yield root, path


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            # A virtual environment beside the code is not the model's code.
            if not path.name.startswith(".") and not (path / "pyvenv.cfg").is_file():
                yield from _below(path)
        elif path.suffix == ".py" and path.is_file():
            yield path


def _parsed(path: Path, place: str, minor: int) -> ast.Module | LockProblem:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise LockError("it is larger than 16 MiB", path=path)
        content = path.read_bytes()
    except OSError as error:
        raise LockError(f"it cannot be read: {error.strerror}", path=path) from error
    mine = sys.version_info[1]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content, place, feature_version=(3, min(minor, mine)))
    except SyntaxError as error:
        line, what = error.lineno or 1, error.msg
    except (ValueError, RecursionError, MemoryError) as error:  # a NUL, or nested without end
        line, what = 1, str(error) or type(error).__name__
    if minor > mine:
        raise LockError(
            f"Python 3.{mine}, which runs the gate, cannot parse it, though Python 3.{minor}, "
            f"which the lock is for, may: {what} (line {line})",
            path=path,
            line=line,
        )
    return LockProblem("imports", place, f"{place}:{line} is not valid Python 3.{minor}: {what}")


def _beside(path: Path, root: Path, code: Sequence[Path]) -> Iterator[Path]:
    """The folders in which a file's local modules may be: its own, those above, other roots."""
    yield from (folder for folder in path.parents if folder.is_relative_to(root))
    yield from (folder for folder in code if folder != root and folder.is_dir())


def _is_local(name: str, folder: Path) -> bool:
    """Whether a folder holds a module or package of a name; a folder of data is none."""
    package = folder / name
    if package.is_dir():
        return any(one.name.endswith(_MODULE_ENDINGS) for one in package.rglob("*"))
    return (folder / f"{name}.py").is_file() or any(
        one.name.endswith(_MODULE_ENDINGS) for one in folder.glob(f"{name}.*")
    )
