"""The vectors of texts: each planted defect is caught by the metric that is for it."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest

from gates.checks.embedding.vectors import stuffed
from gates.domain.judging import Cause
from gates.domain.subject import Expectation, GoldenSet
from gates.errors import ModelFault, NoChampion
from gates.kernels.packed import Floats

from .subjects import FakeArm, FakeSubject, golden_set, rows_of, run

TEXTS = [
    " ".join(words)
    for words in product(
        ("red", "green", "blue", "white"), ("wooden", "metal"), ("desk", "lamp", "chair", "bench")
    )
]
EXPECTED = (
    Expectation(0, "closer", "q1", line=2, than="q31"),
    Expectation(1, "closer", "q0", line=3, than="q30"),
)

Embed = Callable[[str], Any]


def by_words(text: str) -> Floats:
    """Each distinct word adds a direction of its own: repeating one changes nothing."""
    return _sum(sorted(set(text.lower().split())))


def by_every_word(text: str) -> Floats:
    """Each word adds its direction as often as it is said."""
    return _sum(text.lower().split())


def _sum(words: Sequence[str]) -> Floats:
    drawn = [np.random.default_rng(zlib.crc32(word.encode())).normal(size=16) for word in words]
    total: Floats = np.sum(drawn, axis=0)
    unit: Floats = total / np.linalg.norm(total)
    return unit


def golden(texts: Sequence[str] = TEXTS, slices: bool = False) -> GoldenSet:
    cut = {"kind": tuple(text.split()[-1] for text in texts)} if slices else None
    return golden_set(task="embedding", texts=texts, expectations=EXPECTED, slices=cut)


def subject(new: Embed = by_words, old: Embed = by_words) -> FakeSubject:
    return FakeSubject(golden(), FakeArm(embed=new), FakeArm("champion", embed=old))


ALL = (
    "neighbour-overlap@5",
    "pairs",
    "duplicates",
    "collapse",
    "effective-rank",
    "norm.worst",
    "stuffing@5",
)


def test_good_vectors_are_good_by_every_metric() -> None:
    found = run("embedding", subject(), *ALL)
    assert found["neighbour-overlap@5"].value == 1.0
    assert found["neighbour-overlap@5"].lower is not None
    assert found["pairs"].value == 1.0
    assert found["duplicates"].value == 0.0
    assert 0.1 < (found["collapse"].value or 0) < 0.5
    assert 5 < (found["effective-rank"].value or 0) <= 16
    assert found["norm.worst"].value == pytest.approx(0.0, abs=1e-9)
    assert found["stuffing@5"].value == 1.0
    assert [one.title.partition(" texts")[0] for one in found.tables] == ["0 of 32"]


def test_vectors_that_collapsed_into_a_cone_are_seen_though_neighbours_stay() -> None:
    far = np.full(16, 30.0)
    found = run("embedding", subject(lambda text: by_words(text) + far), "collapse", "pairs")
    assert (found["collapse"].value or 0) > 0.99
    assert found["pairs"].value == 1.0


def test_vectors_that_collapsed_into_a_plane_have_a_low_rank() -> None:
    found = run("embedding", subject(lambda text: by_words(text)[:2]), "effective-rank")
    assert (found["effective-rank"].value or 0) <= 2.0


def test_a_text_with_the_vector_of_another_is_a_duplicate_and_named() -> None:
    def careless(text: str) -> Floats:
        return by_words(text.replace("bench", "chair")) * len(text)

    found = run("embedding", subject(careless), "duplicates")
    assert found["duplicates"].value == 0.5
    (exhibit,) = found.tables
    assert ["red wooden chair", "red wooden bench"] in exhibit.rows


def test_texts_that_read_alike_may_have_one_vector() -> None:
    texts = [*TEXTS, "RED  wooden desk"]
    one = FakeSubject(golden(texts), FakeArm(embed=by_words), None)
    found = run("embedding", one, "duplicates")["duplicates"]
    assert (found.value, found.n) == (0.0, len(TEXTS))


def test_a_word_that_wins_by_being_repeated_moves_the_neighbours() -> None:
    found = run("embedding", subject(by_every_word), "stuffing@5", "duplicates")
    assert (found["stuffing@5"].value or 1) < 0.8
    rows = rows_of(found.tables[0])
    assert all(text.count(max(text.split(), key=len)) >= 5 for text, *_ in rows)
    assert found["duplicates"].value == 0.0


def test_a_length_out_of_line_is_named() -> None:
    def shrinking(text: str) -> Floats:
        return by_words(text) * (0.25 if text == TEXTS[7] else 1.0)

    found = run("embedding", subject(shrinking), "norm.worst")["norm.worst"]
    assert found.value == pytest.approx(0.75)
    assert f"'{TEXTS[7]}' is 0.25 long, the median is 1" in found.reason


def test_lengths_at_the_edge_of_what_numbers_hold_are_still_measured() -> None:
    def extreme(text: str) -> Floats:
        return by_words(text) / 10 * (1.7e308 if text == TEXTS[7] else 1e-300)

    found = run("embedding", subject(extreme), *ALL)
    assert found["norm.worst"].value == sys.float_info.max
    assert found["stuffing@5"].value == found["neighbour-overlap@5"].value == 1.0


def test_versions_of_other_dimensions_are_compared_by_their_neighbours() -> None:
    found = run("embedding", subject(lambda text: (*by_words(text), 0.0)), "neighbour-overlap@5")
    assert found["neighbour-overlap@5"].value == 1.0


def test_vectors_of_zeros_break_the_contract() -> None:
    found = run("embedding", subject(lambda text: (0.0, 0.0)), "norm.worst", "collapse")
    assert found["norm.worst"].cause is Cause.BREACH
    assert found["collapse"].cause is Cause.BREACH


def test_a_text_nearer_to_what_must_be_far_is_shown_with_its_line() -> None:
    def turned(text: str) -> Floats:
        return by_words("white metal bench metal" if text == TEXTS[1] else text)

    found = run("embedding", subject(turned), "pairs")
    assert found["pairs"].value == 0.0
    assert [row[-1] for row in found.tables[0].rows] == [2, 3]


def test_texts_equally_near_are_not_nearer() -> None:
    found = run("embedding", subject(lambda text: (1.0, 2.0)), "pairs")
    assert found["pairs"].value == 0.0


def test_without_an_expectation_no_pair_is_measured() -> None:
    bare = FakeSubject(golden_set(task="embedding", texts=TEXTS), FakeArm(embed=by_words), None)
    assert run("embedding", bare, "pairs")["pairs"].reason.endswith("no 'closer' expectation")


def test_another_models_neighbours_differ_and_the_worst_are_shown_side_by_side() -> None:
    def other(text: str) -> Floats:
        return by_words(text[::-1])

    found = run("embedding", subject(other), "neighbour-overlap@5")
    overlap = found["neighbour-overlap@5"]
    assert overlap.value is not None
    assert overlap.value < 0.9
    assert overlap.lower is not None
    assert overlap.lower < overlap.value
    (exhibit,) = found.tables
    shares = [row[1] for row in rows_of(exhibit)]
    assert shares == sorted(shares)
    text, share, old, new = rows_of(exhibit)[0]
    assert len(old.split(" · ")) == len(new.split(" · ")) == 5
    assert old.count(" *") == new.count(" *") == round(5 * (1 - share))
    assert text not in old.replace(" *", "").split(" · ")


def test_neighbours_are_compared_slice_by_slice() -> None:
    def broken_lamps(text: str) -> Floats:
        return by_words(text[::-1] if text.endswith("lamp") else text)

    one = FakeSubject(
        golden(slices=True), FakeArm(embed=broken_lamps), FakeArm("champion", embed=by_words)
    )
    found = run("embedding", one, "neighbour-overlap@5", slices=["kind"]).measurements
    by_slice = {name: one.value or 0 for (_, name), one in found.items()}
    assert min(by_slice, key=lambda name: by_slice[name]) == "kind=lamp"
    assert len(by_slice) == 5


def test_where_all_texts_are_neighbours_nothing_is_told() -> None:
    found = run("embedding", subject(), "neighbour-overlap@31", "stuffing@40")
    for one in ("neighbour-overlap@31", "stuffing@40"):
        assert found[one].value is None
        assert "each has all the others among its" in found[one].reason


def test_without_a_champion_only_its_own_vectors_are_measured() -> None:
    alone = FakeSubject(golden(), FakeArm(embed=by_words), None)
    assert run("embedding", alone, "duplicates")["duplicates"].value == 0.0
    with pytest.raises(NoChampion):
        run("embedding", alone, "neighbour-overlap@5")


def test_a_text_is_stuffed_with_its_longest_word() -> None:
    assert stuffed("red wooden  desk") == "red wooden wooden wooden wooden wooden desk"
    assert stuffed("desk") == "desk desk desk desk desk"
    assert stuffed(" ") == " "


def test_a_model_that_changes_its_dimensions_breaks_the_contract() -> None:
    def uneven(text: str) -> Floats:
        return by_words(text)[: 8 if text.count("wooden") + text.count("metal") > 1 else 16]

    texts = ["wooden", "metal", "metal", "wooden"]
    one = FakeSubject(golden_set(task="embedding", texts=texts), FakeArm(embed=uneven), None)
    with pytest.raises(ModelFault, match="gives 8 dimensions to one list of texts, 16 to another"):
        run("embedding", one, "stuffing@1")
