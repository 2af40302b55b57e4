"""A review's verdict is what its evidence measured, whatever review and evidence say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gates.domain.judging import Cause, Judgement, Outcome, Verdict
from gates.errors import EvidenceError
from gates.evidence.bundle import write_evidence
from gates.evidence.evidence import Evidence, canonical
from gates.evidence.inventory import Inventory
from gates.pull_request.folder import read_reviews
from tests.action.reviews import judged
from tests.conftest import CommandLine
from tests.report import evidence_factory as factory


def complete(evidence: Evidence) -> Evidence:
    """With the inventory that a run of it would have had."""
    return replace(evidence, inventory=Inventory(tuple(one.bound for one in evidence.judgements)))


def passed(evidence: Evidence) -> Evidence:
    return replace(evidence, verdict=Verdict(Outcome.PASS, ("all is well",)))


def _cut(evidence: Evidence) -> Evidence:
    return passed(replace(evidence, judgements=evidence.judgements[:1]))


def _all_within(evidence: Evidence) -> Evidence:
    within = [
        Judgement(one.bound, Cause.WITHIN, one.reason, one.measurement)
        for one in evidence.judgements
    ]
    return passed(replace(evidence, judgements=tuple(within)))


def _unlisted(evidence: Evidence) -> Evidence:
    return replace(_cut(evidence), inventory=None)


def left(folder: Path, evidence: Evidence) -> Path:
    (folder / "a" / "gate").mkdir(parents=True)
    write_evidence(folder / "a" / "gate" / "evidence.json", evidence)
    (folder / "a" / "review.json").write_bytes(canonical(judged(evidence)))
    return folder


@pytest.mark.parametrize("made", [factory.passing, factory.failing, factory.undecided])
def test_a_review_of_a_run_is_read(tmp_path: Path, made: Callable[[], Evidence]) -> None:
    evidence = complete(made())
    (found,) = read_reviews(left(tmp_path / "reviews", evidence))
    assert found.review.outcome == evidence.verdict.outcome.value


@pytest.mark.parametrize("forge", [passed, _cut, _all_within, _unlisted])
@pytest.mark.parametrize("made", [factory.failing, factory.undecided])
def test_a_pass_that_was_not_measured_is_neither_commented_nor_let_through(
    gates: CommandLine,
    tmp_path: Path,
    made: Callable[[], Evidence],
    forge: Callable[[Evidence], Evidence],
) -> None:
    folder = left(tmp_path / "reviews", forge(complete(made())))
    words = "lists nothing that it had to cover" if forge is _unlisted else "contradicts itself"
    with pytest.raises(EvidenceError, match=words):
        read_reviews(folder)
    assert gates("pr", "enforce", str(folder)).code == 2
