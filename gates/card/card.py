"""The model card: prose for people, and front matter that is the gate's policy.

A card is read against a catalogue of checks, so that this floor knows no check by name: each
check says which answers it measures, which metrics and which options it has (`CheckSpec`), and the
card may ask only for those.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from gates.card.policy import UNWRITTEN, BoundPolicy, CheckPolicy, Limit, Policy, WaiverPolicy
from gates.card.waiving import check_waivers, in_force, waived_queries, with_waivers
from gates.domain.judging import Bound
from gates.domain.subject import CheckPlan, GoldenSet
from gates.domain.tasks import AnswerForm, Task
from gates.domain.waivers import Waiver
from gates.errors import CardError
from gates.system.files import read_bounded
from gates.system.strict_yaml import Lines, nearest, parse

__all__ = ["Card", "CheckSpec", "MetricSpec", "read_card"]

_MOST_BYTES = 1 << 20

OptionsT_co = TypeVar("OptionsT_co", bound=BaseModel, covariant=True)


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """A metric a check can measure.

    Attributes:
        name: Its name; `{k}` stands for a positive integer, as in `ndcg@{k}.delta`.
        summary: What it says, in words.
        unit: What it counts.
        default: The limits that hold when the card lists no bounds for its check.
        sliceable: Whether bounds may name slices.
        answers: The forms of answer it exists for; None for all of its check's.
        by_query: Whether it counts items of single queries, so that a waiver may name one.
    """

    name: str
    summary: str
    unit: str
    default: Limit | None = None
    sliceable: bool = False
    answers: AnswerForm | None = None
    by_query: bool = False

    def matches(self, metric: str) -> bool:
        """Whether a metric written in a card is this one."""
        pattern = re.escape(self.name).replace(re.escape("{k}"), r"[1-9]\d{0,3}")
        return re.fullmatch(pattern, metric) is not None

    def serves(self, task: Task) -> bool:
        """Whether it exists for models of a task that its check can be used for."""
        return self.answers is None or task.answers in self.answers


@dataclass(frozen=True, slots=True)
class CheckSpec(Generic[OptionsT_co]):
    """What a check offers to a card.

    Attributes:
        name: Its name in the card.
        summary: What it looks at, in words.
        answers: The forms of answer it can measure, which say for what tasks it can be used.
        metrics: What it measures.
        options: The pydantic model of its options.
    """

    name: str
    summary: str
    answers: AnswerForm
    metrics: tuple[MetricSpec, ...]
    options: type[OptionsT_co]

    def serves(self, task: Task) -> bool:
        """Whether it can be used for models of a task."""
        return task.answers in self.answers


@dataclass(frozen=True)
class Card:
    """A card that was read and found valid.

    Attributes:
        project: The folder that paths in the card start from.
        digest: `sha256:…` of the policy (prose may change freely).
        policy: The front matter.
        prose: The text below it.
        plans: check → what is asked of it.
        lines: Where each key stands.
    """

    path: Path
    project: Path
    digest: str
    policy: Policy
    prose: str
    plans: Mapping[str, CheckPlan[BaseModel]]
    limits: Mapping[str, Mapping[str, BoundPolicy]]
    lines: Lines

    @property
    def golden_path(self) -> Path:
        """The folder of the golden set: as written, else `golden/<model>`."""
        return self.project / (self.policy.golden or f"golden/{self.policy.model}")

    @property
    def model_folder(self) -> Path:
        """What the model is packaged from, where that is part of the project."""
        return self.project / "models" / self.policy.model

    def waivers(self, today: date | None = None) -> Mapping[WaiverPolicy, Waiver]:
        """The waivers of the card, all of which hold.

        Args:
            today: The day, in UTC; today when None.

        Raises:
            CardError: One expired, or would hold for longer than waivers may.
        """
        return in_force(self.policy.waivers, self.path, self.lines, today)

    def bounds(self, golden: GoldenSet) -> tuple[Bound, ...]:
        """Every bound of the card, slice columns spelled out value by value, with its waivers.

        Args:
            golden: The golden set whose slices are meant.

        Raises:
            CardError: A slice column, value or query is not in the golden set; a waiver expired.
        """
        found: list[Bound] = []
        for check, metrics in self.limits.items():
            entry = self.policy.checks[check] or CheckPolicy()
            for metric, limit in metrics.items():
                advisory = limit.advisory or entry.advisory
                found.append(Bound(check, metric, limit.min, limit.max, "", advisory))
                for key, own in limit.slices.items():
                    line = self.lines.of("checks", check, "bounds", metric, "slices", key)
                    found += [
                        Bound(check, metric, own.min, own.max, name, advisory)
                        for name in self._slice_names(key, golden, line)
                    ]
        return with_waivers(found, self.waivers(), golden, self.path, self.lines)

    def _slice_names(self, key: str, golden: GoldenSet, line: int | None) -> list[str]:
        column, equals, value = key.partition("=")
        if column not in golden.slices:
            raise CardError(
                f"the golden set has no slice column '{column}'",
                path=self.path,
                line=line,
                advice=nearest(column, golden.slices),
            )
        values = golden.slice_values(column)
        if equals and value not in values:
            raise CardError(
                f"no golden query has {column} '{value}'",
                path=self.path,
                line=line,
                advice=nearest(value, values),
            )
        # A column that is empty leaves its demand standing: nobody has the slice that it asks for.
        return [f"{column}={one}" for one in ((value,) if equals else values or ("",))]


def read_card(path: Path, catalogue: Mapping[str, CheckSpec[BaseModel]], *, project: Path) -> Card:
    """Read and validate a model card.

    Args:
        path: The Markdown file.
        catalogue: Check name → what it offers.
        project: The folder that the card's paths start from.

    Returns:
        The card.

    Raises:
        CardError: With file, line, key and the nearest valid name.
    """
    front, prose, first_line = _split(path)
    policy, lines = parse(front, Policy, path=path, error=CardError, first_line=first_line)
    plans: dict[str, CheckPlan[BaseModel]] = {}
    limits: dict[str, Mapping[str, BoundPolicy]] = {}
    for name, entry in policy.checks.items():
        line = lines.of("checks", name)
        spec = catalogue.get(name)
        if spec is None:
            advice = nearest(name, catalogue)
            raise CardError(f"unknown check '{name}'", path=path, line=line, advice=advice)
        if not spec.serves(policy.task):
            usable = [s.name for s in catalogue.values() if s.serves(policy.task)]
            raise CardError(
                f"check '{name}' is not for {policy.task} models",
                path=path,
                line=line,
                advice=f"for {policy.task} there are: {', '.join(sorted(usable))}",
            )
        entry = entry or CheckPolicy()
        limits[name] = _limits(spec, policy.task, entry, path, lines)
        columns = {key.partition("=")[0] for b in limits[name].values() for key in b.slices}
        options = _options(spec, entry, path, lines)
        margins = {metric: _margins(limit) for metric, limit in limits[name].items()}
        plans[name] = CheckPlan(
            tuple(limits[name]),
            tuple(sorted(columns)),
            options,
            margins,
            waived_queries(policy.waivers, name),
        )
    specs = {name: catalogue[name].metrics for name in policy.checks}
    check_waivers(policy, limits, _by_query(specs), path, lines)
    _requires_something(policy, limits, path, lines)
    card = Card(path, project, _digest(policy), policy, prose, plans, limits, lines)
    if not card.golden_path.is_dir():
        raise CardError(
            f"there is no golden set at {card.golden_path}",
            path=path,
            line=lines.of("golden") if policy.golden else lines.of("model"),
            advice="make that folder, or set 'golden:' to where it is",
        )
    return card


def _split(path: Path) -> tuple[str, str, int]:
    try:
        text = read_bounded(path, _MOST_BYTES).decode("utf-8-sig")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        siblings = [one.name for one in path.parent.glob("*.md")] if path.parent.is_dir() else []
        advice = (
            nearest(path.name, siblings)
            if siblings
            else "write it, or check the model's name (`gates run` also takes --card)"
        )
        raise CardError("there is no such model card", path=path, advice=advice) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise CardError(f"cannot be read: {problem}", path=path) from None
    match = re.match(
        r"---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)(.*)", text, re.DOTALL | re.MULTILINE
    )
    if not match:
        raise CardError(
            "a card begins with YAML front matter between two '---' lines",
            path=path,
            line=1,
            advice="put the policy (model, task, owners, checks) there",
        )
    return match[1], match[2], 2


def _limits(
    spec: CheckSpec[BaseModel], task: Task, entry: CheckPolicy, path: Path, lines: Lines
) -> Mapping[str, BoundPolicy]:
    metrics = [one for one in spec.metrics if one.serves(task)]
    if entry.bounds is None:
        defaults = {
            metric.name: BoundPolicy(min=metric.default.min, max=metric.default.max)
            for metric in metrics
            if metric.default
        }
        if not defaults:
            raise CardError(
                f"check '{spec.name}' has no default bounds",
                path=path,
                line=lines.of("checks", spec.name),
                advice=f"write 'bounds:'; it measures {', '.join(m.name for m in metrics)}",
            )
        return defaults
    for metric, limit in entry.bounds.items():
        known = next((one for one in metrics if one.matches(metric)), None)
        line = lines.of("checks", spec.name, "bounds", metric)
        if known is None:
            fault = f"has no metric '{metric}'"
            if any(one.matches(metric) for one in spec.metrics):
                fault = f"does not measure '{metric}' for {task} models"
            raise CardError(
                f"check '{spec.name}' {fault}",
                path=path,
                line=line,
                advice=nearest(metric, [one.name for one in metrics]),
            )
        if limit.slices and not known.sliceable:
            raise CardError(f"metric '{metric}' is not measured by slice", path=path, line=line)
    return entry.bounds


def _margins(limit: BoundPolicy) -> Mapping[str, float]:
    named: dict[str, Limit] = {"": limit, **limit.slices}
    return {key: -one.min for key, one in named.items() if one.min is not None and one.min < 0}


def _options(spec: CheckSpec[BaseModel], entry: CheckPolicy, path: Path, lines: Lines) -> BaseModel:
    try:
        return spec.options.model_validate(entry.options)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        place = [str(part) for part in first["loc"]]
        advice = nearest(place[0], spec.options.model_fields) if place else ""
        raise CardError(
            f"check '{spec.name}', option '{'.'.join(place)}': {first['msg']}",
            path=path,
            line=lines.of("checks", spec.name, "options", *place),
            advice=advice,
        ) from None


def _requires_something(
    policy: Policy, limits: Mapping[str, Mapping[str, BoundPolicy]], path: Path, lines: Lines
) -> None:
    for name, metrics in limits.items():
        entry = policy.checks[name] or CheckPolicy()
        if not entry.advisory and any(not limit.advisory for limit in metrics.values()):
            return
    raise CardError(
        "the card requires nothing: every bound is advisory",
        path=path,
        line=lines.of("checks"),
        advice="a gate that asks nothing would pass anything; make at least one bound required",
    )


def _by_query(specs: Mapping[str, tuple[MetricSpec, ...]]) -> Callable[[str, str], bool]:
    return lambda check, metric: any(one.by_query and one.matches(metric) for one in specs[check])


def _digest(policy: Policy) -> str:
    # Who moves the alias, and how soon, changes nothing of what is measured or how it is judged.
    unwritten = {key for key in ("waivers", "approvals") if not getattr(policy, key)}
    without = {"promote", "evidence_days"} | unwritten
    said = policy.model_dump(mode="json", exclude=without)
    if policy.environment.answer == UNWRITTEN.answer:  # a key that is not written changes no digest
        del said["environment"]["answer"]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
