"""The usual ways in which ids of two files come not to meet."""

from __future__ import annotations

import pytest

from gates.domain.id_repairs import meeting


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("17", "00017", "leading zeros"),
        ("P1", "p1", "case"),
        ("12.0", "12", "`.0`"),
        (" a1 ", "a1", "blanks"),
        ("e\u0301", "\u00e9", "Unicode"),
        ("q12", "12", "letters before"),
        (" 17.0", "0017", "written alike"),
    ],
)
def test_the_repair_is_named_with_an_example(one: str, other: str, words: str) -> None:
    found = meeting([("", one), ("", "same")], [("", other), ("", "same")])
    assert words in found.words
    assert f"2 of 2 ids would meet {found.repair}: {one!r} is {other!r}" == found.words
    assert not found.damaged
    assert meeting([("", one)], [("", other)]).damaged


def test_ids_meet_only_within_the_same_query() -> None:
    assert not meeting([("q1", "17")], [("q2", "017")]).repair


def test_what_no_repair_lets_meet_has_no_words() -> None:
    found = meeting([("", "a"), ("", "b")], [("", "b"), ("", "c")])
    assert (found.ids, found.met, found.repair, found.words) == (2, 1, "", "")


def test_an_id_that_meets_already_is_no_target() -> None:
    assert not meeting([("", "a"), ("", "A")], [("", "a")]).repair
