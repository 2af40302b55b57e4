"""`equivalence`: what an upgrade changes is counted, and what cannot be told is no zero."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from gates.domain.judging import Bound, Outcome, judge
from gates.domain.subject import Columns
from gates.errors import NoChampion
from tests.checks.subjects import FakeArm, FakeSubject, Result, golden_set, run

RANKING = ("changed-scores", "changed-orders", "largest-difference")
LISTS = [{"a": 3.0, "b": 1.0, "c": 0.0}, {"d": 1.0, "e": 2.0}]
OLD = [0.5, 0.25, 0.125, 3.0, 2.0]


def ranked(
    new: list[float],
    *,
    again: list[float] | None = None,
    keys: tuple[str, str] = ("old", "new"),
    **options: Any,
) -> Result:
    """The champion scores OLD, and `new` under the candidate's lock."""
    golden = golden_set(lists=LISTS, features={"f": [0.0] * 5})
    champion = FakeArm("champion", score=lambda _: OLD, key=keys[0])
    champion.again = (lambda _: again) if again else None
    guest = FakeArm("champion", score=lambda _: new)
    candidate = FakeArm(score=lambda _: OLD, key=keys[1])
    subject = FakeSubject(golden, candidate, champion, guests={"champion": guest})
    return run("equivalence", subject, *RANKING, **options)


def test_the_same_answers_are_zero_changes_over_all_rows() -> None:
    result = ranked(list(OLD))
    assert [result[metric].value for metric in RANKING] == [0.0, 0.0, 0.0]
    assert [result[metric].n for metric in RANKING] == [5, 2, 5]
    assert result.tables == []


def test_changes_are_counted_by_row_and_by_query_and_the_first_are_shown() -> None:
    result = ranked([0.5, 0.25, 0.3, 3.5, 2.0])
    assert result["changed-scores"].value == 2.0
    assert result["changed-orders"].value == 1.0
    assert result["largest-difference"].value == 0.5
    (exhibit,) = result.tables
    assert exhibit.title == (
        "The new lock changes the order of 1 of 2 queries, 2 of 5 scores; the first that differ"
    )
    assert exhibit.rows == [
        ["query 0", "b", "2", "3", 0.25, 0.25, 0.0],
        ["query 0", "c", "3", "2", 0.125, 0.3, 0.175],
        ["query 1", "d", "1", "1", 3.0, 3.5, 0.5],
    ]


@pytest.mark.parametrize(
    ("absolute", "relative", "changed"),
    [(1e-9, 1e-6, 1.0), (1e-4, 0, 0.0), (0, 1e-4, 0.0), (0, 0, 1.0)],
)
def test_a_move_within_tolerance_is_no_change(
    absolute: float, relative: float, changed: float
) -> None:
    moved = [0.5, 0.25, 0.125, 3.0 + 1e-5, 2.0]
    result = ranked(moved, absolute=absolute, relative=relative)
    assert result["changed-scores"].value == changed
    assert result["largest-difference"].value == pytest.approx(1e-5)


def test_a_model_that_differs_from_itself_tells_nothing_of_the_upgrade() -> None:
    result = ranked([0.5, 0.25, 0.125, 3.1, 2.0], again=[0.5, 0.25, 0.125, 3.2, 2.0])
    assert [result[metric].value for metric in RANKING] == [None, None, None]
    assert "(no query's order but 1 of 5 scores)" in result["changed-scores"].reason


def test_one_environment_for_both_leaves_nothing_to_compare() -> None:
    result = ranked([9.0, 9.0, 9.0, 9.0, 9.0], keys=("key-1", "key-1"))
    for found in (result[metric] for metric in RANKING):
        assert (found.value, found.n, found.unit) == (0.0, 1, "environments")
        assert "the same environment (key-1)" in found.reason
        assert "the model was not run" in found.reason


def classified(new: Callable[[str], tuple[str, float]], **arm: Any) -> Result:
    golden = golden_set(task="classification", texts=["desk", "lamp", "rug"])
    champion = FakeArm("champion", key="old", **arm)
    guest = FakeArm("champion", label=new)
    subject = FakeSubject(golden, FakeArm(), champion, guests={"champion": guest})
    return run("equivalence", subject, "changed-labels", "changed-scores")


def test_a_label_that_changes_is_shown_with_both() -> None:
    result = classified(lambda text: ("lighting" if text == "lamp" else text, 1.0))
    assert (result["changed-labels"].value, result["changed-labels"].n) == (1.0, 3)
    assert result["changed-scores"].value == 0.0
    assert result.tables[0].rows == [["lamp", "lamp", "lighting", 1.0, 1.0, 0.0]]


def test_labels_that_differ_from_run_to_run_tell_nothing() -> None:
    result = classified(
        lambda text: ("lighting", 1.0), label_again=lambda text: (text.upper(), 1.0)
    )
    assert result["changed-labels"].value is None
    assert "(3 of 3 labels)" in result["changed-labels"].reason


VECTORS = ("changed-vectors", "changed-neighbours", "largest-difference")
PLACES = {"desk": (1.0, 0.0), "table": (1.0, 0.1), "bench": (1.0, 0.3), "lamp": (0.0, 1.0)}


