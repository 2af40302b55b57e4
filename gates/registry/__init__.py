"""The model registry (MLflow): which versions, which in production, and who moved it.

`Registry` is what the gate asks for.

    mlflow.py      MLflow's answers to it, embedded or a server; _connection.py knows its quirks
    names.py       model URIs, parsed
    digests.py     digests of files and folders, read by _opening.py whoever moves them
    copies.py      artifacts copied to the cache; _snapshots.py makes them
    history.py     every gate and move of a model; _runs.py and _events.py keep them in MLflow,
                   _origins.py says which run made a version
    turns.py       the right to move an alias, in turns for all who use a store; _ledger.py keeps
                   them in MLflow, chain.py orders the history by them
    _identity.py   what a store calls itself
    webhooks.py    the server's webhooks
    probing.py     what `gates doctor` asks of a server
    scratch.py     a store for one run
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from gates.domain.judging import ModelVersion
from gates.evidence.evidence import RegistryFacts
from gates.registry.turns import Ending, Turn

__all__ = [
    "Event",
    "EventKind",
    "EventState",
    "GateOrigin",
    "GateSource",
    "Listed",
    "Origin",
    "Refusal",
    "Registry",
]

EventKind = Literal[
    "package", "gate", "approve", "promote", "rollback", "refused", "foreign", "put-back"
]
"""`foreign`: somebody moved an alias past the gate; `put-back`: and it was moved back."""
EventState = Literal["begun", "done", "failed"]
GateOrigin = Literal["", "hand", "ci", "service"]
"""Where a gate ran: by hand, in continuous integration, in `gates serve`; empty: not recorded."""


@dataclass(frozen=True, slots=True)
class GateSource:
    """Who ran a gate, and from where.

    Attributes:
        by: Who, for the history.
        origin: Where it ran.
        link: The page of the CI run, or of the service's gate; empty when there is none.
        job: The id that the service knows it by; empty when no service ran it.
    """

    by: str = ""
    origin: GateOrigin = ""
    link: str = ""
    job: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that spoke against a promotion.

    Attributes:
        guard: The name of the guard (`gates.promotion.guards`), or of the error, for programs.
        line: What it was, for people.
    """

    guard: str
    line: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done to a model, for its history.

    Attributes:
        when: When it began, with a time zone.
        kind: What was done.
        model: The registered model's name.
        version: The version it was about; for a promotion or rollback, the one moved to.
        previous_version: The version under the alias before; empty when there was none.
        by: Who did it.
        why: Why, in their words.
        verdict: The verdict it rested on; empty when it rested on none.
        evidence_digest: `sha256:…` of the evidence it rested on; empty when there was none.
        run_id: The MLflow run that records it; empty until it is recorded.
        alias: The alias that was moved; empty when none was.
        state: `begun` is written before an alias moves and stays when the process is killed.
        champion: For a gate, the version it was compared with; empty when there was none.
        origin: For a gate, where it ran; empty when that was not recorded.
        link: For a gate, its page in CI or in the service; empty when there is none.
        job: For a gate, the id that the service knows it by; empty when no service ran it.
        summary: For a gate, its main numbers as JSON (`gates.report.summary.summary_of`); for an
            approval, what was signed (`gates.evidence.approval`).
        refusals: For a promotion that was refused, what spoke against it.
        sequence: The turn in which an alias was moved (`gates.registry.chain`); 0 for none.
        previous_event: The MLflow run of the move before; empty when there was none.
        previous_digest: `sha256:…` of that event; empty when there was none.
    """

    when: datetime
    kind: EventKind
    model: str
    version: str
    previous_version: str = ""
    by: str = ""
    why: str = ""
    verdict: str = ""
    evidence_digest: str = ""
    run_id: str = ""
    alias: str = ""
    state: EventState = "done"
    champion: str = ""
    origin: GateOrigin = ""
    link: str = ""
    job: str = ""
    summary: str = ""
    refusals: tuple[Refusal, ...] = ()
    sequence: int = 0
    previous_event: str = ""
    previous_digest: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A version as the registry lists it: nothing of it was fetched or digested.

    Attributes:
        name: The registered model.
        version: Its number.
        created: When it was registered, with a time zone.
    """

    name: str
    version: str
    created: datetime
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Origin:
    """What MLflow knows of where a version came from.

    Attributes:
        registered: When it was registered.
        by: Who made the run behind it; empty when nobody knows.
        run: The name of that run; empty when there is none.
        trained: When that run began; None when there is none.
        params: Its parameters.
        metrics: Its metrics, the last value of each.
        datasets: The data sets logged on it, in words.
        description: What people wrote on the version.
    """

    registered: datetime
    by: str = ""
    run: str = ""
    trained: datetime | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    datasets: tuple[str, ...] = ()
    description: str = ""


