"""Slices found by search: what is there is found, and what is not is not."""

import numpy as np
import pytest

from gates.kernels.discovery import CodedColumn, code, worst_slices
from gates.kernels.packed import Bools, Floats

QUERIES = 2_000


class Shop:
    """Queries with a colour, a brand and a device, none of which says anything by itself."""

    def __init__(self, seed: int, queries: int = QUERIES) -> None:
        rng = np.random.default_rng(seed)
        self.columns = {
            name: [f"{name} {value}" for value in rng.integers(0, 5, queries)]
            for name in ("colour", "brand", "device")
        }
        self.differences: Floats = rng.normal(0, 0.15, queries)
        self.weights: Floats = rng.lognormal(0, 0.5, queries)

    def where(self, **values: int) -> Bools:
        held = [np.array(self.columns[name]) == f"{name} {value}" for name, value in values.items()]
        held_by_all: Bools = np.all(held, axis=0)
        return held_by_all

    def coded(self) -> list[CodedColumn]:
        return code(self.columns)


def test_a_bad_pair_of_values_is_found_first() -> None:
    shop = Shop(1)
    bad = shop.where(colour=2, brand=3)
    shop.differences[bad] -= 0.3
    found = worst_slices(shop.coded(), shop.differences, shop.weights)

    assert found[0].conditions == (("colour", "colour 2"), ("brand", "brand 3"))
    assert found[0].n == bad.sum()
    assert found[0].mean == pytest.approx(
        np.average(shop.differences[bad], weights=shop.weights[bad])
    )
    assert found[0].rest == pytest.approx(
        np.average(shop.differences[~bad], weights=shop.weights[~bad])
    )
    assert found[0].p < 1e-6


def test_what_is_only_bad_by_what_it_shares_with_a_finding_is_mostly_not_another() -> None:
    alone = 0
    for seed in range(20):
        shop = Shop(seed)
        shop.differences[shop.where(colour=2, brand=3)] -= 0.3
        # By themselves the whole colour and the whole brand are worse too.
        found = worst_slices(shop.coded(), shop.differences, shop.weights)
        alone += [len(one.conditions) for one in found] == [2]
    assert alone >= 13


def test_two_bad_slices_are_both_found() -> None:
    shop = Shop(2)
    shop.differences[shop.where(colour=0)] -= 0.2
    shop.differences[shop.where(device=4)] -= 0.1
    found = worst_slices(shop.coded(), shop.differences, shop.weights)
    alone = [one.conditions[0] for one in found if len(one.conditions) == 1]
    assert alone == [("colour", "colour 0"), ("device", "device 4")]


def test_a_column_that_repeats_another_adds_no_finding() -> None:
    shop = Shop(3)
    shop.differences[shop.where(brand=1)] -= 0.2
    alone = worst_slices(shop.coded(), shop.differences, shop.weights)
    shop.columns["maker"] = list(shop.columns["brand"])
    again = worst_slices(shop.coded(), shop.differences, shop.weights)
    assert [one.conditions for one in alone] == [(("brand", "brand 1"),)]
    assert [one.conditions for one in again] == [(("brand", "brand 1"),)]


def test_noise_gives_no_finding_nine_times_in_ten() -> None:
    shops = [Shop(seed, 600) for seed in range(60)]
    quiet = [not worst_slices(one.coded(), one.differences, one.weights) for one in shops]
    assert np.mean(quiet) >= 0.9


def test_noise_that_is_mostly_no_change_gives_no_finding_nine_times_in_ten() -> None:
    quiet = 0
    for seed in range(60):
        shop = Shop(seed, 600)
        shop.differences[np.random.default_rng(seed).random(600) < 0.9] = 0.0
        quiet += not worst_slices(shop.coded(), shop.differences, shop.weights)
    assert quiet / 60 >= 0.9


def test_a_slice_that_only_gains_less_than_the_rest_is_none() -> None:
    shop = Shop(4)
    shop.differences += 0.3
    shop.differences[shop.where(colour=1)] -= 0.2
    assert worst_slices(shop.coded(), shop.differences, shop.weights) == []


def test_a_loss_that_could_be_chance_is_none_however_much_the_rest_gains() -> None:
    shop = Shop(4)
    held = shop.where(colour=1)
    shop.differences += 0.3 - shop.differences.mean()
    # Two errors or so below no change: not much among eighty slices.
    shop.differences[held] -= shop.differences[held].mean() + 2.4 * 0.15 / np.sqrt(held.sum())
    assert worst_slices(shop.coded(), shop.differences, np.ones(QUERIES)) == []


