"""pytest, driven in this process, however it ends."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest

from gates.run.drive import drive
from gates.run.request import RunRequest
from gates.run.watcher import Watcher
from gates.settings import load_settings
from gates.system.interruption import interrupted_by


def _request(project: Path) -> RunRequest:
    return RunRequest(load_settings(project), project / "a.md", "models:/a/1")


def test_pytest_that_breaks_while_it_is_interrupted_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGUSR1)
        raise TypeError("unsupported operand type(s) for -: 'NoneType' and 'int'")

    monkeypatch.setattr(pytest, "main", breaks)
    with interrupted_by((signal.SIGUSR1,)), pytest.raises(KeyboardInterrupt):
        drive(_request(tmp_path), Watcher())


def test_pytest_that_breaks_by_itself_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise TypeError("broken")

    monkeypatch.setattr(pytest, "main", breaks)
    with pytest.raises(TypeError, match="broken"):
        drive(_request(tmp_path), Watcher())
