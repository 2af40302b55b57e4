"""What the splits of trees add up to, whichever library wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Forest", "Unreadable"]

_MOST_FEATURES = 1_000_000


class Unreadable(Exception):
    """A file does not tell what its trees split on; the text says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Splits of all trees of a model, by feature.

    Attributes:
        names: F names as the file has them; empty where it has none.
        splits: int64[F], how many splits are on each.
        gain: float64[F], what these gained together, in units of the training objective.
    """

    names: tuple[str, ...]
    splits: NDArray[np.int64]
    gain: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        width: int,
        names: tuple[str, ...],
        feature: NDArray[np.int64],
        gain: NDArray[np.float64],
    ) -> Self:
        """Add up splits.

        Args:
            width: F, how many features the model was trained on.
            names: Their names, F of them or none.
            feature: int64[S], the feature of each split.
            gain: float64[S], what each gained; what is not above 0 is not counted, as LightGBM
                has it.

        Raises:
            Unreadable: These do not belong together.
        """
        inside = bool(((feature >= 0) & (feature < width)).all())
        if not 0 < width <= _MOST_FEATURES or len(names) not in (0, width) or not inside:
            raise Unreadable("its trees split on features that it does not have")
        if len(set(names)) != len(names) or not np.isfinite(gain).all():
            raise Unreadable("it has a feature twice, or a gain that is no number")
        gained: NDArray[np.float64] = np.zeros(width)
        np.add.at(gained, feature, np.maximum(gain, 0))
        return cls(names, np.bincount(feature, minlength=width), gained)
