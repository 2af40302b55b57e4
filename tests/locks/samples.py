"""A small clean lock, and what tests say about one."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from gates.domain.lock_report import Distribution, LockProblem, LockReport
from gates.locks.lock import Lock

SHA = "--hash=sha256:" + "a" * 64
CLEAN = f"idna==3.10 {SHA}\nsix==1.17.0 {SHA}\n"


class Write(Protocol):
    def __call__(self, text: str, name: str = "requirements.in") -> Path: ...


class Locked(Protocol):
    def __call__(self, text: str) -> Lock: ...


class Make(Protocol):
    def __call__(self, name: str, version: str, *needs: str) -> str: ...


def pins(lock: Lock) -> list[tuple[str, str]]:
    return [(one.name, one.version) for one in lock.requirements]


def held(**versions: str) -> tuple[Distribution, ...]:
    """An environment that holds these versions."""
    return tuple(Distribution(name, version) for name, version in versions.items())


def only(holder: Lock | LockReport) -> LockProblem:
    (problem,) = holder.problems
    return problem
