"""A card that is loosened once results were seen: nothing is forbidden by it, and all are told."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from gates.domain.judging import ModelVersion
from gates.evidence.bar import BarFacts
from gates.evidence.bundle import read_evidence
from gates.evidence.inventory import list_inventory
from gates.golden import read_golden
from gates.project import Project
from gates.run.bar import bar_facts
from gates.settings import load_settings
from tests.bad_input.conftest import World
from tests.conftest import CommandLine
from tests.toys import MODEL

SLICES = ("category=chairs", "category=lamps")
MOVED = [f"ranking-diff::ndcg@10.delta[{one}]" for one in SLICES]


def loosen(world: World) -> None:
    """What the slices may lose: twice as much."""
    text = world.card.read_text()
    assert "category: {min: -0.1}" in text
    world.card.write_text(text.replace("category: {min: -0.1}", "category: {min: -0.2}"))


def facts(world: World, candidate: ModelVersion | None = None) -> BarFacts:
    project = Project(
        load_settings(world.project, tracking_uri=world.tracking_uri, cache=world.cache)
    )
    card = project.read_card(world.card)
    golden = read_golden(card.golden_path)
    version = candidate or project.registry.resolve(world.uri("good"))
    inventory = list_inventory(card, golden)
    return bar_facts(project.registry, card, version, inventory, golden.digest, by="bob")


def git(world: World, *arguments: str) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    subprocess.run(["git", *who, *arguments], cwd=world.project, check=True, capture_output=True)


def test_report_and_history_tell_it_and_it_stays_told(gated: World, gates: CommandLine) -> None:
    loosen(gated)
    ran = gates("run", gated.uri("good"), gated.options(), "--json")
    assert ran.code == 0, ran.err
    evidence = Path(json.loads(ran.out)["evidence"])
    (moved,) = read_evidence(evidence).bar.moved  # type: ignore[union-attr]  # it has one
    assert [one.id for one in moved.bounds] == MOVED
    assert all(one.is_looser for one in moved.bounds)
    for said in (ran.err, evidence.with_name("report.md").read_text()):
        assert "The bar moved after results were seen" in said
        assert "from ≥ -0.1 to ≥ -0.2" in said
    assert "results were seen" in evidence.with_name("report.html").read_text()

    assert gates("promote", gated.uri("good"), "--why", "it passed", gated.options()).code == 0
    told = gates("history", MODEL, gated.options(), "--json")
    kinds = {one["kind"] for one in json.loads(told.out) if one["bar_moved"]}
    assert kinds == {"gate", "promote"}
    shown = gates("history", MODEL, gated.options()).out
    assert "the bar moved after results were seen" in " ".join(shown.split())

    # Gated once more by the same card, nothing moved again; what moved before is still told.
    assert facts(gated).moved == (moved,)


def test_who_moved_it_is_whom_git_names_and_else_who_runs_the_gate(gated: World) -> None:
    assert facts(gated).commit is None
    assert facts(gated).committed_before is None
    loosen(gated)
    (moved,) = facts(gated).moved
    assert (moved.by, moved.verdict) == ("bob", "PASS")
    git(gated, "init", "-q")
    git(gated, "add", "model_cards")
    git(gated, "commit", "-qm", "Loosen the slices")
    found = facts(gated)
    assert found.moved[0].by == "Ada"
    assert found.committed_before is False, "the candidate was packaged long before"
    gated.card.write_text(gated.card.read_text() + "\nMore words.\n")
    assert facts(gated).uncommitted
    assert facts(gated).moved[0].by == "bob"


def test_the_same_bytes_under_another_number_are_no_way_around(
    gated: World, gates: CommandLine
) -> None:
    project = Project(
        load_settings(gated.project, tracking_uri=gated.tracking_uri, cache=gated.cache)
    )
    registry = project.registry
    old = registry.resolve(gated.uri("good"))
    again = registry.register(MODEL, registry.path(old), {}, "")
    assert (again.digest, again.version != old.version) == (old.digest, True)
    loosen(gated)
    (moved,) = facts(gated, again).moved
    assert [one.id for one in moved.bounds] == MOVED
    other = registry.resolve(gated.uri("noise"))
    assert facts(gated, other).moved == (), "of other bytes nothing was seen"


def test_a_golden_set_that_changed_is_told_as_well(gated: World) -> None:
    path = gated.golden / "judgments.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n")
    (moved,) = facts(gated).moved
    assert (moved.golden, moved.bounds) == (True, ())
