"""Vectors of texts: nearest neighbours, vectors that are the same, and vectors that collapsed.

Texts are rows; likeness is the cosine of the angle between two vectors. A vector of zeros points
nowhere: its cosine with every other is 0.
"""

import numpy as np

from gates.kernels.packed import Bools, Floats, Ints

__all__ = [
    "changed",
    "cosines",
    "duplicated",
    "effective_rank",
    "first_share",
    "nearest",
    "norms",
    "overlap",
    "units",
]

_CELLS = 1 << 22  # similarities held at a time: 32 MiB
_DECIMALS = 12


def norms(vectors: Floats) -> Floats:
    """The length of each vector, float64[N]; the largest number where it is beyond.

    Args:
        vectors: float64[N, D], finite.
    """
    # Scaled first: squares of very large or very small numbers do not fit.
    largest = np.abs(vectors).max(axis=1, initial=0.0)
    scale = np.where(largest > 0, largest, 1.0)
    with np.errstate(over="ignore"):
        found = np.linalg.norm(vectors / scale[:, None], axis=1) * largest
    capped: Floats = np.minimum(found, np.finfo(np.float64).max)
    return capped


def units(vectors: Floats) -> Floats:
    """Each vector at length 1, float64[N, D]; zeros where it has no length.

    Args:
        vectors: float64[N, D], finite.
    """
    largest = np.abs(vectors).max(axis=1, initial=0.0)
    scaled = vectors / np.where(largest > 0, largest, 1.0)[:, None]
    length = np.linalg.norm(scaled, axis=1)
    found: Floats = scaled / np.where(length > 0, length, 1.0)[:, None]
    return found


def cosines(first: Floats, second: Floats) -> Floats:
    """The cosine of each row of one with the same row of the other, float64[N] in [-1, 1].

    Args:
        first: float64[N, D], finite.
        second: float64[N, D], finite.
    """
    found: Floats = np.clip(np.einsum("nd,nd->n", units(first), units(second)), -1.0, 1.0)
    return found


def nearest(asked: Floats, vectors: Floats, k: int) -> Ints:
    """The k nearest texts of each asked vector, nearest first, int64[N, min(k, N - 1)].

    Row i of both is the same text, which is never its own neighbour. Cosines that agree to twelve
    decimals are ties, and go by index: beyond that, the order of additions decides. Similarities
    are held for a block of rows at a time.

    Args:
        asked: float64[N, D], finite.
        vectors: float64[N, D], finite, those that neighbours are looked for in.
        k: How many neighbours, at least 1.
    """
    n = vectors.shape[0]
    k = min(k, n - 1)
    if k < 1:
        return np.empty((n, 0), np.int64)
    rows, columns = units(asked), units(vectors).T
    found = np.empty((n, k), np.int64)
    step = max(1, _CELLS // n)
    for first in range(0, n, step):
        block = np.round(rows[first : first + step] @ columns, _DECIMALS)
        own = np.arange(block.shape[0])
        block[own, own + first] = -np.inf
        found[first : first + step] = _largest(block, k)
    return found


def _largest(block: Floats, k: int) -> Ints:
    """Where the k largest values of each row stand, largest first, ties by index."""
    least = np.partition(block, -k, axis=1)[:, -k, None]
    above, equal = block > least, block == least
    room = k - above.sum(axis=1, keepdims=True)
    chosen = above | (equal & (np.cumsum(equal, axis=1) <= room))
    place = np.nonzero(chosen)[1].reshape(block.shape[0], k)
    order = np.argsort(-np.take_along_axis(block, place, axis=1), axis=1, kind="stable")
    return np.take_along_axis(place, order, axis=1)


def overlap(old: Ints, new: Ints) -> Floats:
    """The share of each row's neighbours that both lists hold, float64[N]; NaN for empty lists.

    Args:
        old: int64[N, K], without repetition in a row.
        new: int64[N, K], likewise.
    """
    n, k = old.shape
    if not k:
        return np.full(n, np.nan)
    both = np.sort(np.concatenate((old, new), axis=1), axis=1)
    found: Floats = (np.diff(both, axis=1) == 0).sum(axis=1) / k
    return found


def changed(old: Ints, new: Ints) -> Bools:
    """Whether a row's neighbours are others than before, whatever their order, bool[N].

    Args:
        old: int64[N, K].
        new: int64[N, K].
    """
    found: Bools = (np.sort(old, axis=1) != np.sort(new, axis=1)).any(axis=1)
    return found


def duplicated(vectors: Floats, tolerance: float) -> Bools:
    """Whether another text has the same direction, bool[N].

    Args:
        vectors: float64[N, D], finite.
        tolerance: How far the ends of two vectors of length 1 may be apart and still be the same.
            Above 1e-6, which cosines of double precision can tell.
    """
    closest = nearest(vectors, vectors, 1)
    if not closest.size:
        return np.zeros(vectors.shape[0], np.bool_)
    unit = units(vectors)
    found: Bools = np.linalg.norm(unit - unit[closest[:, 0]], axis=1) <= tolerance
    return found


def first_share(vectors: Floats) -> float:
    """How much of all vectors, at length 1, lies along one direction: 1 when all are collapsed.

    The largest eigenvalue of their second moments over the sum of all, without taking out the
    mean: vectors that all point into one narrow cone are as useless as vectors on a line
    (Ethayarajh, EMNLP 2019). Between 1/min(N, D) and 1; NaN where every vector is zero.

    Args:
        vectors: float64[N, D], finite.
    """
    values = _moments(vectors)
    total = values.sum()
    return float(values.max() / total) if total > 0 else float("nan")


def effective_rank(vectors: Floats) -> float:
    """In how many directions the vectors, at length 1, spread out.

    exp of the entropy of the singular values over their sum (Roy and Vetterli, EUSIPCO 2007), as
    used for embeddings by Garrido and others (RankMe, ICML 2023). Between 1 and min(N, D); NaN
    where every vector is zero.

    Args:
        vectors: float64[N, D], finite.
    """
    singular = np.sqrt(_moments(vectors))
    if not singular.any():
        return float("nan")
    share = singular[singular > 0] / singular.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def _moments(vectors: Floats) -> Floats:
    """The squares of the singular values of the vectors at length 1, float64[min(N, D)]."""
    unit = units(vectors)
    gram = unit.T @ unit if unit.shape[0] >= unit.shape[1] else unit @ unit.T
    values = np.linalg.eigvalsh(gram)
    noise = values.max(initial=0.0) * max(unit.shape) * np.finfo(np.float64).eps
    return np.where(values > noise, values, 0.0)
