"""Versions written into a model's own files, which must be the locked ones."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from packaging.version import InvalidVersion, Version

from gates.domain.lock_report import LockProblem
from gates.locks._lines import one_line
from gates.locks._mlmodel_versions import mlmodel_versions
from gates.locks._model_bytes import bytes_versions
from gates.locks._written import Unread, Written, distributions_of
from gates.locks.finding import LockFinding
from gates.locks.lock import LockedRequirement

__all__ = ["recorded"]

_SILENT = (
    "no file of the model says which versions it was made with; save it with MLflow, or list the "
    "bounds of 'lockfile' in the card without 'recorded'"
)


def recorded(
    pins: Iterable[LockedRequirement], model: Path, environment: Mapping[str, str] | None
) -> LockFinding:
    """Compare the versions a model's files say they were made with to a lock.

    Read as data, with bounds, and never unpickled: MLflow's MLmodel, requirements.txt and
    python_env.yaml, and the bytes of pickles, joblib, skops, XGBoost and LightGBM files.

    Args:
        pins: What the lock pins for its Python.
        model: The model folder.
        environment: PEP 508 markers of that Python; None for this one.

    Returns:
        Kind `recorded`, one thing looked at a version that was found. Absent when none was, or
        when a file that may hold one could not be read and nothing else is wrong.
    """
    locked: defaultdict[str, list[LockedRequirement]] = defaultdict(list)
    for pin in pins:
        locked[pin.name].append(pin)
    looked_at, problems, unread = 0, list[LockProblem](), list[Unread]()
    for found in (*mlmodel_versions(model, environment), *bytes_versions(model)):
        if isinstance(found, Unread):
            unread.append(found)
        elif found.package == "python":
            looked_at += 1
            problems.extend(_other_python(found, environment))
        else:
            names = distributions_of(found.package)
            candidates = [pin for name in names for pin in locked.get(name, ())]
            if candidates or not found.optional:
                looked_at += 1
                problems.extend(_other_version(found, candidates))
    if unread and not problems:
        return LockFinding("recorded", absent=one_line(unread[0].reason))
    if not looked_at:
        return LockFinding("recorded", absent=_SILENT)
    return LockFinding("recorded", looked_at, tuple(problems))


def _other_python(found: Written, environment: Mapping[str, str] | None) -> Iterator[LockProblem]:
    target = environment["python_version"] if environment else "{}.{}".format(*sys.version_info)
    try:
        written = ".".join(map(str, Version(found.version).release[:2]))
    except InvalidVersion:
        written = found.version
    if written != target:
        said = f"{found.where} says Python {one_line(found.version)}"
        yield LockProblem("recorded", "python", f"{said}, but the lock is for Python {target}")


def _other_version(
    found: Written, candidates: Sequence[LockedRequirement]
) -> Iterator[LockProblem]:
    if any(found.agrees(pin.version) for pin in candidates):
        return
    package, version = one_line(found.package), one_line(found.version)
    said = f"{one_line(found.where)} says {package} {version}"
    if found.accepts and not found.accepts.startswith("=="):
        said += f" ({found.package}{found.accepts} writes that)"
    if not candidates:
        yield LockProblem("recorded", found.package, f"{said}, which the lock does not pin")
        return
    pin = candidates[0]
    name = "" if pin.name == found.package else f"{pin.name} "
    message = f"{said}, but the lock pins {name}{pin.version}"
    yield LockProblem("recorded", pin.name, message, pin.line)
