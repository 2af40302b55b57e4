"""What a worker's cage could shut off, and what a card insists on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from gates.domain.judging import Layer
from gates.environments._faults import one_line

__all__ = ["SET_BY_WORKERS", "lacking", "layers_told"]

SET_BY_WORKERS: tuple[Layer, ...] = ("landlock", "system-calls")
"""Layers that a worker gives itself wherever it runs, in a container too."""

_NAMESPACES = (
    "run the gate on Linux, as root or as a user who may make user namespaces (see the sysctls "
    "user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns), not in a "
    "container that forbids unshare and mount; or set 'kind: docker' in the card"
)
_LINUX = "run the gate on Linux, or set 'kind: docker' in the card"
_HOW: Mapping[Layer, str] = {
    "network": _NAMESPACES,
    "files": _NAMESPACES,
    "processes": _NAMESPACES,
    "user": "run the gate as root, with its cache readable for all, or set 'kind: docker' in the "
    "card",
    "landlock": "run the gate on Linux 5.13 or later with Landlock among its security modules",
    "system-calls": "run the gate on Linux, on x86_64 or aarch64",
    "process-limit": "run the gate as a user other than root, or as root with the layer 'user'",
}


def layers_told(message: Mapping[str, Any], given: Mapping[Layer, str]) -> dict[Layer, str] | None:
    """A worker's word on its cage: layer → why it is off, empty when it is on.

    Args:
        message: What it sent; it was sent before any of the model's code had run.
        given: Layers that the gate itself gave it, in the same form; of them it has no say.

    Returns:
        None when it is not a proper word.
    """
    told = message.get("layers")
    if not isinstance(told, dict) or not all(isinstance(why, str) for why in told.values()):
        return None
    named: tuple[Layer, ...] = get_args(Layer)
    if set(told) != set(named) - set(given):
        return None
    return {name: given[name] if name in given else one_line(told[name]) for name in named}


def lacking(required: Sequence[Layer], layers: Mapping[Layer, str]) -> str:
    """The sentence about layers that a card requires and the cage lacks; empty without any."""
    missing = [name for name in required if layers[name]]
    if not missing:
        return ""
    noun = "layer" if len(missing) == 1 else "layers"
    names = ", ".join(f"'{name}'" for name in missing)
    reasons = "; ".join(dict.fromkeys(layers[name] for name in missing))
    hints = "; ".join(dict.fromkeys(_HOW.get(name, _LINUX) for name in missing))
    return (
        f"was not loaded: the card requires the {noun} {names}, which this machine does not give "
        f"({reasons}): {hints}"
    )
