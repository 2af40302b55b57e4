"""`gates lock compile`: from a requirements.in to a lock with hashes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gates.cli.common import JsonOption, Speech
from gates.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gates.domain.lock_report import LockChange
    from gates.locks.compile import Compiled
    from gates.locks.order import Resolver

__all__ = ["lock_compile"]


class ResolverName(StrEnum):
    """Who resolves."""

    UV = "uv"
    PIP_TOOLS = "pip-tools"


def lock_compile(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="DIR|IN",
            help="A requirements.in or pyproject.toml, or the folder of the first.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The lock (default: requirements.txt beside the input).",
        ),
    ] = None,
    resolver: Annotated[
        ResolverName | None, typer.Option(help="Who resolves (default: uv, the faster).")
    ] = None,
    both: Annotated[
        bool,
        typer.Option(
            "--both", help="Resolve with both, and write nothing unless they give the same pins."
        ),
    ] = False,
    upgrade: Annotated[bool, typer.Option("--upgrade", "-U", help="Keep no pin.")] = False,
    upgrade_package: Annotated[
        list[str] | None,
        typer.Option(
            "--upgrade-package",
            "-P",
            metavar="NAME[==VERSION]",
            help="Do not keep this one's pin; may be repeated.",
        ),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="The Python it is for (default: this one)."),
    ] = None,
    universal: Annotated[
        bool | None,
        typer.Option(
            "--universal/--no-universal",
            help="One lock for every platform, and every Python from --python upwards (uv only).",
        ),
    ] = None,
    exclude_newer: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="As if nothing had been uploaded after this date (uv only).",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; exit with 1 when the lock would change."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compile a lock: every requirement pinned, with the hashes of its files.

    Pins that the lock holds already are kept, with their hashes, where they still fit. Options that
    are not given are taken from the lock's header, which says how it was made; a date is not when
    something is to be upgraded. The index is that of UV_DEFAULT_INDEX or PIP_INDEX_URL.

    Example: gates lock compile models/product-ranker --upgrade-package numpy
    """
    from gates.locks.compile import compile_lock
    from gates.locks.markers import RUNNING_PYTHON
    from gates.locks.order import CompileRequest, default_lock, options_of

    inputs = target / "requirements.in" if target.is_dir() else target
    if inputs.suffix not in (".in", ".toml"):
        raise UsageError(
            f"{inputs} is no requirements.in and no pyproject.toml",
            advice="Name what the lock is compiled from; --output names the lock.",
        )
    if both and resolver:
        raise UsageError("--both and --resolver exclude each other", advice="Leave one out.")
    lock = output or default_lock(inputs)
    header = options_of(lock)
    moves = upgrade or bool(upgrade_package)
    order = CompileRequest(
        inputs=inputs,
        lock=lock,
        resolvers=_resolvers(resolver, header, both=both),
        python=python or header.get("python") or RUNNING_PYTHON,
        universal="universal" in header if universal is None else universal,
        exclude_newer=exclude_newer or ("" if moves else header.get("exclude-newer", "")),
        upgrade=upgrade,
        upgrade_packages=tuple(upgrade_package or ()),
    )
    speech = Speech(as_json)
    with speech.working() as progress:
        task = progress.add_task("", total=None)
        compiled = compile_lock(
            order, progress=lambda line: progress.update(task, description=line)
        )
    written = not check and compiled.write()
    _tell(compiled, speech, check=check, written=written)
    raise typer.Exit(1 if check and compiled.changes else 0)


def _resolvers(
    given: ResolverName | None, header: Mapping[str, str], *, both: bool
) -> tuple[Resolver, ...]:
    if both or (given is None and "both" in header):
        return ("uv", "pip-tools")
    wanted = given.value if given else header.get("resolver", "uv")
    return ("pip-tools",) if wanted == "pip-tools" else ("uv",)


def _tell(compiled: Compiled, speech: Speech, *, check: bool, written: bool) -> None:
    from gates.cli._lock_changes import changes_as_json, show_changes
    from gates.domain.lock_changes import summary
    from gates.locks.diff import LockContext, diff_locks
    from gates.locks.inputs import read_inputs
    from gates.locks.markers import target_environment

    order, new = compiled.order, compiled.new
    for warning in compiled.warnings:
        speech.say(f"uv warns: {warning}", "yellow")
    changes: tuple[LockChange, ...] = ()
    if compiled.old:
        # What the old lock was asked for, only its comments know.
        known = LockContext(read_inputs(order.inputs))
        markers = target_environment(order.python)
        changes = diff_locks(compiled.old, new, markers, of_new=known)
        show_changes(changes, speech)
    where = "every platform, Python" if order.universal else "this platform, Python"
    count = len(new.requirements)
    what = f"{count} requirement{'' if count == 1 else 's'} for {where} {order.python}"
    if order.universal:
        what += " and later"
    by = f"by {' and '.join(order.resolvers)}"
    if check:
        would = "would change" if compiled.changes else "is what compiling it gives"
        speech.say(f"{order.lock} {would}: {what}, {by}", "bold red" if compiled.changes else "")
    else:
        did = "wrote" if written else "unchanged:"
        speech.say(f"{did} {order.lock}: {what}, {by}")
    speech.result(
        {
            "path": str(order.lock),
            "command": order.command,
            "requirements": count,
            "would_change": compiled.changes,
            "written": written,
            "changes": changes_as_json(changes),
            "summary": summary(changes),
            "warnings": list(compiled.warnings),
        }
    )
