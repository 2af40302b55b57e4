"""Wheels and source distributions made here, for installers that see nothing else; bad words."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

__all__ = ["HOSTILE_PYTHONS", "alone", "sdist", "wheel"]

HOSTILE_PYTHONS = {
    "a program": "/bin/sh",
    "an option": "-c",
    "an installer's option": "--index-url=https://elsewhere.example",
    "a way out": "../../x",
    "a second command": "3.12; touch owned",
    "a line more": "3.12\n--no-config",
    "very long": "3." + "1" * 5000,
    "digits of another script": "3.१२",
    "a NUL": "3.12\0",
    "a range": ">=3.8",
    "a word that uv knows": "cpython@latest",
    "spaces": " 3.12",
}
"""What a version may say in place of a Python version."""

SETUP = "from setuptools import setup\nsetup(name={name!r}, version='1.0', py_modules=[{name!r}])\n"


def alone(folder: Path, settings: pytest.MonkeyPatch) -> None:
    """Let installers find what is in a folder and nothing else, whatever this machine is set to."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            settings.delenv(name)
    settings.setenv("UV_NO_INDEX", "1")
    settings.setenv("UV_FIND_LINKS", str(folder))


def wheel(folder: Path, name: str, **files: str) -> str:
    """A wheel of version 1.0 with an empty module and other files; gives its line of a lock."""
    info = f"{name}-1.0.dist-info"
    held = {
        f"{name}.py": "",
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},sha256={_record(text)},{len(text)}" for path, text in held.items()]
    held[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for place, text in held.items():
            archive.writestr(place, text)
    return _line(name, path)


def sdist(folder: Path, name: str, files: Mapping[str, str] | None = None) -> str:
    """A source distribution of version 1.0; gives its line of a lock.

    Args:
        files: Path → text; a `setup.py` of one module when None.
    """
    if files is None:
        files = {"setup.py": SETUP.format(name=name), f"{name}.py": "BUILT = True\n"}
    facts = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    path = folder / f"{name}-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for place, text in {**files, "PKG-INFO": facts}.items():
            member = tarfile.TarInfo(f"{name}-1.0/{place}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return _line(name, path)


def _line(name: str, path: Path) -> str:
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def _record(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
