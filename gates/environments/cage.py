"""The cage of a worker: what the model's process can no longer see, reach or use.

Part of the worker: standard library only, Python 3.9 and later, loaded by its place. Three
processes come of one. The *supervisor* holds no model: it waits for the model's end, or for the
lifeline (a pipe whose other end the gate holds) to break, and then ends whatever is left. Through
the lifeline the gate has it stop all of the model's processes, and go on with them. The
*keeper*, first process of a PID namespace, builds the view of the file system, reaps, and tells
the supervisor how the model ended: it cannot die the same way, for the kernel shields it from
signals. The *model's process* gives up its rights and returns from here.

What the system forbids is left out, layer by layer, and the reason told; that is no error.

Sources: user_namespaces(7), pid_namespaces(7), capabilities(7), prctl(2), getrlimit(2).
"""

# ruff: noqa: ANN401 - modules loaded by their place have no type
from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30
_PDEATHSIG, _DUMPABLE, _SUBREAPER = 1, 4, 36
_SHALLOW = 3  # parts of a path, `/home/someone`: no folder of libraries


def enter(
    scratch: str,
    lifeline: tuple[int, int | None],
    pipes: tuple[int, int],
    hello: Mapping[str, Any],
    beside: Callable[[str], Any],
) -> dict[str, str]:
    """Fork twice; return in the model's process alone, with what could not be shut off.

    Args:
        scratch: The worker's folder; removed when all has ended.
        lifeline: What breaks when the gate ends, and what orders that came through it are answered
            on; None where what comes is for the model.
        pipes: What the model's process speaks to the gate through; nobody else keeps them open.
        hello: What the gate said: `python` (the environment's), `model_dir`, `memory_bytes`,
            `file_bytes`, `scratch_bytes`; `shown`, what else is to be seen, if anything is; and
            `contained` where a container has shut off all there is already.
        beside: Gives another part of the worker by its name.

    Returns:
        Layer (as `gates.domain.judging.Layer` names them) → why it is off, empty when it is on.
    """
    # All of them now: soon this is somebody who may read less.
    names = ("view", "rights", "supervisor", "landlock", "system_calls")
    view, rights, supervisor, *_ = map(beside, names)
    call = view.call
    contained = bool(hello.get("contained"))
    user = rights.own_user(os.getpid()) if os.geteuid() == 0 else os.geteuid()
    own_processes = "" if contained else _reason(lambda: _leave_processes(call))
    alone = not contained and not own_processes
    _quietly(lambda: call("prctl", _SUBREAPER, 1, 0, 0, 0))  # whom the keeper leaves come to us
    _quietly(lambda: call("prctl", _DUMPABLE, 0, 0, 0, 0))  # no model may look into us
    heard, told = os.pipe()
    ordered, orders = os.pipe()
    keeper = os.fork()
    if keeper:
        # The ends of the model's pipes must be seen when the model ends.
        for descriptor in (0, 1, 2, told, ordered, *pipes):
            os.close(descriptor)
        supervisor.supervise(keeper, lifeline, heard, orders if alone else None, scratch)
    for end in (*lifeline, heard, orders):
        if end is not None:
            os.close(end)
    _end_with_parent(call, lambda: _is_broken(told))
    places = _places(hello)
    tasks = rights.tasks_of(user)
    layers: dict[str, str] = {}
    own_messaging = contained
    if not contained:
        layers["network"] = _reason(lambda: call("unshare", _NEWNET))
        own_messaging = not _reason(lambda: call("unshare", _NEWIPC))
        _quietly(lambda: call("unshare", _NEWUTS))
        layers["files"] = _reason(
            lambda: view.enter(scratch, places, hello["scratch_bytes"], not own_processes)
        )
        if layers["files"] and not own_processes:
            own_processes = _reason(view.hide_processes)
        layers["processes"] = own_processes
    keeper = os.getpid()
    model = os.fork()
    if model:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for descriptor in (0, 1, 2, *pipes):
            os.close(descriptor)
        supervisor.keep(model, told, ordered)
    for descriptor in (told, ordered):
        os.close(descriptor)
    if not contained:
        rights.give_up(call, layers, scratch, places, hello, user, tasks)
    rights.filter_access(beside, layers, scratch, places, own_messaging)
    _end_with_parent(call, lambda: os.getppid() != keeper)
    return layers


# ---- processes that end with each other ------------------------------------------------------


def _end_with_parent(call: Any, is_orphan: Callable[[], bool]) -> None:
    """Be killed when the parent ends; it may have ended before that was said."""
    _quietly(lambda: call("prctl", _PDEATHSIG, int(signal.SIGKILL), 0, 0, 0))
    if is_orphan():
        os._exit(1)


def _is_broken(pipe: int) -> bool:
    poller = select.poll()
    poller.register(pipe, 0)
    return bool(poller.poll(0))


# ---- namespaces ------------------------------------------------------------------------------


def _leave_processes(call: Any) -> None:
    """Let the next child start a PID namespace, and have the right to make more namespaces."""
    try:
        call("unshare", _NEWPID)
    except OSError:
        for flags in (_NEWUSER | _NEWPID, _NEWUSER):
            if _is_possible(call, flags):
                _leave_user(call, flags)
                # Nobody below may start over with rights of his own.
                _quietly(lambda: _write("/proc/sys/user/max_user_namespaces", "0"))
                if flags & _NEWPID:
                    return
                break
        raise


def _is_possible(call: Any, flags: int) -> bool:
    """Whether a user namespace gives any rights: it cannot be left again to find out."""
    child = os.fork()
    if child == 0:
        try:
            _leave_user(call, flags)
            call("unshare", _NEWUTS)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def _leave_user(call: Any, flags: int) -> None:
    user, group = os.geteuid(), os.getegid()
    call("unshare", flags)
    # Without these the model would find itself to be nobody.
    _quietly(lambda: _write("/proc/self/setgroups", "deny"))
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")


def _places(hello: Mapping[str, Any]) -> list[str]:
    """What a model needs to see beside the system: its environment, this worker, its folder."""
    python = hello["python"]
    environment = str(Path(python).parent.parent)
    bases = [sys.base_prefix, sys.base_exec_prefix, sys.executable, *_libraries()]
    shown = [str(Path(__file__).parent), *hello.get("shown", ())]
    return [environment, python, *bases, *shown, hello["model_dir"]]


def _libraries() -> list[str]:
    """The folders of the shared libraries that this Python has loaded, wherever they are."""
    try:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return []
    files = {line.split(maxsplit=5)[-1] for line in maps.splitlines() if ".so" in line}
    folders = {Path(file).parent for file in files}
    return sorted(str(folder) for folder in folders if len(folder.parts) > _SHALLOW)


def _write(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="ascii")


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
