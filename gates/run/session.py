"""One run in this process: the gate opened, everything judged, the verdict delivered.

Nothing of the project's code is loaded here: models and own tests have processes of their own, and
whoever shows the run (`serving.py`) may ask for less than all of it, never for another outcome.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from gates import __version__
from gates.card.card import Card
from gates.domain.judging import Bound, Cause, Judgement, ModelVersion
from gates.errors import GatesError, UsageError
from gates.evidence.evidence import SCHEMA, CheckRecord, Evidence, Timing
from gates.evidence.signing import signer_of
from gates.evidence.verdict import OWN_TESTS
from gates.project import Project
from gates.run.bar import bar_facts
from gates.run.delivery import Delivery, deliver, who
from gates.run.folder import ResolvedRun, RunFolder, RunPart
from gates.run.gate import Gate, open_gate
from gates.run.own_process import OwnTests
from gates.run.own_tests import Listing, judge_test, not_collected
from gates.run.request import RunRequest
from gates.run.watcher import Watcher
from gates.system.files import write_atomically
from gates.system.interruption import checkpoint

__all__ = ["GateSession", "TestOutcome"]


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What came of one own test.

    Attributes:
        judgement: By which it counts; None when nothing of it was heard.
        shown: What pytest shows of it.
    """

    judgement: Judgement | None
    shown: str = ""


