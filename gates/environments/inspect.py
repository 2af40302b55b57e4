"""What an environment holds, read from the outside: nothing of it is run or imported."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path

from packaging.utils import canonicalize_name

from gates.dependencies import Distribution
from gates.errors import BuildError

__all__ = ["distributions"]

_MODULE_ENDINGS = (".py", ".so", ".pyd")


def distributions(environment: Path) -> tuple[Distribution, ...]:
    """Every distribution of an environment, by name.

    Args:
        environment: Its folder; the distributions are those of `lib/python*/site-packages`.

    Raises:
        BuildError: A distribution's metadata is damaged.
    """
    found = (_read(folder) for folder in _folders(environment))
    return tuple(sorted(found, key=lambda one: one.name))


def _folders(environment: Path) -> Iterator[Path]:
    yield from environment.glob("lib/python*/site-packages/*.dist-info")


def _read(folder: Path) -> Distribution:
    try:
        headers = BytesHeaderParser().parsebytes((folder / "METADATA").read_bytes())
        record = (folder / "RECORD").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        missing = "METADATA" if not (folder / "METADATA").is_file() else "RECORD"
        raise BuildError(
            f"{folder.name} in the environment {folder.parents[3]} has no readable {missing}",
            advice="Remove that folder; the next run builds it anew.",
        ) from error
    return Distribution(
        name=str(canonicalize_name(str(headers["Name"]))),
        version=str(headers["Version"]),
        requires=tuple(str(one) for one in headers.get_all("Requires-Dist", [])),
        modules=tuple(sorted(set(_modules(record)))),
        licence=_licence(headers),
    )


def _modules(record: str) -> Iterator[str]:
    for row in csv.reader(record.splitlines()):
        first, slash, rest = row[0].partition("/") if row else ("", "", "")
        if slash and first.isidentifier() and rest.endswith(_MODULE_ENDINGS):
            yield first
        elif not slash and first.endswith(_MODULE_ENDINGS):
            yield first.partition(".")[0]


def _licence(headers: Message) -> str:
    expression = headers.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [str(one) for one in headers.get_all("Classifier", [])]
    named = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License :: ")]
    text = str(headers.get("License", ""))
    return "; ".join(named) or (text.splitlines()[0].strip()[:80] if text else "")
