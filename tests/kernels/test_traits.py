"""What can be seen of a query without knowing its shop."""

import numpy as np
import pytest

from gates.kernels.traits import traits


def of_one(text: str, **more: list[str]) -> dict[str, str]:
    return {name: values[0] for name, values in traits([text], np.ones(1), **more).items()}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lamp", "1"),
        ("  desk   lamp ", "2"),
        ("red desk lamp", "3"),
        ("red desk lamp led", "4 or more"),
        ("big red desk lamp with led", "4 or more"),
    ],
)
def test_words_are_counted_however_they_are_spaced(text: str, words: str) -> None:
    assert of_one(text)["words"] == words


@pytest.mark.parametrize(
    ("length", "characters"),
    [
        (1, "up to 8"),
        (8, "up to 8"),
        (9, "9 to 16"),
        (16, "9 to 16"),
        (17, "17 to 32"),
        (32, "17 to 32"),
        (33, "33 or more"),
        (200, "33 or more"),
    ],
)
def test_characters_fall_into_four_groups(length: int, characters: str) -> None:
    assert of_one("x" * length)["characters"] == characters


def test_queries_with_a_digit_are_told_apart() -> None:
    assert of_one("iphone 15")["digits"] == "yes"
    assert of_one("iphone")["digits"] == "no"


def test_the_head_is_the_heaviest_queries_that_make_a_third_of_the_traffic() -> None:
    found = traits(list("abcdef"), np.array([1.0, 2.0, 1.0, 3.0, 1.0, 1.0]))
    # d alone is exactly a third of nine, so the head ends there.
    assert found["traffic"] == ("tail", "tail", "tail", "head", "tail", "tail")


def test_one_query_that_is_most_of_the_traffic_is_the_head() -> None:
    assert traits(["a", "b"], np.array([1.0, 9.0]))["traffic"] == ("tail", "head")


def test_where_all_queries_weigh_alike_there_is_no_head() -> None:
    assert "traffic" not in traits(["a", "b"], np.ones(2))


def test_brands_are_whole_words_in_any_case_and_may_have_several() -> None:
    texts = ["Bosch drill", "black &  DECKER saw", "decker saw", "boschdrill", "drill bosch"]
    found = traits(texts, np.ones(5), brands=["bosch", "Black & Decker"])
    assert found["mentions brand"] == ("yes", "yes", "no", "no", "yes")


def test_without_brands_there_is_no_column_for_them() -> None:
    assert "mentions brand" not in traits(["bosch"], np.ones(1))
    assert "mentions brand" not in traits(["bosch"], np.ones(1), brands=["", " "])


def test_no_queries_give_empty_columns() -> None:
    assert set(traits([], np.zeros(0)).values()) == {()}
