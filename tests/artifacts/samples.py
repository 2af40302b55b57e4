"""Hostile files made here, and honest ones made in an environment with the usual libraries."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gates.artifacts.scan import scan_artifact
from gates.domain.artifact_scan import ScanReport


class Calls:
    """An object whose pickle calls a function when it is loaded."""

    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self.function, self.arguments


def hostile(protocol: int = 4) -> bytes:
    """A pickle that runs `id`."""
    import os

    return pickle.dumps(Calls(os.system, "id"), protocol)


def stack_global(module: str, name: str, rest: bytes = b")R.") -> bytes:
    """A pickle of protocol 4 that imports by names from the stack, and goes on as told."""
    texts = b"".join(b"\x8c" + bytes([len(one)]) + one.encode() for one in (module, name))
    return b"\x80\x04" + texts + b"\x93" + rest


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def scan(folder: Path, content: bytes, name: str = "model.pkl", **options: Any) -> ScanReport:
    """What a look at a folder with one such file gives."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return scan_artifact(folder, **options)


def said(report: ScanReport) -> list[str]:
    """The findings as sentences."""
    return [one.sentence for one in report.findings]
