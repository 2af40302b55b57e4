"""Where things are: flags, `GATES_…`, `[tool.gates]` in pyproject.toml, defaults.

| setting | flag | variable | `[tool.gates]` | default |
| --- | --- | --- | --- | --- |
| store | `--tracking-uri` | `MLFLOW_TRACKING_URI` | `tracking-uri` | `.gates/mlflow.db` |
| cache | `--cache` | `GATES_CACHE` | `cache` | `~/.cache/mlgates` |
| its size at most | | `GATES_CACHE_MAX_SIZE` | `cache-max-size` | none |
| how long what is unused is kept | | `GATES_CACHE_MAX_AGE` | `cache-max-age` | none |
| runs | `--output` | `GATES_OUTPUT` | `output` | `.gates/runs` |
| counterexamples | `--counterexamples` | `GATES_COUNTEREXAMPLES` | `counterexamples` | \
`.gates/counterexamples` |
| signing key: a file, `env:NAME`, `command:PROGRAM` | | `GATES_SIGNING_KEY` | `signing-key` \
| none |
| verification key | | `GATES_VERIFY_KEY` | `verify-key` | none |
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from gates.errors import InputError, UsageError
from gates.evidence.signing import COMMAND, VARIABLE
from gates.system.sizes import as_bytes, as_span
from gates.system.strict_yaml import nearest

__all__ = ["FLAGS", "CacheLimits", "Settings", "cache_limits", "find_project", "load_settings"]


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """How much of a cache is kept.

    Attributes:
        max_bytes: Its size at most; None for no limit.
        max_age: How long what nobody uses is kept; None for ever.
    """

    max_bytes: int | None = None
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are, all paths absolute. A new setting is a line here, and one of `_SOURCES`.

    Attributes:
        project: The folder that holds `model_cards/`, `golden/` and `models/`.
        tracking_uri: MLflow's tracking and registry store.
        cache: Environments and model snapshots, shared by all projects of a user.
        output: Where each run gets its folder.
        counterexamples: What earlier runs found, for later ones to ask again.
        signing_key: Where the Ed25519 key is that signs evidence, as `gates.evidence.signing` names
            it; empty when nothing is signed.
        verify_key: Ed25519 public key (PEM) that evidence must be signed by, if any.
        cache_limits: How much of the cache is kept.
    """

    project: Path
    tracking_uri: str
    cache: Path
    output: Path
    counterexamples: Path
    signing_key: str = ""
    verify_key: Path | None = None
    cache_limits: CacheLimits = CacheLimits()

    def as_flags(self) -> list[str]:
        """The flags of a command that give it these settings."""
        words = ["--project", str(self.project)]
        for name in FLAGS:
            words += [_dashed(name, "--"), str(getattr(self, name))]
        return words


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a setting comes from; its flag and its key in `[tool.gates]` are its name, dashed."""

    variable: str
    default: str = ""
    flag: bool = True


_SOURCES = {
    "tracking_uri": _Source("MLFLOW_TRACKING_URI", "sqlite:///{project}/.gates/mlflow.db"),
    "cache": _Source("GATES_CACHE", "{user_cache}/mlgates"),
    "output": _Source("GATES_OUTPUT", "{project}/.gates/runs"),
    "counterexamples": _Source("GATES_COUNTEREXAMPLES", "{project}/.gates/counterexamples"),
    "signing_key": _Source("GATES_SIGNING_KEY", flag=False),
    "verify_key": _Source("GATES_VERIFY_KEY", flag=False),
}
_LIMITS = {"cache_max_size": "GATES_CACHE_MAX_SIZE", "cache_max_age": "GATES_CACHE_MAX_AGE"}
FLAGS = tuple(name for name, source in _SOURCES.items() if source.flag)
"""The settings that a flag can give, by their names in `Settings`."""


def _dashed(name: str, before: str = "") -> str:
    return before + name.replace("_", "-")


_KEYS = tuple(_dashed(name) for name in (*_SOURCES, *_LIMITS))


def find_project(start: Path) -> Path:
    """The nearest folder, from `start` upwards, that holds `model_cards/`; else `start` itself.

    Args:
        start: A folder, or a file in it.
    """
    here = start.absolute()
    for folder in (here, *here.parents):
        if (folder / "model_cards").is_dir():
            return folder
    return here if here.is_dir() else here.parent


def load_settings(
    project: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    **flags: str | Path | None,
) -> Settings:
    """Gather settings from flags, environment, pyproject.toml and defaults, in this order.

    Args:
        project: The project's folder; looked for from the current folder upwards when None.
        flags: Those of `FLAGS` that were given; paths start from the current folder.

    Raises:
        InputError: pyproject.toml cannot be read or holds an unknown key.
        UsageError: A limit of the cache is no size or span of time.
    """
    if unknown := flags.keys() - set(FLAGS):
        raise TypeError(f"no flag gives {', '.join(sorted(unknown))}")
    root = project.absolute() if project else find_project(Path.cwd())
    written = _written(root / "pyproject.toml")
    home = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found: dict[str, Any] = {}
    for name, source in _SOURCES.items():
        value = environ.get(source.variable) or written.get(_dashed(name))
        default = source.default.format(project=root, user_cache=home)
        if name == "tracking_uri":
            found[name] = str(flags.get(name) or value or default)
        elif name == "signing_key":
            found[name] = _signing_key(value or "", root)
        elif given := flags.get(name):
            found[name] = Path(given).absolute()
        elif value or default:
            found[name] = root / Path(value).expanduser() if value else Path(default)
    size, age = (
        environ.get(variable) or written.get(_dashed(name)) for name, variable in _LIMITS.items()
    )
    return Settings(project=root, **found, cache_limits=cache_limits(size, age))


def _signing_key(written: str, root: Path) -> str:
    if not written or written.startswith((VARIABLE, COMMAND)):
        return written
    return str(root / Path(written).expanduser())


def cache_limits(
    size: str | None,
    age: str | None,
    names: tuple[str, str] = (
        "cache-max-size (GATES_CACHE_MAX_SIZE)",
        "cache-max-age (GATES_CACHE_MAX_AGE)",
    ),
) -> CacheLimits:
    """Limits of a cache from what was written.

    Args:
        size: Such as `20GB`; None or empty for no limit.
        age: Such as `30d`; None or empty for no limit.
        names: What each is called where it was written.

    Raises:
        UsageError: It is no size or span of time.
    """
    max_bytes, max_age = as_bytes(size or ""), as_span(age or "")
    if size and max_bytes is None:
        raise UsageError(f"{names[0]}: '{size}' is no size", advice="write it as 20GB or 500MB")
    if age and max_age is None:
        raise UsageError(
            f"{names[1]}: '{age}' is not a length of time", advice="write it as 30d or 12h"
        )
    return CacheLimits(max_bytes, max_age)


def _written(pyproject: Path) -> Mapping[str, str]:
    if not pyproject.is_file():
        return {}
    try:
        whole = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        raise InputError(f"cannot be read: {problem}", path=pyproject) from None
    table = whole.get("tool", {}).get("gates", {})
    for key, value in table.items():
        if key not in _KEYS:
            advice = nearest(key, _KEYS)
            raise InputError(f"unknown key '{key}' in [tool.gates]", path=pyproject, advice=advice)
        if not isinstance(value, str):
            raise InputError(f"'{key}' in [tool.gates] must be a string", path=pyproject)
    return dict(table)
