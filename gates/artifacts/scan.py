"""Look at an artifact before anything loads it: what would its files import, call and run?

Files are known by their content. Archives and compressed files are opened, pickles are followed
opcode by opcode, and opaque files are searched for pickles that begin inside them. Nothing is ever
unpickled or imported, no link leads out of the folder, and what may be done is bounded.

Other formats that name code, files or templates are looked into as `_formats.py` lists them.

What this cannot tell: whether code that an artifact holds (its `code` folder, functions in pickles)
is good, but for what it does on import; what a library does with data of a format that is not
listed; pickles of protocols 0 and 1 that do not stand at the beginning of a file or member.
"""

from __future__ import annotations

import mmap
import os
import re
import stat
from collections.abc import Collection, Iterable
from pathlib import Path

from gates.artifacts._formats import FORMATS
from gates.artifacts._found import Place
from gates.artifacts._globals import Ruling, judge
from gates.artifacts._layers import NotRead, array_start, layers, printable
from gates.artifacts._pickles import follow
from gates.artifacts._values import Reading, Region, ScanBudget, TooMuch
from gates.domain.artifact_scan import SEVERITIES, ArtifactFinding, ScanReport, Severity

__all__ = ["scan_artifact"]

_MOST_DEEP = 8
_MOST_BYTES = 64 << 30
_MOST_FINDINGS = 1_000
_MOST_KEPT = 50_000
_BEGINS = re.compile(rb"\x80[\x02-\x05]")
_SURE = 4  # opcodes in a row that hardly any bytes but those of a pickle give
_BROKEN = "could not be read as a pickle to its end, and its loader might"
_AFTER = "has bytes after its end, where a loader of the arrays in it might go on"


def scan_artifact(model_dir: Path, *, allow: Collection[str] = ()) -> ScanReport:
    """Look at every file of a model folder, loading none of them.

    Args:
        model_dir: An MLflow model folder; untrusted.
        allow: `module.name` of globals that the team knows to be harmless.

    Returns:
        What was found. It never raises for anything that is in the folder.
    """
    files = sorted(_files(model_dir))
    scan = _Scan(_own_modules(model_dir, files), frozenset(allow))
    for path in files:
        scan.file(path, printable(path.relative_to(model_dir).as_posix()))
    found = sorted(scan.findings, key=lambda one: SEVERITIES.index(one.severity))
    missed = {label.partition(": ")[0] for label in scan.unread}
    return ScanReport(
        len(files), len(files) - len(missed), tuple(found[:_MOST_FINDINGS]), scan.unread
    )


def _files(root: Path) -> Iterable[Path]:
    for where, folders, names in os.walk(root):
        yield from (Path(where, name) for name in names)
        yield from (Path(where, name) for name in folders if Path(where, name).is_symlink())


def _own_modules(root: Path, files: Iterable[Path]) -> frozenset[str]:
    """Every name under which a Python file of the artifact may be imported, top level first."""
    found = set()
    for path in files:
        if path.suffix == ".py":
            *folders, name = path.relative_to(root).parts
            found.update([*folders, name.removesuffix(".py")])
    return frozenset(found)


