"""The list of an environment's files, taken when it was built and compared whenever it is found.

A file's path, size and time of change in whole seconds: what a look at a folder gives without
opening a file, and what archives such as a CI's cache keep. Links are listed with their targets.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gates.system.commands import clean

__all__ = ["LIST", "MARKER", "changes", "write_list"]

LIST = "gates-files.txt"
MARKER = "gates-environment.json"


def write_list(environment: Path) -> tuple[int, int]:
    """Write the list into an environment that is finished but for its marker.

    Returns:
        How many files there are, and their bytes.
    """
    lines = _lines(environment)
    (environment / LIST).write_bytes(os.fsencode("\n".join(lines)))
    return len(lines), sum(int(size) for size, _ in _by_path(lines).values() if size != "->")


def changes(environment: Path) -> tuple[str, ...]:
    """What happened to an environment's files since it was built, in words; nothing when nothing.

    Raises:
        OSError: It, or its list, cannot be read.
    """
    recorded = os.fsdecode((environment / LIST).read_bytes()).split("\n")
    found = _lines(environment)
    if found == recorded:
        return ()
    return tuple(map(clean, _differences(_by_path(recorded), _by_path(found))))


def _lines(environment: Path) -> list[str]:
    lines: list[str] = []
    _look(str(environment), "", lines)
    return sorted(lines)


def _look(folder: str, prefix: str, lines: list[str]) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = prefix + entry.name
            if entry.is_symlink():
                lines.append(f"{path}\t->\t{Path(entry.path).readlink()}")
            elif entry.is_dir(follow_symlinks=False):
                _look(entry.path, path + "/", lines)
            elif path not in (LIST, MARKER):
                status = entry.stat(follow_symlinks=False)
                lines.append(f"{path}\t{status.st_size}\t{status.st_mtime_ns // 10**9}")


def _by_path(lines: list[str]) -> dict[str, tuple[str, str]]:
    split = (line.rsplit("\t", 2) for line in lines)
    return {one[0]: (one[1], one[2]) for one in split if len(one) == 3}


def _differences(
    recorded: dict[str, tuple[str, str]], found: dict[str, tuple[str, str]]
) -> Iterator[str]:
    for path in sorted(recorded.keys() | found.keys()):
        before, now = recorded.get(path), found.get(path)
        if before == now:
            continue
        if now is None:
            yield f"{path} is missing"
        elif before is None:
            yield f"{path} was added"
        elif before[0] == now[0] == "->":
            yield f"{path} leads to {now[1]} instead of {before[1]}"
        elif "->" in (before[0], now[0]):
            yield f"{path} was replaced"
        elif before[0] != now[0]:
            yield f"{path} has {now[0]} bytes instead of {before[0]}"
        else:
            yield f"{path} was written again"
