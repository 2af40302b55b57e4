"""p-values adjusted for how many were looked at."""

import numpy as np

from gates.kernels.packed import Floats


def holm(p: Floats) -> Floats:
    """Holm's step-down p-values: the chance of even one false claim is held (family-wise).

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.

    Args:
        p: float64[m], one-sided or two-sided, of any dependence.

    Returns:
        float64[m], in the order given.
    """
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    return _back(np.minimum(stepped, 1.0), order)


def benjamini_hochberg(p: Floats) -> Floats:
    """Benjamini and Hochberg's p-values: the share of false claims among all claims is held.

    Source: Benjamini and Hochberg, "Controlling the false discovery rate", JRSS B 1995.

    Args:
        p: float64[m], independent or positively dependent.

    Returns:
        float64[m], in the order given.
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * p.size / np.arange(1, p.size + 1)
    stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    return _back(np.minimum(stepped, 1.0), order)


def _back(values: Floats, order: np.ndarray) -> Floats:
    found = np.empty(values.size)
    found[order] = values
    return found