class Registry(Protocol):
    """A model registry with mutable versions, of which only digests say what they hold."""

    def resolve(self, uri: str) -> ModelVersion:
        """The version behind a model URI, digested now.

        Args:
            uri: `models:/name/7` or `models:/name@alias`; `models:/` may be left out.

        Raises:
            RegistryError: There is no such model, version or alias (it says which there are).
            IntegrityError: Its artifact is not what was packaged.
        """

    def identity(self) -> RegistryFacts:
        """Which registry it is, whatever its address; it names itself when first asked.

        Raises:
            RegistryError: It could not be asked.
        """

    def path(self, version: ModelVersion) -> Path:
        """The local copy of a resolved version's artifact, which the registry cannot change.

        Raises:
            RegistryError: The copy is gone.
        """

    def aliases(self, name: str) -> Mapping[str, str]:
        """Alias → version number, as they are now.

        Raises:
            RegistryError: There is no such model.
        """

    def versions(self, name: str) -> tuple[Listed, ...]:
        """All versions of a model, newest first; none when there is no such model."""

    def alias(self, name: str, alias: str) -> ModelVersion | None:
        """The version under an alias, digested now; None when the alias is not set.

        Raises:
            RegistryError: There is no such model.
            IntegrityError: Its artifact is not what was packaged.
        """

    def register(
        self, name: str, model_dir: Path, tags: Mapping[str, str], description: str, *, by: str = ""
    ) -> ModelVersion:
        """Store a model folder as a new version, with its digest as the tag `gates.digest`.

        Args:
            name: The registered model; made when it is new.
            model_dir: A folder that holds an `MLmodel`.
            tags: Further tags of the version.
            description: A sentence about it, for people.
            by: Who packaged it, for the history.

        Raises:
            RegistryError: It could not be stored; then no version was registered.
            IntegrityError: The folder cannot be digested, or the store gives back other bytes.
        """

    def newest(self, name: str) -> str | None:
        """The number of a model's newest version; None when it has none.

        Raises:
            RegistryError: There is no such model.
        """

    def origin(self, version: ModelVersion) -> Origin:
        """What is known of where a version came from.

        Raises:
            RegistryError: The registry could not be asked.
        """

    def set_alias(self, name: str, alias: str, version: str, expected: str | None) -> None:
        """Move an alias, if it still points where the caller believes.

        Args:
            name: The registered model.
            version: The version number to point at.
            expected: The version number under the alias now; None when it is not set.

        Raises:
            PromotionRefused: Somebody else moved it meanwhile.
            RegistryError: There is no such model or version.
        """

    def exclusive(self, name: str) -> AbstractContextManager[object]:
        """A lock: no other process of this machine promotes or rolls back the model meanwhile.

        Raises:
            RegistryError: It cannot be made, or another process held it for too long.
        """

    def tag(self, version: ModelVersion, tags: Mapping[str, str]) -> None:
        """Set tags on a version."""

    def note(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Set tags on a version that was not resolved.

        Raises:
            RegistryError: There is no such version.
        """

    def log_gate(
        self,
        evidence: Path,
        files: Sequence[Path],
        version: ModelVersion,
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        *,
        source: GateSource,
        summary: str = "",
    ) -> str:
        """Store the evidence of a gate run and note its outcome on the version, once.

        What was begun for the same evidence before is completed.

        Args:
            evidence: The `evidence.json`.
            files: What else to keep beside it, such as reports.
            version: The candidate.
            metrics: Numbers to plot; those that are not finite are left out.
            tags: Tags of the run and the version; `gates.verdict` and `gates.evidence_digest`
                belong here.
            source: Who ran the gate, and from where.
            summary: Its main numbers as JSON, for lists that do not read evidence.

        Returns:
            The id of the run.
        """

    def evidence(self, uri: str, into: Path) -> Path | None:
        """Fetch the evidence of a version's latest gate run; nothing of its artifact is fetched.

        Args:
            uri: The version's, as for `resolve`.
            into: A folder to put `evidence.json`, and what stands beside it, into.

        Returns:
            The path of `evidence.json`; None when the version was never gated.

        Raises:
            RegistryError: There is no such model, version or alias.
        """

    def evidence_of(self, run_id: str, into: Path) -> Path:
        """Fetch the evidence that a gate run stored, be it the version's latest or not.

        Args:
            run_id: The MLflow run (`Event.run_id`).
            into: A folder to put `evidence.json`, and what stands beside it, into.

        Raises:
            RegistryError: There is no such run, or it holds no evidence.
        """

    def turns(self, name: str) -> tuple[Turn, ...]:
        """All turns that were taken to move an alias of a model, in order.

        Raises:
            RegistryError: The record of them was deleted (it says how it is restored).
        """

    def claim_turn(self, name: str, number: int, by: str) -> Turn | None:
        """Take a turn. The caller has the lock of `exclusive`, and the turn before has ended.

        Args:
            name: The registered model.
            number: Its number, one more than the last.
            by: Who takes it.

        Returns:
            The turn; None when somebody else has it.
        """

    def end_turn(self, name: str, turn: Turn, ending: Ending) -> Ending:
        """End a turn, unless it has ended.

        Returns:
            The ending that stands: this one, or that of whoever came first.
        """

    def is_left(self, name: str, turn: Turn) -> bool:
        """Whether the holder of a turn has certainly ended.

        The caller has the lock of `exclusive`: whoever took the turn under the same has not.
        """

    def log_event(self, event: Event, files: Sequence[Path] = ()) -> str:
        """Record an event, or complete the record of one that has a `run_id` already.

        Returns:
            The id of the run that records it.
        """

    def events(self, name: str, since: datetime | None = None) -> tuple[Event, ...]:
        """Everything that was done to a model through the gate, newest first.

        Args:
            name: The registered model.
            since: Only what was begun at that moment or later; None for all.

        Raises:
            RegistryError: There is no such model.
        """
