"""The judge's side of the process of own tests: what it sends is held to a form, and bounded."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.domain.judging import Cause
from gates.errors import NoChampion
from gates.evidence.inventory import Inventory
from gates.run.own_process import OwnTests, visible_parts
from gates.run.own_tests import Listing, Phase, judge_test, read_phases

PASSED = {"when": "call", "outcome": "passed", "kind": "", "type": ""}
PASSED |= {"message": "", "notes": "", "shown": ""}
FILES = ("golden/toy/test_a.py",)


def phase(outcome: str, kind: str = "", when: str = "call") -> Phase:
    return Phase(cast("Any", when), cast("Any", outcome), cast("Any", kind), "E", "no", "", "")


@pytest.mark.parametrize(
    ("phases", "compared", "cause"),
    [
        ([phase("skipped", "no-champion")], False, Cause.NO_CHAMPION),
        ([phase("skipped", "no-champion")], True, Cause.SKIPPED),
        ([phase("failed", "no-champion", "setup")], True, Cause.FAULT),
        ([phase("passed", when="setup"), phase("passed")], True, Cause.TEST_PASSED),
        ([phase("passed"), phase("failed", when="teardown")], True, Cause.FAULT),
        ([phase("failed"), phase("passed")], True, Cause.TEST_FAILED),
        ([phase("failed", "breach")], True, Cause.BREACH),
        ([phase("failed", "unanswered")], True, Cause.FAULT),
        ([phase("passed", when="setup")], True, None),
        ([], True, None),
    ],
)
def test_outcomes_become_a_judgement_by_what_the_judge_knows(
    phases: list[Phase], compared: bool, cause: Cause | None
) -> None:
    found = judge_test("golden/toy/test_a.py::test_b", phases, compared=compared)
    assert (found.cause if found else None) is cause
    if found:
        assert found.bound.id == "tests::golden/toy/test_a.py::test_b"


@pytest.mark.parametrize(
    "told",
    [
        None,
        "passed",
        [[]],
        [{**PASSED, "outcome": "PASS"}],
        [{**PASSED, "kind": "excused"}],
        [{**PASSED, "message": 1}],
        [{"when": "call", "outcome": "passed"}],
        [PASSED] * 7,
    ],
)
def test_what_is_no_outcome_is_none(told: object) -> None:
    assert read_phases([PASSED]) is not None
    assert read_phases(told) is None


def test_a_listing_speaks_of_the_files_of_own_tests_alone() -> None:
    names = ["golden/toy/test_a.py::test_b", "model_cards/toy.md::ranking-diff", "elsewhere.py::x"]
    told = {"listed": names, "selected": names[1:], "broken": [["model_cards/toy.md", "why"]]}
    assert Listing.read(told, FILES) == Listing((names[0],), (), {})
    for spoilt in (
        {"listed": [1]},
        {"selected": "all"},
        {"broken": None},
        {"listed": ["x"] * 10**5},
    ):
        assert Listing.read({**told, **spoilt}, FILES) is None


def own_tests(arm: object) -> OwnTests:
    subject = SimpleNamespace(candidate=arm, champion=None, arms=(arm,))
    return OwnTests(cast("Any", None), Inventory(()), cast("Any", subject), cast("Any", None))


def asked(question: object, frame: bytes = b"") -> bytes:
    head = json.dumps(question).encode()
    return b"ask     " + struct.pack("<I", len(head)) + head + frame


LOCK = {"arm": "candidate", "what": "lock_report"}


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"what": "settings"}, "cannot ask for 'settings'"),
        ({"arm": "candidate", "what": "build"}, "cannot ask a version for 'build'"),
        ({"arm": "candidate", "what": "__class__"}, "cannot ask a version for"),
        ({"arm": "../else", "what": "scan"}, "there is no version"),
        ({"arm": "candidate", "what": "scores"}, "a payload of unknown kind"),
        ({"apart": 7, "what": "scores"}, "cannot be answered: KeyError"),
        ({"apart": "x", "what": "scores"}, "cannot be answered: ValueError"),
        ({**LOCK, "questions": {"advisories": "/etc/passwd"}}, "offline"),
        ({**LOCK, "questions": {"advisories": "https://inner.example/"}}, "offline"),
        ({**LOCK, "questions": {"resolve": True}}, "offline"),
        ([], "not an object"),
    ],
)
def test_what_own_tests_may_not_ask_is_an_error_for_them_and_reaches_nothing(
    question: object, says: str
) -> None:
    arm = Mock()
    kind, cls, arguments, _ = pickle.loads(own_tests(arm)._answer(asked(question))[8:])  # noqa: S301
    assert kind == "error"
    assert says in arguments[0]
    assert issubclass(cls, Exception)
    assert not arm.method_calls


def test_there_is_no_champion_to_ask_where_there_is_none() -> None:
    answer = own_tests(Mock())._answer(asked({"arm": "champion", "what": "scan"}))
    assert pickle.loads(answer[8:])[1] is NoChampion  # noqa: S301


@given(st.binary(max_size=200))
def test_no_question_ends_the_judge(payload: bytes) -> None:
    assert own_tests(Mock())._answer(b"ask     " + payload).startswith(b"answer  ")


def test_secrets_hidden_names_and_links_out_are_no_visible_parts(tmp_path: Path) -> None:
    project = tmp_path / "shop"
    for name in ("golden/a.csv", "keys/sign.pem", "keys/public.pem", ".env", ".git/config"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("x")
    for name, target in (("out", tmp_path), ("git", ".git"), ("self", "."), ("key", "keys")):
        (project / name).symlink_to(target)
    (project / "inner").symlink_to("golden")
    shown = visible_parts(project, [project / "keys" / "sign.pem"])
    names = {str(one.relative_to(project)) for one in shown}
    assert names == {"golden", "inner", "keys/public.pem"}