class GateSession:
    """One run. Use it as a context manager: what it started ends with it.

    Without a delivery its folder is removed again, unless the caller named it.

    Args:
        request: What is asked.
        watcher: Sees it.
    """

    def __init__(self, request: RunRequest, watcher: Watcher) -> None:
        self.request = request
        self.view = watcher
        self.evidence: Evidence | None = None
        self.delivery: Delivery | None = None
        self.error: GatesError | None = None
        self._judgements: dict[Bound, Judgement] = {}
        self._started = time.perf_counter()
        self._gate: Gate | None = None
        self._tests: OwnTests | None = None
        self._folder: RunFolder | None = None
        self._listing: Listing | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._tests is not None:
                self._tests.close()
        finally:
            if self._gate is not None:
                self._gate.close()
        if self.delivery is None and self._folder is not None:
            self._folder.discard()

    @property
    def gate(self) -> Gate:
        """The open gate.

        Raises:
            UsageError: It was not opened.
        """
        if self._gate is None:
            raise UsageError("the gate is not open")
        return self._gate

    @property
    def folder(self) -> RunFolder:
        """The run's folder.

        Raises:
            UsageError: It was not made.
        """
        if self._folder is None:
            raise UsageError("the run has no folder yet")
        return self._folder

    def open(self) -> None:
        """Resolve both versions, read card and golden set, start what is to be asked.

        Raises:
            GatesError: An input or a setting is wrong, or the registry does not answer.
        """
        request = self.request
        project = Project(request.settings)
        settings = project.settings
        if settings.signing_key:
            signer_of(settings.signing_key, settings.verify_key)  # one that cannot is found out now
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
        golden_digest = self.gate.subject.golden.digest
        self._take_folder(replace(run, card_digest=card.digest, golden_digest=golden_digest))
        self.folder.fix(self.gate.inventory)
        missing = set(card.plans) - set(self.gate.records)
        if missing and self.folder.named:
            self.gate.subject.build()
            self.view.progress("environments are there")
        self._tests = OwnTests(card, self.gate.inventory, self.gate.subject, request.settings)
        if missing:
            self.gate.begin()
        try:
            self._tests.start()
        except GatesError as problem:
            self._say_of_tests(str(problem))
        # While both versions start: whoever changes the bar from here on changes nothing of it.
        self.gate.bar = bar_facts(
            project.registry, card, candidate, self.gate.inventory, golden_digest, by=who()
        )
        self.gate.timings.append(Timing("resolve versions", round(resolved - self._started, 3)))
        self.view.opened(self.gate)

    def _open_gate(self, run: ResolvedRun, card: Card, project: Project) -> None:
        self._gate = open_gate(
            card,
            run.candidate,
            run.champion,
            run_id=run.run_id,
            project=project,
            progress=self.view.progress,
            against_itself=self.request.against_itself,
        )
        self._gate.keep = self._keep
        self._gate.leave = lambda name, content: self.folder.leave_beside(name, content)

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
            self.gate.run_id = before.run_id
            for part in folder.parts():
                for record in part.records:
                    self.gate.records.setdefault(record.check, record)
                self.gate.environments.update(part.environments)
        else:
            folder.begin(run)

    def _keep(self, record: CheckRecord) -> None:
        """Leave what a check gave for a run that goes on in this folder; faults are tried again."""
        if self.folder.named and record.cause is None:
            part = RunPart((record,), self.gate.subject.environments())
            with contextlib.suppress(UsageError):  # then it is measured again
                self.folder.leave(f"check-{record.check}", part)
        self.view.measured(record)

    def list_tests(self) -> Listing:
        """What there is to come to, fixed and recorded before anything is judged.

        Raises:
            UsageError: The folder cannot be written.
        """
        if self._listing is None:
            started = time.perf_counter()
            assert self._tests is not None  # noqa: S101 - open() made it
            listing = Listing()
            try:
                listing = self._tests.listing()
            except GatesError as problem:
                self._say_of_tests(str(problem))
            self._listing = listing
            self.gate.inventory = self.gate.inventory.with_tests(listing.tests)
            self.folder.fix(self.gate.inventory)
            for file, reason in (listing.broken or {}).items():
                self._take(not_collected(file, reason))
            waited = round(time.perf_counter() - started, 3)
            if self._tests.files:
                self.gate.timings.append(Timing("wait for own tests", waited))
        return self._listing

    def _say_of_tests(self, why: str) -> None:
        """No own test can run: each file has that for a reason."""
        assert self._tests is not None  # noqa: S101 - open() made it
        for file in self._tests.files:
            self._take(not_collected(file, why))

    def judge(self, bound: Bound) -> Judgement:
        """Judge one bound, once.

        Args:
            bound: One of the gate's.
        """
        self.list_tests()
        if bound not in self._judgements:
            self._take(self.gate.judge(bound))
        return self._judgements[bound]

    def test(self, name: str, then: str | None = None) -> TestOutcome:
        """Run one of the model's own tests.

        Args:
            name: One of `list_tests().runs`.
            then: The one that is run next, if that is known.
        """
        assert self._tests is not None  # noqa: S101 - open() made it
        if name not in self.list_tests().runs:
            return TestOutcome(None)
        self.view.progress(f"testing {name}")
        try:
            phases = self._tests.run(name, then)
        except GatesError as problem:
            fault = Judgement(Bound(OWN_TESTS, name), Cause.FAULT, str(problem))
            self._take(fault)
            return TestOutcome(fault, str(problem))
        compared = self.gate.subject.champion is not None
        judgement = judge_test(name, phases, compared=compared)
        if judgement is not None:
            self._take(judgement)
        return TestOutcome(judgement, "\n".join(one.shown for one in phases if one.shown))

    def _take(self, judgement: Judgement) -> None:
        # The first word counts: a test that is run twice does not get better.
        if judgement.bound not in self._judgements:
            self._judgements[judgement.bound] = judgement
            self.view.judged(judgement)

    def run_all(self) -> None:
        """Judge every bound, then run every own test."""
        tests = self.list_tests().runs
        for bound in self.gate.bounds:
            checkpoint()
            self.judge(bound)
        for name, then in _with_next(tests):
            checkpoint()
            self.test(name, then)

    def conclude(self) -> Evidence:
        """The verdict on what was judged, delivered; what was left out is UNDECIDED.

        Raises:
            GatesError: It could not be written.
        """
        checkpoint()
        self.list_tests()
        gate = self.gate
        gate.timings.append(Timing("total", round(time.perf_counter() - self._started, 3)))
        order = {bound: place for place, bound in enumerate(gate.bounds)}
        judgements = sorted(
            self._judgements.values(), key=lambda one: order.get(one.bound, len(order))
        )
        command = self.request.called or tuple(self.request.as_command())
        self.evidence = gate.conclude(tuple(judgements), command)
        self.view.progress("writing evidence and reports")
        logged = self.request.logged
        self.delivery = deliver(self.evidence, self.folder.path, gate.project, logged=logged)
        wrote = self._tests.log if self._tests else ""
        if wrote:
            with contextlib.suppress(UsageError):  # the verdict stands without its log
                write_atomically(Path(self.folder.path, "own-tests.log"), wrote.encode())
        return self.evidence


def _with_next(names: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    following = (*names[1:], None)
    yield from zip(names, following, strict=False) if names else ()
