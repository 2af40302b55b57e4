"""`directional`: scores that move the wrong way are counted, measured and shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from gates.checks import catalogue
from gates.domain.counterexamples import told_apart
from gates.domain.judging import Bound, Cause, judge
from gates.domain.subject import Columns
from gates.errors import UsageError
from gates.kernels.packed import Floats
from tests.checks.subjects import (
    FakeArm,
    FakeSubject,
    golden_set,
    rows_of,
    run,
    with_text_feature,
)

PAIR = {"feature": "in_stock", "equals": 0, "than": 1}
METRICS = ("monotone.violations", "monotone.worst", "order.violations")
DECLARED: dict[str, Any] = {"rising": ["stock"], "falling": ["price"], "below": [PAIR]}


def subject(score: Callable[[Columns], Any]) -> FakeSubject:
    chance = np.random.default_rng(2)
    golden = golden_set(
        lists=[{f"d{doc:02}": 1.0 for doc in range(10)} for _ in range(3)],
        features={
            "stock": chance.integers(0, 100, 30).tolist(),
            "price": (100 * chance.random(30)).tolist(),
            "in_stock": chance.integers(0, 2, 30).tolist(),
            "same": [1.0] * 30,
        },
    )
    return FakeSubject(golden, FakeArm(score=score), None)


def fair(frame: Columns, *, stock: float = 1.0, price: float = -1.0, has: float = 50.0) -> Floats:
    of = {name: np.asarray(values, float) for name, values in frame.items()}
    return stock * of["stock"] + price * of["price"] + has * of["in_stock"]


def violated(found: FakeSubject) -> set[str]:
    measured = run("directional", found, *METRICS, **DECLARED)
    return {metric for metric in METRICS if measured[metric].value != 0}


def test_a_model_that_moves_as_declared_violates_nothing() -> None:
    assert violated(subject(fair)) == set()


def test_rows_keep_their_texts_while_a_number_is_swept() -> None:
    brands = [("osmo", "kite", None)[row % 3] for row in range(30)]

    def of_brands(frame: Columns) -> Any:
        liked = np.array([brand == "osmo" for brand in frame["brand"]], float)
        stock, price = (np.asarray(frame[name], float) for name in ("stock", "price"))
        return 50 * np.asarray(frame["in_stock"], float) + (1 + liked) * stock - price

    found = run(
        "directional",
        with_text_feature(subject(of_brands), "brand", brands),
        *METRICS,
        **DECLARED,
    )
    assert [found[metric].value for metric in METRICS] == [0, 0, 0]
    assert found["monotone.violations"].n == 2 * 4 * 30


@pytest.mark.parametrize("planted", [{"stock": -1.0}, {"price": 1.0}])
def test_an_inverted_feature_is_found(planted: dict[str, float]) -> None:
    inverted = subject(lambda frame: fair(frame, **planted))
    assert violated(inverted) == {"monotone.violations", "monotone.worst"}
    measured = run("directional", inverted, *METRICS, **DECLARED)
    assert measured["monotone.violations"].value == 0.5, "one of two features, at every step"
    assert measured["monotone.violations"].n == 2 * 4 * 30


def test_out_of_stock_above_in_stock_is_found() -> None:
    inverted = subject(lambda frame: fair(frame, has=-5.0))
    assert violated(inverted) == {"order.violations"}
    found = run("directional", inverted, "order.violations", **DECLARED)
    assert found["order.violations"].value == 1
    (row, *_) = rows_of(found.tables[0])
    assert row[2:5] == ["in_stock", 0.0, 1.0]
    assert row[5] - row[6] == pytest.approx(5)


def test_a_model_that_ignores_the_feature_does_not_put_it_below() -> None:
    measured = run("directional", subject(lambda f: fair(f, has=0.0)), *METRICS, **DECLARED)
    assert measured["order.violations"].value == 1
    assert measured["monotone.violations"].value == 0, "a flat score moves no wrong way"


def test_one_dip_is_narrowed_to_its_edge() -> None:
    def dips(frame: Columns) -> Floats:
        stock = np.asarray(frame["stock"], float)
        return fair(frame) - np.where(stock >= 61, 200.0, 0.0)

    found = run("directional", subject(dips), "monotone.violations", rising=["stock"])
    value = found["monotone.violations"].value
    assert value == 0.25, "one of four steps"
    (worst, *_) = rows_of(found.tables[1])
    assert worst[2] == "stock"
    low, high = (float(one) for one in worst[3:5])
    assert low < 61 <= high
    assert high - low == 1
    assert worst[5] - worst[6] == pytest.approx(199)


def test_a_slope_the_wrong_way_is_shown_as_a_whole_step() -> None:
    found = run("directional", subject(lambda f: fair(f, price=2.0)), METRICS[0], falling=["price"])
    (worst, *_) = rows_of(found.tables[1])
    assert float(worst[4]) - float(worst[3]) > 5


def test_an_edge_is_shown_with_the_digits_that_tell_its_sides_apart() -> None:
    assert told_apart(15.4499, 15.4501) == ("15.4499", "15.4501")
    assert told_apart(12.95, 17.45) == ("12.95", "17.45")


def test_the_worst_move_is_told_in_spreads_within_a_query() -> None:
    measured = run(
        "directional",
        subject(lambda f: fair(f, price=0.0, has=0.0, stock=-3.0)),
        *METRICS[:2],
        rising=["stock"],
        grid=2,
    )["monotone.worst"]
    stock = np.asarray(subject(fair).golden.features["stock"], float)
    by_query = stock.reshape(3, 10)
    spread = np.sqrt(np.mean((by_query - by_query.mean(axis=1, keepdims=True)) ** 2))
    assert measured.value == pytest.approx((stock.max() - stock.min()) / spread)


def test_each_feature_is_swept_in_one_call() -> None:
    found = subject(fair)
    run("directional", found, *METRICS, **DECLARED)
    assert found.candidate.calls == 4, "two sweeps, one pair, and the scores as they are"


def test_what_is_not_declared_is_not_measured() -> None:
    found = run("directional", subject(fair), *METRICS)
    for metric in METRICS:
        assert found[metric].value is None
        assert "declare" in found[metric].reason


def test_a_feature_of_one_value_is_said_not_to_be_tried() -> None:
    found = run("directional", subject(fair), *METRICS[:2], rising=["same"])
    assert found["monotone.violations"].value is None
    assert "one value of it: same" in found["monotone.violations"].reason


def test_a_declared_feature_of_one_value_is_not_passed_beside_others_that_hold() -> None:
    found = run("directional", subject(fair), *METRICS[:2], rising=["stock", "same"])
    for metric in METRICS[:2]:
        judged = judge(Bound("directional", metric, maximum=0.0), found[metric])
        assert judged.cause is Cause.NOTHING_COMPARED
        assert "one value of it: same" in judged.reason


def test_scores_that_do_not_differ_have_no_spread() -> None:
    found = run(
        "directional", subject(lambda f: np.zeros(len(f["stock"]))), METRICS[1], rising=["stock"]
    )
    assert found["monotone.worst"].value is None
    assert "no spread" in found["monotone.worst"].reason


def test_a_feature_the_golden_set_lacks_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="'stok'") as told:
        run("directional", subject(fair), METRICS[0], rising=["stok"])
    assert "stock" in told.value.advice


def test_no_feature_can_both_rise_and_fall() -> None:
    with pytest.raises(ValidationError, match="both rising and falling"):
        catalogue()["directional"].options.model_validate({"rising": ["a"], "falling": ["a"]})


def test_a_feature_that_the_version_does_not_read_is_named_and_makes_no_share_look_small() -> None:
    inverted = subject(lambda frame: fair(frame, stock=-1.0))
    blind = FakeArm(score=inverted.candidate.score, inputs=("stock", "in_stock"))
    measured = run("directional", FakeSubject(inverted.golden, blind, None), *METRICS, **DECLARED)
    violations = measured["monotone.violations"]
    assert (violations.value, violations.n) == (1.0, 4 * 30)
    assert violations.reason == "not tried, for it is no input of this version: price"


def test_the_first_counterexamples_are_of_different_edges() -> None:
    def dips(frame: Columns) -> Floats:
        of = {name: np.asarray(values, float) for name, values in frame.items()}
        return (
            fair(frame)
            - np.where(of["stock"] >= 61, 200.0, 0.0)
            + np.where(of["price"] >= 50, 300.0, 0.0)
        )

    found = run("directional", subject(dips), "monotone.violations", **DECLARED)
    first, second = found.counterexamples[:2]
    assert {first.feature, second.feature} == {"stock", "price"}
