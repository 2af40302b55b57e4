"""The report as one HTML file that asks nothing of any server; without scripts it is whole too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gates.domain.exhibits import Table
from gates.domain.judging import Judgement, Measurement, Outcome
from gates.evidence.evidence import CheckRecord, Evidence
from gates.report import advice, pictures, summary, wording
from gates.report.bounds import BoundRow, forests, row_of
from gates.report.differences import shown_differences
from gates.report.queries import RenderedQueries, fitted
from gates.report.sections import sections
from gates.report.templating import page

__all__ = ["FILE", "render"]

FILE = "report.html"


@dataclass(frozen=True, slots=True)
class _Check:
    """One check: its bounds on the whole golden set and what it shows."""

    name: str
    record: CheckRecord
    rows: tuple[BoundRow, ...]
    own_tests: tuple[Judgement, ...]
    unasked: tuple[Measurement, ...]
    tables: tuple[Table, ...]


def render(evidence: Evidence) -> str:
    """The report of a run as a self-contained HTML page.

    Args:
        evidence: The run; everything in it is treated as untrusted text.

    Returns:
        The page. It stays under its budget by leaving out the lists of the queries that changed
        least, and says so where it does.
    """
    return fitted(tuple(shown_differences(evidence.exhibits)), lambda lists: _page(evidence, lists))


def _page(evidence: Evidence, lists: Sequence[RenderedQueries]) -> str:
    return page(
        "report.html.j2",
        evidence=evidence,
        verdict=evidence.verdict,
        headline=summary.headline(evidence),
        reasons=[one.text for one in wording.reasons(evidence)],
        versions=summary.versions(evidence),
        noun=summary.task_of(evidence).items,
        golden_size=summary.golden_size(evidence),
        steps=advice.next_steps(evidence),
        tally=_tally(evidence),
        checks=_checks(evidence),
        forests=forests(evidence.judgements, evidence.records),
        lists=lists,
        digest=evidence.digest,
        sections=sections(evidence),
    )


def _tally(evidence: Evidence) -> str:
    required = [summary.outcome_of(j) for j in evidence.judgements if not j.bound.advisory]
    counts = [(required.count(outcome), outcome) for outcome in (*Outcome, "WAIVED")]
    return ", ".join(f"{n} {outcome}" for n, outcome in counts if n)


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
                    row_of(j.measurement, j, pictures.scale_of([(j.measurement, j.bound)]))
                    for j in summary.reading_order(judged)
                    if not j.bound.slice and not wording.is_own_test(j.bound)
                ),
                tuple(j for j in summary.reading_order(judged) if wording.is_own_test(j.bound)),
                tuple(
                    m
                    for m in record.measurements
                    if (m.metric, m.slice) not in asked and m.metric not in in_forest
                ),
                tuple(one for one in record.exhibits if isinstance(one, Table)),
            )
        )
    return found
