"""`gates env`: the cache of environments and model copies, listed and pruned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from gates.cli.common import CacheOption, JsonOption, ProjectOption, Speech, settings_from
from gates.errors import UsageError

if TYPE_CHECKING:
    from gates.environments.stock import KeptEnvironment
    from gates.run.pruning import Pruned
    from gates.system.cached_folders import CachedFolder

__all__ = ["env"]

env = typer.Typer(no_args_is_help=True, help="List and prune the cache.", rich_markup_mode=None)


@env.callback()
def _group() -> None:
    """List and prune the cache."""


@env.command("list")
def list_(
    project: ProjectOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the environments of the cache, the most recently used first, and the size of all of it.

    Every environment's files are compared with the list that was taken when it was built.

    Example: gates env list
    """
    from gates.run.pruning import contents
    from gates.system.sizes import shown_bytes

    root = settings_from(project, None, cache).cache
    found = contents(root)
    speech = Speech(as_json)
    table = Table(box=None, pad_edge=False)
    for heading in ("key", "Python"):
        table.add_column(heading, no_wrap=True)
    for heading in ("size", "packages"):
        table.add_column(heading, no_wrap=True, justify="right")
    for heading in ("made (UTC)", "last used", "state", "lock"):
        table.add_column(heading, no_wrap=True)
    for one in found.environments:
        lock = one.lock.removeprefix("sha256:")[:12]
        packages = str(one.packages) if one.lock else ""
        made = one.made[:16].replace("T", " ")
        size = shown_bytes(one.bytes)
        used = _ago(one.last_used)
        python = f"{one.python} (image)" if one.image else one.python
        table.add_row(one.name, python, size, packages, made, used, one.state, lock)
    if found.environments:
        speech.out.print(table)
    for one in found.environments:
        if one.trouble:
            speech.say(f"{one.name}: {one.trouble}", "yellow")
    environments = _counted(found.environments, "environment", "environments")
    models = _counted(found.models, "copy of a model", "copies of models")
    speech.say(f"{environments}; {models}")
    speech.say(f"{shown_bytes(found.bytes)} in {root}", "bold")
    speech.result(
        {
            "cache": str(root),
            "bytes": found.bytes,
            "environments": [_environment(one) for one in found.environments],
            "models": [_as_json(one) for one in found.models],
        }
    )


@env.command("prune")
def prune(
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="AGE",
            help="Remove what was not used for that long: 12h, 30d, 4w (default: cache-max-age).",
        ),
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Remove the least recently used until the cache is no larger: 500MB, 20GB "
            "(default: cache-max-size).",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Remove everything that is not in use.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Remove nothing; say what would go.")
    ] = False,
    project: ProjectOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove environments and model copies that nobody uses; never one that is in use.

    What is corrupt, and what killed builds left, always goes.

    Example: gates env prune --older-than 30d --max-size 20GB
    """
    from gates.run.pruning import prune as prune_cache
    from gates.settings import CacheLimits, cache_limits
    from gates.system.sizes import shown_bytes

    if everything and (older_than or max_size):
        raise UsageError(
            "--all leaves nothing for --older-than and --max-size to choose",
            advice="give the one or the others",
        )
    settings = settings_from(project, None, cache)
    asked = cache_limits(max_size, older_than, ("--max-size", "--older-than"))
    # Who names a limit means that one, not it and those that are set.
    limits = asked if asked != CacheLimits() else settings.cache_limits
    done = prune_cache(settings.cache, limits, everything=everything, dry_run=dry_run)
    speech = Speech(as_json)
    for one in done.removed:
        speech.say(f"{'would remove' if dry_run else 'removed'} {_told(one)}")
    for one in done.spared:
        speech.say(f"kept {_told(one)}")
    freed = f"{shown_bytes(done.freed)} {'would be freed' if dry_run else 'freed'}"
    speech.say(f"{freed}, {shown_bytes(done.left)} left in {settings.cache}", "bold")
    _advise(done, everything or limits != CacheLimits(), speech)
    speech.result(
        {
            "cache": str(settings.cache),
            "dry_run": dry_run,
            "removed": [_as_json(one) for one in done.removed],
            "kept": [_as_json(one) for one in done.spared],
            "freed_bytes": done.freed,
            "bytes": done.left,
            "over_bytes": done.over,
        }
    )


def _advise(done: Pruned, limited: bool, speech: Speech) -> None:
    from gates.system.sizes import shown_bytes

    if done.over:
        speech.say(f"that is {shown_bytes(done.over)} over the limit: the rest is in use", "yellow")
    if not limited:
        speech.say("no limit is set: only what is corrupt or unfinished goes")
        speech.say("  give --older-than 30d, --max-size 20GB or --all")


def _counted(kept: Sequence[CachedFolder], one: str, many: str) -> str:
    from gates.system.sizes import shown_bytes

    size = shown_bytes(sum(each.bytes for each in kept))
    return f"{len(kept)} {one if len(kept) == 1 else many}, {size}"


def _told(one: CachedFolder) -> str:
    from gates.system.sizes import shown_bytes

    trouble = f": {one.trouble}" if one.trouble else ""
    size, used = shown_bytes(one.bytes), _ago(one.last_used)
    return f"{one.kind} {one.name}, {size}, last used {used}, {one.state}{trouble}"


def _ago(when: datetime) -> str:
    age = datetime.now(UTC) - when
    if age < timedelta(minutes=1):
        return "just now"
    for unit, length in (("days", timedelta(days=1)), ("hours", timedelta(hours=1))):
        if age >= 2 * length:
            return f"{age // length} {unit} ago"
    return f"{age // timedelta(minutes=1)} min ago"


def _environment(one: KeptEnvironment) -> dict[str, Any]:
    facts = {"python": one.python, "packages": one.packages, "lock": one.lock, "made": one.made}
    return {"key": one.key, **facts, **_as_json(one)}


def _as_json(one: CachedFolder) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "path": str(one.path),
        "bytes": one.bytes,
        "last_used": one.last_used.isoformat(timespec="seconds"),
        "state": one.state,
        "trouble": one.trouble or None,
    }
