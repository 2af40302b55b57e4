"""Slices found by search: a planted one comes first, and noise is left alone."""

import numpy as np

from gates.kernels.discovery import Coded, code, worst_slices
from gates.kernels.packed import Floats
from gates.kernels.traits import traits


def columns(seed: int, queries: int, *, names: int = 4, values: int = 5) -> list[Coded]:
    rng = np.random.default_rng(seed)
    return code(
        {
            f"c{n}": tuple(f"v{one}" for one in rng.integers(0, values, queries))
            for n in range(names)
        }
    )


def noise(seed: int, queries: int) -> Floats:
    found: Floats = np.random.default_rng(seed + 1000).normal(0, 0.1, queries)
    return found


def test_a_planted_pair_is_found_first_and_told_from_the_rest() -> None:
    searched = columns(1, 2000)
    change = noise(1, 2000)
    value = searched[0].values[2], searched[3].values[0]
    bad = (searched[0].codes == 2) & (searched[3].codes == 0)
    change[bad] -= 0.15
    found = worst_slices(searched, change, np.ones(2000))
    assert found[0].conditions == (("c0", value[0]), ("c3", value[1]))
    assert found[0].n == int(bad.sum())
    assert found[0].mean < -0.1 < found[0].rest
    assert found[0].p < 1e-6


def test_a_bad_value_is_named_once_and_not_again_with_every_other_column() -> None:
    searched = columns(2, 2000)
    change = noise(2, 2000)
    change[searched[1].codes == 3] -= 0.2
    found = worst_slices(searched, change, np.ones(2000))
    assert [one.conditions for one in found] == [(("c1", searched[1].values[3]),)]


def test_pure_noise_is_left_alone_in_nine_of_ten_searches() -> None:
    reported = sum(
        bool(worst_slices(columns(seed, 600), noise(seed, 600), np.ones(600))) for seed in range(60)
    )
    assert reported <= 6


def test_a_loss_everywhere_is_no_slice() -> None:
    change = noise(3, 1000) - 0.3
    assert worst_slices(columns(3, 1000), change, np.ones(1000)) == []


def test_queries_without_a_value_or_weight_do_not_count() -> None:
    searched = columns(4, 1000)
    change, weight = noise(4, 1000), np.ones(1000)
    bad = searched[0].codes == 1
    change[bad] = -5.0
    weight[bad] = 0.0
    assert worst_slices(searched, change, weight) == []
    assert worst_slices(searched, np.full(1000, np.nan), weight) == []
    assert worst_slices(searched, np.zeros(1000), weight) == []
    assert worst_slices([], change, weight) == []


def test_blank_values_are_no_slice() -> None:
    part = np.arange(400) % 2 == 0
    searched = code({"brand": tuple("" if one else "acme" for one in part)})
    change = np.where(part, -0.5, 0.0) + noise(5, 400)
    assert worst_slices(searched, change, np.ones(400)) == []


def test_a_hundred_thousand_queries_of_ten_columns() -> None:
    searched = columns(6, 100_000, names=10, values=8)
    change = noise(6, 100_000)
    change[(searched[2].codes == 1) & (searched[7].codes == 4)] -= 0.1
    (found, *_) = worst_slices(searched, change, np.ones(100_000))
    assert {name for name, _ in found.conditions} == {"c2", "c7"}


def test_what_can_be_seen_of_a_query() -> None:
    texts = ["tv", "Sony  Bravia 55 inch tv", "usb c cable for old phones", "de walt drill"]
    found = traits(texts, np.array([50.0, 30.0, 10.0, 10.0]), ["Sony", "De Walt", " "])
    assert found["words"] == ("1", "4 or more", "4 or more", "3")
    assert found["digits"] == ("no", "yes", "no", "no")
    assert found["characters"] == ("up to 8", "17 to 32", "17 to 32", "9 to 16")
    assert found["traffic"] == ("head", "tail", "tail", "tail")
    assert found["mentions brand"] == ("no", "yes", "no", "yes")


def test_no_head_and_no_brand_where_nobody_told() -> None:
    assert set(traits(["a", "b"], np.ones(2))) == {"words", "characters", "digits"}
