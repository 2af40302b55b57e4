"""The policy of a model card: what its front matter may hold, key by key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from gates.domain.artifact_scan import Severity
from gates.domain.installation import PYTHON_VERSION
from gates.domain.judging import Layer
from gates.domain.tasks.written import WrittenTask

__all__ = [
    "UNWRITTEN",
    "AnswerPolicy",
    "ApprovalPolicy",
    "BoundPolicy",
    "CheckPolicy",
    "EnvironmentPolicy",
    "Limit",
    "Policy",
    "WaiverPolicy",
]

_DISTRIBUTION = r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"
_PART = r"[A-Za-z0-9]+([._-]+[A-Za-z0-9]+)*"
_IMAGE = rf"^{_PART}(:[0-9]+)?(/{_PART})*(:[A-Za-z0-9_][A-Za-z0-9._-]*)?(@sha256:[0-9a-f]{{64}})?$"

_PERCENT = re.compile(r"([+-]?\d{1,9}(?:\.\d{1,9})?) ?%")


def _share(written: object) -> object:
    """A percentage as the share it is; anything else as it was written."""
    found = _PERCENT.fullmatch(written) if isinstance(written, str) else None
    return float(found[1]) / 100 if found else written


Number = Annotated[float, Field(allow_inf_nan=False, strict=True), BeforeValidator(_share)]


Named = Annotated[str, Field(min_length=1, pattern=r"^[^*?]+$")]
"""The name of one thing: there are no wildcards."""


_KEY = r"^MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=$"  # DER of an Ed25519 public key, in base64


class Strict(BaseModel):
    """A model that forbids keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Limit(Strict):
    """A least and a greatest acceptable value; at least one of them.

    Attributes:
        min: The least acceptable value.
        max: The greatest acceptable value.
    """

    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Limit:
        if self.min is None and self.max is None:
            raise ValueError("a bound needs 'min', 'max' or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"'min' {self.min:g} is above 'max' {self.max:g}")
        return self


class BoundPolicy(Limit):
    """A bound on one metric, with other limits for slices where named.

    Attributes:
        min: The least acceptable value.
        max: The greatest acceptable value.
        advisory: Whether it is only shown, and cannot block.
        slices: Limits of slices: `column` for each of its values, or `column=value`.
    """

    advisory: bool = False
    slices: dict[str, Limit] = {}


class CheckPolicy(Strict):
    """One check: its bounds (its defaults when not written) and options.

    Attributes:
        bounds: What is demanded of its metrics, by name.
        advisory: Whether all its bounds are only shown, and cannot block.
        options: How it measures; each check names its own.
    """

    bounds: dict[str, BoundPolicy] | None = None
    advisory: bool = False
    options: dict[str, Any] = {}

    @field_validator("bounds", mode="before")
    @classmethod
    def _percent_of_what(cls, bounds: object) -> object:
        """Refuse a percentage of a difference, which could be one of the champion's or a point.

        Raises:
            ValueError: There is one.
        """
        for metric, bound in bounds.items() if isinstance(bounds, Mapping) else ():
            if str(metric).endswith(".delta") and any(map(_is_percent, _limits(bound))):
                relative = f"{str(metric).removesuffix('.delta')}.change"
                raise ValueError(
                    f"a percentage of '{metric}' may mean two things: bound '{relative}', which is "
                    "a share of the champion's value, or write the difference as a number"
                )
        return bounds


def _limits(bound: object) -> Iterator[object]:
    """What a bound and its slices say, as it was written."""
    if isinstance(bound, Mapping):
        yield from (bound.get("min"), bound.get("max"))
        slices = bound.get("slices")
        for one in slices.values() if isinstance(slices, Mapping) else ():
            yield from _limits(one)


def _is_percent(written: object) -> bool:
    return isinstance(written, str) and _PERCENT.fullmatch(written) is not None


class AnswerPolicy(Strict):
    """Where in an answer of several columns a check finds what it asks for.

    Attributes:
        score: The column that holds the score: its name, or its position from 0 in a matrix such
            as `predict_proba` gives.
        label: The column that holds the label; `label` when None.
    """

    score: Named | Annotated[int, Field(ge=0, strict=True)] | None = None
    label: Named | None = None


class EnvironmentPolicy(Strict):
    """How a version is run.

    Attributes:
        kind: `venv`, a virtual environment on this machine, or `docker`, a container.
        image: The image a container is built upon, by digest (`name@sha256:…`, or the engine's own
            `sha256:…` id); only for `docker`.
        python: The Python version it needs; what it was packaged with when None.
        source_builds: Distributions of its lock that may be built from source, in a cage; all else
            comes as wheels. Not for `docker`.
        memory_mb: What one worker may use, in MiB.
        start_seconds: From starting the process to its model being loaded.
        predict_seconds: For one prediction.
        require: Isolation layers without which no model is loaded.
        refuse: No version is loaded whose artifact has a finding this severe, or a worse one;
            from `high` down, also none that could not be looked at whole.
        answer: Which columns of its answer count.
        labels_only: Whether a classifier may answer a label alone: its score then counts as 1.
        allow: Globals in pickles, as `module.name`, that the team knows to be harmless.
    """

    kind: Literal["venv", "docker"] = "venv"
    image: str | None = Field(default=None, pattern=_IMAGE, max_length=512)
    python: str | None = Field(default=None, pattern=PYTHON_VERSION)
    source_builds: tuple[Annotated[str, Field(pattern=_DISTRIBUTION)], ...] = ()
    memory_mb: int = Field(default=4096, ge=64)
    start_seconds: float = Field(default=120.0, gt=0)
    predict_seconds: float = Field(default=120.0, gt=0)
    require: tuple[Layer, ...] = ()
    refuse: Severity | Literal["never"] = "critical"
    answer: AnswerPolicy = AnswerPolicy()
    labels_only: bool = False
    allow: tuple[Annotated[str, Field(pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)+$")], ...] = ()

    @model_validator(mode="after")
    def _container_has_a_base(self) -> EnvironmentPolicy:
        if (self.kind == "docker") is not (self.image is not None):
            raise ValueError("'image' belongs to 'kind: docker', which needs one")
        if self.kind == "docker" and self.source_builds:
            raise ValueError("'source_builds' is not for 'kind: docker': containers take wheels")
        return self


UNWRITTEN = EnvironmentPolicy()
"""What holds where a card says nothing of it, and where there is no card."""


class WaiverPolicy(Strict):
    """What is excused for a while: it runs, shows what it would have been, and cannot block.

    Attributes:
        check: The check, all of whose bounds are excused where no bound is named.
        bound: One of its metrics.
        slice: The bound of that metric on one slice, as `column=value`.
        query: The id of a golden query: its items are excused, of a metric that counts such.
        reason: Why.
        who: Who answers for it.
        expires: The last day on which it holds, in UTC.
    """

    check: Named
    bound: Named | None = None
    slice: Annotated[Named, Field(pattern=r"^[^=]+=.+$")] | None = None
    query: Named | None = None
    reason: str = Field(min_length=10, max_length=500)
    who: str = Field(min_length=1, max_length=200)
    expires: date

    @model_validator(mode="after")
    def _is_of_one_thing(self) -> WaiverPolicy:
        if self.bound is None and (self.slice or self.query):
            raise ValueError("a slice or query is waived of one 'bound': name it")
        if self.slice and self.query:
            raise ValueError("it waives a slice or a query, not both: write two")
        return self

    @property
    def covers(self) -> str:
        """What it excuses, as reports write it."""
        named = self.check + (f"::{self.bound}" if self.bound else "")
        named += f"[{self.slice}]" if self.slice else ""
        return named + (f", query {self.query}" if self.query else "")


class ApprovalPolicy(Strict):
    """Who has to have seen the evidence before it promotes anything.

    Attributes:
        needed: How many, besides whoever promotes and whoever ran the gate.
        keys: Person → Ed25519 public key: the line of the PEM file between the others.
    """

    needed: int = Field(default=1, ge=1, strict=True)
    keys: dict[str, Annotated[str, Field(pattern=_KEY)]] = Field(min_length=1)

    @model_validator(mode="after")
    def _can_be_met(self) -> ApprovalPolicy:
        if len(set(self.keys.values())) < len(self.keys):
            raise ValueError("two people have the same key: each needs their own")
        if self.needed > len(self.keys):
            raise ValueError(f"{self.needed} are needed, and {len(self.keys)} can approve")
        return self


class Policy(Strict):
    """The front matter of a card.

    Attributes:
        model: The registered model's name.
        task: What kind of model it is.
        owners: Who answers for it.
        golden: The golden set's folder; `golden/MODEL` when not written.
        champion: The registry alias that means "in production".
        promote: Whether the service moves that alias by itself when a gate passed.
        approvals: Who has to have seen the evidence before it promotes; nobody when None.
        evidence_days: After how many days evidence promotes nothing any more; never when None.
        environment: How a version is run.
        seed: Of every random draw, so that the same run gives the same numbers.
        checks: What is measured and demanded; a check with nothing under it has its defaults.
        waivers: What of it is excused for a while.
    """

    model: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    task: WrittenTask
    owners: list[str] = Field(min_length=1)
    golden: str | None = None
    champion: str = Field(default="champion", pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")
    promote: Literal["by-hand", "on-pass"] = "by-hand"
    evidence_days: int | None = Field(default=None, ge=1, strict=True)
    approvals: ApprovalPolicy | None = None
    environment: EnvironmentPolicy = EnvironmentPolicy()
    seed: int = Field(default=20260101, ge=0)
    checks: dict[str, CheckPolicy | None] = Field(min_length=1)
    waivers: list[WaiverPolicy] = []

    @model_validator(mode="after")
    def _somebody_can_approve_in_time(self) -> Policy:
        if self.approvals and self.promote == "on-pass":
            raise ValueError(
                "'approvals' are given after a gate: 'promote: on-pass' leaves no time"
            )
        return self
