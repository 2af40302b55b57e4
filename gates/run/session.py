"""What stands behind the pytest plugin: one `GateSession` a run.

With xdist each worker process opens the controller's gate from its request and the run's folder,
and leaves there what its checks gave; judgements travel in the test reports. So `-n 2`, `-k`, `-x`
and `--lf` all end in one evidence.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from gates import __version__
from gates.card.card import Card
from gates.domain.judging import Judgement, ModelVersion, Outcome
from gates.errors import GatesError, UsageError
from gates.evidence.evidence import SCHEMA, CheckRecord, Evidence, Timing, canonical
from gates.evidence.signing import sign
from gates.project import Project
from gates.run.delivery import Delivery, deliver
from gates.run.folder import ResolvedRun, RunFolder, RunPart
from gates.run.gate import Gate, open_gate
from gates.run.items import BoundItem, CardFile
from gates.run.own_tests import judge_test, not_collected, own_tests
from gates.run.request import RunRequest, called_by, requested
from gates.run.watcher import WATCHER, Watcher
from gates.system.interruption import has_come
from gates.system.json_files import json_value

__all__ = ["GateSession"]

_JUDGEMENT = "gates.judgement"


class GateSession:
    """One gate, for the length of one pytest run.

    Args:
        config: pytest's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._worker_input: Mapping[str, Any] | None = getattr(config, "workerinput", None)
        self._judgements: dict[str, Judgement] = {}
        self._listed: list[str] = []
        self._started = time.perf_counter()
        self._request: RunRequest | None = None
        self.gate: Gate | None = None
        self._folder: RunFolder | None = None
        self.evidence: Evidence | None = None
        self.delivery: Delivery | None = None
        self.error: GatesError | None = None
        self.interrupted = False
        self.view: Watcher = config.pluginmanager.get_plugin(WATCHER) or Watcher()
        config.pluginmanager.register(_Listener(self), "gates-listener")

    @property
    def opened(self) -> Gate:
        """The open gate.

        Raises:
            UsageError: It was not opened.
        """
        if self.gate is None:
            raise UsageError("the gate is not open")
        return self.gate

    @property
    def request(self) -> RunRequest:
        """What the gate is asked to do.

        Raises:
            UsageError: It is not known yet.
        """
        if self._request is None:
            raise UsageError("the gate has not begun")
        return self._request

    def start(self) -> None:
        """Open the gate; an input error ends the pytest run with exit code 2."""
        try:
            self._request = requested(self._config)
            project = Project(self._request.settings)
            if self._worker_input is None:
                self._open(project)
            else:
                self._join(project, Path(self._worker_input["gates_run"]))
        except GatesError as problem:
            self.error = problem
            self._tell_finished()
            pytest.exit(f"{type(problem).__name__}: {problem}", returncode=problem.exit_code)

    def worker_input(self) -> Mapping[str, str]:
        """What each xdist worker is handed, beside pytest's own."""
        return {
            "gates_request": self.request.to_json().decode(),
            "gates_run": str(self.folder.path),
        }

    def _open(self, project: Project) -> None:
        request = self.request
        if project.settings.signing_key:
            sign(b"", project.settings.signing_key)  # a key that cannot sign is found out now
        card = project.read_card(request.card)
        self.view.progress("resolving versions")
        candidate = project.registry.resolve(request.candidate)
        if request.against_itself:
            champion: ModelVersion | None = candidate
        elif request.champion:
            champion = project.registry.resolve(request.champion)
        else:
            champion = project.registry.alias(candidate.name, card.policy.champion)
        resolved = time.perf_counter()
        run = ResolvedRun(
            uuid.uuid4().hex, str(card.path), candidate, champion, __version__, SCHEMA
        )
        self._open_gate(run, card, project)
        golden_digest = self.opened.subject.golden.digest
        self._take_folder(replace(run, card_digest=card.digest, golden_digest=golden_digest))
        self.folder.fix(self.opened.inventory)
        self._add_own_tests()
        missing = set(card.plans) - set(self.opened.records)
        if missing and self.folder.named:
            self.opened.subject.build()
            self.view.progress("environments are there")
        options = self._config.option
        if missing and not getattr(options, "numprocesses", None) and not options.collectonly:
            self.opened.begin()
        self.opened.timings.append(
            Timing("resolve versions", round(resolved - self._started, 3)),
        )
        self.view.opened(self.opened)

    @property
    def folder(self) -> RunFolder:
        """The run's folder.

        Raises:
            UsageError: It was not made.
        """
        if self._folder is None:
            raise UsageError("the run has no folder yet")
        return self._folder

    def _take_folder(self, run: ResolvedRun) -> None:
        """Make the run's folder, or go on in the one that the caller named."""
        named = self.request.folder
        folder = (
            RunFolder(named, named=True)
            if named
            else RunFolder.new(self.request.settings.output, run)
        )
        self._folder = folder
        before = folder.begun() if folder.named else None
        if before is not None and before.rests_on == run.rests_on:
            self.opened.run_id = before.run_id
            self._take_parts()
        else:
            folder.begin(run)

    def _keep(self, record: CheckRecord) -> None:
        """Leave what a check gave for a run that goes on in this folder; faults are tried again."""
        if self.folder.named and record.cause is None:
            part = RunPart((record,), self.opened.subject.environments())
            with contextlib.suppress(UsageError):  # then it is measured again
                self.folder.leave(f"check-{record.check}", part)
        self.view.measured(record)

    def _take_parts(self) -> None:
        gate = self.opened
        for part in self.folder.parts():
            for record in part.records:
                gate.records.setdefault(record.check, record)
            gate.environments.update(part.environments)

    def _join(self, project: Project, run_dir: Path) -> None:
        # Resolved and digested by the controller: what runs is its verified copy, by that digest.
        self._folder = folder = RunFolder(run_dir)
        run = folder.begun()
        if run is None:
            raise UsageError(f"{run_dir} holds no run that was begun", advice="run it again")
        self._open_gate(run, project.read_card(Path(run.card)), project)
        self._add_own_tests()  # xdist gives a worker the call's arguments, not those added since

    def _open_gate(self, run: ResolvedRun, card: Card, project: Project) -> None:
        self.gate = open_gate(
            card,
            run.candidate,
            run.champion,
            run_id=run.run_id,
            project=project,
            progress=self.view.progress,
            against_itself=self.request.against_itself,
        )
        self.gate.keep = self._keep

    def _add_own_tests(self) -> None:
        """The model's own tests are required: naming the card alone runs them too."""
        arguments = self._config.args
        arguments += own_tests(self.opened.card.golden_path, [str(one) for one in arguments])

    def collect(self, path: Path, parent: pytest.Collector) -> CardFile | None:
        """The card of this run as a test file; other Markdown files are left alone.

        Args:
            path: A Markdown file pytest met.
            parent: Its folder.
        """
        if self.gate is None or path.absolute() != self.gate.card.path.absolute():
            return None
        file: CardFile = CardFile.from_parent(parent, path=path)
        file.gate = self.gate
        return file

    def collected(self, item: pytest.Item) -> None:
        """Note an own test before anything can deselect it.

        Args:
            item: What pytest has just collected.
        """
        if not isinstance(item, BoundItem) and self._is_own_test(item.path):
            self._listed.append(self._own_name(item.nodeid))

    def fix_inventory(self) -> None:
        """Record what there is to come to, before any test runs: in this process or the workers."""
        if self.gate is None:
            return
        if self._worker_input is not None:
            self.folder.list_tests(self._worker_input["workerid"], self._listed)
            return
        listed = [*self._listed, *self.folder.listed_tests()]
        self.gate.inventory = self.gate.inventory.with_tests(listed)
        self.folder.fix(self.gate.inventory)

    def annotate(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> None:
        """Put an item's judgement into its report.

        Args:
            item: A bound, or a test of the model's own.
            call: The phase that just ended.
        """
        judgement: Judgement | None = None
        if isinstance(item, BoundItem):
            judgement = item.judgement if call.when == "call" else None
        elif self._is_own_test(item.path):
            judgement = judge_test(self._own_name(item.nodeid), call, report)
        if judgement:
            report.user_properties.append((_JUDGEMENT, canonical(judgement).decode()))

    def _is_own_test(self, path: Path) -> bool:
        return (
            self.gate is not None and self.gate.card.golden_path.resolve() in path.resolve().parents
        )

    def _own_name(self, nodeid: str) -> str:
        """Pytest's name of a test from the project's folder, wherever pytest has its root."""
        file, colons, rest = nodeid.partition("::")
        path, project = self._config.rootpath / file, self.request.settings.project
        inside = path.is_relative_to(project)
        return (path.relative_to(project).as_posix() if inside else file) + colons + rest

    def heard(self, report: pytest.TestReport) -> None:
        """Take the judgement out of a report, in whatever process the item ran.

        Args:
            report: Any report of the run.
        """
        for name, value in report.user_properties:
            known = self._judgements.get(report.nodeid)
            # A test that passed may still fail to end: then it has no PASS of its own.
            if name == _JUDGEMENT and (known is None or known.outcome is Outcome.PASS):
                judgement = TypeAdapter(Judgement).validate_python(json_value(str(value)))
                self._judgements[report.nodeid] = judgement
                if known is None:
                    self.view.judged(judgement)

    def not_collected(self, report: pytest.CollectReport) -> None:
        """Take a file of own tests that could not be imported for a test that could not run.

        Args:
            report: A collection report that failed.
        """
        self._judgements[report.nodeid] = not_collected(self._own_name(report.nodeid), report)

    def finish(self, session: pytest.Session) -> None:
        """In a worker process, leave what was measured; else conclude, deliver, set the exit code.

        A run that was interrupted, or that pytest could not make, leaves nothing.
        """
        if self.gate is None:
            self._tell_finished()
            return
        if self._worker_input is not None:
            part = RunPart(
                tuple(self.gate.records.values()),
                self.gate.subject.environments(),
                tuple(self.gate.timings),
            )
            self.folder.leave(self._worker_input["workerid"], part)
            return
        self.interrupted = self.interrupted or has_come()
        misused = session.exitstatus == pytest.ExitCode.USAGE_ERROR
        if not (self._config.option.collectonly or self.interrupted or misused):
            try:
                session.exitstatus = self._conclude().verdict.outcome.exit_code
            except GatesError as problem:
                self.error = problem
                session.exitstatus = problem.exit_code
        if self.delivery is None and self._folder is not None:
            self._folder.discard()
        self._tell_finished()

    def _conclude(self) -> Evidence:
        gate = self.opened
        self._take_parts()
        gate.timings.append(Timing("total", round(time.perf_counter() - self._started, 3)))
        order = {bound: place for place, bound in enumerate(gate.bounds)}
        judgements = sorted(
            self._judgements.values(), key=lambda one: order.get(one.bound, len(order))
        )
        self.evidence = gate.conclude(tuple(judgements), called_by(self._config, self.request))
        self.view.progress("writing evidence and reports")
        logged = self.request.logged
        self.delivery = deliver(self.evidence, self.folder.path, gate.project, logged=logged)
        return self.evidence

    def _tell_finished(self) -> None:
        if self._worker_input is None:
            self.view.finished(self)

    def summary(self) -> Iterator[str]:
        """The verdict in lines, for pytest's own terminal."""
        if self.error:
            yield f"gate error: {self.error}"
        if self.evidence and self.delivery:
            verdict = self.evidence.verdict
            yield f"verdict: {verdict.outcome} for {self.evidence.candidate.uri}"
            yield from (f"  {reason}" for reason in verdict.reasons[:10])
            yield f"evidence: {self.delivery.evidence}"
            yield f"report: {self.delivery.reports['html']}"
            if self.delivery.trouble:
                yield f"warning: {self.delivery.trouble}"

    def close(self) -> None:
        """Stop the workers."""
        if self.gate is not None:
            self.gate.close()


class _Listener:
    """Hooks that pytest calls without a config to find the session by."""

    def __init__(self, session: GateSession) -> None:
        self._session = session

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._session.heard(report)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        self._session.collected(item)

    def pytest_collection_finish(self) -> None:
        self._session.fix_inventory()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        self._session.fix_inventory()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._session.not_collected(report)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        # pytest's own ways to stop early (-x, pytest.exit) come here too; they are no interruption.
        self._session.interrupted = excinfo.type is KeyboardInterrupt
