"""Text ids as numbers: 64-bit codes that stand for ids, and words that order as ids do.

Both read ids where they lie, in one buffer of UTF-8 bytes cut by offsets (the layout of Arrow), so
that ten million ids never become ten million Python objects.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gates.kernels.packed import Ints

Codes = NDArray[np.uint64]
Bytes = NDArray[np.uint8]

_ROWS = 1 << 15  # ids coded at a time: their words stay in the second-level cache
_ODD: Final = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9))
_LENGTH: Final = np.uint64(0x94D049BB133111EB)
# The first n bytes of a little-endian word.
_FIRST_BYTES: Final = np.array([(1 << (8 * n)) - 1 for n in range(9)], dtype=np.uint64)


def id_codes(data: Bytes, offsets: Ints) -> Codes:
    """A 64-bit code for each id, the same in every file; uint64[N].

    Different ids of up to seven bytes always get different codes, since every step can be undone.
    Longer ones share a code with a chance of about 2^-64 a pair: within queries of a thousand
    documents, one wrong match is expected in a hundred thousand million queries.

    Args:
        data: uint8[B], the UTF-8 bytes of all ids, one after another.
        offsets: int32 or int64[N + 1], where each id begins; N ids.

    Source: the finaliser is Stafford's thirteenth variant of MurmurHash3's (as in SplitMix64).
    """
    count = offsets.size - 1
    codes = np.empty(count, dtype=np.uint64)
    padded = _padded(data, offsets)
    for first in range(0, count, _ROWS):
        part = offsets[first : first + _ROWS + 1].astype(np.int64)
        codes[first : first + _ROWS] = _code(padded, part[:-1], np.diff(part))
    return codes


def id_words(data: Bytes, offsets: Ints, rows: Ints) -> Codes:
    """Ids as big-endian words that order as the ids' bytes do; uint64[W, rows].

    Sorting by the first word, then the second and so on sorts the ids themselves. Ids that end in
    NUL bytes would tie with those without; text has none.

    Args:
        data: uint8[B], the UTF-8 bytes of all ids.
        offsets: int32 or int64[N + 1].
        rows: int64[M], which ids are wanted.
    """
    start = offsets[rows].astype(np.int64)
    length = offsets[rows + 1] - start
    padded = _padded(data, offsets)
    words = range(max(1, -(-int(length.max(initial=0)) // 8)))
    return np.stack([_word(padded, start, length, at).byteswap() for at in words])


def _padded(data: Bytes, offsets: Ints) -> Codes:
    """Every eight bytes of the buffer as a word: one for each byte, overlapping."""
    whole = np.zeros(int(offsets[-1]) + 16, dtype=np.uint8)
    whole[: int(offsets[-1])] = data[: int(offsets[-1])]
    return np.ndarray((whole.size - 7,), np.dtype("<u8"), whole, strides=(1,))


def _word(padded: Codes, start: Ints, length: Ints, at: int) -> Codes:
    """The bytes 8 at … 8 at + 7 of each id as a little-endian word, zero beyond its end."""
    left = np.clip(length - 8 * at, 0, 8)
    word: Codes = padded[np.minimum(start + 8 * at, padded.size - 1)]
    return word & _FIRST_BYTES[left]


def _code(padded: Codes, start: Ints, length: Ints) -> Codes:
    longest = int(length.max(initial=0))
    if longest == length.min(initial=longest):
        return _code_of_one_length(padded, int(start[0]) if start.size else 0, start.size, longest)
    code = _word(padded, start, length, 0)
    code ^= length.astype(np.uint64) << np.uint64(56)
    for at in range(1, -(-longest // 8)):
        mixed = mix_bits(code * _ODD[0] + _LENGTH) ^ _word(padded, start, length, at)
        code = np.where(length > 8 * at, mixed, code)
    return mix_bits(code)


def _code_of_one_length(padded: Codes, first: int, count: int, length: int) -> Codes:
    """The same codes where all ids are equally long, read in strides instead of one by one."""

    def word(at: int) -> Codes:
        strided = padded[first + 8 * at :: max(length, 1)][:count]
        masked: Codes = strided & _FIRST_BYTES[min(length - 8 * at, 8)]
        return masked

    code = word(0) ^ np.uint64((length << 56) % (1 << 64))
    for at in range(1, -(-length // 8)):
        code *= _ODD[0]
        code += _LENGTH
        code = mix_bits(code)
        code ^= word(at)
    return mix_bits(code)


def mix_bits(value: Codes) -> Codes:
    """Spread every bit over all others, in place and without losing any."""
    value ^= value >> np.uint64(30)
    value *= _ODD[1]
    value ^= value >> np.uint64(27)
    value *= _LENGTH
    value ^= value >> np.uint64(31)
    return value
