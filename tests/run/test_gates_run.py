"""`gates run`: the verdict, its exit code, and what it leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import CommandLine, Shelf
from tests.sealed import record_in
from tests.toys import MODEL, copy_project


def test_a_better_candidate_passes_and_leaves_evidence_and_reports(
    gates: CommandLine, shelf: Shelf, tmp_path: Path
) -> None:
    answer = gates("run", shelf.uri("good"), shelf.options(), "--output", str(tmp_path), "--json")
    assert answer.code == 0, answer.err
    said = json.loads(answer.out)
    assert said["verdict"] == "PASS"
    assert said["champion"] == f"models:/{MODEL}/1"
    assert {one["outcome"] for one in said["bounds"] if not one["advisory"]} == {"PASS"}
    for path in (said["evidence"], *said["reports"].values()):
        assert Path(path).stat().st_size > 100
    assert said["mlflow_run"]


def test_a_shuffled_candidate_fails(gates: CommandLine, shelf: Shelf, tmp_path: Path) -> None:
    answer = gates(
        "run",
        shelf.uri("shuffled"),
        shelf.options(),
        "--champion",
        shelf.uri("good"),
        "--output",
        str(tmp_path),
    )
    assert answer.code == 1, answer.err
    assert "FAIL" in answer.out
    assert "ndcg@10.delta" in answer.out


@pytest.mark.parametrize(
    ("version", "code", "words"),
    [
        ("nan", 1, "nan"),
        ("short", 1, "wrong-rows"),
        ("dies", 3, "died"),
        ("hangs", 3, "hung"),
        ("raises", 3, "no such feature store"),
        ("wants-more", 3, "price"),
    ],
)
def test_a_misbehaving_candidate_gets_a_named_outcome_and_never_a_pass(
    gates: CommandLine, shelf: Shelf, tmp_path: Path, version: str, code: int, words: str
) -> None:
    project = copy_project(shelf.project, tmp_path / "shop")
    card = project / "model_cards" / f"{MODEL}.md"
    card.write_text(card.read_text().replace("predict_seconds: 5", "predict_seconds: 1"))
    answer = gates("run", shelf.uri(version), shelf.options(project), "--json")
    assert answer.code == code, answer.out + answer.err
    said = json.loads(answer.out)
    assert any(words in reason for reason in said["reasons"]), said["reasons"]
    outcomes = {one["id"]: one["outcome"] for one in said["bounds"]}
    assert outcomes["lockfile::unpinned"] == "PASS", "other checks still speak"


def test_a_candidate_that_dies_while_explaining_gets_the_verdict_of_one_that_explains(
    gates: CommandLine, shelf: Shelf, tmp_path: Path
) -> None:
    champion = ("--champion", shelf.uri("good"))
    found = []
    for version in ("weak", "dies-explaining"):
        output = ("--output", str(tmp_path / version))
        said = json.loads(
            gates("run", shelf.uri(version), champion, shelf.options(), output, "--json").out
        )
        evidence = record_in(Path(said["evidence"]))
        (lists,) = (
            one
            for record in evidence["records"]
            for one in record["exhibits"]
            if one["kind"] == "ranking-diff"
        )
        judged = {one["id"]: one["outcome"] for one in said["bounds"]}
        found.append((said["verdict"], judged, evidence["environments"].keys(), lists))
    told, untold = found
    assert told[:3] == untold[:3]
    worst = told[3]["queries"][0]["moves"][0]["features"][0]
    assert worst[0] in {"good", "noise"}
    assert "died while explaining: it exited with code 9" in untold[3]["why_reason"]


def test_noise_on_stdout_is_not_an_answer(gates: CommandLine, shelf: Shelf, tmp_path: Path) -> None:
    answer = gates("run", shelf.uri("noise"), shelf.options(), "--output", str(tmp_path))
    assert answer.code == 0, answer.out + answer.err


def test_a_version_against_itself_is_refused(gates: CommandLine, shelf: Shelf) -> None:
    answer = gates("run", shelf.uri("weak"), shelf.options())
    assert answer.code == 2
    assert "same bytes" in answer.err


def test_arguments_after_the_dashes_go_to_pytest_and_a_partial_run_is_undecided(
    gates: CommandLine, shelf: Shelf, tmp_path: Path
) -> None:
    answer = gates(
        "run",
        shelf.uri("good"),
        shelf.options(),
        "--output",
        str(tmp_path),
        "--json",
        "--",
        "-k",
        "lockfile",
    )
    assert answer.code == 3, answer.err
    said = json.loads(answer.out)
    assert any("not run, for" in reason for reason in said["reasons"])


def test_the_evidence_says_where_the_time_went(
    gates: CommandLine, shelf: Shelf, tmp_path: Path
) -> None:
    answer = gates("run", shelf.uri("good"), shelf.options(), "--output", str(tmp_path), "--json")
    evidence = record_in(Path(json.loads(answer.out)["evidence"]))
    assert {one["step"] for one in evidence["timings"]} >= {"resolve versions", "total"}
    assert all(record["seconds"] >= 0 for record in evidence["records"])
    assert evidence["environments"]["candidate"]["load_seconds"] > 0


def test_a_version_against_itself_shows_no_difference_and_promotes_nothing(
    gates: CommandLine, shelf: Shelf, tmp_path: Path
) -> None:
    before = gates("history", MODEL, shelf.options(), "--json").out
    answer = gates(
        "run",
        shelf.uri("weak"),
        shelf.options(),
        "--against-itself",
        "--output",
        str(tmp_path),
        "--json",
    )
    assert answer.code == 0, answer.err
    said = json.loads(answer.out)
    assert said["champion"] == said["candidate"]
    values = {one["id"]: one["value"] for one in said["bounds"]}
    assert values["ranking-diff::ndcg@10.delta"] == 0
    assert said["mlflow_run"] is None
    assert gates("history", MODEL, shelf.options(), "--json").out == before
    shown = gates("show", said["evidence"], shelf.options(), "--as", "markdown").out
    assert "compared with itself, meets its card" in shown
    assert "gates promote" not in shown
    refused = gates(
        "promote",
        shelf.uri("weak"),
        shelf.options(),
        "--why",
        "never",
        "--evidence",
        said["evidence"],
    )
    assert refused.code == 1
