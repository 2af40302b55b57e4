"""Evidence of earlier versions stays readable: four signed runs that `mlgates.evidence/1` wrote.

They stand in `version_1/`: a first version, one that was compared, one whose candidate answered
NaN, and one whose candidate died. Each ran the same own tests.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from gates.domain.judging import Cause, Outcome, decide
from gates.errors import EvidenceError
from gates.evidence.bundle import read_evidence
from gates.evidence.evidence import SCHEMA, evidence_digest
from tests.conftest import CommandLine

KEPT = Path(__file__).parent / "version_1"
RUNS = ("first", "compared", "broken", "dead")
OWN_TESTS = {
    "test_passes": Cause.TEST_PASSED,
    "test_fails": Cause.TEST_FAILED,
    "test_skips_itself": Cause.SKIPPED,
    "test_asks_amiss": Cause.FAULT,
}
CAUSES: Mapping[str, Mapping[str, Cause]] = {
    "first": {
        "lockfile::unpinned": Cause.WITHIN,
        "lockfile::major-upgrades": Cause.NO_CHAMPION,
        "behaviour::never-in-top": Cause.NOT_MEASURED,
        "robustness::missing-feature.faults": Cause.OUTSIDE,
        "ranking-diff::ndcg@10.delta": Cause.NO_CHAMPION,
        # Its words are those of any skip that says so.
        "test_needs_the_champion": Cause.SKIPPED,
    },
    "compared": {
        "lockfile::major-upgrades": Cause.WITHIN,
        "ranking-diff::ndcg@10.delta": Cause.ASTRIDE,
        "ranking-diff::ndcg@3.delta": Cause.UNJUDGED_DECIDE,
        "ranking-diff::rbo": Cause.NOT_RUN,
        "test_needs_the_champion": Cause.TEST_PASSED,
    },
    "broken": {
        "lockfile::unpinned": Cause.WITHIN,
        "behaviour::must-be-first": Cause.BREACH,
        "ranking-diff::rbo": Cause.BREACH,
    },
    "dead": {
        "behaviour::must-be-first": Cause.FAULT,
        "ranking-diff::ndcg@10.delta": Cause.FAULT,
    },
}


@pytest.mark.parametrize("name", RUNS)
def test_its_causes_are_those_its_sentences_told(name: str) -> None:
    evidence = read_evidence(KEPT / f"{name}.json")
    causes = {one.bound.id.removeprefix("tests::"): one.cause for one in evidence.judgements}
    causes |= {name.rpartition("::")[2]: cause for name, cause in causes.items() if "/" in name}
    wanted = {**OWN_TESTS, **CAUSES[name]}
    assert {one: causes[one] for one in wanted} == wanted


@pytest.mark.parametrize("name", RUNS)
def test_every_outcome_and_the_verdict_are_what_they_were(name: str) -> None:
    stored = json.loads((KEPT / f"{name}.json").read_bytes())
    evidence = read_evidence(KEPT / f"{name}.json")
    assert (stored["schema"], evidence.schema) == ("mlgates.evidence/1", SCHEMA)
    assert [one.outcome for one in evidence.judgements] == [
        Outcome(one["outcome"]) for one in stored["judgements"]
    ]
    assert decide(evidence.judgements) == evidence.verdict


def test_what_unjudged_documents_leave_open_and_what_a_check_could_not_do_are_fields() -> None:
    (measured,) = (
        one.measurement
        for one in read_evidence(KEPT / "compared.json").judgements
        if one.cause is Cause.UNJUDGED_DECIDE
    )
    assert measured is not None
    assert (measured.pessimistic, measured.optimistic) == pytest.approx((0.1538766, 0.1649461))
    assert "pessimistic" not in measured.extra
    causes = {one.check: one.cause for one in read_evidence(KEPT / "first.json").records}
    assert (causes["lockfile"], causes["ranking-diff"]) == (None, Cause.NO_CHAMPION)


@pytest.mark.parametrize("name", RUNS)
def test_it_verifies_and_is_shown_under_its_own_digest(
    gates: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("GATES_VERIFY_KEY", str(KEPT / "gate.pub"))
    for file in (f"{name}.json", f"{name}.json.sig"):
        shutil.copyfile(KEPT / file, tmp_path / file)
    path = tmp_path / f"{name}.json"
    for form in ("terminal", "markdown", "html", "junit"):
        shown = gates("show", str(path), "--as", form, "--project", str(tmp_path))
        assert shown.code == 0, shown.err
        assert "FAIL" in shown.out
        if form in ("markdown", "html"):
            assert evidence_digest(path.read_bytes()) in shown.out
    path.write_bytes(path.read_bytes().replace(b"nothing to compare", b"nothing to_compare"))
    if name == "first":
        with pytest.raises(EvidenceError, match="signature"):
            read_evidence(path, verify_key=KEPT / "gate.pub")


@pytest.mark.parametrize("part", ["judgements", "records"])
def test_a_part_that_is_damaged_is_named_and_never_left_out(tmp_path: Path, part: str) -> None:
    value = json.loads((KEPT / "first.json").read_bytes())
    value[part][1] = "gone"
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(value))
    with pytest.raises(EvidenceError, match=f"is damaged at '{part}.1"):
        read_evidence(path)


def test_an_outcome_that_nothing_bears_out_is_damage(tmp_path: Path) -> None:
    value = json.loads((KEPT / "dead.json").read_bytes())
    for one in value["judgements"]:
        if one["bound"]["check"] == "behaviour":
            one["outcome"] = "FAIL"
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps(value))
    with pytest.raises(EvidenceError, match="it says FAIL, but 'fault' is UNDECIDED"):
        read_evidence(path)
