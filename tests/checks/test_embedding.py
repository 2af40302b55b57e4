"""The vectors of texts: each planted defect is caught by the metric that is for it."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
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


def many_pairs(texts: Sequence[str] = TEXTS) -> GoldenSet:
    """Each text must be nearer to one that shares two words than to one that shares none."""
    rows = []
    for at, text in enumerate(texts):
        shared = [len({*text.split()} & {*other.split()}) for other in texts]
        near, far = shared.index(2), shared.index(0)
        rows.append(Expectation(at, "closer", f"q{near}", line=at + 2, than=f"q{far}"))
    return golden_set(task="embedding", texts=texts, expectations=tuple(rows))


def half_blind(text: str) -> Floats:
    """Good vectors, but every text about a lamp or a desk points anywhere."""
    return _sum([text]) if "lamp" in text or "desk" in text else by_words(text)


def test_a_better_embedder_is_better_by_quality_though_its_neighbours_are_others() -> None:
    metrics = ("pairs.delta", "recall@5.delta", "ndcg@5.delta", "neighbour-overlap@5")
    champion, candidate = FakeArm("champion", embed=half_blind), FakeArm(embed=by_words)
    found = run("embedding", FakeSubject(many_pairs(), candidate, champion), *metrics)
    for metric in metrics[:3]:
        one = found[metric]
        assert one.value is not None
        assert one.lower is not None
        assert one.lower < one.value
        assert one.value > 0, metric
    assert (found["pairs.delta"].lower or 0) > 0
    assert (found["neighbour-overlap@5"].value or 1) < 0.8
    back = run(
        "embedding",
        FakeSubject(many_pairs(), FakeArm(embed=half_blind), FakeArm("champion", embed=by_words)),
        *metrics,
    )
    assert back["pairs.delta"].value == -(found["pairs.delta"].value or 0)
    assert (back["pairs.delta"].upper or 0) < 0


def test_expectations_of_one_text_are_drawn_together() -> None:
    once = many_pairs()
    again = tuple(one for one in once.expectations for _ in range(4))
    champion, candidate = FakeArm("champion", embed=half_blind), FakeArm(embed=by_words)
    repeated = FakeSubject(replace(once, expectations=again), candidate, champion)
    few = run("embedding", FakeSubject(once, candidate, champion), "pairs.delta")["pairs.delta"]
    many = run("embedding", repeated, "pairs.delta")["pairs.delta"]
    assert many.n == 4 * few.n
    assert many.lower == pytest.approx(few.lower)


def test_recall_and_ndcg_are_those_worked_out_by_hand() -> None:
    expected = (
        Expectation(0, "closer", "q1", line=2, than="q3"),
        Expectation(0, "closer", "q2", line=3, than="q3"),
        Expectation(3, "closer", "q2", line=4, than="q0"),
    )
    angle = {"a": 0.0, "b": 0.3, "c": 0.9, "d": 0.5}
    arm = FakeArm(embed=lambda text: (np.cos(angle[text]), np.sin(angle[text])))
    golden = golden_set(task="embedding", texts=list(angle), expectations=expected)
    found = run("embedding", FakeSubject(golden, arm, None), "recall@2", "ndcg@2")
    # a finds b and d of b and c; d finds b and c of c.
    assert found["recall@2"].value == pytest.approx((1 / 2 + 1) / 2)
    second = 1 / np.log2(3)
    assert found["ndcg@2"].value == pytest.approx((1 / (1 + second) + second) / 2)
    assert found["recall@2"].n == 2


@pytest.mark.parametrize("metric", ["recall@31", "recall@31.delta", "recall@40.delta"])
def test_recall_among_all_texts_finds_everything_and_says_nothing(metric: str) -> None:
    arms = FakeArm(embed=half_blind), FakeArm("champion", embed=by_words)
    one = run("embedding", FakeSubject(many_pairs(), *arms), metric)[metric]
    assert one.value is None
    assert "each has all the others" in one.reason


@pytest.mark.parametrize("metric", ["pairs.delta", "recall@5", "ndcg@5.delta"])
def test_without_an_expectation_there_is_no_quality(metric: str) -> None:
    bare = golden_set(task="embedding", texts=TEXTS)
    arms = FakeArm(embed=by_words), FakeArm("champion", embed=by_words)
    one = run("embedding", FakeSubject(bare, *arms), metric)[metric]
    assert one.value is None
    assert one.reason.endswith("no 'closer' expectation")


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
