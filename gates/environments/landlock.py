"""Landlock: what a caged model may open, decided by the kernel once more, whatever is mounted.

Part of the worker: standard library only, Python 3.9 and later, loaded by its place. It needs no
rights, so it holds where namespaces are forbidden; where they are not it shuts what a read-only
mount leaves open: a FIFO that others read can be written there.

Source: landlock(7).
"""

# ruff: noqa: ANN401 - modules loaded by their place have no type
from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable
from typing import Any

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the numbers are the same on every machine
_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE, _READ, _LIST, _TRUNCATE, _DEVICE = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | _DEVICE
_TO_READ = _EXECUTE | _READ | _LIST
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # ABI → how many rights on files it knows
_TCP = 0b11  # to bind and to connect; from ABI 4 on
_SCOPES = 0b11  # abstract sockets and signals stay among its own processes; from ABI 6 on
_NO_NEW_PRIVS = 38


def restrict(
    call: Any, readable: Iterable[str], writable: Iterable[str], *, own_network: bool
) -> None:
    """Let this process, and all that it starts, open nothing else from now on.

    Args:
        call: Calls a function of the C library.
        readable: Files and folders to be read and run; what does not exist is left out.
        writable: Those it may do anything with.
        own_network: Whether it has a network of its own; without one TCP is refused.

    Raises:
        OSError: The kernel does not have Landlock, or it is off.
    """
    abi = call("syscall", _CREATE, None, 0, _VERSION)
    rights = (1 << _RIGHTS.get(abi, 16)) - 1
    handled = struct.pack("=Q", rights)
    if abi >= 4:
        handled += struct.pack("=Q", 0 if own_network else _TCP)
    if abi >= 6:
        handled += struct.pack("=Q", _SCOPES)
    asked = ctypes.create_string_buffer(handled, len(handled))
    rules = call("syscall", _CREATE, asked, len(handled), 0)
    try:
        for path in readable:
            _allow(call, rules, path, rights & _TO_READ)
        for path in writable:
            _allow(call, rules, path, rights)
        call("prctl", _NO_NEW_PRIVS, 1, 0, 0, 0)
        call("syscall", _RESTRICT, rules, 0)
    finally:
        os.close(rules)


def _allow(call: Any, rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
            return  # what it cannot reach it need not be allowed
        raise
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, place), 12)
        call("syscall", _ADD, rules, _PATH_BENEATH, rule, 0)
    finally:
        os.close(place)
