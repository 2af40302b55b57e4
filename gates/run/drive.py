"""One gate driven to its end in this process: `gates run`, and the service's own process."""

from __future__ import annotations

from gates.errors import GatesError
from gates.run.request import RunRequest
from gates.run.session import GateSession
from gates.run.watcher import Watcher

__all__ = ["drive"]


def drive(request: RunRequest, watcher: Watcher) -> str:
    """Gate, and leave evidence; `watcher.session` is the session, also where an error ended it.

    Nothing of the project's code is loaded in this process. Where the request has arguments for
    pytest, a pytest of its own shows the run to them, and says which part of it is wanted.

    Args:
        request: What to gate.
        watcher: Sees the run.

    Returns:
        The end of what that pytest wrote; empty without one.

    Raises:
        KeyboardInterrupt: It was interrupted, and leaves no verdict.
    """
    log = ""
    with GateSession(request, watcher) as session:
        try:
            session.open()
            if request.extra:
                from gates.run.serving import show_to_pytest

                log = show_to_pytest(session)
            else:
                session.run_all()
                session.conclude()
        except GatesError as problem:
            session.error = problem
    watcher.finished(session)
    return log
