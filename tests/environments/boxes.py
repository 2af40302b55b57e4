"""A gate in a box: a process of another user, or of one whom the system forbids namespaces.

Run as a script it is that gate: it enters the box named by its argument, then starts one worker
for each line of its stdin, and writes a line on what came of it.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, get_args

from gates.domain.judging import EnvironmentFacts
from gates.environments._child import Child
from gates.environments.cache import Environment
from gates.environments.launching import Limits
from gates.environments.process import Worker
from gates.errors import ModelFault

from .toy_models import write_model

Kind = Literal[
    "as-is",
    "ordinary",  # a user who is not root
    "old",  # the same, on a kernel before 5.12 and below a container that masks /proc
    "closed",  # the same, where the system forbids every namespace
    "container",  # root, with the rights that a container of today leaves him
]
KINDS: tuple[Kind, ...] = get_args(Kind)
USER = 12345
SCRATCH_MB = 64  # less than usual, to be filled sooner
TOKEN = "a-token-of-the-gate"

_NEWNS, _NEWUSER, _BIND = 0x20000, 0x10000000, 4096
_DUMPABLE, _SECCOMP, _CAPBSET_DROP, _NO_NEW_PRIVS = 4, 22, 24, 38
_CONTAINERS_KEEP = {0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31}  # as container engines do


@dataclass(frozen=True)
class Outcome:
    """What came of one model.

    Attributes:
        layers: Layer → whether it was on.
        answers: What it answered, call by call.
        fault: The kind of its fault; empty without one.
        what: The fault in words.
        breach: Whether the fault was a breach.
        log_bytes: How much of its log was kept.
        left: Processes that were there after the worker's end.
    """

    layers: dict[str, bool]
    answers: list[list[Any]]
    fault: str = ""
    what: str = ""
    breach: bool = False
    log_bytes: int = 0
    left: list[str] = field(default_factory=list)

    @property
    def answer(self) -> list[Any]:
        """The only answer."""
        assert not self.fault, self.what
        return self.answers[0]


class Impossible(Exception):
    """This machine cannot make such a box."""


class Box:
    """A gate in a box, from the outside.

    Args:
        kind: Which box.
        environment: What its models run in.
        folder: Readable for the box's user, who owns what is made in it.
    """

    def __init__(self, kind: Kind, environment: Environment, folder: Path) -> None:
        self.kind = kind
        self.environment = environment
        root = os.geteuid() == 0 and kind not in ("as-is", "container")
        self.user = USER if root else os.geteuid()
        self.home = folder / "home"
        self._folder = folder
        self._models = 0
        self.home.mkdir(mode=0o700)
        self.give(self.home)
        command = [sys.executable, "-m", __spec__.name, kind]
        self._gate = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "MLFLOW_TRACKING_TOKEN": TOKEN, "HOME": str(self.home)},
        )
        try:
            # Whatever a gate imports late it must have imported before it enters the box.
            self.attack(
                "if hasattr(self, 'asked'): raise OSError\nself.asked = 1\nreturn [1]", calls=2
            )
            said = self._read()
            if said.get("impossible"):
                raise Impossible(said["impossible"])
            self.layers = self.attack().layers
        except BaseException:
            self.close()
            raise

    def give(self, path: Path) -> Path:
        """Make the box's user the owner of a file or a folder with all that is in it."""
        for one in (path, *path.rglob("*")):
            os.chown(one, self.user, self.user if self.user == USER else -1, follow_symlinks=False)
        return path

    def model(self, predict: str, load: str = "") -> Path:
        """A model folder that the box's user owns."""
        self._models += 1
        return self.give(write_model(self._folder / f"model{self._models}", predict, load=load))

    def attack(
        self,
        predict: str = "return ['loaded']",
        *,
        load: str = "",
        model: Path | None = None,
        calls: int = 1,
        environment: Path | None = None,
        **limits: Any,
    ) -> Outcome:
        """Start a worker on a model in the box, ask it, and end it."""
        told = {
            "model": str(model or self.model(predict, load)),
            "environment": str(environment or self.environment.path),
            "calls": calls,
            "limits": limits,
        }
        assert self._gate.stdin is not None
        self._gate.stdin.write(json.dumps(told) + "\n")
        self._gate.stdin.flush()
        return Outcome(**self._read())

    def _read(self) -> dict[str, Any]:
        assert self._gate.stdout is not None
        line = self._gate.stdout.readline()
        assert line, "the gate in the box has ended"
        return dict(json.loads(line))

    def close(self) -> None:
        """End the gate."""
        self._gate.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def run_as(user: int, command: Sequence[str]) -> bool:
    """Whether a program ends well when another user runs it."""
    try:
        done = subprocess.run(
            command, user=user, group=user, extra_groups=[], capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


# ---- inside the box --------------------------------------------------------------------------

_LIBC = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: Any) -> None:
    given = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    if getattr(_LIBC, name)(*given) == -1:
        number = ctypes.get_errno()
        raise Impossible(f"{name}: {os.strerror(number)}")


