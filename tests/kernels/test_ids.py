"""Text ids as codes and as words that order like them."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from gates.comparison.files.arrow import text_buffers
from gates.kernels.ids import id_codes, id_words

texts = st.lists(
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=40),
    max_size=60,
)


def coded(ids: list[str], **options: object) -> np.ndarray:
    array = pa.array(ids, pa.large_string() if options.get("large") else pa.string())
    return id_codes(*text_buffers(array))


@given(texts)
def test_equal_ids_share_a_code_and_different_ones_do_not(ids: list[str]) -> None:
    codes = coded(ids)
    assert len(set(codes.tolist())) == len(set(ids))
    assert all(codes[a] == codes[ids.index(one)] for a, one in enumerate(ids))


@given(texts)
def test_a_code_does_not_depend_on_the_ids_around_it(ids: list[str]) -> None:
    assert coded(ids).tolist() == [int(coded([one])[0]) for one in ids]
    assert coded(ids, large=True).tolist() == coded(ids).tolist()


def test_a_slice_of_an_array_codes_as_its_ids_do() -> None:
    whole = pa.array(["first", "second", "a much longer third id", "é"])
    part = whole.slice(1, 2)
    assert (
        id_codes(*text_buffers(part)).tolist()
        == coded(["second", "a much longer third id"]).tolist()
    )


def test_many_ids_of_one_length_and_of_many_lengths_have_no_collision() -> None:
    even = [f"B{number:09d}" for number in range(100_000)]
    uneven = [str(number) for number in range(100_000)]
    assert len(set(coded(even + uneven).tolist())) == 200_000


@given(texts)
def test_words_order_as_the_bytes_of_ids_do(ids: list[str]) -> None:
    words = id_words(*text_buffers(pa.array(ids, pa.string())), np.arange(len(ids)))
    by_words = [ids[row] for row in np.lexsort(words[::-1])]
    assert by_words == sorted(ids, key=lambda one: one.encode())
