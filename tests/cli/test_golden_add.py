"""`gates golden add`: one command puts a counterexample into a golden set, and nothing else."""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
from pathlib import Path

import pytest

from gates.golden import read_golden
from tests.conftest import Answer, CommandLine
from tests.golden.test_read_golden import LABELS, RANKING

QUERIES = (
    "query_id,query,weight,sampling,inclusion_probability,category\n"
    '007,"lamp, red",20,census,,lighting\nq2,tent,4,pps,0.5,camping\nq3,mug,9,census,,\n'
)
EXPECTATIONS = 'query_id,expect,target\n007,label,"lighting"\nq2,label,camping\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    manifest = f"{LABELS['manifest.yaml']}slices: [category]\n"
    (tmp_path / "manifest.yaml").write_text(manifest, encoding="utf-8")
    (tmp_path / "queries.csv").write_text(QUERIES, encoding="utf-8")
    (tmp_path / "expectations.csv").write_text(EXPECTATIONS, encoding="utf-8")
    return tmp_path


def add(gates: CommandLine, folder: Path, query: str, label: str, *options: str) -> Answer:
    return gates("golden", "add", str(folder), "--query", query, "--label", label, *options)


def test_a_new_query_gets_its_row_and_its_expectation_and_nothing_else_changes(
    gates: CommandLine, folder: Path
) -> None:
    answer = add(gates, folder, "tent pegs, 30cm", "camping", "--low", "0.4")
    assert answer.code == 0, answer.err
    queries = (folder / "queries.csv").read_text(encoding="utf-8")
    expectations = (folder / "expectations.csv").read_text(encoding="utf-8")
    assert queries.startswith(QUERIES)
    (row,) = queries.removeprefix(QUERIES).splitlines()
    query_id = row.partition(",")[0]
    assert row == f'{query_id},"tent pegs, 30cm",4,census,,'
    assert expectations.splitlines() == [
        "query_id,expect,target,low,high,source",
        '007,label,"lighting",,,judged',
        "q2,label,camping,,,judged",
        f"{query_id},label,camping,0.4,,judged",
    ]
    golden = read_golden(folder)
    assert golden.expectations[-1].low == 0.4
    assert golden.census[-1]
    assert not golden.warnings


def test_its_traffic_and_slice_can_be_said(gates: CommandLine, folder: Path) -> None:
    add(gates, folder, "desk", "office", "--weight", "12.5", "--slice", "category=office")
    golden = read_golden(folder)
    assert golden.weight[-1] == 12.5
    assert golden.slices["category"][-1] == "office"


def test_a_query_of_the_set_gets_only_its_expectation(gates: CommandLine, folder: Path) -> None:
    said = json.loads(add(gates, folder, "mug", "kitchen", "--json").out)
    assert (said["query_id"], said["new_query"], said["written"]) == ("q3", False, True)
    assert (folder / "queries.csv").read_text(encoding="utf-8") == QUERIES
    assert [one.target for one in read_golden(folder).expectations][-1] == "kitchen"


def test_a_dry_run_prints_the_difference_and_writes_nothing(
    gates: CommandLine, folder: Path
) -> None:
    answer = add(gates, folder, "desk", "office", "--dry-run")
    assert "--- queries.csv" in answer.out
    assert ",label,office,,,judged" in answer.out
    assert (folder / "queries.csv").read_text(encoding="utf-8") == QUERIES
    assert (folder / "expectations.csv").read_text(encoding="utf-8") == EXPECTATIONS


def test_a_set_without_expectations_gets_its_first(gates: CommandLine, folder: Path) -> None:
    (folder / "expectations.csv").unlink()
    assert add(gates, folder, "tent", "camping").code == 0
    assert (folder / "expectations.csv").read_text(encoding="utf-8").splitlines() == [
        "query_id,expect,target,low,high,source",
        "q2,label,camping,,,judged",
    ]


def test_the_same_query_twice_is_refused_with_its_line(gates: CommandLine, folder: Path) -> None:
    add(gates, folder, "desk", "office")
    before = (folder / "expectations.csv").read_bytes()
    answer = add(gates, folder, "desk", "home")
    assert answer.code == 2
    assert "'desk' is expected to be office already" in answer.err
    assert "expectations.csv:4" in answer.err
    assert (folder / "expectations.csv").read_bytes() == before


