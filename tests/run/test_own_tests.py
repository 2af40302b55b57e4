"""`golden/<model>/test_*.py`: the model's own tests are required, and get the fixtures."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine, Shelf
from tests.toys import MODEL, copy_project

ENDS_BADLY = (
    "import pytest\n@pytest.fixture\ndef left():\n    yield\n    raise OSError('a lock is held')\n"
)


def gate_with(
    gates: CommandLine, shelf: Shelf, folder: Path, body: str
) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and how the own test of that body was judged."""
    project = copy_project(shelf.project, folder / "shop")
    # A name of its own: in one process pytest imports a test file's name only once.
    (project / "golden" / MODEL / f"test_{uuid.uuid4().hex}.py").write_text(body)
    answer = gates("run", shelf.uri("good"), shelf.options(project), "--json")
    bounds = json.loads(answer.out)["bounds"]
    return answer.code, [one for one in bounds if one["id"].startswith("tests::")]


def test_they_get_both_versions_the_golden_set_and_the_subject(
    gates: CommandLine, shelf: Shelf, tmp_path: Path
) -> None:
    code, judged = gate_with(
        gates,
        shelf,
        tmp_path,
        "def test_scores_follow_the_good_feature(candidate, champion, golden, subject):\n"
        "    scores = candidate.scores({'good': [0.0, 1.0], 'noise': [0.0, 0.0]})\n"
        "    assert scores[1] > scores[0]\n"
        "    assert champion.role == 'champion' and golden is subject.golden\n",
    )
    assert code == 0
    assert [one["outcome"] for one in judged] == ["PASS"]


@pytest.mark.parametrize(
    ("body", "code", "outcome"),
    [
        ("def test_it(candidate):\n    assert False, 'embarrassing'\n", 1, "FAIL"),
        ("import pytest\ndef test_it():\n    pytest.skip('later')\n", 3, "UNDECIDED"),
        ("import pytest\n@pytest.mark.xfail\ndef test_it():\n    assert 0\n", 3, "UNDECIDED"),
        ("import nothing_of_this_name\n", 3, "UNDECIDED"),
        ("def test_it(candidate):\n    candidate.scores({'other': [1.0]})\n", 3, "UNDECIDED"),
        ("def test_it(no_such_fixture):\n    pass\n", 3, "UNDECIDED"),
        (f"{ENDS_BADLY}def test_it(left):\n    pass\n", 3, "UNDECIDED"),
        (f"{ENDS_BADLY}def test_it(left):\n    assert 0\n", 1, "FAIL"),
    ],
    ids=[
        *("fails", "skips", "is expected to fail", "cannot be imported", "asks amiss"),
        *("no fixture", "passes and cannot end", "fails and cannot end"),
    ],
)
def test_a_failure_fails_and_what_cannot_run_is_undecided(
    gates: CommandLine, shelf: Shelf, tmp_path: Path, body: str, code: int, outcome: str
) -> None:
    found, judged = gate_with(gates, shelf, tmp_path, body)
    assert found == code
    assert [one["outcome"] for one in judged] == [outcome]


@pytest.mark.parametrize("integration", ["", "true"], ids=["by hand", "in CI"])
def test_a_strategy_names_the_row_on_which_a_version_breaks_its_contract(
    gates: CommandLine,
    shelf: Shelf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    integration: str,
) -> None:
    monkeypatch.delenv("CI", raising=False)
    if integration:
        monkeypatch.setenv("CI", integration)
    code, judged = gate_with(
        gates,
        shelf,
        tmp_path,
        "from hypothesis import given, strategies as st\n"
        "from gates.strategies import batched, feature_nulls, repeatable\n"
        "@repeatable\n@given(data=st.data())\n"
        "def test_a_missing_feature_is_survived(candidate, golden, data):\n"
        "    batched(candidate).score(data.draw(feature_nulls(golden, features=['noise'])))\n"
        "@repeatable\n@given(data=st.data())\n"
        "def test_a_row_as_it_is_has_a_score(candidate, golden, data):\n"
        "    one = data.draw(feature_nulls(golden))\n"
        "    assert batched(candidate).score(one.before) < 20\n",
    )
    assert code == 1
    assert [one["outcome"] for one in judged] == ["FAIL", "PASS"]
    assert "NaN" in judged[0]["reason"]
    assert judged[0]["reason"].endswith("Draw 1: <'d00' for 'query 0': noise missing>")
