"""A waiver is of one thing that the card asks, for a while; all else is an error with its line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gates.card.card import Card, read_card
from gates.checks import catalogue
from gates.errors import CardError
from gates.golden import read_golden
from tests.toys import CARD, make_project

TODAY = datetime.now(UTC).date()
SOON = TODAY + timedelta(days=30)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "shop")


def waived(*what: str, reason: str = "lamps are being relabelled", expires: date = SOON) -> str:
    """The toy's card with a waiver for each of some things."""
    rest = f"reason: {reason}, who: ann@example.com, expires: {expires}"
    lines = "".join(f"  - {{{one}, {rest}}}\n" for one in what)
    return CARD.replace("checks:", f"waivers:\n{lines}checks:", 1)


def read(project: Path, text: str) -> Card:
    path = project / "model_cards" / "toy-ranker.md"
    path.write_text(text)
    return read_card(path, catalogue(), project=project)


NDCG = "check: ranking-diff, bound: ndcg@10.delta"


@pytest.mark.parametrize(
    ("what", "covered"),
    [
        ("check: lockfile", lambda name: name.startswith("lockfile::")),
        (NDCG, lambda name: name == "ranking-diff::ndcg@10.delta"),
        (
            f"{NDCG}, slice: category=lamps",
            lambda name: name == "ranking-diff::ndcg@10.delta[category=lamps]",
        ),
        (
            "check: behaviour, bound: must-be-first, query: q1",
            lambda name: name == "behaviour::must-be-first",
        ),
    ],
)
def test_it_excuses_what_it_names_and_nothing_else(
    project: Path, what: str, covered: Callable[[str], bool]
) -> None:
    golden = read_golden(project / "golden" / "toy-ranker")
    card = read(project, waived(what.replace("q1", golden.query_id[0])))
    bounds = card.bounds(golden)
    assert [one.id for one in bounds if one.waivers] == [o.id for o in bounds if covered(o.id)]
    (waiver,) = {waiver for one in bounds for waiver in one.waivers}
    assert (waiver.who, waiver.expires) == ("ann@example.com", SOON.isoformat())


def test_a_waiver_is_part_of_what_is_judged_by(project: Path) -> None:
    plain = read(project, CARD).digest
    digests = {read(project, waived(NDCG, expires=SOON - timedelta(days=n))).digest for n in (0, 1)}
    assert len({plain, *digests}) == 3


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("check: rankingdiff", ["no check 'rankingdiff'", "did you mean 'ranking-diff'"]),
        ("check: '*'", ["check", "pattern"]),
        ("check: ranking-diff, bound: 'ndcg@*'", ["bound", "pattern"]),
        ("check: ranking-diff, bound: ndcg@10.dleta", ["no bound", "did you mean 'ndcg@10.delta'"]),
        ("check: ranking-diff, bound: rbo", ["advisory", "take the waiver out"]),
        (f"{NDCG}, slice: category", ["slice", "pattern"]),
        (f"{NDCG}, slice: traffic=head", ["demands nothing", "'traffic=head'"]),
        (f"{NDCG}, query: q1", ["counts no items of single queries", "waive the bound"]),
        ("check: ranking-diff, slice: category=lamps", ["name it"]),
        ("check: behaviour, bound: must-be-first, slice: a=b, query: q", ["not both"]),
        ("chekc: lockfile", ["unknown key", "did you mean 'check'"]),
    ],
)
def test_what_it_cannot_be_of_is_said(project: Path, what: str, words: list[str]) -> None:
    with pytest.raises(CardError) as caught:
        read(project, waived(what))
    assert caught.value.line == 7
    for word in words:
        assert word in str(caught.value)


def test_it_is_written_once_with_a_reason_and_leaves_something_required(project: Path) -> None:
    for text, words in (
        (waived(NDCG, NDCG), "waived twice"),
        (waived(NDCG, reason="because"), "at least 10 characters"),
        (waived(NDCG).replace(", who: ann@example.com", ""), "'waivers.0.who' is missing"),
        (waived("check: lockfile", "check: behaviour", "check: ranking-diff"), "nothing required"),
    ):
        with pytest.raises(CardError, match=words):
            read(project, text)


@pytest.mark.parametrize(
    ("what", "expires", "words"),
    [
        (NDCG, TODAY - timedelta(days=1), ["expired on", "take it out"]),
        (NDCG, TODAY + timedelta(days=91), ["would hold until", "90 days"]),
        (f"{NDCG}, slice: category=lamp", SOON, ["no slice", "did you mean"]),
        ("check: behaviour, bound: must-be-first, query: nobody", SOON, ["no query 'nobody'"]),
    ],
)
def test_a_waiver_that_does_not_hold_stops_the_gate(
    project: Path, what: str, expires: date, words: list[str]
) -> None:
    card = read(project, waived(what, expires=expires))
    with pytest.raises(CardError) as caught:
        card.bounds(read_golden(project / "golden" / "toy-ranker"))
    assert caught.value.line == 7
    for word in words:
        assert word in str(caught.value)


def test_it_holds_through_its_last_day(project: Path) -> None:
    card = read(project, waived(NDCG, expires=TODAY))
    assert card.waivers(TODAY)
    with pytest.raises(CardError, match="expired"):
        card.waivers(TODAY + timedelta(days=1))
