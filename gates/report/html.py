"""The report as one HTML file that asks nothing of any server and runs no script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gates.domain import Bound, Exhibit, Judgement, Measurement, Outcome
from gates.evidence import CheckRecord, Evidence, canonical, evidence_digest
from gates.report import advice, pictures, summary, text, wording
from gates.report.differences import QueryDifference, RankingDifference, ranking_differences

__all__ = ["BUDGET", "render"]

# What a report may weigh, in bytes, before lists of single queries are left out. Mail programs
# and artifact viewers begin to refuse files of a few megabytes.
BUDGET = 1_900_000

# How many regressions and gains are named, and how many of them stand open.
_WORST, _WORST_OPEN = 10, 3
_BEST, _BEST_OPEN = 5, 1
_TABLE_ROWS = 200
_LOG_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class _Row:
    """One measurement with its picture, judged or not."""

    measurement: Measurement | None
    judgement: Judgement | None
    picture: Markup

    @property
    def bound(self) -> Bound | None:
        return self.judgement.bound if self.judgement else None


@dataclass(frozen=True, slots=True)
class _Forest:
    """One metric by slice, the whole golden set first, on one scale."""

    check: str
    fault: str
    metric: str
    unit: str
    rows: tuple[_Row, ...]
    axis: Markup


@dataclass(frozen=True, slots=True)
class _Check:
    """One check: its bounds on the whole golden set and what it shows."""

    name: str
    record: CheckRecord
    rows: tuple[_Row, ...]
    own_tests: tuple[Judgement, ...]
    unasked: tuple[Measurement, ...]
    tables: tuple[Exhibit, ...]


@dataclass(frozen=True, slots=True)
class _Lists:
    """Rendered queries of one ranking difference, and how many had to be left out."""

    difference: RankingDifference
    worst: tuple[Markup, ...]
    best: tuple[Markup, ...]
    every: tuple[Markup, ...]
    dropped: int


def render(evidence: Evidence) -> str:
    """The report of a run as a self-contained HTML page.

    Args:
        evidence: The run; everything in it is treated as untrusted text.

    Returns:
        The page. It stays under `BUDGET` bytes by leaving out the lists of the queries that
        changed least, and says so where it does.

    Raises:
        EvidenceError: A ranking difference in it is damaged.
    """
    differences = tuple(ranking_differences(evidence))
    bare = _page(evidence, [_lists(one, ()) for one in differences])
    room = BUDGET - len(bare.encode())
    lists = []
    for one in differences:
        every = _within(one, room)
        room -= sum(len(block.encode()) for block in every)
        lists.append(_lists(one, every))
    return _page(evidence, lists)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gates.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        name: getattr(text, name)
        for name in ("amount", "clip", "count", "demand", "duration", "interval", "number")
    } | {
        "signed": text.signed,
        "signs": text.with_signs,
        "tail": _tail,
        "breakable": _breakable,
        "why": _why,
        "basis": wording.basis,
        "beside": wording.beside,
        "unit": wording.unit,
        "test_name": wording.test_name,
        "state": wording.state,
    }
    environment.globals |= {"marks": summary.MARKS, "picture": pictures, "level": _level}
    return environment


def _shown(value: object) -> object:
    return text.clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _tail(log: str) -> str:
    return log if len(log) <= _LOG_CHARACTERS else "…\n" + log[-_LOG_CHARACTERS:]


def _breakable(name: str) -> Markup:
    """A long name that may be broken after the signs between its words, and copied whole."""
    parts = re.split(r"(?<=[_/.:=\[])(?=[^\W\d])", text.clean(name))
    return Markup("<wbr>").join(parts)


def _why(row: _Row, fault: str = "") -> str:
    """What is to be said beside the numbers; a fault of the whole check is said above its table."""
    own = wording.remark(row.judgement) if row.judgement else ""
    if own == fault:
        own = ""
    return "\u00a0· ".join(filter(None, (own, *wording.details(row.measurement))))


def _level(grade: float, top: float) -> int:
    """How strongly a grade is tinted: 0 (none) to 3 (the best there is)."""
    return round(3 * min(1.0, max(0.0, grade / top))) if top else 0


def _page(evidence: Evidence, lists: Sequence[_Lists]) -> str:
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            evidence=evidence,
            headline=summary.headline(evidence),
            reasons=[one.text for one in wording.reasons(evidence)],
            versions=summary.versions(evidence),
            steps=advice.next_steps(evidence),
            tally=_tally(evidence),
            checks=_checks(evidence),
            forests=_forests(evidence),
            lists=lists,
            table_rows=_TABLE_ROWS,
            digest=evidence_digest(canonical(evidence)),
        )
    )


def _tally(evidence: Evidence) -> str:
    required = [j.outcome for j in evidence.judgements if not j.bound.advisory]
    counts = [(required.count(outcome), outcome) for outcome in Outcome]
    return ", ".join(f"{n} {outcome}" for n, outcome in counts if n)


def _row(
    measurement: Measurement | None, judgement: Judgement | None, scale: pictures.Scale
) -> _Row:
    bound, outcome = (judgement.bound, judgement.outcome) if judgement else (None, None)
    return _Row(
        measurement, judgement, pictures.interval_picture(measurement, bound, outcome, scale)
    )


def _checks(evidence: Evidence) -> list[_Check]:
    records = {record.check: record for record in evidence.records}
    names = dict.fromkeys([*records, *(j.bound.check for j in evidence.judgements)])
    found = []
    for name in names:
        record = records.get(name, CheckRecord(name))
        judged = [j for j in evidence.judgements if j.bound.check == name]
        asked = {(j.bound.metric, j.bound.slice) for j in judged}
        in_forest = {j.bound.metric for j in judged if j.bound.slice}
        found.append(
            _Check(
                name,
                record,
                tuple(
                    _row(j.measurement, j, pictures.scale_of([(j.measurement, j.bound)]))
                    for j in summary.reading_order(judged)
                    if not j.bound.slice and not wording.is_own_test(j.bound)
                ),
                tuple(j for j in summary.reading_order(judged) if wording.is_own_test(j.bound)),
                tuple(
                    m
                    for m in record.measurements
                    if (m.metric, m.slice) not in asked and m.metric not in in_forest
                ),
                tuple(one for one in record.exhibits if one.kind == "table"),
            )
        )
    return found


def _forests(evidence: Evidence) -> list[_Forest]:
    keys = dict.fromkeys(
        (j.bound.check, j.bound.metric) for j in evidence.judgements if j.bound.slice
    )
    return [_forest(evidence, check, metric) for check, metric in keys]


def _forest(evidence: Evidence, check: str, metric: str) -> _Forest:
    judged = [j for j in evidence.judgements if (j.bound.check, j.bound.metric) == (check, metric)]
    asked = {j.bound.slice for j in judged}
    measured = [
        m
        for record in evidence.records
        if record.check == check
        for m in record.measurements
        if m.metric == metric and m.slice not in asked
    ]
    pairs: list[tuple[str, Measurement | None, Judgement | None]] = [
        *((j.bound.slice, j.measurement, j) for j in judged),
        *((m.slice, m, None) for m in measured),
    ]
    columns = list(dict.fromkeys(name.partition("=")[0] for name, _, _ in pairs))
    pairs.sort(key=lambda pair: (pair[0] != "", columns.index(pair[0].partition("=")[0])))
    scale = pictures.scale_of((m, j.bound if j else None) for _, m, j in pairs)
    units = [m.unit for _, m, _ in pairs if m]
    rows = tuple(_row(m, j, scale) for _, m, j in pairs)
    faults = [record.fault for record in evidence.records if record.check == check]
    return _Forest(
        check, "".join(faults), metric, units[0] if units else "", rows, pictures.axis(scale)
    )


def _lists(difference: RankingDifference, every: Sequence[Markup]) -> _Lists:
    return _Lists(
        difference,
        _named(difference, difference.worst(_WORST), _WORST_OPEN),
        _named(difference, difference.best(_BEST), _BEST_OPEN),
        tuple(every),
        len(difference.queries) - len(every),
    )


def _named(
    difference: RankingDifference, queries: Sequence[QueryDifference], n_open: int
) -> tuple[Markup, ...]:
    return tuple(
        _query(q, difference, named=True, opened=i < n_open) for i, q in enumerate(queries)
    )


def _within(difference: RankingDifference, room: int) -> list[Markup]:
    """Every query from the worst on, while there is room for its lists."""
    blocks = []
    for query in difference.queries:
        block = _query(query, difference)
        room -= len(block.encode())
        if room < 0:
            break
        blocks.append(block)
    return blocks


def _query(
    query: QueryDifference,
    difference: RankingDifference,
    *,
    named: bool = False,
    opened: bool = False,
) -> Markup:
    page = _environment().get_template("query.html.j2")
    rendered = page.render(q=query, d=difference, named=named, opened=opened)
    return Markup(rendered)  # noqa: S704 - the template escaped it