def test_a_few_queries_that_are_alike_by_luck_are_no_finding() -> None:
    # Nine in ten lose a little; some slices of 40 hold none of the others, and look very sure.
    rng = np.random.default_rng(5)
    differences = np.where(rng.random(5_000) < 0.9, -0.01, 0.1)
    columns = code({"category": [str(row % 125) for row in range(5_000)]})
    assert worst_slices(columns, differences, np.ones(5_000)) == []


def test_where_all_is_worse_alike_no_slice_is() -> None:
    shop = Shop(5)
    assert worst_slices(shop.coded(), shop.differences - 0.3, shop.weights) == []


def test_a_slice_of_few_queries_is_not_looked_at() -> None:
    shop = Shop(6)
    few = np.flatnonzero(shop.where(colour=1))[:20]
    shop.columns["season"] = ["rare" if row in few else "" for row in range(QUERIES)]
    shop.differences[few] -= 0.9
    for minimum, expected in ((25, []), (20, [(("season", "rare"),)])):
        found = worst_slices(shop.coded(), shop.differences, shop.weights, minimum=minimum)
        rare = [one.conditions for one in found if ("season", "rare") in one.conditions]
        assert rare[:1] == expected


def test_queries_without_a_difference_or_a_weight_do_not_count() -> None:
    shop = Shop(7)
    bad = shop.where(colour=1)
    shop.differences[bad] -= 0.2
    expected = worst_slices(shop.coded(), shop.differences, shop.weights)
    for values in shop.columns.values():
        values += values[:100]
    differences = np.append(shop.differences, [np.nan] * 50 + [-9.0] * 50)
    weights = np.append(shop.weights, [1.0] * 50 + [0.0] * 50)
    assert worst_slices(shop.coded(), differences, weights) == expected


def test_no_more_than_the_limit_are_given() -> None:
    shop = Shop(8)
    for value in range(2):
        shop.differences[shop.where(colour=value)] -= 0.3
    assert len(worst_slices(shop.coded(), shop.differences, shop.weights, limit=1)) == 1


def test_nothing_to_look_at_gives_nothing() -> None:
    shop = Shop(9)
    coded = shop.coded()
    assert worst_slices([], np.zeros(0), np.zeros(0)) == []
    assert worst_slices(code({"colour": []}), np.zeros(0), np.zeros(0)) == []
    assert worst_slices([], shop.differences - 1, shop.weights) == []
    assert worst_slices(coded, np.full(QUERIES, np.nan), shop.weights) == []
    assert worst_slices(coded, np.zeros(QUERIES), shop.weights) == []
    assert worst_slices(coded, shop.differences - 1, np.zeros(QUERIES)) == []


def test_a_column_of_one_value_or_of_blanks_gives_nothing() -> None:
    differences = np.random.default_rng(1).normal(-1, 0.1, 100)
    for value in ("all", ""):
        assert worst_slices(code({"same": [value] * 100}), differences, np.ones(100)) == []


def test_blanks_are_no_value() -> None:
    differences = np.where(np.arange(200) < 100, -0.5, 0.1)
    differences += np.random.default_rng(2).normal(0, 0.1, 200)
    values = ["" if row < 100 else "named" for row in range(200)]
    assert worst_slices(code({"sometimes": values}), differences, np.ones(200)) == []


def test_values_are_numbered_as_they_are_met() -> None:
    (found,) = code({"colour": ["red", "", "red", "blue"]})
    assert (found.name, found.codes.tolist()) == ("colour", [0, 1, 0, 2])
    assert found.values == ("red", "", "blue")


def test_a_hundred_thousand_queries_with_ten_columns_are_searched() -> None:
    rng = np.random.default_rng(10)
    columns = [
        CodedColumn(f"column {c}", rng.integers(0, 8, 100_000), tuple("abcdefgh"))
        for c in range(10)
    ]
    differences = rng.normal(0, 0.15, 100_000)
    bad = (columns[2].codes == 5) & (columns[7].codes == 1)
    differences[bad] -= 0.1
    found = worst_slices(columns, differences, np.ones(100_000))
    assert found[0].conditions == (("column 2", "f"), ("column 7", "b"))
