"""What a worker's process gives up for good before its model starts.

Part of the worker: standard library only, Python 3.9 and later, loaded by its place. Each step that
the system forbids is left out, and the reason told.

Sources: capabilities(7), prctl(2), getrlimit(2), keyctl(2), user_namespaces(7).
"""

# ruff: noqa: ANN401 - modules loaded by their place have no type
from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import resource
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

_CAPBSET_DROP, _NO_NEW_PRIVS, _AMBIENT = 24, 38, 47
_AMBIENT_CLEAR_ALL = 4
_CAPABILITIES = struct.pack("=Ii", 0x20080522, 0)  # capset's third version, this process
_KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219, "ppc64le": 271, "s390x": 280}
_JOIN_SESSION_KEYRING = 1
_FIRST_USER = 0x70000000  # nobody hands out 1879048192 and above (systemd, "Users, Groups, UIDs")
_FIRST_OF_FEW, _FEW = 20_000, 40_000
_PROCESSES_ALLOWED = 1024


def give_up(
    call: Any,
    layers: dict[str, str],
    scratch: str,
    places: list[str],
    hello: Mapping[str, Any],
    user: int,
    tasks: int,
) -> None:
    """Bound what this process may use, become a user of its own, and drop every right.

    Args:
        call: Calls a function of the C library.
        layers: Added to: layer → why it is off, empty when it is on.
        scratch: The worker's folder, given to that user.
        places: What the model must be able to read; its folder is the last.
        hello: What the gate said.
        user: Who to become.
        tasks: How many tasks that user has already.
    """
    layers["core-dumps"] = _reason(lambda: _limit(resource.RLIMIT_CORE, 0))
    layers["file-size"] = _reason(lambda: _limit(resource.RLIMIT_FSIZE, hello["file_bytes"]))
    _quietly(lambda: _drop_bounds(call))
    layers["user"] = _reason(lambda: _become(user, scratch, places))
    # All workers of one user share his keyring, but each gets a session's of its own.
    _quietly(lambda: _join_keyring(call))
    layers["privileges"] = _reason(lambda: _drop_privileges(call))
    layers["process-limit"] = _reason(lambda: _limit_processes(tasks + _PROCESSES_ALLOWED))
    layers["memory"] = _reason(lambda: _limit_memory(hello["memory_bytes"]))


def filter_access(
    beside: Callable[[str], Any],
    layers: dict[str, str],
    scratch: str,
    places: list[str],
    own_messaging: bool,
) -> None:
    """Narrow what is left for good: what it may open, and what it may ask the kernel.

    Args:
        beside: Gives another part of the worker by its name.
        layers: Added to, as by `give_up`; without `files` a container's engine has set the others.
        scratch: The worker's folder.
        places: What the model must be able to read.
        own_messaging: Whether there is an IPC namespace.
    """
    view = beside("view")
    own_network = not layers.get("network")
    seen, written = view.readable(places, layers), view.writable(scratch, places, layers)
    layers["landlock"] = _reason(
        lambda: beside("landlock").restrict(view.call, seen, written, own_network=own_network)
    )
    layers["system-calls"] = _reason(
        lambda: beside("system_calls").refuse(
            view.call, own_network=own_network, own_messaging=own_messaging
        )
    )


def own_user(number: int) -> int:
    """A user whom no other living worker is, nor anybody else.

    Args:
        number: The id of a process that lives as long as the worker.
    """
    alone = _FIRST_USER + number
    if _is_mapped(alone):
        return alone
    return _FIRST_OF_FEW + number % _FEW  # below a container's engine that maps 65,536 users


def _is_mapped(user: int) -> bool:
    """Whether the user namespace has a user; every machine without such namespaces has all."""
    try:
        lines = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    except OSError:
        return True
    ranges = [(int(line.split()[0]), int(line.split()[2])) for line in lines]
    return any(first <= user < first + count for first, count in ranges)


def _join_keyring(call: Any) -> None:
    number = _KEYCTL.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, "keyctl has no number here")
    call("syscall", number, _JOIN_SESSION_KEYRING, None, 0, 0, 0)


def _become(user: int, scratch: str, places: list[str]) -> None:
    """Become a user who owns nothing, if what the model needs is readable for all.

    Keeping CAP_DAC_READ_SEARCH instead would open every file of the machine's disks by its handle
    (open_by_handle_at(2)), whatever view of them there is.
    """
    if os.geteuid() != 0:
        raise PermissionError(errno.EPERM, "only root can give a worker another user")
    needed = [path for path in _samples(scratch, places) if path.exists()]
    wanted = {path: os.R_OK | os.X_OK if path.is_dir() else os.R_OK for path in needed}
    groups = os.getgroups()
    os.chown(scratch, user, user)
    os.setgroups([])
    os.setegid(user)
    os.seteuid(user)
    closed = [path for path in needed if not os.access(path, wanted[path], effective_ids=True)]
    os.seteuid(0)
    if closed:
        os.setegid(0)
        os.setgroups(groups)
        os.chown(scratch, 0, 0)
        raise PermissionError(errno.EACCES, f"another user cannot read {closed[0]}")
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _samples(scratch: str, places: list[str]) -> Iterator[Path]:
    """The model's files, all of them; of the others, enough to know how they were made."""
    yield Path(scratch)
    for folder, _, files in os.walk(places[-1]):
        yield Path(folder)
        yield from (Path(folder, name) for name in files)
    for place in dict.fromkeys(places[:-1]):
        yield Path(place)
        for pattern in ("lib/python3*", "lib/python3*/site-packages"):
            for packages in Path(place).glob(pattern):
                yield packages
                yield from packages.iterdir()


def _drop_bounds(call: Any) -> None:
    for capability in range(64):  # beyond the last one the kernel says no
        call("prctl", _CAPBSET_DROP, capability, 0, 0, 0)


def _drop_privileges(call: Any) -> None:
    _quietly(lambda: call("prctl", _AMBIENT, _AMBIENT_CLEAR_ALL, 0, 0, 0))
    call("capset", ctypes.create_string_buffer(_CAPABILITIES), ctypes.create_string_buffer(24))
    call("prctl", _NO_NEW_PRIVS, 1, 0, 0, 0)


def _limit_processes(value: int) -> None:
    if os.geteuid() == 0:
        raise PermissionError(errno.EPERM, "the limit is not applied to root")
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "the tasks of a user are counted on Linux alone")
    _limit(resource.RLIMIT_NPROC, value)  # it counts every task of the user


def _limit_memory(value: int) -> None:
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "only Linux limits address space")
    _limit(resource.RLIMIT_AS, value)


def _limit(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def tasks_of(user: int) -> int:
    """How many tasks of a user run on this machine."""
    count = 0
    for tasks in Path("/proc").glob("[0-9]*/task"):
        with contextlib.suppress(OSError):
            if tasks.stat().st_uid == user:
                count += len(list(tasks.iterdir()))
    return count


def _quietly(act: Callable[[], object]) -> None:
    with contextlib.suppress(OSError):
        act()


def _reason(act: Callable[[], object]) -> str:
    """Why something could not be done; empty when it was."""
    try:
        act()
    except Exception as error:  # noqa: BLE001 - a layer less is no reason to stop
        return str(getattr(error, "strerror", None) or error) or type(error).__name__
    return ""
