"""Re-resolution: would the resolvers, asked today, give this lock again?

Both resolvers start from the lock's own pins, so that a pin that is still valid stays, and from
none of its hashes, so that the index has to give them anew. They see what was asked for as
`read_inputs` read it, not the file itself: an index or a folder that a model's requirements.in
names is not believed. Nothing is built from source, so that nothing of an index is ever run.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gates.domain.lock_report import LockProblem, LockReport, ProblemKind
from gates.locks._resolvers import Resolver, Run, pins_as_text, resolve, said, warnings_of
from gates.locks.diff import pins_of
from gates.locks.finding import NO_PIN
from gates.locks.inputs import AskedRequirement, read_inputs
from gates.locks.lock import Lock, LockedRequirement, read_lock
from gates.locks.markers import RUNNING_PYTHON, series, target_environment
from gates.system.commands import Finished
from gates.system.installers import without_index

__all__ = ["resolve_again"]

_YANKED = re.compile(
    r'`(?P<name>[^`=]+)==(?P<version>[^`]+)` is yanked(?: \(reason: "(?P<why>.*)"\))?'
)
_GONE = re.compile(r"there is no version of ", re.IGNORECASE)

_LONGEST = 400

_Pins = Mapping[str, LockedRequirement]


@dataclass(slots=True)
class _Answers:
    """What the resolvers said: pins where they could, reasons where they could not."""

    pins: dict[Resolver, _Pins] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    warnings: tuple[str, ...] = ()


def resolve_again(
    lock: Lock,
    inputs: Path | None,
    *,
    python: str | None = None,
    offline: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> LockReport:
    """Resolve what a lock was compiled from once more, with uv and with pip-tools, and compare.

    Args:
        lock: What `read_lock` gave.
        inputs: The requirements.in or pyproject.toml it was compiled from; None when there is none.
        python: The Python the lock is for, such as `3.11`; None for the gate's own. The platform is
            this one.
        offline: True to use only what uv has cached, or wheels in a folder.
        progress: Told what is being done, a line at a time.

    Returns:
        Problems of the kinds `resolution` (a distribution each) and `yanked`. A kind counts as
        looked at when both resolvers answered, or a problem was found all the same; else it is
        absent, with the reason.

    Raises:
        LockError: The inputs cannot be read.
        UsageError: `python` is no Python version.
        BuildError: uv is not installed.
    """
    python = python or RUNNING_PYTHON
    markers = target_environment(python)
    locked = pins_of(lock, markers)
    if inputs is None:
        return _nothing("there is no requirements.in to resolve")
    asked = read_inputs(inputs)
    if direct := [one for one in asked if one.direct]:
        return _nothing(f"{direct[0].where} asks for a URL or path, which no index resolves")
    with tempfile.TemporaryDirectory(prefix="gates-resolve-") as scratch:
        folder = Path(scratch)
        _write_inputs(folder, asked)
        asking = _Asking(folder, locked, python, offline, markers)
        answers = asking.both(progress)
        gone, unsure = asking.look_for(_moved(locked, answers.pins), progress)
    problems = [
        *_yanked(locked, answers),
        *_differences(locked, answers.pins, gone, versions=not unsure),
    ]
    return _report(problems, locked, answers, [*answers.reasons, *unsure])


def _nothing(reason: str) -> LockReport:
    return LockReport(absent={"resolution": reason, "yanked": reason})


def _write_inputs(folder: Path, asked: Iterable[AskedRequirement]) -> None:
    lines, limits = ["-c constraints.txt"], []
    for one in asked:
        marker = f" ; {one.marker}" if one.marker else ""
        if one.constraint:
            limits.append(f"{one.name}{one.specifier}{marker}")
        else:
            extras = f"[{','.join(one.extras)}]" if one.extras else ""
            lines.append(f"{one.name}{extras}{one.specifier}{marker}")
    for name, content in (("requirements.in", lines), ("constraints.txt", limits)):
        (folder / name).write_text("".join(f"{line}\n" for line in content), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Asking:
    """The resolvers, ready to be asked."""

    folder: Path
    locked: _Pins
    python: str
    offline: bool
    markers: Mapping[str, str]

    def both(self, progress: Callable[[str], None]) -> _Answers:
        """Ask those who can answer."""
        answers = _Answers()
        for resolver in ("uv", "pip-tools"):
            reason = self._cannot(resolver)
            if not reason:
                progress(f"{resolver} resolves the lock again")
                done, output = self._ask(resolver, self.locked.values())
                if done.returncode == 0:
                    answers.pins[resolver] = pins_of(read_lock(output), self.markers)
                    answers.warnings += warnings_of(done)
                    continue
                reason = f"{resolver} could not resolve it ({done.how}): {self._in_line(done)}"
            answers.reasons.append(reason)
        return answers

    def _cannot(self, resolver: Resolver) -> str:
        if resolver == "uv":
            return ""
        if series(self.python) != RUNNING_PYTHON:
            return (
                f"pip-tools resolves only for the Python it runs in, {RUNNING_PYTHON}, "
                f"and the lock is for {self.python}"
            )
        if self.offline and not without_index():
            return "pip-tools cannot resolve offline from an index"
        return ""

    def look_for(
        self, pins: Iterable[LockedRequirement], progress: Callable[[str], None]
    ) -> tuple[frozenset[str], list[str]]:
        """See why pins were not kept: whether the index still has their versions.

        Returns:
            The names whose versions the index does not have, and for what was out of reach (a
            version that comes as source only, or is not cached) the reason.
        """
        gone, unsure = set(), []
        for pin in pins:
            progress(f"looking for {pin.name} {pin.version}")
            text = pins_as_text([pin], hashes=False)
            (self.folder / "one.in").write_text(text, encoding="utf-8")
            done, _ = self._ask("uv", (), inputs="one.in", needs=False)
            if done.returncode == 0:
                continue
            if _GONE.search(done.output) and not self.offline:
                gone.add(pin.name)
            else:
                unsure.append(f"{pin.name} {pin.version} is out of reach: {self._in_line(done)}")
        return frozenset(gone), unsure

    def _in_line(self, done: Finished) -> str:
        text = " ".join(said(done).replace(f"{self.folder}/", "").split())
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

    def _ask(
        self,
        resolver: Resolver,
        start: Iterable[LockedRequirement],
        *,
        inputs: str = "requirements.in",
        needs: bool = True,
    ) -> tuple[Finished, Path]:
        output = self.folder / f"{resolver}-{inputs}.txt"
        output.write_text(pins_as_text(start, hashes=False), encoding="utf-8")
        run = Run(
            inputs=inputs,
            folder=self.folder,
            output=output,
            python=self.python,
            build=False,
            needs=needs,
            offline=self.offline,
        )
        return resolve(resolver, run), output


def _moved(locked: _Pins, pins: Mapping[Resolver, _Pins]) -> list[LockedRequirement]:
    """The locked pins that some resolver did not keep, though it has the distribution."""
    return [
        pin
        for name, pin in locked.items()
        if any(name in found and found[name].version != pin.version for found in pins.values())
    ]


def _yanked(locked: _Pins, answers: _Answers) -> Iterator[LockProblem]:
    for warning in answers.warnings:
        match = _YANKED.search(warning)
        pin = locked.get(match["name"]) if match else None
        if match and pin and pin.version == match["version"]:
            why = f": {match['why'][:200]}" if match["why"] else ", without saying why"
            message = f"{pin.name} {pin.version} was taken back by its authors{why}"
            yield LockProblem("yanked", pin.name, message, pin.line)


def _differences(
    locked: _Pins, pins: Mapping[Resolver, _Pins], gone: frozenset[str], *, versions: bool
) -> Iterator[LockProblem]:
    for name in sorted(locked.keys() | {name for found in pins.values() for name in found}):
        pin = locked.get(name)
        wanted = {who: found[name].version if name in found else "" for who, found in pins.items()}
        if versions and any(version != (pin.version if pin else "") for version in wanted.values()):
            what = _disagreement(name, pin, wanted)
            if name in gone:
                what += "; the index does not have that version any more"
        elif pin is not None:
            what = _unknown_files(pin, [found[name] for found in pins.values() if name in found])
        else:
            continue
        if what:
            yield LockProblem("resolution", name, what, pin.line if pin else 0)


def _disagreement(name: str, pin: LockedRequirement | None, wanted: Mapping[Resolver, str]) -> str:
    has = f"the lock has {pin.version}" if pin else "the lock leaves it out"
    if len(set(wanted.values())) > 1:
        each = ", ".join(f"{who} would {_would(name, one)}" for who, one in wanted.items())
        return f"{' and '.join(wanted)} disagree about {name}: {each}; {has}"
    (version,) = set(wanted.values())
    return f"{' and '.join(wanted)} would {_would(name, version)}, {has}"


def _would(name: str, version: str) -> str:
    return f"pin {name} {version}" if version else f"leave {name} out"


def _unknown_files(pin: LockedRequirement, found: Iterable[LockedRequirement]) -> str:
    """What is wrong with the hashes of a pin whose version is right; empty when nothing is."""
    same = [one for one in found if one.version == pin.version]
    known = {digest for one in same for digest in one.hashes}
    unknown = [digest for digest in pin.hashes if digest not in known]
    if not same or not unknown:
        return ""
    what = (
        f"{len(unknown)} of {len(pin.hashes)} locked hashes"
        if len(pin.hashes) > 1
        else "the locked hash"
    )
    verb = "belong" if len(unknown) > 1 else "belongs"
    return f"{what} of {pin.name} {pin.version} {verb} to no file that the index has: {unknown[0]}"


def _report(
    problems: list[LockProblem], locked: _Pins, answers: _Answers, reasons: list[str]
) -> LockReport:
    looked_at: dict[ProblemKind, int] = {}
    absent: dict[ProblemKind, str] = {}
    by_uv = answers.pins.get("uv", {})
    same = sum(name in by_uv and by_uv[name].version == pin.version for name, pin in locked.items())
    if reasons and not any(one.kind == "resolution" for one in problems):
        absent["resolution"] = "; ".join(reasons)
    else:
        looked_at["resolution"] = len(locked) or len(problems)
    if same or (by_uv and not locked):
        looked_at["yanked"] = same
    else:
        kept_none = "uv keeps none of the locked versions"
        absent["yanked"] = kept_none if "uv" in answers.pins else reasons[0]
    nothing = dict.fromkeys((kind for kind, n in looked_at.items() if not n), NO_PIN)
    return LockReport(tuple(problems), looked_at, absent, nothing)
