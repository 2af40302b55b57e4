"""A gate with waivers, for real: it runs what is waived, and what it rests on ends with them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from gates.card import waiving
from tests.bad_input.conftest import Refusals, World
from tests.bad_input.test_cards_and_golden_sets import replace
from tests.conftest import CommandLine

SOON = datetime.now(UTC).date() + timedelta(days=30)
REST = f"reason: the lists are being redrawn, who: ann@example.com, expires: {SOON}"
WAIVERS = f"""waivers:
  - {{check: ranking-diff, {REST}}}
  - {{check: behaviour, {REST}}}
checks:"""


class Later(datetime):
    """A clock that goes a month and a day ahead."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return datetime.now(UTC) + timedelta(days=31)


def test_a_version_that_waivers_let_pass_is_promoted_until_they_expire(
    world: World, gates: CommandLine, refused: Refusals, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(world.card, "checks:", WAIVERS)
    ran = gates("run", world.uri("shuffled"), world.options(), "--json")
    assert ran.code == 0, ran.err
    assert "resting on 2 waivers" in ran.err
    bounds = {one["id"]: one for one in json.loads(ran.out)["bounds"]}
    waived = bounds["behaviour::must-be-first"]
    assert (waived["outcome"], waived["waived"]) == ("FAIL", True)
    assert waived["value"] < 1

    move = ("promote", world.uri("shuffled"), "--why", "for the holidays", world.options())
    with monkeypatch.context() as patched:
        patched.setattr(waiving, "datetime", Later)
        refused(world, *move, says=[f"expired on {SOON}", "take it out"])
        refused(world, "run", world.uri("good"), world.options(), says=[f"expired on {SOON}"])
    assert gates(*move).code == 0
    assert world.champion() == world.uri("shuffled").rpartition("/")[2]


def test_a_waiver_that_was_taken_out_since_the_gate_excuses_nothing(
    world: World, gates: CommandLine, refused: Refusals
) -> None:
    replace(world.card, "checks:", WAIVERS)
    assert gates("run", world.uri("shuffled"), world.options()).code == 0
    replace(world.card, WAIVERS, "checks:")
    move = ("promote", world.uri("shuffled"), "--why", "for the holidays", world.options())
    says = ["the card digest differs", "waived until", "demanded is"]
    refused(world, *move, code=1, says=says)
