"""`gates plan`: how likely a card passes, told from an earlier gate, before anything runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine, Shelf


def gate(shelf: Shelf, output: Path, *more: str) -> Path:
    """The folder of a gate run of the good version."""
    command = ["run", shelf.uri("good"), *shelf.options(), "--output", str(output), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "gates", *command, *more],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)["evidence"]).parent


@pytest.fixture(scope="module")
def run(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gate(shelf, tmp_path_factory.mktemp("runs"))


def planned(gates: CommandLine, shelf: Shelf, *more: str) -> tuple[dict[str, Any], str]:
    answer = gates("plan", "toy-ranker", *shelf.options(), *more, "--json")
    assert answer.code == 0, answer.err
    found: dict[str, Any] = json.loads(answer.out)
    return found, answer.err


def card_with(shelf: Shelf, tmp_path: Path, was: str, now: str) -> Path:
    text = (shelf.project / "model_cards" / "toy-ranker.md").read_text(encoding="utf-8")
    assert was in text
    other = tmp_path / "other.md"
    other.write_text(text.replace(was, now, 1), encoding="utf-8")
    return other


def test_it_tells_the_joint_chance_first_and_each_bound(
    gates: CommandLine, shelf: Shelf, run: Path
) -> None:
    found, said = planned(gates, shelf, "--from", str(run))
    chances = {name: one["chance"] for name, one in found["passes"].items()}
    assert chances["better"] >= chances["equal"] >= chances["at margin"]
    assert chances["at margin"] <= 0.1
    percent = f"{100 * chances['equal']:.0f} %"
    assert said.startswith(f"toy-ranker: an equal version passes this card in {percent} of tries")
    ids = [one["id"] for one in found["bounds"]]
    assert "ranking-diff::ndcg@10.delta" in ids
    assert "ranking-diff::severe-losses" in ids
    assert min(one["passes"]["equal"] for one in found["bounds"]) >= chances["equal"]
    assert not any("::rbo" in one for one in [*ids, *found["not_planned"]])  # advisory
    assert "behaviour::must-be-first" in found["not_planned"]
    assert found["effects"]["at margin"] == {"ndcg@10": -0.02}
    assert found["from"]["same_golden_set"] is True


def test_a_card_that_asks_too_much_is_told_what_would_help(
    gates: CommandLine, shelf: Shelf, run: Path, tmp_path: Path
) -> None:
    strict = card_with(shelf, tmp_path, "min: -0.02\n", "min: -0.0001\n")
    found, said = planned(gates, shelf, "--from", str(run), "--card", str(strict))
    now = found["passes"]["equal"]["chance"]
    assert now < 0.5
    (first, *_) = found["helps"]
    assert first["id"] == "ranking-diff::ndcg@10.delta"
    assert first["demand"] < -0.0001
    assert first["passes_with_it"] > now
    assert first["passes_without"] >= first["passes_with_it"]
    assert "What would help" in said
    # What it proposes is what then passes as often.
    proposed = {one["id"]: one["demand"] for one in found["proposed"]["bounds"]}
    least = proposed["ranking-diff::ndcg@10.delta"]
    wide = card_with(shelf, tmp_path, "min: -0.02\n", f"min: {first['demand']}\n")
    again, _ = planned(gates, shelf, "--from", str(run), "--card", str(wide))
    assert again["passes"]["equal"]["chance"] == pytest.approx(first["passes_with_it"], abs=0.02)
    assert least < 0


def test_it_plans_from_the_newest_gate_that_compared_two_versions(
    gates: CommandLine, shelf: Shelf, tmp_path: Path
) -> None:
    last = gate(shelf, tmp_path)
    found, _ = planned(gates, shelf)
    shown = gates("show", str(last), "--json")
    digest = found["from"]["evidence_digest"]
    assert json.loads(shown.out)["candidate"]["version"] in found["from"]["candidate"]
    assert digest.startswith("sha256:")
    same = gates("golden", "plan", "toy-ranker", *shelf.options(), "--json")
    assert json.loads(same.out) == found


def test_a_version_against_itself_says_nothing_of_how_versions_differ(
    gates: CommandLine, shelf: Shelf, tmp_path: Path
) -> None:
    itself = gate(shelf, tmp_path, "--against-itself")
    answer = gates("plan", "toy-ranker", *shelf.options(), "--from", str(itself))
    assert answer.code == 2
    assert "compared a version with itself" in answer.err


@pytest.mark.parametrize("power", ["0", "1", "-0.5", "nan"])
def test_a_power_that_is_none_is_refused(gates: CommandLine, shelf: Shelf, power: str) -> None:
    answer = gates("plan", "toy-ranker", *shelf.options(), "--power", power)
    assert answer.code == 2
    assert "--power" in answer.err


def test_a_card_that_mostly_fails_equals_says_so_before_it_starts(
    gates: CommandLine, shelf: Shelf, run: Path, tmp_path: Path
) -> None:
    del run
    strict = card_with(shelf, tmp_path, "min: -0.02\n", "min: -0.0001\n")
    options = [*shelf.options(), "--card", str(strict), "--output", str(tmp_path)]
    answer = gates("run", shelf.uri("good"), *options, "--json")
    assert answer.err.startswith("A version whose rankings differ as much as those of version ")
    assert "gates plan toy-ranker" in answer.err.splitlines()[0]
    assert json.loads(answer.out)["equal_version_passes"] < 0.5


def test_without_a_gate_one_may_say_how_versions_differ(
    gates: CommandLine, shelf: Shelf, run: Path
) -> None:
    del run  # the card's golden set is all that is needed
    few, said = planned(gates, shelf, "--changed", "0.1", "--by", "0.05")
    many, _ = planned(gates, shelf, "--changed", "1", "--by", "0.3")
    assert few["from"] is None
    assert "what --changed and --by assume" in said
    assert few["passes"]["equal"]["chance"] > 0.9 > many["passes"]["equal"]["chance"]
    ids = {one["id"] for one in few["bounds"]}
    assert "ranking-diff::ndcg@10.delta[category=lamps]" in ids or len(ids) > 2


@pytest.mark.parametrize(
    "options",
    [
        ["--changed", "0.1"],
        ["--by", "0.1"],
        ["--changed", "0.1", "--by", "0.1", "--from", "x"],
        ["--changed", "nan", "--by", "0.1"],
        ["--changed", "0.1", "--by", "0"],
    ],
)
def test_half_an_assumption_is_refused(
    gates: CommandLine, shelf: Shelf, options: list[str]
) -> None:
    answer = gates("plan", "toy-ranker", *shelf.options(), *options)
    assert answer.code == 2
    assert "--" in answer.err
