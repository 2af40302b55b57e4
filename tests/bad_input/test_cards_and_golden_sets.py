"""Cards and golden sets that say something wrong: file, line and remedy, before anything runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bad_input.conftest import Refusals, World
from tests.conftest import VERSIONS, CommandLine
from tests.toys import MODEL, set_params


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def append(path: Path, row: str) -> None:
    path.write_text(path.read_text() + row + "\n")


def _empty(world: World) -> None:
    for path in world.golden.iterdir():
        path.unlink()


def _other_task(world: World) -> None:
    for name in ("candidates.csv", "judgments.csv"):
        (world.golden / name).unlink()
    replace(world.golden / "manifest.yaml", "task: ranking", "task: classification")
    replace(world.golden / "manifest.yaml", "inputs: [good, noise]", "inputs: [query]")
    (world.golden / "expectations.csv").write_text("query_id,expect,target\nq000,label,chairs\n")


CARDS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "broken YAML": (
        lambda card: replace(card, "task: ranking", "task: [ranking"),
        [f"{MODEL}.md:4: not valid YAML"],
    ),
    "an unknown metric": (
        lambda card: replace(card, "ndcg@10.delta", "ndgc@10.delta"),
        [f"{MODEL}.md:14", "no metric 'ndgc@10.delta'", "did you mean 'ndcg@{k}.delta'"],
    ),
    "an unknown check": (
        lambda card: replace(card, "behaviour:", "behavior:"),
        [f"{MODEL}.md:8", "unknown check 'behavior'", "did you mean 'behaviour'"],
    ),
    "an unknown key": (
        lambda card: replace(card, "owners:", "owner:"),
        [f"{MODEL}.md:4", "unknown key 'owner'", "did you mean 'owners'"],
    ),
    "no front matter": (
        lambda card: card.write_text("# A toy\n"),
        [f"{MODEL}.md:1", "begins with YAML front matter"],
    ),
    "another model": (
        lambda card: replace(card, "model: toy-ranker", f"model: toy\ngolden: golden/{MODEL}"),
        [f"is the card of 'toy', not of '{MODEL}'", f"whose 'model:' is {MODEL}"],
    ),
    "no card": (Path.unlink, [f"{MODEL}.md: there is no such model card", "--card"]),
    "a slice nobody has": (
        lambda card: replace(card, "category: {min", "colour: {min"),
        [f"{MODEL}.md:17", "no slice column 'colour'", "valid here: category"],
    ),
}


@pytest.mark.parametrize("kind", CARDS)
def test_a_wrong_card_is_refused_with_file_line_and_remedy(
    world: World, refused: Refusals, kind: str
) -> None:
    spoil, says = CARDS[kind]
    spoil(world.card)
    refused(world, "run", world.uri("good"), world.options(), says=says)


GOLDEN: dict[str, tuple[Callable[[World], object], list[str]]] = {
    "no folder": (
        lambda world: shutil.rmtree(world.golden),
        [f"there is no golden set '{MODEL}'", "/golden"],
    ),
    "an empty folder": (
        _empty,
        [
            "manifest.yaml: there is no such file, so its folder is no golden set",
            "write its manifest",
        ],
    ),
    "no queries": (
        lambda world: (
            (world.golden / "queries.csv").write_text("query_id,query,category\n") and None
        ),
        ["queries.csv: there is no query", "Add a row for each query"],
    ),
    "duplicate document ids": (
        lambda world: append(world.golden / "candidates.csv", "q000,d03,Again,1,1"),
        ["candidates.csv:722", "duplicate (query_id, doc_id)", "('q000', 'd03')", "Keep one row"],
    ),
    "a document judged twice": (
        lambda world: append(world.golden / "judgments.csv", "q001,d03,2"),
        ["judgments.csv:722", "duplicate (query_id, doc_id)", "Keep one row"],
    ),
    "a grade that is NaN": (
        lambda world: replace(world.golden / "judgments.csv", "q000,d00,3", "q000,d00,NaN"),
        ["judgments.csv:2", "grade", "NaN"],
    ),
    "a judgment of an unknown query": (
        lambda world: append(world.golden / "judgments.csv", "q999,d03,2"),
        ["judgments.csv:722", "q999", "queries.csv"],
    ),
    "a feature that is a word": (
        lambda world: append(world.golden / "candidates.csv", "q000,d77,New,cheap,1"),
        ["candidates.csv:722", "good", "cheap"],
    ),
    "an expectation of nothing": (
        lambda world: append(world.golden / "expectations.csv", "q000,must-be-first,d99,1"),
        ["expectations.csv:3", "d99", "not among the query's candidates"],
    ),
}


@pytest.mark.parametrize("kind", GOLDEN)
def test_a_wrong_golden_set_is_refused_with_file_line_and_remedy(
    world: World, refused: Refusals, kind: str
) -> None:
    spoil, says = GOLDEN[kind]
    spoil(world)
    refused(world, "golden", "check", MODEL, "--project", str(world.project), says=says)


BEFORE_A_RUN: dict[str, tuple[Callable[[World], object], list[str]]] = {
    "no folder": (
        lambda world: shutil.rmtree(world.golden),
        [f"{MODEL}.md:2: there is no golden set at", "'golden:'"],
    ),
    "no queries": GOLDEN["no queries"],
    "another task": (
        _other_task,
        ["is for a ranking model", "for classification", "point 'golden:' at a set"],
    ),
    "duplicate document ids": GOLDEN["duplicate document ids"],
}


@pytest.mark.parametrize("kind", BEFORE_A_RUN)
def test_nothing_runs_on_a_wrong_golden_set(world: World, refused: Refusals, kind: str) -> None:
    spoil, says = BEFORE_A_RUN[kind]
    spoil(world)
    refused(world, "run", world.uri("good"), world.options(), says=says)


def test_a_feature_may_be_missing_where_the_model_can_do_without_it(
    world: World, gates: CommandLine
) -> None:
    candidates = (world.golden / "candidates.csv").read_text().splitlines()
    candidates[9] = candidates[9].rpartition(",")[0] + ","
    candidates[14] = candidates[14].rpartition(",")[0] + ",NaN"
    (world.golden / "candidates.csv").write_text("\n".join(candidates) + "\n")
    assert gates("golden", "check", MODEL, "--project", str(world.project)).code == 0
    source = world.model / "toy_model.py"
    replace(source, "* frame[name][row]", "* (0 if math.isnan(v := frame[name][row]) else v)")
    for weight in (1.0, 0.0):
        set_params(world.project, weights={"good": 1.0, "noise": weight})
        assert gates("package", MODEL, world.options()).code == 0
    old, new = (f"models:/{MODEL}/{len(VERSIONS) + at}" for at in (1, 2))
    versions = [new, "--champion", old]
    answer = gates("run", versions, world.options())
    assert answer.code == 0, answer.out + answer.err
