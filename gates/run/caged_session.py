"""pytest in the cage: it lists the own tests, runs one when told to, and tells what came of it.

What it tells is raw: phases with their outcomes, by names that are fixed here. Whoever wrote the
tests may have changed anything in this process, so the judge takes none of it for more than what
these tests say of themselves.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gates.environments.frames import decode_message
from gates.errors import GatesError, ModelFault, NoChampion
from gates.run.caged_arms import CagedSubject, Channel

__all__ = ["OWN_TESTS_PLUGIN", "ChampionMissing", "run_tests"]

OWN_TESTS_PLUGIN = "gates-own-tests"
"""The name under which fixtures find the session of a cage, as a plugin."""

_MOST_PHASES = 6
_TEXT, _SHOWN = 2_000, 16_000


class ChampionMissing(pytest.skip.Exception):  # type: ignore[name-defined,misc]  # pytest names its class only so
    """The skip of a test that asks for the champion where there is none.

    A class of its own, because a first version is excused from these tests and from no others,
    whatever their skips say.
    """

    def __init__(self) -> None:
        super().__init__(str(NoChampion()))


def run_tests(requests: int, replies: int, hello: Mapping[str, Any]) -> None:
    """Have pytest collect, then run what the judge asks for until it goes.

    Args:
        requests: The pipe that the judge writes.
        replies: The pipe that the judge reads.
        hello: `project` and `files`, as the judge names them.
    """
    arguments = ["--rootdir", hello["project"], "--continue-on-collection-errors"]
    # Options of the project's own could leave tests out, or ask for a report that is not wanted.
    arguments += ["--override-ini", "addopts=", "-p", "no:cacheprovider", "-p", "no:schemathesis"]
    # By its module, for it may be installed under no entry point; never twice.
    arguments += ["-p", "no:gates", "-p", "gates.pytest_plugin", "-q", "--tb=short"]
    session = _CagedSession(Channel(requests, replies), Path(hello["project"]))
    pytest.main([*arguments, *hello["files"]], plugins=[_Register(session)])


class _Register:
    """Registers the session under the name that fixtures look for."""

    def __init__(self, session: _CagedSession) -> None:
        self._session = session

    def pytest_addoption(self, pluginmanager: pytest.PytestPluginManager) -> None:
        pluginmanager.register(self._session, OWN_TESTS_PLUGIN)


class _CagedSession:
    """Answers the judge; the fixtures find the subject here."""

    def __init__(self, channel: Channel, project: Path) -> None:
        self.subject = CagedSubject(channel, project)
        self._channel = channel
        self._project = project
        self._listed: list[str] = []
        self._broken: list[tuple[str, str]] = []
        self._phases: list[Mapping[str, str]] = []
        self._root = project

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        self._root = config.rootpath

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        self._listed.append(self._name(item.nodeid))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            lines = str(report.longrepr).strip().splitlines()
            reason = lines[-1] if lines else "unknown reason"
            self._broken.append((self._name(report.nodeid), reason[:_TEXT]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {self._name(item.nodeid): item for item in session.items}
        self._channel.tell(
            {"listed": self._listed, "selected": list(items), "broken": self._broken}
        )
        while (payload := self._channel.read()) is not None:
            asked = decode_message(payload) or {}
            item, following = (items.get(str(asked.get(one))) for one in ("run", "then"))
            self._phases = []
            if item is not None:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self._channel.tell({"phases": self._phases[:_MOST_PHASES]})
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        problem = call.excinfo.value if call.excinfo else None
        notes = " ".join(" ".join(getattr(problem, "__notes__", ())).split())
        shown = report.longreprtext if report.failed else ""
        self._phases.append(
            {
                "when": report.when,
                "outcome": report.outcome,
                "kind": _kind(problem),
                "type": type(problem).__name__ if problem else "",
                "message": str(problem)[:_TEXT] if problem else "",
                "notes": notes[:_TEXT],
                "shown": shown[-_SHOWN:],
            }
        )
        return report

    def _name(self, nodeid: str) -> str:
        """The name of a test from the project's folder, wherever pytest has its root."""
        file, colons, rest = nodeid.partition("::")
        path = self._root / file
        inside = path.is_relative_to(self._project)
        return (path.relative_to(self._project).as_posix() if inside else file) + colons + rest


def _kind(problem: BaseException | None) -> str:
    if isinstance(problem, ChampionMissing | NoChampion):
        return "no-champion"
    if isinstance(problem, ModelFault) and problem.breach:
        return "breach"
    return "unanswered" if isinstance(problem, GatesError) else ""
