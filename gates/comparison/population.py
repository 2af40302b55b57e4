"""Which queries are compared, for how much each counts, and in which slices it lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gates.kernels.packed import Bools, Floats, Ints

__all__ = ["Population"]


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """The queries that are compared, P of them, ordered as their ids are.

    Attributes:
        index: int64[P], their numbers among the queries whose rows there are.
        traffic: float64[P], each query's traffic; ones when nobody said.
        weight: float64[P], what each stands for: traffic over inclusion probability.
        census: bool[P], those taken with certainty.
        slices: column → P values.
        text: P texts as shoppers typed them; None when nobody said.
        notes: What a reader should know.
        cluster: int64[P], queries drawn together share a number; None where nobody says.
    """

    index: Ints
    traffic: Floats
    weight: Floats
    census: Bools
    slices: Mapping[str, Sequence[str]]
    text: Sequence[str] | None = None
    notes: tuple[str, ...] = ()
    cluster: Ints | None = None
