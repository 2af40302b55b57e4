"""The pytest that people see: it collects a card and its own tests, and reports what a judge says.

A project's conftests and settings may change anything here. So the judge is a process of its own,
which is started with nothing of this one but the request: what stands in evidence, in the registry
and under a signature comes from there. Who tampers with this process can only leave things out.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import pytest

from gates.errors import GatesError, UsageError
from gates.run.items import CardFile, OwnTestFile, OwnTestItem
from gates.run.own_tests import own_tests
from gates.run.request import requested
from gates.system.json_files import json_value

__all__ = ["Front"]

_ROOT = str(Path(__file__).parents[2])
# Isolated: no variable and no file of the current folder may change what it imports.
_JUDGE = "import sys; sys.path.insert(0, sys.argv[1]); from gates.run.serving import main; main()"
_END_SECONDS = 30.0


class Front:
    """One pytest run that shows a gate.

    Args:
        config: pytest's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._is_worker = hasattr(config, "workerinput")
        self._judge: subprocess.Popen[bytes] | None = None
        self._place = ""
        self._connection: socket.socket | None = None
        self._answers: IO[bytes] | None = None
        self.opened: Mapping[str, Any] = {}
        self._lines: list[str] = []
        self._interrupted = False
        config.pluginmanager.register(_Listener(self), "gates-listener")

    def start(self) -> None:
        """Have a judge open the gate; an input error ends the pytest run with exit code 2."""
        try:
            self._place = self._find_judge()
            self._connection = socket.socket(socket.AF_UNIX)
            self._connection.connect(self._place)
            self._answers = self._connection.makefile("rb")
            self.opened = self.ask(do="open")
            # xdist gives a worker the call's arguments, not those added since.
            arguments = self._config.args
            given = [str(one) for one in arguments]
            arguments += own_tests(Path(self.opened["golden"]), given)
        except (GatesError, OSError) as problem:
            code = problem.exit_code if isinstance(problem, GatesError) else UsageError.exit_code
            self._lines = [f"gate error: {problem}"]
            pytest.exit(str(problem), returncode=code)

    def _find_judge(self) -> str:
        if self._is_worker:
            return str(getattr(self._config, "workerinput", {})["gates_judge"])
        given: str | None = self._config.option.gates_judge
        return given or self._start_judge()

    def _start_judge(self) -> str:
        try:
            request = requested(self._config)
        except GatesError as problem:
            raise _named(f"{type(problem).__name__}: {problem}", problem.exit_code) from None
        self._judge = subprocess.Popen(
            [sys.executable, "-I", "-c", _JUDGE, _ROOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if _is_kept(name)},
            start_new_session=True,
        )
        assert self._judge.stdin is not None  # noqa: S101 - asked for above
        assert self._judge.stdout is not None  # noqa: S101 - asked for above
        with suppress(BrokenPipeError):
            self._judge.stdin.write(request.to_json() + b"\n")
            self._judge.stdin.flush()
        said = _answer(self._judge.stdout)
        return str(said["socket"])

    @property
    def loads_nothing(self) -> bool:
        """Whether `gates run` started this pytest, which then loads no file of the project."""
        return bool(self._config.option.gates_judge)

    @property
    def worker_input(self) -> Mapping[str, str]:
        """What each xdist worker is handed, beside pytest's own."""
        return {"gates_judge": self._place}

    def ask(self, **question: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any JSON
        """Ask the judge.

        Args:
            question: As `gates.run.serving` lists them.

        Raises:
            GatesError: It could not do that, or is gone.
        """
        if self._connection is None or self._answers is None:
            raise UsageError("the gate is not open")
        try:
            self._connection.sendall(json.dumps(question).encode() + b"\n")
            return _answer(self._answers)
        except OSError:
            raise _gone() from None

    def own_name(self, path: Path) -> str:
        """How the judge calls a file of own tests."""
        project = Path(self.opened["project"])
        inside = path.is_relative_to(project)
        return path.relative_to(project).as_posix() if inside else path.as_posix()

    def collect(self, path: Path, parent: pytest.Collector) -> CardFile | OwnTestFile | None:
        """The card of this run, or a file of its own tests, as pytest shows it; None for others.

        Args:
            path: A file pytest met.
            parent: Its folder.
        """
        if path.absolute() == Path(self.opened.get("card", "")):
            card: CardFile = CardFile.from_parent(parent, path=path)
            card.front = self
            return card
        if self.is_own_test(path):
            file: OwnTestFile = OwnTestFile.from_parent(parent, path=path)
            file.front = self
            return file
        return None

    def is_own_test(self, path: Path) -> bool:
        """Whether a file is one of own tests, which is never imported here."""
        golden = self.opened.get("golden")
        fits = path.name.startswith("test_") and path.suffix == ".py"
        return bool(golden) and fits and path.absolute().parent == Path(str(golden))

    def goes_on_with(self, item: pytest.Item, following: pytest.Item | None) -> None:
        """Note which own test follows: the two may share what the first has set up."""
        # Two processes take turns: there nobody knows.
        if isinstance(item, OwnTestItem) and not self._is_worker:
            item.then = following.test if isinstance(following, OwnTestItem) else None

    def interrupted(self, kind: type[BaseException]) -> None:
        """Note how pytest was stopped; its own ways to stop early are no interruption."""
        self._interrupted = kind is KeyboardInterrupt

    def finish(self, session: pytest.Session) -> None:
        """Have the verdict drawn, and make it the exit code.

        A run that was interrupted, or that pytest could not make, leaves nothing.
        """
        if self._is_worker or not self.opened:
            return
        misused = session.exitstatus == pytest.ExitCode.USAGE_ERROR
        if self._config.option.collectonly or self._interrupted or misused:
            return
        try:
            said = self.ask(do="conclude")
            session.exitstatus, self._lines = said["code"], said["lines"]
        except GatesError as problem:
            self._lines = [f"gate error: {problem}"]
            session.exitstatus = problem.exit_code

    def summary(self) -> Iterator[str]:
        """The verdict in lines, for pytest's own terminal."""
        yield from self._lines

    def close(self) -> None:
        """Let the judge go."""
        if self._connection is not None:
            self._connection.close()
        if self._judge is not None:
            with suppress(BrokenPipeError):
                assert self._judge.stdin is not None  # noqa: S101 - asked for above
                self._judge.stdin.close()
            try:
                self._judge.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._judge.kill()


class _Listener:
    """Hooks that pytest calls without a config to find the front by."""

    def __init__(self, front: Front) -> None:
        self._front = front

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        self._front.goes_on_with(item, nextitem)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self._front.interrupted(excinfo.type)


def _is_kept(name: str) -> bool:
    return not name.startswith(("PYTEST_", "PYTHON"))


def _answer(stream: IO[bytes]) -> Mapping[str, Any]:
    line = stream.readline()
    if not line:
        raise _gone()
    said: Mapping[str, Any] = json_value(line)
    if "error" in said:
        raise _named(str(said["error"]), int(said["code"]))
    return said


def _gone() -> GatesError:
    return GatesError("the judge's process has ended", advice="run it again")


def _named(what: str, code: int) -> GatesError:
    """An error as the judge words it, with its exit code."""
    problem = GatesError(what)
    problem.exit_code = code
    return problem
