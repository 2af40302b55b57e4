"""The file system a caged model sees: what it needs, read-only, and a scratch folder.

Part of the worker: standard library only, Python 3.9 and later, loaded by its place. A small tmpfs
of bind mounts becomes the root of a mount namespace; what is not bound does not exist there.

Sources: mount_namespaces(7), pivot_root(2), mount_setattr(2); bubblewrap goes the same way.
"""

# ruff: noqa: ANN401 - libc takes anything
from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_CLONE_NEWNS = 0x00020000
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC = 1, 2, 4, 8  # of mount and of mount_setattr alike
_REMOUNT, _BIND, _MOVE, _RECURSIVE, _PRIVATE = 32, 4096, 8192, 16384, 1 << 18
_DETACH = 2
_MOUNT_SETATTR, _HERE, _ALL_BELOW = 442, -100, 0x8000  # the number is the same on every machine
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}

_SYSTEM = ("bin", "sbin", "usr", "etc", "opt", "nix", "gnu", "snap")  # and every lib*
_MORE = ("/sys/devices/system", "/home/linuxbrew")  # the processors; a package manager
_DEVICES = ("null", "zero", "full", "random", "urandom")
_HARMLESS = ("cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "uptime", "version")
_INODES = 100_000

_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def call(name: str, *arguments: Any) -> int:
    """Call a function of the C library.

    Raises:
        OSError: It said no; the message names the function.
    """
    if _LIBC is None:
        raise OSError(errno.ENOSYS, "only Linux can do that")
    given = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result = int(getattr(_LIBC, name)(*given))
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def enter(scratch: str, shown: list[str], scratch_bytes: int, own_processes: bool) -> None:
    """Leave the file system of the machine for a view of it; the scratch folder becomes `.`.

    Args:
        scratch: The worker's folder: its place becomes the only one that can be written, with
            `/tmp` and `/dev/shm`, all in memory.
        shown: Files and folders to be seen at their own places, beside the system's folders.
        scratch_bytes: What `/tmp` (with the scratch folder) and `/dev/shm` hold at most, each.
        own_processes: Whether this process has a PID namespace; without one `/proc` shows no
            process at all.

    Raises:
        OSError: The system forbids it; this process still sees all of the machine.
    """
    root = os.path.realpath(scratch)
    call("unshare", _CLONE_NEWNS)
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    _mount("tmpfs", root, "tmpfs", NO_SUID | NO_DEVICES, "mode=755,size=1m,nr_inodes=4096")
    mask = os.umask(0o022)
    try:
        view = _View(root)
        view.fill(root, f"size={scratch_bytes},nr_inodes={_INODES}")
        for path in shown:
            view.show(path)
        view.lead_to(scratch)
        view.show_processes(own_processes)
        _seal(root, READ_ONLY | NO_SUID | NO_DEVICES, below=False)
        _make_root(root)
    except BaseException:
        os.chdir("/")
        call("umount2", os.fsencode(root), _DETACH)
        os.chdir(scratch)
        raise
    finally:
        os.umask(mask)
    os.chdir(scratch)


def hide_processes() -> None:
    """Mount a fresh `/proc` over the machine's, for a process that starts a PID namespace.

    Raises:
        OSError: The system forbids it.
    """
    call("unshare", _CLONE_NEWNS)
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    _mount("proc", "/proc", "proc", NO_SUID | NO_DEVICES | NO_EXEC)
    _seal("/proc", READ_ONLY)


def readable(places: list[str], layers: Mapping[str, str]) -> list[str]:
    """What a model may read and run: all of a view; else what a view would have held.

    Args:
        places: What it needs beside the system.
        layers: Layer → why it is off; empty where a container's engine has made the view.
    """
    if not layers.get("files"):
        return ["/"]
    processes = ["/proc/self", *(f"/proc/{name}" for name in _HARMLESS)]
    own = processes if layers.get("processes") else ["/proc"]
    return [*_system(), *places, *own, *(f"/dev/{name}" for name in _DEVICES)]


def writable(scratch: str, places: list[str], layers: Mapping[str, str]) -> list[str]:
    """What a model may write: its scratch folder, and what else a view has for it alone."""
    devices = [f"/dev/{name}" for name in _DEVICES]
    memory = [] if layers.get("files") else ["/tmp", "/dev/shm"]  # noqa: S108 - its own
    # What it shall only read may be mounted below: a rule for a folder holds for all in it.
    inner = [Path(os.path.realpath(place)).parents for place in places]
    free = [one for one in memory if not any(Path(one) in above for above in inner)]
    return [scratch, *free, *devices]


def _system() -> list[str]:
    """The folders of programs, libraries and settings; links come last."""
    folders = sorted(Path("/").iterdir(), key=Path.is_symlink)
    named = [one for one in folders if one.name in _SYSTEM or one.name.startswith("lib")]
    return [*map(str, named), *(name for name in _MORE if Path(name).is_dir())]


class _View:
    """A file system under construction below a folder."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._shown: list[str] = []

    def _place(self, path: str) -> Path:
        return Path(self._root + path)

    def fill(self, scratch: str, limits: str) -> None:
        """What every model gets: the system's folders, devices, and room to write."""
        for folder in _system():
            self.show(folder)
        for name in _DEVICES:
            self.show(f"/dev/{name}", NO_SUID)
        for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
            self._place("/dev/" + name).symlink_to("/proc/self/fd" + target)
        temporary, memory = self._place("/tmp"), self._place("/dev/shm")  # noqa: S108 - its own
        for place in (temporary, memory):
            place.mkdir()
            _mount("tmpfs", str(place), "tmpfs", NO_SUID | NO_DEVICES, "mode=1777," + limits)
        room = temporary / Path(scratch).name
        room.mkdir(mode=0o700)
        if room != self._place(scratch):
            self._place(scratch).mkdir(parents=True, exist_ok=True)
            _mount(str(room), str(self._place(scratch)), None, _BIND)
            _seal(str(self._place(scratch)), NO_SUID | NO_DEVICES)

    def show(self, path: str, flags: int = NO_SUID | NO_DEVICES) -> None:
        """Bind a file or folder to its own place, read-only, with the links that lead to it."""
        real = os.path.realpath(path)
        if real == "/":
            raise OSError(errno.EPERM, f"{path} is the whole file system")
        if not any(real == one or real.startswith(one + "/") for one in self._shown):
            place = self._place(real)
            if Path(real).is_dir():
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
            _mount(real, str(place), None, _BIND | _RECURSIVE)
            _seal(str(place), READ_ONLY | flags)
            self._shown.append(real)
        self.lead_to(path)

    def lead_to(self, path: str) -> None:
        """Repeat the symbolic links on the way to a path, as far as they are not shown yet."""
        for _ in range(40):  # as many as the kernel follows
            steps = [*reversed(Path(path).parents), Path(path)]
            link = next((step for step in steps if step.is_symlink()), None)
            if link is None:
                return
            repeated = self._place(str(link))
            if not os.path.lexists(repeated):
                repeated.parent.mkdir(parents=True, exist_ok=True)
                repeated.symlink_to(link.readlink())
            rest = Path(path).relative_to(link)
            path = os.path.normpath(link.parent / link.readlink() / rest)

    def show_processes(self, own: bool) -> None:
        """A `/proc` of the own PID namespace, or one that knows of no process."""
        place = self._place("/proc")
        place.mkdir()
        try:
            if not own:
                raise OSError(errno.EPERM, "a fresh /proc would show every process")
            _mount("proc", str(place), "proc", NO_SUID | NO_DEVICES | NO_EXEC)
        except OSError:
            for name in _HARMLESS:
                if Path("/proc", name).exists():
                    self.show("/proc/" + name)
        else:
            _seal(str(place), READ_ONLY)


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str | None = None
) -> None:
    texts = [None if one is None else os.fsencode(one) for one in (source, target, kind, options)]
    call("mount", *texts[:3], flags, texts[3])