def test_a_text_that_was_added_and_then_corrected_can_be_added_again(
    gates: CommandLine, folder: Path
) -> None:
    add(gates, folder, "desk", "office")
    path = folder / "queries.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",desk,", ",desks,"), encoding="utf-8")
    assert add(gates, folder, "desk", "office").code == 0
    assert read_golden(folder).query_text[-2:] == ("desks", "desk")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("  ", "office"), "--query '  ' is blank"),
        (("desk\nlamp", "office"), "cannot be seen"),
        (("desk", ""), "--label '' is blank"),
        (("desk", "office", "--low", "0.9", "--high", "0.1"), "at least 0.9 and at most 0.1"),
        (("desk", "office", "--low", "nan"), "no score is at least nan"),
        (("desk", "office", "--weight", "0"), "is no traffic"),
        (("desk", "office", "--slice", "categroy=x"), "did you mean 'category'?"),
        (("desk", "office", "--slice", "category"), "is no slice"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    gates: CommandLine, folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    answer = add(gates, folder, *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert (folder / "queries.csv").read_text(encoding="utf-8") == QUERIES


def test_a_ranking_set_takes_more_than_a_query(gates: CommandLine, tmp_path: Path) -> None:
    for name, text in RANKING.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    answer = add(gates, tmp_path, "desk", "office")
    assert answer.code == 2
    assert "a query alone says nothing" in answer.err


def test_line_ends_of_another_system_are_kept(gates: CommandLine, folder: Path) -> None:
    path = folder / "queries.csv"
    path.write_bytes(QUERIES.replace("\n", "\r\n").encode())
    assert add(gates, folder, "desk", "office").code == 0
    assert path.read_bytes().count(b"\r\n") == path.read_bytes().count(b"\n") == 5


def test_a_label_that_no_other_query_has_is_warned_of(gates: CommandLine, folder: Path) -> None:
    answer = add(gates, folder, "desk", "lightin", "--dry-run")
    assert answer.code == 0
    words = "no other query of the set is expected to be 'lightin'; did you mean 'lighting'?"
    assert f"warning: {words}" in answer.out
    said = json.loads(add(gates, folder, "mug", "lightin", "--json").out)
    assert said["warnings"] == [words]
    assert json.loads(add(gates, folder, "lamp", "lighting", "--json").out)["warnings"] == []


def test_a_query_that_reads_like_another_is_warned_of(gates: CommandLine, folder: Path) -> None:
    (warning,) = json.loads(add(gates, folder, " MUG ", "lighting", "--json").out)["warnings"]
    assert warning == "'mug' (q3) is in the set already; only case or blanks tell them apart"


def test_a_file_that_cannot_be_written_leaves_a_set_that_the_same_command_completes(
    gates: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if target.name == "expectations.csv":
            raise PermissionError(errno.EACCES, "Permission denied")
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refuse)
        answer = add(gates, folder, "desk", "lighting")
    assert answer.code == 2
    assert "expectations.csv could not be written: Permission denied" in answer.err
    assert "the query is in queries.csv already, without its expectation" in answer.err
    assert sorted(one.name for one in folder.iterdir()) == sorted(
        ["manifest.yaml", "queries.csv", "expectations.csv"]
    )
    assert read_golden(folder).query_text[-1] == "desk"
    assert add(gates, folder, "desk", "lighting").code == 0
    assert read_golden(folder).expectations[-1].target == "lighting"


def test_stopping_while_writing_leaves_no_half_file(
    gates: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", stop)
        with contextlib.suppress(KeyboardInterrupt):
            add(gates, folder, "desk", "lighting")
    assert (folder / "queries.csv").read_text(encoding="utf-8") == QUERIES
    assert sorted(one.name for one in folder.iterdir()) == sorted(
        ["manifest.yaml", "queries.csv", "expectations.csv"]
    )


def test_what_is_no_golden_set_is_refused_and_those_there_are_named(
    gates: CommandLine, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = tmp_path_factory.mktemp("shop")
    shutil.copytree(folder, project / "golden" / "query-category")
    options = ("--query", "desk", "--label", "lighting", "--project", str(project))
    for what, said in (
        ("query-categry", "did you mean 'query-category'?"),
        ("", "there is no golden set ''"),
        (str(folder / "queries.csv"), f"name the folder that it is in: {folder}"),
        (str(project / "golden"), "Name one of the sets in it: query-category."),
        (str(project), "so its folder is no golden set"),
    ):
        answer = gates("golden", "add", what, *options)
        assert (answer.code, said in answer.err) == (2, True), answer.err
