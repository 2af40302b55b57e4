"""Pull requests that leave the model alone: its lock, its golden set, its card."""

from __future__ import annotations

import json
from pathlib import Path

from gates.evidence.bundle import read_evidence
from tests.action.pulls import NUMBER, Stage
from tests.toys import CARD, MODEL, OLDER_SIX


def test_a_lock_alone_is_gated_as_an_upgrade_of_libraries(stage: Stage) -> None:
    lock = Path("models", MODEL, "requirements.txt")
    stage.open(lambda p: (p / lock).write_text(OLDER_SIX))
    job, outputs = stage.gate()
    assert outputs["verdict"] == "PASS", job.log
    evidence = read_evidence(Path(outputs["evidence"]))
    assert "equivalence" not in CARD
    values = {one.bound.id: one.measurement for one in evidence.judgements}
    changed = values["equivalence::changed-scores"]
    assert changed is not None
    assert (changed.value, changed.n) == (0.0, 720)
    (body,) = stage.hub.own(NUMBER)
    assert "Since the champion's lock" in body
    assert "| six | 1.17.0 | 1.16.0 |" in body


def test_a_golden_set_alone_judges_the_same_model_again(stage: Stage) -> None:
    def change(project: Path) -> None:
        golden = project / "golden" / MODEL
        for name, lines in {
            "queries.csv": "q900,a new lamp,lamps\n",
            "candidates.csv": "q900,d00,Lamp,2.5,0.1\nq900,d01,Other lamp,0.1,0.9\n",
            "judgments.csv": "q900,d00,0\nq900,d01,3\n",
            "expectations.csv": "q900,must-be-first,d01,1\n",
        }.items():
            path = golden / name
            path.write_text(path.read_text().replace("query 7,", "query seven,") + lines)

    stage.open(change)
    job, outputs = stage.gate(comment="false")
    assert outputs["verdict"] == "FAIL", job.log
    review = json.loads((Path(outputs["reviews"]) / MODEL / "review.json").read_text())
    assert review["change"]["kind"] == "criteria"
    before = read_evidence(Path(outputs["reviews"]) / MODEL / "before" / "evidence.json")
    after = read_evidence(Path(outputs["evidence"]))
    assert before.candidate.digest == after.candidate.digest
    assert before.golden.digest != after.golden.digest
    body = Path(outputs["comment"]).read_text()
    assert "which did not change, does not meet its card as it is here" in body
    assert "#### The same model, before and now: PASS → **FAIL**" in body
    row = "| behaviour::must-be-first | ✓ PASS | 1 (1 of 1 expectation) | ✕ FAIL | 0.5 (1 of 2"
    assert row in body
    assert "| ranking-diff::ndcg@10 | ✓ PASS | 0.93" in body
    assert "<summary>1 of 2 expectations of single documents are broken</summary>" in body
    assert "Golden queries: 1 added, 0 removed, 1 changed (60 → 61)" in body
    assert "| q900 | a new lamp |  |" in body
    assert "| q007 | query seven | text |" in body
    assert f"::error file=golden/{MODEL}/expectations.csv,line=3,title=behaviour::" in job.log


def test_a_card_alone_shows_what_is_demanded_now(stage: Stage) -> None:
    card = CARD.replace("min: -0.02", "min: 0.01")
    card = card.replace("severe-losses: {max: 0.4}", "rbo: {min: 0.5}")
    card = card.replace("      rbo: {min: 0.99, advisory: true}\n", "")
    stage.open(lambda p: (p / "model_cards" / f"{MODEL}.md").write_text(card))
    job, outputs = stage.gate(comment="false")
    assert outputs["verdict"] == "UNDECIDED", "no model is surely better than itself"
    assert job.codes["Verdict"] == 0
    body = Path(outputs["comment"]).read_text()
    policy = body.partition("The card:")[2]
    key = "checks › ranking-diff › bounds › ndcg@&#8203;10.delta › min"
    assert f"| {key} | -0.02 | 0.01 |" in policy
    assert "severe-losses" in policy
    assert "ranking-diff::severe-losses | ✓ PASS |" in body
    assert "| not asked |  |" in body


def test_a_card_that_is_not_valid_is_said_at_its_line(stage: Stage) -> None:
    card = CARD.replace("severe-losses", "sever-losses")
    stage.open(lambda p: (p / "model_cards" / f"{MODEL}.md").write_text(card))
    job, outputs = stage.gate()
    assert outputs["verdict"] == "ERROR", job.log
    assert job.codes["Verdict"] == 2
    (body,) = stage.hub.own(NUMBER)
    assert f"## ✕ ERROR: {MODEL} could not be gated" in body
    assert f"<code>model&#95;cards/{MODEL}.md:18</code>: check" in body
    assert "did you mean 'severe-losses'?" in body
    assert f"::error file=model_cards/{MODEL}.md,line=18,title={MODEL}::" in job.log
    assert str(stage.folder) not in body
