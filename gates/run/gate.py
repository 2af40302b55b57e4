"""The gate: one candidate, one card, one verdict. Read this after `gates/__init__.py`.

    open_gate      the card, its golden set and two resolved versions, fitted together
    Gate.record    run one check, isolated: whatever goes wrong in it is a reason, not a crash
    Gate.judge     one bound of the card against what its check measured
    Gate.conclude  the verdict and the evidence

`gates.run.session` drives it, one bound at a time, for whoever asks.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from gates import checks
from gates.card.card import Card
from gates.domain.counterexamples import Counterexample, Replay
from gates.domain.exhibits import Exhibit
from gates.domain.judging import (
    Bound,
    Cause,
    EnvironmentFacts,
    Judgement,
    Measurement,
    ModelVersion,
    decide,
)
from gates.domain.query_rows import QueryRows
from gates.errors import GatesError, ModelFault, NoChampion
from gates.evidence.bar import BarFacts
from gates.evidence.counterexamples import CounterexampleStore
from gates.evidence.evidence import CheckRecord, Evidence, FaultCause, RegistryFacts, Timing
from gates.evidence.facts import card_facts, gate_facts, golden_facts, now
from gates.evidence.inventory import Inventory, list_inventory
from gates.evidence.verdict import completed, judge_from
from gates.golden import read_golden
from gates.project import Project
from gates.run.pruning import environments_of
from gates.run.subject import RunSubject, prepare_subject
from gates.system.interruption import deferred, result_of

__all__ = ["Gate", "open_gate"]

Progress = Callable[[str], None]


@dataclass
class Gate:
    """One run, open. Its checks are run at most once each.

    Attributes:
        run_id: A random name.
        card: The policy.
        project: Where it is gated.
        subject: What checks are given.
        inventory: Every bound of the card, slices spelled out, and the model's own tests.
        registry: The registry that the versions are of.
        timings: Where time went so far.
        records: What the checks that ran gave.
        environments: role → what it ran in, from other processes of the same run.
        bar: When the bar was fixed, once that has been looked up.
        keep: Given each record as soon as it is there.
        leave: Given the name and bytes of each file that is to stand beside the evidence.
    """

    run_id: str
    card: Card
    project: Project
    subject: RunSubject
    inventory: Inventory
    registry: RegistryFacts
    progress: Progress
    timings: list[Timing] = field(default_factory=list)
    records: dict[str, CheckRecord] = field(default_factory=dict)
    environments: dict[str, EnvironmentFacts] = field(default_factory=dict)
    bar: BarFacts | None = None
    keep: Callable[[CheckRecord], None] = field(default=lambda _: None)
    leave: Callable[[str, bytes], None] = field(default=lambda _, __: None)
    _start: Future[None] | None = None
    _waited: bool = False

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """Every bound of the card, slices spelled out."""
        return self.inventory.bounds

    def begin(self) -> None:
        """Start both versions in the background, while tests are still being collected."""
        if self._start is None:
            self._start = ThreadPoolExecutor(1).submit(self.subject.start)

    def record(self, name: str) -> CheckRecord:
        """Run a check, once, keeping whatever it gave before anything went wrong.

        Args:
            name: A check of the card.
        """
        if name not in self.records:
            if not self._waited:
                self._waited = True
                started = time.perf_counter()
                self.begin()
                assert self._start is not None  # noqa: S101 - begin() made it
                result_of(self._start)
                self.timings.append(_timing("wait for both versions", started))
            self.progress(f"measuring {name}")
            self.records[name] = _run(name, self)
            self.keep(self.records[name])
        return self.records[name]

    def judge(self, bound: Bound) -> Judgement:
        """Judge one bound by what its check measured.

        Args:
            bound: One of `bounds`.
        """
        return judge_from(bound, self.record(bound.check))

    def conclude(self, judgements: tuple[Judgement, ...], command: tuple[str, ...]) -> Evidence:
        """The evidence of the run: everything that was measured, judged and decided.

        Args:
            judgements: Of the bounds and own tests that ran; what else the inventory lists is
                UNDECIDED.
            command: How the gate was called, for the record.
        """
        complete = completed(self.inventory, judgements)
        champion = self.subject.champion
        return Evidence(
            run_id=self.run_id,
            created=now(),
            gate=gate_facts(command),
            card=card_facts(self.card),
            golden=golden_facts(self.subject.golden, self.card.project),
            candidate=self.subject.candidate.version,
            champion=champion.version if champion else None,
            environments={**self.environments, **self.subject.environments()},
            seed=self.subject.seed,
            records=tuple(self.records[name] for name in self.card.plans if name in self.records),
            judgements=complete,
            timings=tuple(self.timings),
            verdict=decide(complete),
            inventory=self.inventory,
            registry=self.registry,
            bar=self.bar,
        )

    def close(self) -> None:
        """Stop the workers, those that are still starting included."""
        with deferred():  # a start that is under way needs its lock to end
            self.subject.close()
            if self._start is not None and not self._start.cancel():
                wait([self._start])
                self.subject.close()


def _timing(step: str, started: float) -> Timing:
    return Timing(step, round(time.perf_counter() - started, 3))


def _run(name: str, gate: Gate) -> CheckRecord:
    found: list[checks.Found] = []
    cause: FaultCause | None = None
    fault, log = "", ""
    started = time.perf_counter()
    try:
        found.extend(checks.find(name).measure(gate.subject, gate.card.plans[name]))
    except ModelFault as problem:
        cause = Cause.BREACH if problem.breach else Cause.FAULT
        fault, log = f"{problem.kind}: {problem.what}", problem.log
    except NoChampion as problem:
        cause, fault = Cause.NO_CHAMPION, str(problem)
    except GatesError as problem:
        cause, fault = Cause.FAULT, str(problem)
    except Exception as problem:  # noqa: BLE001 - a broken check is a reason, never a crash or a pass
        cause = Cause.FAULT
        fault = f"the check itself failed: {type(problem).__name__}: {problem}"
        log = traceback.format_exc(limit=-8)
    seconds = time.perf_counter() - started
    measurements = tuple(one for one in found if isinstance(one, Measurement))
    exhibits = tuple(one for one in found if isinstance(one, Exhibit))
    counterexamples = tuple(one for one in found if isinstance(one, Counterexample))
    replay = next((one for one in found if isinstance(one, Replay)), None)
    rows = next((one for one in found if isinstance(one, QueryRows)), None)
    if rows is not None:
        gate.leave(rows.as_file(name).file, rows.content)
    took = round(seconds, 4)
    return CheckRecord(
        name,
        measurements,
        exhibits,
        took,
        cause,
        fault,
        log,
        counterexamples,
        replay,
        rows.as_file(name) if rows else None,
    )


def open_gate(
    card: Card,
    candidate: ModelVersion,
    champion: ModelVersion | None,
    *,
    run_id: str,
    project: Project,
    progress: Progress,
    against_itself: bool = False,
) -> Gate:
    """Read the golden set and put two resolved versions on the stand.

    Args:
        card: The policy.
        candidate: The version under test, resolved.
        champion: The version in production, resolved; None when there is none.
        run_id: The run's name.
        project: Its registry holds the snapshots of both versions.
        progress: Told, in words, what takes long.
        against_itself: Whether both may be the same bytes, as in an A/A run.

    Raises:
        CardError, GoldenError: The golden set is not valid, or lacks a slice of the card.
        UsageError: Candidate and champion are the same bytes and need not be, or card, golden set
            and model do not belong together.
    """
    subject = prepare_subject(
        card,
        read_golden(card.golden_path),
        candidate,
        champion,
        path_of=project.registry.path,
        cache=environments_of(project.settings),
        progress=progress,
        recollection=CounterexampleStore(project.settings.counterexamples, candidate.name),
        against_itself=against_itself,
    )
    inventory = list_inventory(card, subject.golden)
    registry = project.registry.identity()
    return Gate(run_id, card, project, subject, inventory, registry, progress)
