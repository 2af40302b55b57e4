"""`gates rejudge`: the same measurements under another card; nothing of it promotes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gates.evidence.bundle import read_evidence, write_evidence
from tests.conftest import CommandLine
from tests.toys import CARD, MODEL, make_project

KEPT = Path(__file__).parent.parent / "evidence" / "version_2"
PASSED, FAILED = "passed", "failed"


class Rejudge:
    """Judges kept evidence by the toy's card, changed."""

    def __init__(self, gates: CommandLine, project: Path) -> None:
        self._gates, self._project = gates, project
        for name in (PASSED, FAILED):
            kept = read_evidence(KEPT / f"{name}.json")
            # Resamples were an option once, of which nothing is asked any more.
            checks = {**kept.card.policy["checks"]}
            checks["ranking-diff"] = {**checks["ranking-diff"], "options": {}}
            card = replace(kept.card, policy={**kept.card.policy, "checks": checks})
            write_evidence(self.path(name), replace(kept, card=card))

    def path(self, name: str) -> Path:
        """One of the two runs that are kept."""
        return self._project / f"{name}.json"

    def __call__(
        self, was: str, now: str, *evidence: str, code: int
    ) -> tuple[list[dict[str, Any]], str]:
        """The answers as JSON and in words."""
        assert was in CARD
        card = self._project / "model_cards" / "other.md"
        card.write_text(CARD.replace(was, now, 1))
        paths = [str(self.path(one)) for one in evidence]
        given = ["--card", str(card), "--project", str(self._project)]
        answer = self._gates("rejudge", paths, given, "--json")
        assert answer.code == code, answer.err
        found: list[dict[str, Any]] = json.loads(answer.out)["evidence"]
        return found, answer.err


@pytest.fixture
def rejudge(gates: CommandLine, tmp_path: Path) -> Rejudge:
    return Rejudge(gates, make_project(tmp_path / "shop"))


def test_by_the_same_card_it_comes_to_the_same(rejudge: Rejudge) -> None:
    found, said = rejudge("A toy.", "A toy, in other words.", PASSED, FAILED, code=1)
    assert [one["verdict"] for one in found] == ["PASS", "FAIL"]
    assert not any(one["changed"] or one["moved"] or one["other_options"] for one in found)
    assert said.startswith("PASS, as before, for models:/toy-ranker/2 by other.md")


def test_bounds_that_moved_and_what_they_changed_are_named(rejudge: Rejudge) -> None:
    (strict,), said = rejudge(
        "severe-losses: {max: 0.4}", "overlap@10: {min: 0.99999}", PASSED, code=1
    )
    ids = {one["id"]: (one["before"], one["after"]) for one in strict["changed"]}
    assert ids["ranking-diff::severe-losses"] == ("PASS", None)
    assert "FAIL instead of PASS" in said

    (loose,), _ = rejudge("min: -0.02", "min: -0.9", FAILED, code=1)
    assert [(one["id"], one["before"], one["after"]) for one in loose["changed"]] == [
        ("ranking-diff::ndcg@10.delta", "FAIL", "PASS")
    ]
    assert loose["moved"] == [
        {"id": "ranking-diff::ndcg@10.delta", "how": "from ≥ -0.02 to ≥ -0.9", "looser": True}
    ]


def test_what_was_measured_with_other_options_says_nothing(rejudge: Rejudge) -> None:
    (found,), said = rejudge("severe: 0.3", "severe: 0.5", PASSED, code=3)
    assert found["other_options"] == ["ranking-diff"]
    changed = [one for one in found["changed"] if one["id"].startswith("ranking-diff::ndcg")]
    assert changed
    assert {one["after"] for one in changed} == {"UNDECIDED"}
    assert "with other options" in said


def test_what_nobody_measured_is_undecided(rejudge: Rejudge) -> None:
    (found,), _ = rejudge("severe-losses: {max: 0.4}", "mrr.delta: {min: -0.5}", PASSED, code=3)
    assert ("ranking-diff::mrr.delta", None, "UNDECIDED") in [
        (one["id"], one["before"], one["after"]) for one in found["changed"]
    ]


def test_a_card_of_another_model_is_an_error(gates: CommandLine, tmp_path: Path) -> None:
    project = make_project(tmp_path / "shop")
    card = project / "model_cards" / "other.md"
    card.write_text(CARD.replace(f"model: {MODEL}", f"model: other\ngolden: golden/{MODEL}"))
    given = ["--card", str(card), "--project", str(project)]
    answer = gates("rejudge", str(KEPT / "passed.json"), given)
    assert answer.code == 2
    assert "the card is for model 'other', the evidence is of 'toy-ranker'" in answer.err
