"""Queries that a plan is made from: those of an earlier gate, or what somebody assumes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gates.card.card import Card
from gates.comparison.measure import MeasuredQueries
from gates.comparison.measured_rows import RowsError, queries_in
from gates.comparison.measures import SEVERE, RankingMeasures, metric_of
from gates.comparison.metrics import quality
from gates.comparison.per_query import PerQuery
from gates.comparison.population import Population
from gates.domain.judging import Bound
from gates.errors import EvidenceError, RegistryError, UsageError
from gates.evidence.bundle import read_evidence, read_rows
from gates.kernels.informative import TELLS

if TYPE_CHECKING:
    from gates.domain.subject import GoldenSet
    from gates.evidence.evidence import Evidence
    from gates.project import Project

__all__ = ["Pilot", "assumed_pilot", "find_pilot", "pilot_in"]

_RANKING = "ranking-diff"
_TRIED = 20  # gates that are looked into for rows


@dataclass(frozen=True, slots=True, eq=False)
class Pilot:
    """Queries that a plan is made from.

    Attributes:
        evidence: What the gate left that measured them; None where they are assumed.
        queries: check → its queries, measured.
    """

    evidence: Evidence | None
    queries: Mapping[str, MeasuredQueries]

    def tells(self, bound: Bound) -> bool:
        """Whether it says anything of a bound: what is assumed is a difference, and no level."""
        known = self.evidence is not None
        return known or bound.metric == SEVERE or bound.metric.endswith(".delta")


def find_pilot(project: Project, model: str, golden: GoldenSet) -> Pilot:
    """The newest gate of a model that left rows, one of this golden set where there is one.

    Args:
        project: Whose registry is asked.
        model: The registered model.
        golden: Its golden set as it is now.

    Raises:
        RegistryError: The registry cannot be reached, or does not have the model.
        UsageError: No gate left rows.
    """
    others = None
    with tempfile.TemporaryDirectory() as scratch:
        for number, pilot in enumerate(_pilots(project, model, Path(scratch))):
            if pilot.evidence is not None and pilot.evidence.golden.digest == golden.digest:
                return pilot
            others = others or pilot
            if number >= _TRIED:
                break
    if others is None:
        raise UsageError(
            f"no gate of {model} compared two versions query by query yet",
            advice="gate any version against the champion once, such as the one before it: "
            f"gates run models:/{model}/VERSION; name a run: --from RUN; or say how versions "
            "differ: --changed 0.3 --by 0.1",
        )
    return others


def pilot_in(path: Path, *, verify_key: Path | None = None) -> Pilot:
    """A pilot from evidence and the rows beside it.

    Args:
        path: The `evidence.json`.
        verify_key: As `gates.evidence.bundle.read_evidence` takes it.

    Raises:
        EvidenceError: It cannot be read, or has no rows.
    """
    evidence = read_evidence(path, verify_key=verify_key)
    if evidence.champion is not None and evidence.candidate.uri == evidence.champion.uri:
        raise EvidenceError(
            "compared a version with itself: how versions differ is not in it",
            path=path,
            advice="name a run of two versions: --from RUN",
        )
    rows = read_rows(path, evidence)
    try:
        queries = {check: queries_in(content)[0] for check, content in rows.items()}
    except RowsError as problem:
        raise EvidenceError(str(problem), path=path, advice="name another run: --from") from None
    if not queries:
        raise EvidenceError(
            "has no rows: it compared nothing query by query, or is of an earlier mlgates",
            path=path,
            advice="name a run whose card asked for ranking-diff and that had a champion",
        )
    return Pilot(evidence, queries)


def assumed_pilot(card: Card, golden: GoldenSet, *, changed: float, by: float) -> Pilot:
    """A pilot that nobody ran: a share of queries, evenly spread, gains or loses as much each.

    Args:
        card: Whose `ranking-diff` says what is judged.
        golden: Its golden set, whose queries, weights and slices they are.
        changed: The share of queries that change, above 0.
        by: By how much of the judged metric, above 0; half of them up, half down.

    Raises:
        UsageError: The card demands nothing of ranking-diff.
    """
    asked = card.plans.get(_RANKING)
    metrics = [one for one in (asked.metrics if asked else ()) if one.endswith(".delta")]
    if asked is None or not metrics:
        raise UsageError(
            f"{card.path.name} demands no difference of ranking-diff",
            advice="what is assumed is a difference: name a run instead, --from RUN",
        )
    size = len(golden.query_id)
    # Every query is as likely to change, whatever the order of their ids.
    place = np.random.default_rng(0).permutation(size)
    moved = place < round(changed * size)
    old = np.full(size, 0.5)
    new = old + np.where(moved, np.where(place % 2 == 0, by, -by), 0.0)
    names = [metric_of(one) for one in metrics]
    severe = getattr(asked.options, "severe", by)
    per_query = PerQuery(
        dict.fromkeys(names, old),
        dict.fromkeys(names, new),
        {},
        {},
        dict.fromkeys(names, np.full(size, TELLS)),
        met=0,
        repeated=0,
        judge_next=(),
        longest=0,
    )
    population = Population(
        np.arange(size),
        golden.weight,
        golden.design_weight,
        golden.census,
        golden.slices,
        cluster=golden.cluster,
    )
    measures = RankingMeasures(quality(names[0]), tuple(metrics), "linear", 1.0)
    queries = MeasuredQueries(measures, population, per_query, severe)
    return Pilot(None, {_RANKING: queries})


def _pilots(project: Project, model: str, scratch: Path) -> Iterator[Pilot]:
    registry = project.registry
    gates = (one for one in registry.events(model) if one.kind == "gate" and one.run_id)
    for one in gates:
        if one.champion in ("", one.version):
            continue
        try:
            path = registry.evidence_of(one.run_id, scratch / one.run_id)
            yield pilot_in(path, verify_key=project.settings.verify_key)
        except (EvidenceError, RegistryError):
            continue  # no rows in it, or it is gone
