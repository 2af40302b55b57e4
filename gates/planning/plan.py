"""How likely a card is to pass a version, before any version is run.

From queries that an earlier gate measured. Samples like them are drawn, and each is held against
the card's bounds by the bound that decides in a run (`gates.kernels.planning`), for a version that
is equal in truth, for one that is slightly better, and for one that loses just the margin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import floor, inf
from typing import TYPE_CHECKING

from gates.card.card import Card
from gates.comparison.goals import goals_of, limit_of
from gates.comparison.measures import metric_of
from gates.domain.judging import Bound
from gates.errors import RegistryError, UsageError
from gates.kernels.design import SampleDesign
from gates.kernels.planning import Goal, PassChance, Reach, pass_chance, reach, rows_needed
from gates.planning.pilot import Pilot, find_pilot

if TYPE_CHECKING:
    from gates.domain.subject import GoldenSet
    from gates.project import Project

__all__ = ["CardPlan", "Effect", "Forecast", "Help", "PlannedBound", "forecast", "plan_card"]

_KEPT = 0.8  # how often an equal version keeps the limit that is shown beside a bound
_SURE = 0.95  # from here on a bound is no obstacle, and nothing is advised
_NOTABLE = 0.005  # of the joint chance: what changes less is no help
_HELPS = 3
_FEW = 200  # samples that tell how many queries are needed
_DIGITS = 1e4  # limits are shown to so much


@dataclass(frozen=True, slots=True)
class Effect:
    """A kind of version that is planned for.

    Attributes:
        name: `equal`, `better` or `at margin`.
        of: metric → by how much it is better.
    """

    name: str
    of: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PlannedBound:
    """A bound of the card, and how likely versions are to keep it.

    Attributes:
        queries: How many of the pilot's queries it is about.
        chance: effect → how likely such a version is to get its PASS.
        kept: What the bound would have to demand for an equal version to keep it four times in
            five; None where that is no demand of this kind.
        needed: How many queries an equal version takes to keep it four times in five; None where
            no number does.
    """

    bound: Bound
    queries: int
    chance: Mapping[str, float]
    kept: float | None
    needed: int | None


@dataclass(frozen=True, slots=True)
class Help:
    """What would let an equal version pass more often.

    Attributes:
        bound: The bound that stands in its way.
        demand: What it would demand instead, as it keeps it 95 times in a hundred; None where
            that is no demand of this kind.
        wider: The joint chance with that.
        queries: How many queries it is about now.
        more: With how many it would be kept 95 times in a hundred; None where no number does.
        without: The joint chance without it.
    """

    bound: Bound
    demand: float | None
    wider: float | None
    queries: int
    more: int | None
    without: float

    @property
    def more_joint(self) -> float:
        """About the joint chance with more queries."""
        return _SURE * self.without


@dataclass(frozen=True, eq=False)
class CardPlan:
    """How likely a card is to pass a version.

    Attributes:
        bounds: Every bound of the card that could block.
        pilot: What it is planned from.
    """

    bounds: tuple[Bound, ...]
    pilot: Pilot

    @cached_property
    def margins(self) -> Mapping[str, float]:
        """Metric → what the card lets a version lose of it, over all queries."""
        return {
            metric_of(one.metric): -one.minimum
            for one in self.bounds
            if one.metric.endswith(".delta") and not one.slice and (one.minimum or 0.0) < 0
            if one.minimum is not None
        }

    @cached_property
    def effects(self) -> tuple[Effect, ...]:
        """The versions that are planned for, the equal one first."""
        metrics = {
            metric_of(one.metric)
            for one in self.bounds
            if one.metric.endswith((".delta", ".change"))
        }
        kinds = {"equal": 0.0, "better": 0.5, "at margin": -1.0}
        return tuple(
            Effect(name, {one: times * self.margins.get(one, 0.0) for one in sorted(metrics)})
            for name, times in kinds.items()
            if self.margins or name == "equal"
        )

    @cached_property
    def planned(self) -> tuple[Bound, ...]:
        """The bounds whose chances can be told."""
        equal = self.effects[0].of
        return tuple(one for one in self.bounds if self._goals(one, equal))

    @property
    def others(self) -> tuple[Bound, ...]:
        """The bounds that are taken to hold: nothing of them was kept query by query."""
        return tuple(one for one in self.bounds if one not in self.planned)

    def joint(self, effect: Effect) -> PassChance:
        """How likely such a version is to get a PASS from all planned bounds at once.

        Args:
            effect: One of `effects`.
        """
        if effect.name not in self._chances:
            self._chances[effect.name] = pass_chance(self._of(effect.name), self._design)
        return self._chances[effect.name]

    @cached_property
    def rows(self) -> tuple[PlannedBound, ...]:
        """The planned bounds one by one."""
        kept = self._reach.kept(_KEPT)
        each = {one.name: self.joint(one).each for one in self.effects}
        found = []
        for bound, places in self._places:
            goal = self._of("equal")[places[0]]
            found.append(
                PlannedBound(
                    bound,
                    _count(goal),
                    {name: min(chances[at] for at in places) for name, chances in each.items()},
                    _demand(bound, kept[places[0]]),
                    self._needed(places, _KEPT),
                )
            )
        return tuple(found)

    def helps(self) -> tuple[Help, ...]:
        """What would help most, the bound that is in the way most often first."""
        equal, now = self._reach, self.joint(self.effects[0])
        each = now.each
        order = sorted(self._places, key=lambda one: min(each[at] for at in one[1]))
        sure = equal.kept(_SURE)
        found = []
        for bound, places in order[:_HELPS]:
            if min(each[at] for at in places) >= _SURE:
                continue
            without = equal.chance(self._instead(places, -inf)).joint
            if without - now.joint < _NOTABLE:
                continue
            demand = _demand(bound, sure[places[0]]) if len(places) == 1 else None
            wider = None
            if demand is not None:
                limit = demand if bound.minimum is not None else -demand
                wider = equal.chance(self._instead(places, limit)).joint
            found.append(
                Help(
                    bound,
                    demand,
                    wider,
                    _count(self._of("equal")[places[0]]),
                    self._needed(places, _SURE),
                    without,
                )
            )
        return tuple(found)

    def without_slices(self) -> Mapping[str, float]:
        """Slice column → how likely an equal version is to pass if no bound named its slices."""
        found: dict[str, list[int]] = {}
        for bound, places in self._places:
            if bound.slice:
                found.setdefault(bound.slice.partition("=")[0], []).extend(places)
        return {
            column: self._reach.chance(self._instead(places, -inf)).joint
            for column, places in found.items()
        }

    def demands(self, power: float) -> tuple[tuple[Bound, float], ...]:
        """The tightest demands that an equal version meets all at once with a chance.

        Each bound is kept as often as any other; limits are rounded to where they are kept.

        Args:
            power: The chance, between 0 and 1.
        """
        limits = self._reach.kept_together(power)
        found = ((one, _demand(one, limits[places[0]])) for one, places in self._places)
        return tuple((one, demand) for one, demand in found if demand is not None)

    @cached_property
    def _places(self) -> tuple[tuple[Bound, range], ...]:
        found, at = [], 0
        for one in self.planned:
            count = len(self._goals(one, self.effects[0].of))
            found.append((one, range(at, at + count)))
            at += count
        return tuple(found)

    @cached_property
    def _chances(self) -> dict[str, PassChance]:
        return {}  # filled as they are asked for: each takes a second or two

    @cached_property
    def _reach(self) -> Reach:
        return reach(self._of("equal"), self._design)

    @cached_property
    def _limits(self) -> tuple[float, ...]:
        return tuple(one.limit for one in self._of("equal"))

    @cached_property
    def _design(self) -> SampleDesign:
        population = next(iter(self.pilot.queries.values())).population
        return SampleDesign(population.weight, population.census, population.cluster)

    def _of(self, effect: str) -> list[Goal]:
        effects = next(one.of for one in self.effects if one.name == effect)
        return [goal for bound in self.planned for goal in self._goals(bound, effects)]

    def _goals(self, bound: Bound, effects: Mapping[str, float]) -> tuple[Goal, ...]:
        queries = self.pilot.queries.get(bound.check)
        if queries is None or not self.pilot.tells(bound):
            return ()
        return goals_of(bound, queries, effects)

    def _instead(self, places: Sequence[int], limit: float) -> list[float]:
        return [limit if at in places else one for at, one in enumerate(self._limits)]

    def _needed(self, places: Sequence[int], power: float) -> int | None:
        goals = self._of("equal")
        found = [rows_needed(goals[at], self._design, power=power, resamples=_FEW) for at in places]
        return None if None in found else max(one for one in found if one is not None)


def plan_card(card: Card, golden: GoldenSet, pilot: Pilot) -> CardPlan:
    """Plan with a card.

    Args:
        card: The card.
        golden: Its golden set.
        pilot: An earlier gate.

    Raises:
        UsageError: None of the card's bounds was measured query by query by that gate.
    """
    asked = tuple(replace(one, waivers=()) for one in card.bounds(golden) if not one.advisory)
    plan = CardPlan(asked, pilot)
    if not plan.planned:
        raise UsageError(
            f"nothing that {card.path.name} demands is known query by query",
            advice="a plan needs bounds of ranking-diff that a gate has measured once",
        )
    return plan


@dataclass(frozen=True, slots=True)
class Forecast:
    """How likely a card is to pass an equal version.

    Attributes:
        chance: From 0 to 1.
        pilot: The version whose gate says how rankings differ.
    """

    chance: float
    pilot: str


def forecast(project: Project, card: Card, golden: GoldenSet) -> Forecast | None:
    """How likely a card is to pass an equal version; None where no earlier gate can tell.

    Args:
        project: Whose registry is asked.
        card: The card.
        golden: Its golden set.
    """
    try:
        pilot = find_pilot(project, card.policy.model, golden)
        plan = plan_card(card, golden, pilot)
    except (RegistryError, UsageError):
        return None
    if pilot.evidence is None:
        return None
    return Forecast(plan.joint(plan.effects[0]).joint, pilot.evidence.candidate.version)


def _count(goal: Goal) -> int:
    return int((goal.values == goal.values).sum())  # NaN is not equal to itself


def _demand(bound: Bound, limit: float) -> float | None:
    """A limit in the bound's own sign, rounded to where it is kept; None where it is none."""
    if limit == -inf or bound.metric.endswith(".change"):
        return None
    rounded = floor(limit * _DIGITS) / _DIGITS
    if bound.metric.endswith(".delta") and rounded >= 0:
        return None  # a census has no chance in it: any margin is kept
    return limit_of(bound, 0, rounded)