def embedded(moved: dict[str, tuple[float, ...]], *, keys: str = "ab", **options: Any) -> Result:
    golden = golden_set(task="embedding", texts=[*PLACES])
    again = options.pop("again", None)
    champion = FakeArm("champion", embed=PLACES.__getitem__, embed_again=again, key=keys[0])
    guest = FakeArm("champion", embed=lambda text: moved.get(text, PLACES[text]))
    candidate = FakeArm(key=keys[1])
    subject = FakeSubject(golden, candidate, champion, guests={"champion": guest})
    return run("equivalence", subject, *VECTORS, **{"neighbours": 1, **options})


def values(result: Result) -> list[float | None]:
    return [result[metric].value for metric in VECTORS]


def test_vectors_that_stay_are_no_change_however_few_texts_there_are() -> None:
    for result in (embedded({}), embedded({}, neighbours=10)):
        assert values(result) == [0.0, 0.0, 0.0]
        assert [result[metric].n for metric in VECTORS] == [4, 4, 4]
        assert result.tables == []


def test_a_vector_that_moves_is_counted_and_so_is_a_text_with_other_neighbours() -> None:
    result = embedded({"bench": (0.3, 1.0)})
    assert values(result) == [1.0, 1.0, pytest.approx(0.98**0.5)]
    (exhibit,) = result.tables
    assert exhibit.title == "The new lock moves 1 of 4 vectors; those that moved furthest"
    assert exhibit.rows == [["bench", 0.99, "yes"]]


def test_numbers_near_zero_may_move_by_more_of_their_own_size() -> None:
    assert values(embedded({"desk": (1.0, 5e-7)}))[:2] == [0.0, 0.0]
    assert values(embedded({"desk": (1.0, 5e-7)}, relative=1e-8))[:2] == [1.0, 0.0]


def test_a_move_too_large_for_a_number_is_a_move() -> None:
    result = embedded({"desk": (1.7e308, -1.7e308)})
    assert values(result)[0] == 1.0
    assert values(result)[2] == sys.float_info.max


def test_other_dimensions_are_a_move_of_every_vector() -> None:
    result = embedded({text: (*place, 0.0) for text, place in PLACES.items()})
    assert values(result) == [4.0, 0.0, None]
    assert "another number of dimensions" in result["largest-difference"].reason


def test_where_all_texts_are_neighbours_none_can_change() -> None:
    result = embedded({"bench": (0.3, 1.0)}, neighbours=3)
    assert values(result)[:2] == [1.0, None]
    assert "all the others for neighbours" in result["changed-neighbours"].reason


def test_vectors_that_differ_from_run_to_run_tell_nothing() -> None:
    result = embedded({"desk": (0.5, 0.0)}, again=lambda text: (2.0, 2.0))
    assert values(result) == [None, None, None]
    assert "(4 of 4 vectors)" in result["changed-vectors"].reason


def test_the_candidates_binary_can_be_the_one_that_stays() -> None:
    golden = golden_set(lists=LISTS, features={"f": [0.0] * 5})
    candidate = FakeArm(score=lambda _: [1.0, 2.0, 3.0, 4.0, 5.0], key="new")
    guest = FakeArm(score=lambda _: [1.0, 2.0, 3.5, 4.0, 5.0])
    champion = FakeArm("champion", score=_unasked, key="old")
    subject = FakeSubject(golden, candidate, champion, guests={"candidate": guest})
    result = run("equivalence", subject, *RANKING, binary="candidate")
    assert result["changed-scores"].value == 1.0
    assert result.tables[0].rows == [["query 0", "c", "1", "1", 3.5, 3.0, -0.5]]


def _unasked(columns: Columns) -> list[float]:
    raise AssertionError("the champion's own binary has no part in it")


def test_without_a_champion_there_is_nothing_to_compare() -> None:
    golden = golden_set(lists=LISTS, features={"f": [0.0] * 5})
    with pytest.raises(NoChampion):
        run("equivalence", FakeSubject(golden, FakeArm(), None), *RANKING)


def test_a_doubt_is_undecided_and_a_change_fails() -> None:
    bound = Bound("equivalence", "changed-scores", maximum=0.0)
    doubtful = ranked([0.5, 0.25, 0.125, 3.1, 2.0], again=[0.5, 0.25, 0.125, 3.2, 2.0])
    assert judge(bound, doubtful["changed-scores"]).outcome is Outcome.UNDECIDED
    assert judge(bound, ranked([0.5, 0.2, 0.1, 3.0, 2.0])["changed-scores"]).outcome is Outcome.FAIL


def test_lists_of_one_document_have_no_order_to_change() -> None:
    golden = golden_set(lists=[{"a": 1.0}, {"b": 2.0}], features={"f": [0.0] * 2})
    champion = FakeArm("champion", score=lambda _: [1.0, 2.0], key="old")
    guest = FakeArm("champion", score=lambda _: [3.0, 4.0])
    candidate = FakeArm(score=lambda _: [1.0, 2.0], key="new")
    subject = FakeSubject(golden, candidate, champion, guests={"champion": guest})
    result = run("equivalence", subject, *RANKING)
    assert result["changed-scores"].value == 2.0
    assert result["changed-orders"].n == 0
