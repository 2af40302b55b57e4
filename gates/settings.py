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
| signing key | | `GATES_SIGNING_KEY` | `signing-key` | none |
| verification key | | `GATES_VERIFY_KEY` | `verify-key` | none |
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from gates.errors import InputError, UsageError
from gates.system.sizes import as_bytes, as_span
from gates.system.strict_yaml import nearest

__all__ = ["CacheLimits", "Settings", "cache_limits", "find_project", "load_settings"]

_KEYS = (
    "tracking-uri",
    "cache",
    "cache-max-size",
    "cache-max-age",
    "output",
    "counterexamples",
    "signing-key",
    "verify-key",
)


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
    """Where things are, all paths absolute.

    Attributes:
        project: The folder that holds `model_cards/`, `golden/` and `models/`.
        tracking_uri: MLflow's tracking and registry store.
        cache: Environments and model snapshots, shared by all projects of a user.
        output: Where each run gets its folder.
        counterexamples: What earlier runs found, for later ones to ask again.
        signing_key: Ed25519 private key (PEM) that signs evidence, if any.
        verify_key: Ed25519 public key (PEM) that evidence must be signed by, if any.
        cache_limits: How much of the cache is kept.
    """

    project: Path
    tracking_uri: str
    cache: Path
    output: Path
    counterexamples: Path
    signing_key: Path | None = None
    verify_key: Path | None = None
    cache_limits: CacheLimits = CacheLimits()


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
    tracking_uri: str | None = None,
    cache: Path | None = None,
    output: Path | None = None,
    counterexamples: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Gather settings from flags, environment, pyproject.toml and defaults, in this order.

    Args:
        project: The project's folder; looked for from the current folder upwards when None.
        tracking_uri: The flag, when it was given.
        cache: The flag, when it was given.
        output: The flag, when it was given.
        counterexamples: The flag, when it was given.
        environ: Environment variables.

    Raises:
        InputError: pyproject.toml cannot be read or holds an unknown key.
        UsageError: A limit of the cache is no size or span of time.
    """
    root = project.absolute() if project else find_project(Path.cwd())
    written = _written(root / "pyproject.toml")

    def pick(flag: object, variable: str, key: str) -> str | None:
        return str(flag) if flag else environ.get(variable) or written.get(key)

    def path(flag: object, variable: str, key: str) -> Path | None:
        value = pick(flag, variable, key)
        return (root / Path(value).expanduser()) if value else None

    default_store = f"sqlite:///{root / '.gates' / 'mlflow.db'}"
    home = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Settings(
        project=root,
        tracking_uri=pick(tracking_uri, "MLFLOW_TRACKING_URI", "tracking-uri") or default_store,
        cache=path(cache, "GATES_CACHE", "cache") or home / "mlgates",
        output=path(output, "GATES_OUTPUT", "output") or root / ".gates" / "runs",
        counterexamples=path(counterexamples, "GATES_COUNTEREXAMPLES", "counterexamples")
        or root / ".gates" / "counterexamples",
        signing_key=path(None, "GATES_SIGNING_KEY", "signing-key"),
        verify_key=path(None, "GATES_VERIFY_KEY", "verify-key"),
        cache_limits=cache_limits(
            pick(None, "GATES_CACHE_MAX_SIZE", "cache-max-size"),
            pick(None, "GATES_CACHE_MAX_AGE", "cache-max-age"),
        ),
    )


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
        raise UsageError(f"{names[1]}: '{age}' is no span of time", advice="write it as 30d or 12h")
    return CacheLimits(max_bytes, max_age)


def _written(pyproject: Path) -> Mapping[str, str]:
    if not pyproject.is_file():
        return {}
    try:
        whole = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise InputError(f"cannot be read: {problem}", path=pyproject) from None
    table = whole.get("tool", {}).get("gates", {})
    for key, value in table.items():
        if key not in _KEYS:
            advice = nearest(key, _KEYS)
            raise InputError(f"unknown key '{key}' in [tool.gates]", path=pyproject, advice=advice)
        if not isinstance(value, str):
            raise InputError(f"'{key}' in [tool.gates] must be a string", path=pyproject)
    return dict(table)
