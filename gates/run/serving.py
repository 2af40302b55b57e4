"""The judge, asked over a socket by the pytest that people see.

Whoever asks is believed in nothing but what he leaves out: he may have a bound judged, a test run
and the verdict drawn, and is told what came of it. One request a line, JSON, one answer a line:

    {"do": "open"}                         what there is: bounds, own tests, files that are broken
    {"do": "judge", "bound": id}           its outcome and reason
    {"do": "test", "name": …, "then": …}   the outcome of an own test, its reason, what is shown
    {"do": "conclude"}                     the exit code, and lines to say

An answer may be {"error": words, "code": n} instead. Requests are answered one at a time, whoever
sends them: the processes of xdist share one judge.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from gates.domain.judging import Judgement, Outcome
from gates.errors import GatesError, UsageError
from gates.run.request import RunRequest
from gates.run.session import GateSession
from gates.run.watcher import Watcher
from gates.system.commands import clean, kill_group
from gates.system.interruption import checkpoint, deferred, interrupted_by
from gates.system.json_files import json_value

__all__ = ["main", "show_to_pytest"]

_LINE = 1 << 20
_LOOK_SECONDS = 0.1
_LOG_BYTES = 1 << 20


class _Server:
    """Answers on a socket, one request at a time.

    Args:
        session: Who judges.
        place: The socket's path, in a folder that nobody else may enter.
    """

    def __init__(self, session: GateSession, place: Path) -> None:
        self._session = session
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(place))
        self._socket.listen()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Listen no more."""
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()

    def also_read(self, stream: IO[bytes], heard: Callable[[bytes], None]) -> None:
        """Hand over what comes through a pipe meanwhile."""

        def take() -> None:
            chunk = os.read(stream.fileno(), 1 << 16)
            if not chunk:
                self._selector.unregister(stream)
            heard(chunk)

        self._selector.register(stream, selectors.EVENT_READ, take)

    def serve_while(self, wanted: Callable[[], bool]) -> None:
        """Answer, as long as that is wanted.

        Raises:
            KeyboardInterrupt: As `checkpoint`.
        """
        while wanted():
            checkpoint()
            for key, _ in self._selector.select(_LOOK_SECONDS):
                key.data()

    def _accept(self) -> None:
        connection, _ = self._socket.accept()
        read = bytearray()

        def take() -> None:
            with suppress(ConnectionError):
                chunk = connection.recv(1 << 16)
                read.extend(chunk)
                while (end := read.find(b"\n")) >= 0:
                    line = bytes(read[:end])
                    del read[: end + 1]
                    connection.sendall(json.dumps(self._answer(line)).encode() + b"\n")
                if chunk and len(read) <= _LINE:
                    return
            self._selector.unregister(connection)
            connection.close()

        self._selector.register(connection, selectors.EVENT_READ, take)

    def _answer(self, line: bytes) -> Mapping[str, Any]:
        try:
            asked = json_value(line)
            do = {
                "open": self._open,
                "judge": self._judge,
                "test": self._test,
                "conclude": self._conclude,
            }[asked["do"]]
            return do(asked)
        except GatesError as problem:
            self._session.error = problem
            return {"error": f"{type(problem).__name__}: {problem}", "code": problem.exit_code}
        except (ValueError, KeyError, TypeError) as problem:
            return {"error": f"no request: {problem!r:.200}", "code": UsageError.exit_code}

    def _open(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        gate, listing = self._session.gate, self._session.list_tests()
        lines = gate.card.lines
        return {
            "card": str(gate.card.path),
            "golden": str(gate.card.golden_path),
            "project": str(gate.card.project),
            "bounds": [
                {
                    "id": one.id,
                    "check": one.check,
                    "name": one.metric + (f"[{one.slice}]" if one.slice else ""),
                    "advisory": one.advisory,
                    "line": lines.of("checks", one.check, "bounds", one.metric),
                }
                for one in gate.bounds
            ],
            "tests": listing.tests,
            "broken": dict(listing.broken or {}),
        }

    def _judge(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        bounds = {one.id: one for one in self._session.gate.bounds}
        return _told(self._session.judge(bounds[asked["bound"]]))

    def _test(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        then = asked.get("then")
        came = self._session.test(str(asked["name"]), str(then) if then else None)
        if came.judgement is None:
            why = came.shown or "nothing was heard of it"
            return {"outcome": Outcome.UNDECIDED, "cause": "", "reason": why, "shown": ""}
        return {**_told(came.judgement), "shown": came.shown}

    def _conclude(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        session = self._session
        if session.evidence is None:
            session.conclude()
        evidence, delivery = session.evidence, session.delivery
        if evidence is None or delivery is None:
            raise session.error or UsageError("there is no verdict")
        lines = [
            f"verdict: {evidence.verdict.outcome} for {evidence.candidate.uri}",
            *(f"  {reason}" for reason in evidence.verdict.reasons[:10]),
            f"evidence: {delivery.evidence}",
            f"report: {delivery.reports['html']}",
            *([f"warning: {delivery.trouble}"] if delivery.trouble else []),
        ]
        return {"code": evidence.verdict.outcome.exit_code, "lines": lines}


def _told(judgement: Judgement) -> Mapping[str, Any]:
    return {
        "outcome": judgement.outcome,
        "cause": judgement.cause,
        "reason": judgement.reason,
        "waived": judgement.is_waived,
    }


@contextmanager
def _served(session: GateSession) -> Iterator[tuple[_Server, Path]]:
    folder = Path(tempfile.mkdtemp(prefix="gates-judge-"))
    try:
        with closing(_Server(session, folder / "judge")) as server:
            yield server, folder / "judge"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ---- a pytest for the arguments of `gates run … -- …` ------------------------------------------


def show_to_pytest(session: GateSession) -> str:
    """Have a pytest of its own ask for what its arguments choose; it loads nothing of the project.

    Args:
        session: Open.

    Returns:
        The end of what it wrote.

    Raises:
        KeyboardInterrupt: As `checkpoint`.
    """
    request, log = session.request, bytearray()
    with _served(session) as (server, place):
        with deferred():
            process = subprocess.Popen(
                [*_pytest(request, place), *request.extra],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_without_pytests_own(os.environ),
                start_new_session=True,
            )
        open_ = [True]

        def heard(chunk: bytes) -> None:
            log.extend(chunk)
            del log[:-_LOG_BYTES]
            open_[0] = bool(chunk)

        try:
            assert process.stdout is not None  # noqa: S101 - asked for above
            server.also_read(process.stdout, heard)
            server.serve_while(lambda: open_[0] and _runs(process))
        finally:
            kill_group(process)
            if process.stdout is not None:
                with process.stdout as left:
                    heard(left.read())
    return clean(bytes(log))


def _runs(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is None


def _pytest(request: RunRequest, place: Path) -> list[str]:
    command = [sys.executable, "-P", "-m", "pytest", str(request.card), "--gates-judge", str(place)]
    command += ["--rootdir", str(request.settings.project), "-c", os.devnull, "--noconftest"]
    command += ["-p", "no:gates", "-p", "gates.pytest_plugin", "--continue-on-collection-errors"]
    return command + (["-p", "xdist"] if find_spec("xdist") else [])


def _without_pytests_own(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if not name.startswith("PYTEST_")}
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


# ---- a judge for `pytest CARD` ---------------------------------------------------------------


def main() -> None:
    """Judge for a pytest that somebody called, in a process that loads nothing of the project.

    The first line on stdin is the `RunRequest`, as JSON; one line on stdout answers, with the
    socket's path or an error. stdin then stays open: its end ends this process.
    """
    parent = os.fdopen(os.dup(0), "rb", buffering=0)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(**said: Any) -> None:  # noqa: ANN401 - any JSON
        out.write(json.dumps(said) + "\n")
        out.flush()

    with suppress(KeyboardInterrupt), interrupted_by((signal.SIGTERM, signal.SIGINT)):
        request = RunRequest.from_json(parent.readline())
        with GateSession(request, Watcher()) as session:
            try:
                session.open()
            except GatesError as problem:
                answer(error=f"{type(problem).__name__}: {problem}", code=problem.exit_code)
                return
            with _served(session) as (server, place):
                answer(socket=str(place))
                threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
                server.serve_while(lambda: True)


def _end_with(parent: IO[bytes]) -> None:
    """Wait for the end of what the parent writes, then interrupt this process."""
    with suppress(OSError, ValueError):
        while parent.read(1024):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
