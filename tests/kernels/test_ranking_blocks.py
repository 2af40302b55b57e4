"""A query's numbers do not depend on its neighbours: whole or in blocks, the bits are the same."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gates.kernels import browsing, packed, ranking, similarity
from gates.kernels.packed import Floats, Ints
from tests.kernels.packed_lists import doc_lists, pack, pair_docs


@dataclass(frozen=True)
class Arms:
    """Old and new lists of the same queries with their grades and judgments."""

    old: ranking.Ranking
    new: ranking.Ranking
    ideal: tuple[Ints, Floats]

    @classmethod
    def of(cls, old: list[list[int]], new: list[list[int]], judged: list[list[int]]) -> "Arms":
        """Any document's grade follows from its code, the same in both arms."""
        return cls(_arm(old), _arm(new), pack([[doc % 4 for doc in docs] for docs in judged]))

    def part(self, first: int, last: int) -> "Arms":
        starts, grades = self.ideal
        ideal = starts[first : last + 1] - starts[first], grades[starts[first] : starts[last]]
        return Arms(_part(self.old, first, last), _part(self.new, first, last), ideal)

    @property
    def pairing(self) -> similarity.Pairing:
        return pair_docs(self.old.starts, self.old.docs, self.new.starts, self.new.docs)

    @property
    def served(self) -> tuple[Ints, Floats, Ints, Floats]:
        return (self.new.starts, self.new.grades, *self.ideal)


def _arm(lists: list[list[int]]) -> ranking.Ranking:
    starts, codes = pack(lists)
    grades = np.where(codes % 5 == 4, np.nan, codes % 5 * 0.75)
    return ranking.Ranking(starts, codes.astype(np.int64), grades)


def _part(arm: ranking.Ranking, first: int, last: int) -> ranking.Ranking:
    begin, end = arm.starts[first], arm.starts[last]
    starts = arm.starts[first : last + 1] - begin
    return ranking.Ranking(starts, arm.docs[begin:end], arm.grades[begin:end])


KERNELS: dict[str, Callable[[Arms, int | None], NDArray[np.generic]]] = {
    "ndcg": lambda arms, k: ranking.ndcg(*arms.served, k),
    "ndcg, exponential": lambda arms, k: ranking.ndcg(*arms.served, k, "exponential"),
    "ideal": lambda arms, k: ranking.ideal_dcg(*arms.ideal, k, "exponential"),
    "terms": lambda arms, k: ranking.dcg_terms(arms.new.starts, arms.new.grades, k),
    "ap": lambda arms, k: ranking.average_precision(*arms.served, k),
    "rr": lambda arms, k: ranking.reciprocal_rank(*arms.served, k),
    "precision": lambda arms, k: ranking.precision_at(*arms.served, k or 5),
    "recall": lambda arms, k: ranking.recall_at(*arms.served, k),
    "judged": lambda arms, k: ranking.judged_at(arms.new.starts, arms.new.grades, k or 5),
    "relevant": lambda arms, _: ranking.relevant_count(*arms.ideal),
    "condensed": lambda arms, _: ranking.condensed(arms.new).docs,
    "rbp": lambda arms, k: browsing.rbp(*arms.served, k, max_grade=3),
    "err": lambda arms, k: browsing.err(*arms.served, k, max_grade=3),
    "overlap": lambda arms, k: similarity.overlap_at(arms.pairing, k or 5),
    "jaccard": lambda arms, k: similarity.jaccard_at(arms.pairing, k or 5),
    "rbo": lambda arms, k: similarity.rbo(arms.pairing, k, p=0.93),
    "tau": lambda arms, _: similarity.kendall_tau(arms.pairing),
    "tau_ap": lambda arms, _: similarity.tau_ap(arms.pairing),
    "top1": lambda arms, _: similarity.top1_changed(arms.pairing),
    "flips": lambda arms, _: similarity.zero_result_flips(arms.pairing),
    "displacement": lambda arms, _: similarity.displacement(arms.pairing),
    "largest": lambda arms, _: similarity.largest_displacement(arms.pairing),
}


def results(arms: Arms) -> dict[tuple[str, int | None], NDArray[np.generic]]:
    return {(name, k): kernel(arms, k) for name, kernel in KERNELS.items() for k in (None, 3, 20)}


def assert_the_same_in_parts(arms: Arms, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), arms.new.starts.size - 1]
    parts = [results(arms.part(first, last)) for first, last in pairwise(edges)]
    for name, whole in results(arms).items():
        joined = np.concatenate([part[name] for part in parts])
        assert whole.dtype == joined.dtype, name
        assert whole.tobytes() == joined.tobytes(), name


triples = st.tuples(doc_lists, doc_lists, doc_lists)


@given(st.lists(triples, min_size=1, max_size=6), st.data())
def test_uneven_lists_in_any_parts(lists: list[tuple[list[int], ...]], data: st.DataObject) -> None:
    arms = Arms.of(*([each[arm] for each in lists] for arm in range(3)))
    cuts = data.draw(st.lists(st.integers(0, len(lists)), max_size=4))
    assert_the_same_in_parts(arms, cuts)


def _many(rng: np.random.Generator, queries: int, shortest: int, longest: int) -> Arms:
    def lists() -> list[list[int]]:
        lengths = rng.integers(shortest, longest + 1, queries)
        return [rng.permutation(longest * 3 // 2)[:n].tolist() for n in lengths]

    return Arms.of(lists(), lists(), lists())


@pytest.mark.parametrize(
    ("shortest", "longest"),
    [pytest.param(100, 100, id="even"), pytest.param(0, 130, id="uneven")],
)
def test_many_lists_in_random_parts(shortest: int, longest: int) -> None:
    rng = np.random.default_rng(shortest)
    arms = _many(rng, 1500, shortest, longest)  # more than one block of the cache
    assert_the_same_in_parts(arms, [1, 2, *rng.integers(0, 1501, 5).tolist()])


def test_lists_longer_than_a_narrow_integer_counts() -> None:
    rng = np.random.default_rng(9)
    arms = _many(rng, 12, 250, 600)
    assert_the_same_in_parts(arms, [1, 2, 3, 7])


def test_blocks_smaller_than_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    arms = _many(np.random.default_rng(10), 40, 0, 30)
    whole = results(arms)
    monkeypatch.setattr(packed, "_CELLS", 7)
    for name, small in results(arms).items():
        assert small.tobytes() == whole[name].tobytes(), name
