"""The system calls that a caged model is refused: those that namespaces do not cover.

Part of the worker: standard library only, Python 3.9 and later, loaded by its place. What is listed
is refused, by number or by argument, and so is every call newer than this list; all else runs. The
list starts from what Docker's default profile refuses, and adds what two versions that share a
kernel could meet through. A refusal looks like a kernel that lacks the call (ENOSYS) where
libraries then take another way, and like a lack of rights (EPERM) elsewhere.

Sources: seccomp(2), bpf(2) of the classic kind; Docker's `profiles/seccomp/default.json`.
"""

# ruff: noqa: ANN401 - modules loaded by their place have no type
from __future__ import annotations

import ctypes
import errno
import platform
import struct
from typing import Any

_SECCOMP, _FILTER, _NO_NEW_PRIVS = 22, 2, 38
_LOAD, _EQUAL, _GREATER, _ANY_OF, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_NEWEST = 469  # file_setattr of Linux 6.17: nobody has looked at what comes after it
_CLONE_NEW = 0x7E020000  # every CLONE_NEW* flag that clone takes
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
_FCNTL_SET_SIGNAL, _FCNTL_SET_LEASE, _FCNTL_NOTIFY = 10, 1024, 1026
_TTY_INJECT, _TTY_LINUX = 0x5412, 0x541C

# Name → number on x86_64 and on aarch64; None where the machine does not have it.
_FORBIDDEN = {
    "add_key": (248, 217),  # keyrings are shared by all of a user, whatever the namespace
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "open_by_handle_at": (304, 265),  # opens any file of a disk, whatever is mounted
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "open_tree_attr": (467, 467),
    "unshare": (272, 97),
    "setns": (308, 268),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "create_module": (174, None),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "syslog": (103, 116),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "vhangup": (153, 58),
    "iopl": (172, None),
    "ioperm": (173, None),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "fanotify_init": (300, 262),  # tells when another process opens a file
    "fanotify_mark": (301, 263),
}
_ABSENT = {
    "clone3": (435, 435),  # its flags lie in memory, where no filter sees them: libc takes clone
    "io_uring_setup": (425, 425),  # does what is refused here without a system call
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "nfsservctl": (180, 42),
    "lookup_dcookie": (212, 18),
    "_sysctl": (156, None),
    "uselib": (134, None),
    "ustat": (136, None),
    "sysfs": (139, None),
    "inotify_init": (253, None),  # tells when another process opens a file
    "inotify_init1": (294, 26),
    "cachestat": (451, 451),  # tells which pages of a shared file somebody has read
    "timer_create": (222, 107),  # a timer's SIGCONT would wake a model that was stopped
    "mq_notify": (244, 184),  # so would a queue's
}
_MESSAGING = {  # shared with everybody where there is no IPC namespace
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}
_CLONE, _SOCKET, _SOCKETPAIR = (56, 220), (41, 198), (53, 199)
_FCNTL, _IOCTL, _PERSONALITY = (72, 25), (16, 29), (135, 92)

_Step = Any  # four numbers: code, jump where true, jump where false, operand


def refuse(call: Any, *, own_network: bool, own_messaging: bool) -> None:
    """Refuse them, from now on, to this process and to all that it starts.

    Args:
        call: Calls a function of the C library.
        own_network: Whether it has a network of its own; without one it gets no sockets but local
            ones.
        own_messaging: Whether it has an IPC namespace; without one it gets no System V memory,
            semaphores and queues, nor POSIX queues.

    Raises:
        OSError: The kernel does not filter, or the machine is none whose numbers are known.
    """
    machine = platform.machine()
    if machine not in _ARCHITECTURES or struct.calcsize("P") != 8:
        raise OSError(errno.ENOSYS, f"there is no list of system calls for {machine}")
    steps = program(machine, own_network=own_network, own_messaging=own_messaging)
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in steps))
    holder = struct.pack("@HP", len(steps), ctypes.addressof(code))
    call("prctl", _NO_NEW_PRIVS, 1, 0, 0, 0)
    call("prctl", _SECCOMP, _FILTER, ctypes.create_string_buffer(holder), 0, 0)
    try:  # an emulator may take a filter and not heed it
        call("syscall", _FORBIDDEN["keyctl"][machine == "aarch64"], 0, -3, 0, 0, 0)
    except OSError as refused:
        if refused.errno == errno.EPERM:
            return
    raise OSError(errno.ENOSYS, "the kernel took a filter of system calls and does not heed it")


def program(machine: str, *, own_network: bool, own_messaging: bool) -> list[_Step]:
    """The filter, as instructions of the classic Berkeley packet filter: code, jumps, operand."""
    column = 1 if machine == "aarch64" else 0
    absent = dict(_ABSENT) if own_messaging else {**_ABSENT, **_MESSAGING}
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        _answer(errno.ENOSYS),
        (_LOAD, 0, 0, _NUMBER),
        (_GREATER, 0, 1, _NEWEST),  # every number of x32 among them
        _answer(errno.ENOSYS),
    ]
    for refused, error in ((_FORBIDDEN, errno.EPERM), (absent, errno.ENOSYS)):
        for numbers in refused.values():
            if numbers[column] is not None:
                steps += [(_EQUAL, 0, 1, numbers[column]), _answer(error)]
    families = (_UNIX, _INET, _INET6) if own_network else (_UNIX,)
    steps += _if_call(_CLONE[column], _unless_flags(0, _CLONE_NEW))
    steps += _if_call(_SOCKET[column], _route_alone() + _only(0, families, errno.EAFNOSUPPORT))
    steps += _if_call(_SOCKETPAIR[column], _only(0, families, errno.EAFNOSUPPORT))
    steps += _if_call(_PERSONALITY[column], _only(0, _PERSONALITIES, errno.EPERM))
    commands = (_FCNTL_SET_SIGNAL, _FCNTL_SET_LEASE, _FCNTL_NOTIFY)
    steps += _if_call(_FCNTL[column], _none_of(1, commands))
    steps += _if_call(_IOCTL[column], _none_of(1, (_TTY_INJECT, _TTY_LINUX)))
    return [*steps, (_RETURN, 0, 0, _ALLOW)]


def _answer(error: int) -> _Step:
    return (_RETURN, 0, 0, _ERRNO | error)


def _argument(index: int) -> _Step:
    """Load the lower half of an argument: all that the calls named here look at themselves."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index)


def _if_call(number: int, then: list[_Step]) -> list[_Step]:
    return [(_EQUAL, 0, len(then), number), *then]


def _unless_flags(index: int, flags: int) -> list[_Step]:
    refused = [_argument(index), (_ANY_OF, 0, 1, flags), _answer(errno.EPERM)]
    return [*refused, (_RETURN, 0, 0, _ALLOW)]


def _only(index: int, values: tuple[int, ...], error: int) -> list[_Step]:
    allowed = [one for value in values for one in ((_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW))]
    return [_argument(index), *allowed, _answer(error)]


def _none_of(index: int, values: tuple[int, ...]) -> list[_Step]:
    refused = [one for value in values for one in ((_EQUAL, 0, 1, value), _answer(errno.EPERM))]
    return [_argument(index), *refused, (_RETURN, 0, 0, _ALLOW)]


def _route_alone() -> list[_Step]:
    """Of netlink, the list of network interfaces (protocol 0) and nothing else."""
    return [
        _argument(0),
        (_EQUAL, 0, 3, _NETLINK),
        _argument(2),
        (_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, _ALLOW),
    ]
