"""Driving pytest through one gate in this process: `gates run`, and the service's own process."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.errors import UsageError
from gates.settings import Settings

if TYPE_CHECKING:
    from gates.domain.judging import Judgement
    from gates.evidence.evidence import CheckRecord
    from gates.run.gate import Gate
    from gates.run.session import GateSession, View

__all__ = ["Watcher", "arguments_of", "drive"]

_LOG_CHARACTERS = 1 << 20


class Watcher:
    """A `View` that sees nothing but the session; who watches more, overrides."""

    def __init__(self) -> None:
        self.session: GateSession | None = None

    def progress(self, text: str) -> None:
        """See `View.progress`."""

    def opened(self, gate: Gate) -> None:
        """See `View.opened`."""

    def measured(self, record: CheckRecord) -> None:
        """See `View.measured`."""

    def judged(self, judgement: Judgement) -> None:
        """See `View.judged`."""

    def finished(self, session: GateSession) -> None:
        """Keep the session for when pytest has ended."""
        self.session = session


def arguments_of(settings: Settings, card: Path, candidate: str, champion: str | None) -> list[str]:
    """What pytest is called with to gate one version.

    Args:
        settings: Where things are.
        card: The model card.
        candidate: The model URI of the version under test.
        champion: The version to compare with; None for the card's alias.
    """
    arguments = [str(card), "--candidate", candidate]
    arguments += ["--rootdir", str(settings.project), "--continue-on-collection-errors"]
    arguments += ["--override-ini", "addopts="]
    # Where it is installed it has Hypothesis print no examples, in every test of the process.
    arguments += ["-p", "no:schemathesis"]
    arguments += ["--tracking-uri", settings.tracking_uri, "--gates-cache", str(settings.cache)]
    arguments += ["--gates-project", str(settings.project), "--gates-output", str(settings.output)]
    arguments += ["--gates-counterexamples", str(settings.counterexamples)]
    return [*arguments, *(["--champion", champion] if champion else [])]


def drive(arguments: list[str], watcher: Watcher) -> str:
    """Run pytest in this process, out of sight; `watcher.session` is the gate it opened.

    Args:
        arguments: Those of `arguments_of`, and any more.
        watcher: Sees the run.

    Returns:
        The end of what pytest wrote, at most 1 MiB; it stands beside the evidence as `pytest.log`.
    """
    import pytest

    from gates.system.files import write_atomically

    log = _Tail()
    with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        pytest.main(arguments, plugins=[_Register(watcher)])
    session = watcher.session
    if session is not None and session.delivery is not None:
        with contextlib.suppress(UsageError):  # the verdict stands without its log
            write_atomically(
                session.run_dir / "pytest.log", log.getvalue().encode(errors="replace")
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
    """Registers the view under the name the gate session looks for, before it is made."""

    def __init__(self, view: View) -> None:
        self._view = view

    def pytest_addoption(self, pluginmanager: Any) -> None:  # noqa: ANN401 - pytest's own class
        from gates.run.session import VIEW

        pluginmanager.register(self._view, VIEW)
