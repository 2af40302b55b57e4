"""What a metric comes to without any model: against all orders there are, counted out."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import chisquare

from gates.kernels.packed import Floats
from gates.kernels.random_order import best_order, random_order, random_orders
from gates.kernels.ranking import Ranking, ndcg, reciprocal_rank

NAN = float("nan")
GRADES = [[3.0, 0.0, 1.0, NAN, 2.0, 0.0], [1.0, 0.0, 0.0], [2.0], [0.0, 0.0]]


def lists(grades: list[list[float]]) -> Ranking:
    starts = np.cumsum([0, *map(len, grades)])
    flat = np.array([one for own in grades for one in own])
    return Ranking(starts, np.arange(flat.size), flat)


WHOLE = lists(GRADES)
JUDGED = ~np.isnan(WHOLE.grades)
IDEAL_STARTS = np.concatenate(([0], np.cumsum([np.sum(~np.isnan(one)) for one in GRADES])))


def ndcg_at_3(order: Ranking) -> Floats:
    return ndcg(order.starts, order.grades, IDEAL_STARTS, WHOLE.grades[JUDGED], 3)


def rr(order: Ranking) -> Floats:
    return reciprocal_rank(order.starts, order.grades, IDEAL_STARTS, WHOLE.grades[JUDGED], 3)


@pytest.mark.parametrize("metric", [ndcg_at_3, rr])
def test_it_is_near_the_mean_over_all_orders(metric: object) -> None:
    assert callable(metric)
    found = random_order(metric, WHOLE)
    every = []
    for query, own in enumerate(GRADES):
        values = []
        for order in permutations(own):
            swapped = [*GRADES]
            swapped[query] = list(order)
            values.append(metric(lists(swapped))[query])
        every.append((np.mean(values), np.std(values)))
    for one, (mean, spread) in zip(found, every, strict=True):
        if np.isnan(mean):
            assert np.isnan(one)  # no relevant document: the metric does not exist in any order
        else:
            assert one == pytest.approx(mean, abs=4 * spread / np.sqrt(32) + 1e-12)


def test_many_queries_come_to_the_exact_mean() -> None:
    many = lists([[3.0, 2.0, 0.0, 0.0, 1.0]] * 2_000)
    ideal = np.tile([3.0, 2.0, 0.0, 0.0, 1.0], 2_000)

    def metric(order: Ranking) -> Floats:
        return ndcg(order.starts, order.grades, many.starts, ideal, 5)

    discounts = 1 / np.log2(np.arange(2, 7))
    best = float(np.sort([3, 2, 0, 0, 1])[::-1] @ discounts)
    exact = np.mean([3, 2, 0, 0, 1]) * discounts.sum() / best
    assert random_order(metric, many).mean() == pytest.approx(exact, abs=0.002)


def test_the_same_lists_give_the_same_orders() -> None:
    assert np.array_equal(random_order(rr, WHOLE), random_order(rr, WHOLE), equal_nan=True)


def test_no_order_is_better_than_the_best() -> None:
    assert best_order(ndcg_at_3, WHOLE)[:3] == pytest.approx(1.0)
    assert best_order(rr, WHOLE)[:3] == pytest.approx(1.0)


def test_a_query_has_the_same_orders_whichever_others_stand_beside_it() -> None:
    whole = random_order(rr, WHOLE)
    first = Ranking(WHOLE.starts[:2], WHOLE.docs[:6], WHOLE.grades[:6])

    def of_first(order: Ranking) -> Floats:
        return reciprocal_rank(order.starts, order.grades, IDEAL_STARTS[:2], WHOLE.grades[:4], 3)

    assert random_order(of_first, first)[0] == whole[0]


def test_queries_that_share_their_documents_do_not_share_their_orders() -> None:
    many = lists([[0.0] * 12] * 2_000)
    chance = np.random.default_rng(4)
    docs = np.argsort(chance.random((2_000, 12)), axis=1).ravel()  # the same twelve everywhere
    first = [
        (one.docs.reshape(-1, 12)[:, 0] == 0).mean()
        for one in random_orders(Ranking(many.starts, docs, many.grades))
    ]
    assert first == pytest.approx([1 / 12] * len(first), abs=5 * np.sqrt(11 / 144 / 2_000))


def test_every_document_is_as_often_at_each_place() -> None:
    many = lists([[0.0] * 6] * 3_000)
    counts = np.zeros((6, 6))
    for one in random_orders(many):
        docs = one.docs.reshape(-1, 6) % 6
        for place in range(6):
            counts[place] += np.bincount(docs[:, place], minlength=6)
    assert chisquare(counts.ravel()).pvalue > 1e-4