def _seal(target: str, flags: int, *, below: bool = True) -> None:
    """Give a mount, and those below it, more restrictions than they have."""
    wanted = ctypes.create_string_buffer(struct.pack("=QQQQ", flags, 0, 0, 0), 32)
    depth = _ALL_BELOW if below else 0
    try:
        call("syscall", _MOUNT_SETATTR, _HERE, os.fsencode(target), depth, wanted, 32)
    except OSError:  # a kernel before 5.12
        for place, options in _mounts():
            if place == target or (below and place.startswith(target + "/")):
                named = {"ro": READ_ONLY, "nosuid": NO_SUID, "nodev": NO_DEVICES, "noexec": NO_EXEC}
                kept = sum(named.get(option, 0) for option in set(options.split(",")))
                _mount(None, place, None, _REMOUNT | _BIND | kept | flags)


def _mounts() -> list[tuple[str, str]]:
    lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    fields = [line.split(b" ") for line in lines]
    return [(_unescaped(one[4]), one[5].decode("ascii")) for one in fields]


def _unescaped(place: bytes) -> str:
    plain = re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), place)
    return os.fsdecode(plain)


def _make_root(root: str) -> None:
    os.chdir(root)
    try:
        number = _PIVOT_ROOT.get(platform.machine())
        if number is None:
            raise OSError(errno.ENOSYS, "pivot_root has no number here")
        call("syscall", number, b".", b".")
    except OSError:  # the machine's root is one that cannot be moved, such as an initramfs
        call("mount", b".", b"/", None, _MOVE, None)
        os.chroot(".")
    else:
        call("umount2", b".", _DETACH)
    os.chdir("/")
