"""What a card may set of `behaviour`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["BehaviourOptions"]


class BehaviourOptions(BaseModel):
    """Options of the invariances and sensitivities.

    Attributes:
        variants: How many variants of a query to draw for each invariance, at the most.
        noticeable: By how much a score must move for a query to count as answered otherwise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    variants: int = Field(default=1, ge=1, le=20)
    noticeable: float = Field(default=1e-6, ge=0, lt=1)
