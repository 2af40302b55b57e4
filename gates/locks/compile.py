"""Compiling a lock: from what a person asked for to pins and hashes.

The resolver works on a copy, so that a lock is only ever replaced by a whole new one. The header of
what it writes says how to make it again, and the next compilation reads its options from there.
"""

from __future__ import annotations

import difflib
import itertools
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gates.errors import LockError, UsageError
from gates.locks._resolvers import Resolver, Run, pins_as_text, resolve, said, warnings_of
from gates.locks.diff import pins_of
from gates.locks.lock import Lock, read_lock
from gates.locks.markers import target_environment
from gates.locks.order import CompileRequest
from gates.system.files import write_atomically

__all__ = ["Compiled", "compile_lock"]


@dataclass(frozen=True, slots=True)
class Compiled:
    """What compiling gave; nothing is written yet.

    Attributes:
        order: What was asked.
        before: The bytes of the lock before; None when there was none.
        content: The bytes of the new lock.
        old: The lock before; None when there was none.
        warnings: What uv warned of.
    """

    order: CompileRequest
    before: bytes | None
    content: bytes
    old: Lock | None
    new: Lock
    warnings: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the new lock says anything else than the one before, headers aside."""
        return self.before is None or _body(self.before) != _body(self.content)

    def write(self) -> bool:
        """Put the new lock in place of the one before, whole or not at all.

        Returns:
            True when the file is another one now.

        Raises:
            LockError: Somebody else has changed the lock meanwhile.
            UsageError: It cannot be written.
        """
        path = self.order.lock.resolve()
        now = _bytes(path)
        if now == self.content:
            return False
        if now != self.before:
            raise LockError(
                "somebody else changed it while it was being compiled",
                path=self.order.lock,
                advice="Run the command again: it then starts from their pins.",
            )
        write_atomically(path, self.content)
        return True


def _body(content: bytes) -> bytes:
    lines = content.splitlines()
    header = sum(1 for _ in itertools.takewhile(lambda line: line.startswith(b"#"), lines))
    return b"\n".join(lines[header:])


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LockError(f"it cannot be read: {error.strerror}", path=path) from error


def compile_lock(order: CompileRequest, *, progress: Callable[[str], None]) -> Compiled:
    """Resolve what a person asked for into a lock; nothing is written.

    Args:
        order: What to compile, and how.
        progress: Told what is being done, a line at a time.

    Raises:
        UsageError: The order asks for what its resolver cannot do, or names what is not there.
        LockError: The inputs are wrong or cannot be resolved, the lock before cannot be read, or
            the two resolvers disagree.
        BuildError: uv is not installed.
    """
    order.check()
    before = _bytes(order.lock)
    old = None if before is None else read_lock(order.lock)
    markers = target_environment(order.python)
    starts: dict[Resolver, bytes] = {}
    if old is not None and before is not None:
        # pip-tools knows one pin a name; a lock for many platforms may hold several.
        held_here = pins_as_text(pins_of(old, markers).values())
        starts = {"uv": before, "pip-tools": held_here.encode()}
    with tempfile.TemporaryDirectory(prefix="gates-lock-") as scratch:
        runs = {}
        for resolver in order.resolvers:
            progress(f"{resolver} resolves {order.inputs.name}")
            output = Path(scratch, f"{resolver}.txt")
            if resolver in starts:
                output.write_bytes(starts[resolver])
            runs[resolver] = output, _run(order, resolver, output)
        locks = {resolver: read_lock(path) for resolver, (path, _) in runs.items()}
        _check_agreement(order, locks, markers)
        path, warnings = runs[order.resolvers[0]]
        content = path.read_bytes()
    new = replace(locks[order.resolvers[0]], path=order.lock)
    if new.problems:
        raise LockError(
            f"what {order.resolvers[0]} wrote is no lock: {new.problems[0].message}",
            path=order.inputs,
            advice="Ask for versions, and use an index that gives hashes.",
        )
    held = {pin.name for lock in (old, new) if lock for pin in lock.requirements}
    for name in order.upgraded:
        if name not in held:
            close = difflib.get_close_matches(name, held, n=1)
            raise UsageError(
                f"--upgrade-package {name}: {order.lock} does not hold it",
                advice=f"Did you mean {close[0]}?" if close else "Name one of its pins.",
            )
    return Compiled(order, before, content, old, new, warnings)


def _run(order: CompileRequest, resolver: Resolver, output: Path) -> tuple[str, ...]:
    """Let a resolver write the output; gives its warnings."""
    done = resolve(
        resolver,
        Run(
            inputs=order.inputs.name,
            folder=order.inputs.parent,
            output=output,
            python=order.python,
            command=order.command,
            universal=order.universal and resolver == "uv",
            exclude_newer=order.exclude_newer,
            upgrade=order.upgrade,
            upgrade_packages=order.upgrade_packages,
            build=order.build,
        ),
    )
    if done.returncode != 0:
        raise LockError(
            f"{resolver} cannot resolve it ({done.how}); nothing was written:\n{said(done)}",
            path=order.inputs,
            advice="Put the requirements right that it names; where it names the index, see "
            "whether that can be reached.",
        )
    return warnings_of(done)


def _check_agreement(
    order: CompileRequest, locks: Mapping[Resolver, Lock], markers: Mapping[str, str]
) -> None:
    if len(locks) < 2:
        return
    pins = {resolver: pins_of(lock, markers) for resolver, lock in locks.items()}
    different = []
    for name in sorted(set().union(*pins.values())):
        versions = {
            resolver: found[name].version if name in found else "leaves it out"
            for resolver, found in pins.items()
        }
        if len(set(versions.values())) > 1:
            words = ", ".join(f"{resolver} {version}" for resolver, version in versions.items())
            different.append(f"  {name}: {words}")
    if different:
        raise LockError(
            f"{' and '.join(locks)} do not pin the same; nothing was written:\n"
            + "\n".join(different),
            path=order.inputs,
            advice="Bound these in the requirements, or decide for one: --resolver uv.",
        )
