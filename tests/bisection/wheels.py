"""Wheels made here, and locks of them: upgrades whose every effect is known."""

from __future__ import annotations

import hashlib
import platform
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.environments.toy_models import write_model

Release = tuple[str, str]
"""A distribution's name and version."""

VALUE = "VALUE = {version}\n"
"""The source of a module that knows its version."""


class Shelf:
    """A folder of wheels, and locks of them.

    Args:
        folder: Where to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hashes: dict[Release, str] = {}
        folder.mkdir(parents=True)

    def wheel(self, name: str, version: str, source: str = VALUE, *needs: str) -> None:
        """Make a pure wheel of one module."""
        info = f"{name}-{version}.dist-info"
        facts = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        facts += [f"Requires-Dist: {need}" for need in needs]
        wheel_facts = ["Wheel-Version: 1.0", "Generator: test", "Root-Is-Purelib: true"]
        files = {
            f"{name}.py": source.format(version=version),
            f"{info}/METADATA": "\n".join([*facts, ""]),
            f"{info}/WHEEL": "\n".join([*wheel_facts, "Tag: py3-none-any", ""]),
        }
        files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
        path = self.folder / f"{name}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for place, text in files.items():
                archive.writestr(place, text)
        self._hashes[name, version] = hashlib.sha256(path.read_bytes()).hexdigest()

    def both(self, name: str, old: str = VALUE, new: str = VALUE, *new_needs: str) -> None:
        """Make versions 1 and 2 of a distribution."""
        self.wheel(name, "1", old)
        self.wheel(name, "2", new, *new_needs)

    def alone(self, settings: pytest.MonkeyPatch) -> None:
        """Let installers find these wheels, and nothing else."""
        settings.setenv("UV_NO_INDEX", "1")
        settings.setenv("UV_FIND_LINKS", str(self.folder))

    def lock(self, path: Path, versions: Mapping[str, str]) -> Path:
        """Write the lock of these versions."""
        lines = []
        for name, version in versions.items():
            lines += [f"{name}=={version} \\", f"    --hash=sha256:{self._hashes[name, version]}"]
        path.write_text("\n".join([*lines, ""]))
        return path


def model(folder: Path, predict: str, *, load: str = "") -> Path:
    """A model of this Python that answers `label` and `score` as the body `predict` says."""
    return write_model(folder, predict, load=load, python_version=platform.python_version())
