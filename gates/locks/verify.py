"""Whether a lock can be believed: what was asked for, what ran, and what the repository says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packaging.version import InvalidVersion, Version

from gates.domain.lock_report import Distribution, LockProblem, LockReport, ProblemKind
from gates.locks.advisories import Advisories, audit, not_audited
from gates.locks.base_image import base_images
from gates.locks.finding import LockFinding, counted
from gates.locks.imports import imports
from gates.locks.inputs import AskedRequirement, read_inputs
from gates.locks.lock import Lock, LockedRequirement, read_lock
from gates.locks.markers import holds
from gates.locks.recorded import recorded
from gates.locks.unneeded import unneeded

__all__ = ["verify"]

_EMPTY = "the lock holds no requirement"
_BARE = "the lock pins nothing for this Python, and nothing is installed"
_NO_INPUTS = "the artifact holds no requirements.in"
_NO_ENVIRONMENT = "the environment was not looked at"
_NO_SOURCE = "no source of advisories was named"
_LEFT_OUT: Mapping[ProblemKind, str] = {
    "unsatisfied": _NO_INPUTS,
    "environment": _NO_ENVIRONMENT,
    "files": "the installed files were not looked at",
    "imports": "the model's code was not looked at in its environment",
    "after-the-fact": "the lock was looked at by itself, without its model",
    "recorded": "the model's own files were not looked at",
    "base-image": "no Dockerfile was looked for",
    "repository": (
        "the project holds no lock of this model to compare with; where locks live elsewhere, "
        "list the bounds of 'lockfile' in the card without 'repository'"
    ),
    "resolution": "no resolver was asked",
    "yanked": _NO_SOURCE,
    "advisories": _NO_SOURCE,
}

_Pins = Mapping[str, Sequence[LockedRequirement]]


def verify(
    lock: Lock,
    *,
    inputs: Path | None,
    installed: Sequence[Distribution] | None,
    repository: Path | None,
    environment: Mapping[str, str] | None = None,
    code: Sequence[Path] | None = None,
    artifact: Path | None = None,
    folder: Path | None = None,
    advisories: Advisories | str | None = None,
    others: Sequence[LockFinding] = (),
) -> LockReport:
    """Verify a lock against its inputs, an environment and all else it must agree with, offline.

    Whatever is left out is told as not looked at; it is never clean.

    Args:
        lock: What `read_lock` gave.
        inputs: The requirements.in or pyproject.toml it was compiled from; None to leave that out.
        installed: What the environment that ran holds; None to leave that out.
        repository: Where the repository keeps this model's lock; None, or no file there, means
            there is nothing to compare with.
        environment: PEP 508 markers of the Python the lock is for, from `target_environment`;
            None for this Python.
        code: Python files of the model, and folders of them; None to leave them out.
        artifact: The model folder with the MLmodel; None to leave it out.
        folder: Where a Dockerfile may be; None to leave that out.
        advisories: What `read_advisories` gave, or why it gave nothing; None when there is none.
        others: What was looked for elsewhere, one finding a kind; these stand.

    Returns:
        The report, with every problem found, and every kind either looked at or absent.

    Raises:
        LockError: The inputs or the repository's lock cannot be read.
    """
    pins: defaultdict[str, list[LockedRequirement]] = defaultdict(list)
    for pin in lock.requirements:
        if holds(pin.marker, environment, path=lock.path, line=pin.line):
            pins[pin.name].append(pin)
    held = [pin for found in pins.values() for pin in found]
    asked = None if inputs is None else _asked(inputs, environment)
    stated = len({pin.line for pin in lock.requirements} | {p.line for p in lock.problems})
    unpinned = [one for one in lock.problems if one.kind == "unpinned"]
    unhashed = [one for one in lock.problems if one.kind == "unhashed"]
    findings = [
        counted("unpinned", stated, (*unpinned, *_pinned_twice(pins)), nothing=_EMPTY),
        counted("unhashed", stated, unhashed, nothing=_EMPTY),
    ]
    if asked is not None and inputs is not None:
        broken = [problem for one in asked for problem in _unsatisfied(one, pins, lock)]
        asks_nothing = f"{inputs.name} asks for nothing"
        findings.append(counted("unsatisfied", len(asked), broken, nothing=asks_nothing))
    if installed is not None:
        names = {one.name for one in installed} | pins.keys()
        differs = tuple(_environment_differs(installed, pins))
        findings.append(counted("environment", len(names), differs, nothing=_BARE))
        if asked is not None:
            findings.append(unneeded(asked, held, installed, environment))
        if code is not None:
            findings.append(imports(code, installed, environment))
    if artifact is not None:
        findings.append(recorded(held, artifact, environment))
    if folder is not None:
        findings.append(base_images(folder))
    if repository is not None and repository.is_file():
        findings.append(LockFinding("repository", 1, tuple(_repository_differs(lock, repository))))
    if isinstance(advisories, Advisories):
        findings.extend(audit(held, advisories))
    elif advisories is not None:
        findings.extend(not_audited(advisories))
    findings.extend(others)
    return _report(findings, _NO_INPUTS if asked is None else _NO_ENVIRONMENT)


def _asked(inputs: Path, environment: Mapping[str, str] | None) -> list[AskedRequirement]:
    return [
        one
        for one in read_inputs(inputs)
        if holds(one.marker, environment, path=one.path, line=one.line)
    ]


def _report(findings: Sequence[LockFinding], no_unneeded: str) -> LockReport:
    absent = {**_LEFT_OUT, "unneeded": no_unneeded}
    nothing: dict[ProblemKind, str] = {}
    looked_at: dict[ProblemKind, int] = {}
    problems: list[LockProblem] = []
    for one in findings:
        problems += one.problems
        if one.absent:
            absent[one.kind] = one.absent
        else:
            absent.pop(one.kind, None)
            looked_at[one.kind] = one.looked_at
            if one.nothing:
                nothing[one.kind] = one.nothing
    return LockReport(tuple(problems), looked_at, absent, nothing)


def _pinned_twice(pins: _Pins) -> Iterator[LockProblem]:
    for name, found in pins.items():
        if len(found) > 1:
            places = ", ".join(f"{pin.version} (line {pin.line})" for pin in found)
            message = f"{name} is pinned {len(found)} times for the same Python: {places}"
            yield LockProblem("unpinned", name, message, found[1].line)


def _unsatisfied(asked: AskedRequirement, pins: _Pins, lock: Lock) -> Iterator[LockProblem]:
    def problem(what: str, line: int = 0) -> LockProblem:
        return LockProblem("unsatisfied", asked.name, f"{asked.where} {what}", line)

    if asked.direct:
        yield problem(f"asks for `{asked.name}` by URL or path, which no pin can satisfy")
        return
    found = pins.get(asked.name, ())
    if not found and not asked.constraint:
        wanted = f"`{asked.name}{asked.specifier}`"
        elsewhere = [pin for pin in lock.requirements if pin.name == asked.name]
        if elsewhere:
            markers = " or ".join(f"`{pin.marker}`" for pin in elsewhere)
            yield problem(f"asks for {wanted}, which the lock pins only where {markers}")
        else:
            yield problem(f"asks for {wanted}, which the lock does not pin")
    # A lock compiled with --strip-extras keeps none, and then says nothing about them.
    keeps_extras = any(pin.extras for pin in lock.requirements)
    for pin in found:
        for constraint in sorted(asked.specifier, key=str):
            if not constraint.contains(pin.version, prereleases=True):
                what = f"asks for `{asked.name}{constraint}`, but the lock pins {pin.version}"
                yield problem(what, pin.line)
        missing = sorted(set(asked.extras) - set(pin.extras))
        if missing and keeps_extras and not asked.constraint:
            what = f"asks for `{asked.name}[{','.join(missing)}]`, an extra the lock leaves out"
            yield problem(what, pin.line)


def _environment_differs(installed: Sequence[Distribution], pins: _Pins) -> Iterator[LockProblem]:
    present = {one.name: one.version for one in installed}
    for name in sorted(present.keys() | pins.keys()):
        found, version = pins.get(name, ()), present.get(name)
        if version is None:
            pin = found[0]
            message = f"{name} {pin.version} is locked but not installed"
            yield LockProblem("environment", name, message, pin.line)
        elif not found:
            message = f"{name} {version} is installed but not locked for this Python"
            yield LockProblem("environment", name, message)
        elif all(not _same_version(pin.version, version) for pin in found):
            message = f"{name} {version} is installed, but {found[0].version} is locked"
            yield LockProblem("environment", name, message, found[0].line)


def _same_version(locked: str, installed: str) -> bool:
    try:
        return Version(locked) == Version(installed)
    except InvalidVersion:
        return locked == installed


def _repository_differs(lock: Lock, repository: Path) -> Iterator[LockProblem]:
    theirs = read_lock(repository)
    if theirs.digest == lock.digest:
        return
    here, there = _versions(lock), _versions(theirs)
    different = [name for name in sorted(here.keys() | there.keys()) if here[name] != there[name]]
    shown = ", ".join(f"{name} {there[name]} → {here[name]}" for name in different[:3])
    what = (
        f"{len(different)} {'pin differs' if len(different) == 1 else 'pins differ'}"
        f" (repository → this lock): {shown}{', …' if len(different) > 3 else ''}"
        if different
        else "the same pins, but other hashes, markers, options or comments"
    )
    message = f"the lock is not the repository's {repository.name}: {what}"
    yield LockProblem("repository", repository.name, message)


def _versions(lock: Lock) -> defaultdict[str, str]:
    """Name → its pinned versions as text; `absent` for any other name."""
    versions: defaultdict[str, list[str]] = defaultdict(list)
    for pin in lock.requirements:
        versions[pin.name].append(pin.version)
    return defaultdict(lambda: "absent", {name: " or ".join(v) for name, v in versions.items()})