def _enter(kind: Kind) -> None:
    if kind == "as-is":
        return
    if kind == "container":
        for capability in set(range(64)) - _CONTAINERS_KEEP:
            _LIBC.prctl(_CAPBSET_DROP, capability, 0, 0, 0)
        _refuse({"x86_64": 272}.get(platform.machine(), 97))  # unshare
        _set_capabilities(sum(1 << one for one in _CONTAINERS_KEEP))
        return
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)
        _call("prctl", _DUMPABLE, 1, 0, 0, 0)  # as a process that was this user's from the start
    if kind != "ordinary":
        _restrict(kind)


def _restrict(kind: Kind) -> None:
    user, group = os.geteuid(), os.getegid()
    _call("unshare", _NEWUSER | _NEWNS)
    for name, text in (
        ("self/setgroups", "deny"),
        ("self/uid_map", f"{user} {user} 1"),
        ("self/gid_map", f"{group} {group} 1"),
    ):
        Path("/proc", name).write_text(text, encoding="ascii")
    if kind == "closed":
        Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")
    else:
        _call("mount", b"/dev/null", b"/proc/version", None, _BIND, None)
        _refuse(442, {"x86_64": 155}.get(platform.machine(), 41))  # mount_setattr, pivot_root
    _set_capabilities(0)


def _set_capabilities(kept: int) -> None:
    header = struct.pack("=Ii", 0x20080522, 0)
    low, high = kept & 0xFFFFFFFF, kept >> 32
    data = struct.pack("=6I", low, low, 0, high, high, 0)
    _call("capset", ctypes.create_string_buffer(header), ctypes.create_string_buffer(data, 24))


def _refuse(*numbers: int) -> None:
    """Let system calls fail as on a kernel that does not have them. Source: seccomp(2)."""
    load, equal, answer, allow, refuse = 0x20, 0x15, 0x06, 0x7FFF0000, 0x50000 | errno.ENOSYS
    steps = [(load, 0, 0, 0)]
    for left, number in enumerate(reversed(numbers)):
        steps.insert(1, (equal, left + 1, 0, number))
    steps += [(answer, 0, 0, allow), (answer, 0, 0, refuse)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in steps))
    holder = struct.pack("@HP", len(steps), ctypes.addressof(program))
    _call("prctl", _NO_NEW_PRIVS, 1, 0, 0, 0)
    _call("prctl", _SECCOMP, 2, ctypes.create_string_buffer(holder), 0, 0)


def _answer(line: str) -> None:
    print(json.dumps(vars(_attack(json.loads(line))), default=float), flush=True)


def _attack(told: dict[str, Any]) -> Outcome:
    place = Path(told["environment"])
    python = place / "bin" / "python"
    environment = Environment(place, python, python, EnvironmentFacts("", "", "", True, 0))
    given = {name: _frozen(value) for name, value in told["limits"].items()}
    limits = Limits(**{"scratch_mb": SCRATCH_MB, **given})
    worker = Worker.start(environment, Path(told["model"]), limits, "candidate")
    answers: list[list[Any]] = []
    fault: ModelFault | None = None
    try:
        for _ in range(told["calls"]):
            answer = worker.predict({"a": [1.0]})
            answers.append(list(next(iter(answer.values()))))
    except ModelFault as problem:
        fault = problem
    worker.close()
    child = worker._child
    assert isinstance(child, Child)
    return Outcome(
        layers=dict(worker._facts.layers),
        answers=answers,
        fault=fault.kind if fault else "",
        what=fault.what if fault else "",
        breach=fault.breach if fault else False,
        log_bytes=len(worker._child.log),
        left=_left(str(child._scratch)),
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _left(scratch: str) -> list[str]:
    """The processes of a worker that are still there, given some time to end."""
    for _ in range(500):
        found = [
            entry.parent.name
            for entry in Path("/proc").glob("[0-9]*/cmdline")
            if scratch.encode() in _content(entry)
        ]
        if not found:
            break
        time.sleep(0.01)
    return found


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _main(kind: Kind) -> None:
    _answer(sys.stdin.readline())
    gate = os.fork()  # with one thread, which is what may leave a user namespace
    if gate:
        os.waitpid(gate, 0)
        return
    try:
        _enter(kind)
    except (Impossible, OSError) as problem:
        print(json.dumps({"impossible": str(problem)}), flush=True)
        return
    print("{}", flush=True)
    for line in sys.stdin:
        _answer(line)


if __name__ == "__main__":
    _main(next(kind for kind in KINDS if kind == sys.argv[1]))
