"""Driving pytest through one gate in this process: `gates run`, and the service's own process."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from gates.errors import UsageError
from gates.run.request import REQUEST, RunRequest
from gates.run.watcher import WATCHER, Watcher
from gates.system.interruption import has_come

__all__ = ["drive"]

_LOG_CHARACTERS = 1 << 20


def drive(request: RunRequest, watcher: Watcher) -> str:
    """Run pytest in this process, out of sight; `watcher.session` is the gate it opened.

    Args:
        request: What to gate.
        watcher: Sees the run.

    Returns:
        The end of what pytest wrote, at most 1 MiB; it stands beside the evidence as `pytest.log`.
    """
    import pytest

    from gates.system.files import write_atomically

    arguments = [str(request.card), "--rootdir", str(request.settings.project)]
    arguments += ["--continue-on-collection-errors", "--override-ini", "addopts="]
    # Where it is installed it has Hypothesis print no examples, in every test of the process.
    arguments += ["-p", "no:schemathesis", *request.extra]
    log = _Tail()
    with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        try:
            pytest.main(arguments, plugins=[_Register(request, watcher)])
        except Exception:
            # Where the signal found code without a line number, pytest breaks as it draws it.
            if has_come():
                raise KeyboardInterrupt from None
            raise
    session = watcher.session
    if session is not None and session.delivery is not None:
        with contextlib.suppress(UsageError):  # the verdict stands without its log
            write_atomically(
                session.folder.path / "pytest.log", log.getvalue().encode(errors="replace")
            )
    return log.getvalue()


class _Tail(io.StringIO):
    """Keeps the end of what is written to it."""

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.tell() > 2 * _LOG_CHARACTERS:
            kept = self.getvalue()[-_LOG_CHARACTERS:]
            self.seek(0)
            self.truncate()
            super().write(kept)
        return written


class _Register:
    """Registers request and view under the names the gate session looks for, before it is made."""

    def __init__(self, request: RunRequest, view: Watcher) -> None:
        self._request = request
        self._view = view

    def pytest_addoption(self, pluginmanager: Any) -> None:  # noqa: ANN401 - pytest's own class
        pluginmanager.register(self._request, REQUEST)
        pluginmanager.register(self._view, WATCHER)
