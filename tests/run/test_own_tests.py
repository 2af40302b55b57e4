"""`golden/<model>/test_*.py`: the model's own tests are required, and get the fixtures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine, Shelf
from tests.toys import MODEL, copy_project

ENDS_BADLY = (
    "import pytest\n@pytest.fixture\ndef left():\n    yield\n    raise OSError('a lock is held')\n"
)


def gate_with(
    gates: CommandLine,
    shelf: Shelf,
    folder: Path,
    body: str,
    *more: str,
    conftest: str = "",
    pyproject: str = "",
) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and how the own test of that body was judged."""
    project = copy_project(shelf.project, folder / "shop")
    (project / "golden" / MODEL / "test_own.py").write_text(body)
    if conftest:
        (project / "golden" / MODEL / "conftest.py").write_text(conftest)
    if pyproject:
        (project / "pytest.ini").write_text(pyproject)
    answer = gates("run", shelf.uri("good"), shelf.options(project), "--json", *more)
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


TWO = "def test_kept():\n    pass\n\ndef test_left_out():\n    pass\n"
DROPS = "def pytest_collection_modifyitems(items):\n"
DROPS += "    items[:] = [one for one in items if 'left_out' not in one.name]\n"
HIDES = "def pytest_pycollect_makeitem(name):\n    return [] if 'left' in name else None\n"
EMPTIES = "import pytest\n@pytest.hookimpl(wrapper=True)\n"
EMPTIES += "def pytest_make_collect_report(collector):\n    found = yield\n"
EMPTIES += "    found.result = [] if isinstance(collector, pytest.Module) else found.result\n"
EMPTIES += "    return found\n"
STOPS = "import pytest\ndef test_kept():\n    pass\ndef test_stops():\n    pytest.exit('enough')\n"
STOPS += "def test_left_out():\n    pass\n"
UNSEEN: dict[str, tuple[str, dict[str, str]]] = {
    "skipped with its file": (
        f"import pytest\npytest.skip('x', allow_module_level=True)\n{TWO}",
        {},
    ),
    "skipped for an import": (f"import pytest\npytest.importorskip('none_such')\n{TWO}", {}),
    "its file taken for empty": (TWO, {"conftest": EMPTIES}),
    "removed by a conftest": (TWO, {"conftest": DROPS}),
    "never made into an item": (TWO, {"conftest": HIDES}),
    "named otherwise": (TWO, {"pyproject": "[pytest]\npython_functions = test_kept\n"}),
    "never reached": (STOPS, {}),
    "a file without tests": ("def helper():\n    pass\n", {}),
}


@pytest.mark.parametrize("how", UNSEEN)
def test_what_has_no_outcome_of_its_own_is_undecided_and_named(
    gates: CommandLine, shelf: Shelf, tmp_path: Path, how: str
) -> None:
    body, files = UNSEEN[how]
    code, judged = gate_with(gates, shelf, tmp_path, body, **files)
    assert code == 3
    missing = [one["id"] for one in judged if one["outcome"] == "UNDECIDED"]
    assert missing
    assert how == "a file without tests" or any("test_left_out" in one for one in missing)


@pytest.mark.parametrize(
    "extra",
    [
        ("-k", "not left_out"),
        ("-k", "not left_out", "-n", "2"),
        ("--deselect", f"golden/{MODEL}/test_own.py::test_left_out"),
    ],
    ids=["not asked for", "not asked for in workers", "deselected"],
)
def test_what_the_call_leaves_out_is_undecided_too(
    gates: CommandLine, shelf: Shelf, tmp_path: Path, extra: tuple[str, ...]
) -> None:
    body = "import pytest\n@pytest.mark.parametrize('n', [1, 2])\n" + TWO.replace(
        "kept()", "kept(n)"
    )
    code, judged = gate_with(gates, shelf, tmp_path, body, "--", *extra)
    assert code == 3
    outcomes = {one["id"].rpartition("::")[2]: one["outcome"] for one in judged}
    kept = {"test_kept[1]": "PASS", "test_kept[2]": "PASS"}
    assert outcomes == {**kept, "test_left_out": "UNDECIDED"}


def test_a_file_that_a_conftest_ignores_is_run_all_the_same(
    gates: CommandLine, shelf: Shelf, tmp_path: Path
) -> None:
    ignores = "collect_ignore_glob = ['test_*.py']\n"
    golden = str(tmp_path / "shop" / "golden")
    code, judged = gate_with(gates, shelf, tmp_path, TWO, "--", golden, conftest=ignores)
    assert (code, [one["outcome"] for one in judged]) == (0, ["PASS", "PASS"])


def test_a_parameter_that_is_left_out_is_missed(
    gates: CommandLine, shelf: Shelf, tmp_path: Path
) -> None:
    body = "import pytest\n@pytest.mark.parametrize('n', [1, 2])\ndef test_it(n):\n    pass\n"
    code, judged = gate_with(gates, shelf, tmp_path, body, "--", "-k", "not 2]")
    outcomes = {one["id"].rpartition("::")[2]: one["outcome"] for one in judged}
    assert (code, outcomes) == (3, {"test_it[1]": "PASS", "test_it[2]": "UNDECIDED"})
