"""One gate in a process of its own: `python -m gates.service.child LOCK`, told one line.

The first line on stdin is the `RunRequest`, as JSON. stdin then stays open, and its end ends this
process and all it started: a service that was killed leaves no gate behind. Lines of JSON on stdout
tell what happens; whatever else writes to stdout goes to the log.

    {"progress": words}
    {"opened": bounds, "checks": [those still to run]}
    {"measured": check}
    {"judged": bound, "outcome": outcome}
    {"ended": {"verdict": …} or {"error": …, "passing": …}}
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

from gates.run.drive import drive
from gates.run.request import RunRequest
from gates.run.watcher import Watcher
from gates.system.file_locks import take_exclusive

if TYPE_CHECKING:
    from gates.domain.judging import Judgement
    from gates.evidence.evidence import CheckRecord
    from gates.run.gate import Gate

__all__ = ["main"]


class _Teller(Watcher):
    """Tells what happens, a line each."""

    def __init__(self, out: TextIO) -> None:
        super().__init__()
        self._out = out
        self._mutex = threading.Lock()

    def tell(self, **said: Any) -> None:  # noqa: ANN401 - any JSON
        with self._mutex:
            self._out.write(json.dumps(said) + "\n")
            self._out.flush()

    def progress(self, text: str) -> None:
        self.tell(progress=text)

    def opened(self, gate: Gate) -> None:
        missing = [name for name in gate.card.plans if name not in gate.records]
        self.tell(opened=len(gate.bounds), checks=missing)

    def measured(self, record: CheckRecord) -> None:
        self.tell(measured=record.check)

    def judged(self, judgement: Judgement) -> None:
        self.tell(judged=judgement.bound.id, outcome=str(judgement.outcome))


def main(lock: Path) -> None:
    """Gate what the first line of stdin says.

    Args:
        lock: A file that one process at a time may hold for this run.
    """
    # Both under numbers of their own: pytest puts other files in the place of 0 and 1,
    # and own tests may print.
    parent = os.fdopen(os.dup(0), "rb", buffering=0)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    request = RunRequest.from_json(parent.readline())
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with take_exclusive(lock):  # a process before this one may still be ending
        teller = _Teller(out)
        teller.tell(ended=_ended(request, teller))


def _ended(request: RunRequest, teller: _Teller) -> dict[str, Any]:
    log = drive(request, teller)
    session = teller.session
    if session is not None and session.evidence is not None and session.delivery is not None:
        trouble = str(session.error) if session.error else session.delivery.trouble
        return {"verdict": str(session.evidence.verdict.outcome), "trouble": trouble}
    error = session.error if session is not None else None
    if error is None:
        words = log.strip()[-2_000:] or "pytest ended before the gate could open"
        return {"error": words, "kind": "Unknown", "passing": False}
    return {"error": str(error), "kind": type(error).__name__, "passing": error.passing}


def _end_with(parent: IO[bytes]) -> None:
    """Wait for the end of what the parent writes, then end this process and all it started."""
    with suppress(OSError, ValueError):
        while parent.read(1_024):
            pass
    with suppress(ProcessLookupError):
        os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
