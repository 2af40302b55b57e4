"""A verdict is derived again from what was measured; who asks for it is told what differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gates.domain.judging import Bound, Cause, Judgement, Outcome, Verdict
from gates.errors import EvidenceError
from gates.evidence.bundle import read_evidence, write_evidence
from gates.evidence.evidence import Evidence
from gates.evidence.inventory import Inventory, OwnTestFile
from gates.evidence.verdict import rederive, settled_verdict
from tests.conftest import CommandLine
from tests.report import evidence_factory as factory

KEPT = Path(__file__).parent / "version_1"
PASS = Verdict(Outcome.PASS, ("all is well",))


def _first(evidence: Evidence, **changes: Any) -> tuple[Judgement, ...]:
    return (replace(evidence.judgements[0], **changes), *evidence.judgements[1:])


def _bound(evidence: Evidence, **changes: Any) -> Evidence:
    bound = replace(evidence.judgements[0].bound, **changes)
    return replace(evidence, judgements=_first(evidence, bound=bound))


def _measured(evidence: Evidence, **changes: Any) -> Evidence:
    record = evidence.records[0]
    first, *others = record.measurements
    changed = replace(record, measurements=(replace(first, **changes), *others))
    return replace(evidence, records=(changed, *evidence.records[1:]))


def _all_within(evidence: Evidence) -> Evidence:
    judged = [
        Judgement(one.bound, Cause.WITHIN, one.reason, one.measurement)
        for one in evidence.judgements
    ]
    return replace(evidence, judgements=tuple(judged), verdict=PASS)


FORGED: dict[str, tuple[Callable[[], Evidence], str]] = {
    "the verdict": (
        lambda: replace(factory.failing(), verdict=PASS),
        "the evidence says PASS but what it holds makes FAIL",
    ),
    "the verdict of what is undecided": (
        lambda: replace(factory.undecided(), verdict=PASS),
        "the evidence says PASS but what it holds makes UNDECIDED",
    ),
    "every judgement and the verdict": (
        lambda: _all_within(factory.failing()),
        "is judged 'within', but what was measured is 'outside'",
    ),
    "a judgement": (
        lambda: replace(
            factory.passing(),
            judgements=_first(factory.passing(), cause=Cause.OUTSIDE, outcome=None),
        ),
        "lockfile::pinned is judged 'outside', but what was measured is 'within'",
    ),
    "one of all judgements is left": (
        lambda: replace(factory.passing(), judgements=factory.passing().judgements[:1]),
        "it has no judgement of lockfile::hashed",
    ),
    "a measurement, to the worse": (
        lambda: _measured(factory.passing(), value=0.5),
        "lockfile::pinned is judged 'within', but what was measured is 'outside'",
    ),
    "a measurement, as good as before": (
        lambda: _measured(factory.passing(), n=28),
        "lockfile::pinned was judged by another value than the one that was measured",
    ),
    "a measurement, that now is NaN": (
        lambda: _measured(factory.passing(), value=float("nan")),
        "but what was measured is 'not-a-number'",
    ),
    "the record of a check is gone": (
        lambda: replace(factory.passing(), records=factory.passing().records[1:]),
        "it judged lockfile::pinned and holds no record of lockfile",
    ),
    "a check has two records": (
        lambda: replace(factory.passing(), records=factory.passing().records * 2),
        "it holds two records of one check",
    ),
    "a bound is judged twice": (
        lambda: replace(factory.passing(), judgements=factory.passing().judgements * 2),
        "it judges a bound twice",
    ),
    "a bound is lower than listed": (
        lambda: _bound(factory.passing(), minimum=0.1),
        "it judged lockfile::pinned ≥ 0.1, and demanded is lockfile::pinned ≥ 1",
    ),
    "a bound blocks no more": (
        lambda: _bound(factory.passing(), advisory=True),
        "it judged lockfile::pinned ≥ 1, advisory, and demanded is lockfile::pinned ≥ 1",
    ),
}


def _listed(evidence: Evidence, like: Evidence) -> Evidence:
    return replace(evidence, inventory=Inventory(tuple(one.bound for one in like.judgements)))


@pytest.mark.parametrize("what", FORGED)
def test_what_was_altered_is_named_and_nobody_is_shown_it(
    gates: CommandLine, tmp_path: Path, what: str
) -> None:
    made, words = FORGED[what]
    original = factory.undecided() if "undecided" in what else factory.passing()
    if "judgement and" in what or what == "the verdict":
        original = factory.failing()
    evidence = _listed(made(), original)
    found = rederive(evidence)
    assert any(words in one for one in found.differences), found.differences
    path = tmp_path / "evidence.json"
    write_evidence(path, evidence)
    with pytest.raises(EvidenceError, match="contradicts itself"):
        settled_verdict(read_evidence(path), path)
    shown = gates("show", str(path), "--project", str(tmp_path))
    assert shown.code == 2
    assert "contradicts itself" in shown.err


@pytest.mark.parametrize("name", factory.EVERY)
def test_what_a_run_wrote_comes_to_the_same_again(tmp_path: Path, name: str) -> None:
    path = tmp_path / "evidence.json"
    write_evidence(path, factory.EVERY[name]())
    evidence = read_evidence(path)
    assert settled_verdict(evidence, path) == evidence.verdict


@pytest.mark.parametrize("name", ["first", "compared", "broken", "dead"])
def test_what_earlier_versions_wrote_comes_to_the_same_again(name: str) -> None:
    evidence = read_evidence(KEPT / f"{name}.json")
    assert evidence.inventory is None
    assert settled_verdict(evidence, KEPT / f"{name}.json").outcome is evidence.verdict.outcome


def test_a_bound_that_the_run_left_out_stays_undecided_though_it_was_measured() -> None:
    passing = factory.passing()
    left_out = replace(
        passing, judgements=_first(passing, cause=Cause.NOT_RUN, outcome=None, measurement=None)
    )
    assert rederive(left_out).verdict.outcome is Outcome.UNDECIDED


@pytest.mark.parametrize(
    "inventory",
    [
        Inventory((), (), ("golden/a/test_a.py::test_it",)),
        Inventory((), (OwnTestFile("golden/a/test_a.py", "sha256:1"),)),
    ],
    ids=["a test", "a file"],
)
def test_an_own_test_that_is_listed_and_not_judged_is_undecided(inventory: Inventory) -> None:
    passing = factory.passing()
    bounds = tuple(one.bound for one in passing.judgements)
    found = rederive(replace(passing, inventory=replace(inventory, bounds=bounds)))
    assert found.verdict.outcome is Outcome.UNDECIDED
    assert any(
        "it has no judgement of tests::golden/a/test_a.py" in one for one in found.differences
    )


def test_a_listed_test_is_covered_by_its_parameters_or_by_a_file_that_did_not_import() -> None:
    file = OwnTestFile("g/test_a.py", "sha256:1")
    tests = ("g/test_a.py::test_a", "g/test_a.py::T::test_b")
    inventory = Inventory((Bound("a", "b", 0),), (file,), tests)
    assert inventory.tests_without(["g/test_a.py::test_a[x::y]", "g/test_a.py::T::test_b"]) == ()
    assert inventory.tests_without(["g/test_a.py"]) == ()
    assert inventory.tests_without(["g/test_a.py::test_ab"]) == inventory.tests