class _Scan:
    """One look at an artifact, as it goes."""

    def __init__(self, own: frozenset[str], allow: frozenset[str]) -> None:
        self.own, self.allow = own, allow
        self.budget = ScanBudget()
        self.bytes = _MOST_BYTES
        self.findings: dict[ArtifactFinding, None] = {}
        self.unread: dict[str, str] = {}

    def file(self, path: Path, label: str) -> None:
        """One file of the folder."""
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                raise NotRead("it is a link or no regular file")
            with path.open("rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                self.bytes -= size
                if self.bytes < 0:
                    raise TooMuch("the artifact is larger than 64 GiB")
                if size:
                    with mmap.mmap(stream.fileno(), size, access=mmap.ACCESS_READ) as data:
                        self.look(Region(data, 0, size), label, 0)
        except OSError as problem:
            self.unread[label] = f"it cannot be read: {problem.strerror or problem}"
        except (NotRead, TooMuch) as problem:
            self.unread[label] = str(problem)
        except Exception as problem:  # noqa: BLE001 - hostile files surprise parsers: nobody looked
            self.unread[label] = f"it cannot be parsed: {type(problem).__name__}"

    def look(self, region: Region, label: str, depth: int) -> None:
        """A file, a member of an archive or a byte string in a pickle, by its content."""
        if depth > _MOST_DEEP:
            raise NotRead(f"it holds more than {_MOST_DEEP} files one inside the other")
        start, pickled = region.start, False
        self.formats(region, label)
        try:
            if self.opened(region, label, depth):
                return
            start, pickled = array_start(region) or (start, pickled)
        except NotRead as problem:
            self.unread[label] = str(problem)
        self.opaque(region.after(start), label, depth, certain=pickled)

    def opened(self, region: Region, label: str, depth: int) -> bool:
        """Look at what a file holds or expands to; False when it is to be looked at itself."""
        found = False
        for layer in layers(region, self.budget) or ():
            inner = f"{label}: {layer.name}" if layer.name else label
            if layer.problem and (layer.name or layer.region.size):
                self.unread[inner] = layer.problem
            if layer.region.size:
                found = True
                self.look(layer.region, inner, depth + 1)
        # A zip archive may follow a pickle, each being all that its own loader sees.
        return found and region.head(1) != b"\x80"

    def opaque(self, region: Region, label: str, depth: int, *, certain: bool) -> None:
        """Pickles at the beginning, one after another, and those that begin further in."""
        first = True
        while region.size:
            reading = follow(region, self.budget)
            headed = _BEGINS.match(region.head(2)) is not None
            pickle = certain or (headed and (reading.cut or reading.steps >= _SURE))
            if not reading.broken or pickle or self.runs(reading):
                broken = certain or (pickle and (first or bool(reading.uses)))
                self.note(reading, region, label, depth, broken=broken)
            if reading.broken:
                break
            region, certain, first = region.after(reading.end), False, False
        self.search(region, label, depth)

    def search(self, region: Region, label: str, depth: int) -> None:
        """Pickles that begin anywhere in a region but at its start."""
        at = region.start + 1
        while match := _BEGINS.search(region.data, at, region.end):
            at = match.end()
            found = region.after(match.start())
            reading = follow(found, self.budget)
            if reading.uses and (not reading.broken or self.runs(reading)):
                place = f"{label} (from byte {match.start():,})"
                self.note(reading, found, place, depth, broken=False)
                at = max(at, reading.end)

    def note(
        self, reading: Reading, region: Region, label: str, depth: int, *, broken: bool
    ) -> None:
        """What a pickle does, as findings."""
        if reading.arrays:
            self.plainly(reading, region)
            if not reading.broken and reading.end < region.end:
                self.add("high", label, _AFTER)
        for (module, name), use in reading.uses.items():
            callable_now = use.called or reading.hands_on
            ruling = judge(module, name, callable_now, self.own, self.allow)
            if ruling:
                argument = f"({use.argument!r})" if use.argument else ""
                verb = "calls" if use.called else "names"
                what = ruling.what or f"{verb} {module}.{name}".rstrip(".") + argument
                self.add(ruling.severity, label, what, ruling.why)
        for what, severity in reading.oddities.items():
            self.add(severity, label, what)
        if broken and reading.broken:
            self.add("high", label, _BROKEN, reading.broken)
        for inner in reading.inner:
            self.budget.layers -= 1
            if self.budget.layers < 0:
                raise TooMuch("the artifact has more byte strings than are looked into")
            self.look(inner, f"{label}: bytes", depth + 1)

    def plainly(self, reading: Reading, region: Region) -> None:
        """Add what a loader other than joblib would meet, which reads on in the arrays."""
        for (module, name), use in follow(region, self.budget, joblib=False).uses.items():
            # As if only named: unknown functions that are "called" come from numbers.
            ruling = judge(module, name, False, self.own, self.allow)
            if ruling and ruling.severity in ("critical", "high"):
                reading.uses.setdefault((module, name), use)

    def runs(self, reading: Reading) -> bool:
        """Whether a pickle does what only a hostile one does, be it whole or not."""
        if not reading.acts:
            return False
        rulings = (
            judge(*name, use.called, self.own, self.allow) for name, use in reading.uses.items()
        )
        return any(ruling and ruling.severity == "critical" for ruling in rulings)

    def formats(self, region: Region, label: str) -> None:
        """What a file says in its own format, where it is one besides pickles."""
        place = Place(region, re.split(r"/|: ", label)[-1], self.called)
        for look in FORMATS:
            try:
                for severity, what, why in look(place):
                    self.add(severity, label, what, why)
            except NotRead as problem:
                self.unread[label] = str(problem)

    def called(self, module: str, name: str) -> Ruling | None:
        """What it means that something is called."""
        return judge(module, name, True, self.own, self.allow)

    def add(self, severity: Severity, path: str, what: str, detail: str = "") -> None:
        """Keep a finding, once."""
        if len(self.findings) >= _MOST_KEPT:
            raise TooMuch(f"the artifact has more than {_MOST_KEPT:,} findings")
        self.findings[ArtifactFinding(severity, path, printable(what), detail)] = None
