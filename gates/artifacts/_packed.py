"""Bytes that a pickle makes of texts or hands to PyTorch, which loads them as a file."""

from __future__ import annotations

from gates.artifacts._values import OTHER, Bytes, Region, ScanBudget, TooMuch, Value

__all__ = ["ENCODERS", "LOADER", "encoded", "loaded"]

ENCODERS = {("_codecs", "encode"), ("codecs", "encode")}
LOADER = ("torch.storage", "_load_from_bytes")
_LATIN = ("latin1", "latin-1")


def encoded(arguments: tuple[Value, ...]) -> Value | None:
    """What `codecs.encode` gives; None where its codec does more than write a text as bytes."""
    text, *rest = arguments or (OTHER,)
    if rest and rest[0] not in _LATIN:
        return None
    if isinstance(text, str):
        raw = text.encode("latin-1", "replace")
        return Bytes(Region(raw, 0, len(raw)))
    return text if isinstance(text, Bytes) else OTHER


def loaded(value: Value, budget: ScanBudget) -> Region | None:
    """The bytes that PyTorch would load; None where they cannot be told.

    Raises:
        TooMuch: They are more than may be held.
    """
    if not isinstance(value, Bytes):
        return None
    region = value.region
    if not value.text:
        return region
    budget.expanded -= region.size
    if budget.expanded < 0:
        raise TooMuch("what is packed in the artifact expands to more than 2 GiB")
    text = region.head(region.size).decode("utf-8", "replace")
    raw = text.encode("latin-1", "replace")
    return Region(raw, 0, len(raw))
