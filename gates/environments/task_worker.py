"""What a worker does in place of serving a model: build a wheel, or run a model's own script.

Part of the worker: runs in the cage, in a model's environment, loaded by its place; imports nothing
of ours and needs the standard library alone. What it leaves in its output folder goes to the gate
as the pieces of one tar archive.

Source: PEP 517 (build backends).
"""

from __future__ import annotations

import importlib
import os
import runpy
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_PIECE_BYTES = 1 << 20
_LEGACY = "setuptools.build_meta:__legacy__"
_TAG = b"bytes   "


class Failed(Exception):
    """The task could not be done, and why."""


def perform(task: Mapping[str, Any], send: Callable[[bytes], None]) -> None:
    """Do a task in the folder where this process is, and send what came of it.

    Args:
        task: `kind`: `wheel`, of the source distribution `archive`; or `script`, which is the file
            `script` with `arguments` after the output folder, run in `folder`.
        send: Sends one payload.
    """
    output = Path.cwd() / "output"
    output.mkdir()
    os.environ.update(task["variables"])
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    if task["kind"] == "wheel":
        _build(Path(task["archive"]), output)
    else:
        _run(task, output)
    pieces: Any = _Pieces(send)
    with tarfile.open(fileobj=pieces, mode="w|", bufsize=_PIECE_BYTES) as archive:
        archive.add(str(output), arcname=".")


class _Pieces:
    """A file that sends what is written to it."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send

    def write(self, piece: bytes) -> int:
        self._send(_TAG + piece)
        return len(piece)


def _run(task: Mapping[str, Any], output: Path) -> None:
    os.chdir(task["folder"])
    script = task["script"]
    sys.argv = [script, str(output), *task["arguments"]]
    sys.path.insert(0, str(Path(script).parent))
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            shown = end.code if isinstance(end.code, str) else f"exit code {end.code}"
            raise Failed(shown) from None


def _build(archive: Path, output: Path) -> None:
    source = _unpacked(archive)
    os.chdir(source)
    system = _build_system(source)
    for place in system.get("backend-path", []):
        sys.path.insert(0, str(source / place))
    name = str(system.get("build-backend") or _LEGACY)
    module, _, attribute = name.partition(":")
    try:
        backend: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise Failed(f"its build needs {error.name}, which the lock does not pin") from None
    for part in filter(None, attribute.split(".")):
        backend = getattr(backend, part)
    backend.build_wheel(str(output))


def _unpacked(archive: Path) -> Path:
    place = Path.cwd() / "source"
    place.mkdir()
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(place)  # noqa: S202
    else:
        # In a cage, into a folder of its own; Python 3.9 may know no filters yet.
        safely: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        with tarfile.open(archive) as members:
            members.extractall(place, **safely)  # noqa: S202
    (found,) = place.iterdir()
    return found


def _build_system(source: Path) -> Mapping[str, Any]:
    settings = source / "pyproject.toml"
    if not settings.is_file():
        return {}
    reader: Any = None
    for name in ("tomllib", "tomli", "setuptools._vendor.tomli", "pip._vendor.tomli"):
        try:
            reader = importlib.import_module(name)
            break
        except ImportError:
            continue
    if reader is None:
        raise Failed("its build needs tomli on this Python, which the lock does not pin")
    told = reader.loads(settings.read_text(encoding="utf-8"))
    return dict(told.get("build-system", {}))
