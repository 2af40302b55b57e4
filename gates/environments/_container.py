"""A worker in a container: no network, nothing to write to but memory, nobody to be."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, get_args

from gates.domain.judging import Layer
from gates.environments._engine import connected, engine_troubles, owned, remove
from gates.environments._exchange import Exchange, WorkerGone
from gates.environments._layers import SET_BY_WORKERS
from gates.environments._streams import Streams
from gates.environments._tar import tarred
from gates.environments.frames import encode_message, framed
from gates.environments.launching import PARTS, WORKER, Limits, scrubbed_environment
from gates.errors import BuildError
from gates.system.commands import clean
from gates.system.interruption import deferred

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

__all__ = ["ContainerWorker"]

_GIVEN = PurePosixPath("/opt/mlgates/given")
_SCRATCH = "/tmp"  # noqa: S108 - the container's own, in memory, and empty when it starts
_FIRST_USER, _USERS = 20_000, 40_000  # within what an engine that maps users has
_STARTED = itertools.count()
_PROCESSES = 256
_GRACE_SECONDS = 10.0
_FOR_SIGNALS = 128  # an exit code above it is a signal's number, as shells have it
_LAST_READS = 64


class ContainerWorker(Exchange):
    """A started container that speaks frames on stdin and stdout.

    The worker's program and the model are copied in rather than mounted, into a volume of the
    container's own that belongs to root: they may lie where its user could not read them, and the
    engine may not see this machine's files at all. When this process ends, however it ends,
    the engine closes the container's stdin, by which the worker's supervisor knows.

    Args:
        image: The image's id.
        model_dir: The MLflow model folder.
        limits: What it may use.
        hello: The first message; where the model is is added to it.

    Raises:
        BuildError: It could not be made or started.
    """

    def __init__(
        self, image: str, python: str, model_dir: Path, limits: Limits, hello: Mapping[str, Any]
    ) -> None:
        self._ended = False
        self._paused = False
        self._state: Mapping[str, Any] = {}
        self._cleanup = contextlib.ExitStack()
        try:
            self._engine = self._cleanup.enter_context(connected())
            with engine_troubles("starting a container"):
                self._layers = _layers(self._engine)
                self._container = _create(self._engine, image, python, limits)
                self._cleanup.callback(remove, self._engine, str(self._container.id))
                parts = [(part, PurePosixPath(part.name)) for part in PARTS]
                given = (*parts, (model_dir, PurePosixPath("model")))
                self._container.put_archive(str(_GIVEN), tarred(*given))
                self._socket = self._cleanup.enter_context(_attached(self._engine, self._container))
                self._container.start()
        except BaseException:
            self._cleanup.close()
            raise
        self._socket.setblocking(False)
        super().__init__(self._socket.fileno(), self._socket.fileno())
        self._streams = Streams()
        places = {"model_dir": str(_GIVEN / "model"), "python": python}
        own = [layer for layer in limits.require if layer not in self._layers]
        told = {**hello, **places, "contained": True, "require": own}
        with contextlib.suppress(OSError):  # it has ended already: `exchange` will tell
            self._socket.send(framed(encode_message(told)))

    @property
    def layers(self) -> Mapping[Layer, str]:
        """The isolation layers that the engine was asked for, and why it cannot give one."""
        return self._layers

    @property
    def pid(self) -> int:
        """The id, on the engine's machine, of the container's first process."""
        with engine_troubles("inspecting a container"):
            self._container.reload()
        return int(self._container.attrs["State"]["Pid"])

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        code = self._state.get("ExitCode")
        if code is None:
            return None
        return _FOR_SIGNALS - int(code) if int(code) > _FOR_SIGNALS else int(code)

    @property
    def starved(self) -> bool:
        """Whether one of its processes was killed for want of memory."""
        return bool(self._state.get("OOMKilled"))

    @property
    def log(self) -> str:
        """The end of what it wrote to stderr, at most 64 KiB."""
        return clean(self._streams.log)

    def pause(self, *, filtered: bool) -> str:
        """See `Exchange.pause`: the engine freezes the container, which nothing inside can undo."""
        del filtered
        try:
            with engine_troubles("pausing a container"):
                self._container.pause()
        except BuildError as problem:
            return problem.what
        self._paused = True
        return ""

    def resume(self) -> None:
        """See `Exchange.resume`."""
        from docker.errors import DockerException

        # What it cannot be asked then says, by name, why.
        with contextlib.suppress(DockerException, OSError):
            self._container.unpause()
        self._paused = False

    def _feed(self, chunk: bytes) -> None:
        super()._feed(self._streams.feed(chunk))

    def _has_ended(self) -> bool:
        return False  # its stream ends with it, whatever it has started

    def _await_end(self) -> None:
        from docker.errors import DockerException

        with contextlib.suppress(DockerException, OSError):
            self._container.wait(timeout=_GRACE_SECONDS)
            self._container.reload()
            self._state = self._container.attrs["State"]

    def end(self) -> None:
        """End the container and all in it, and remove it. A second call does nothing."""
        if self._ended:
            return
        self._ended = True
        with deferred():
            if self._paused:  # some engines cannot kill what is frozen
                self.resume()
            with contextlib.suppress(WorkerGone):
                for _ in range(_LAST_READS):  # its last words may still be on their way
                    if not self._readable():
                        break
                    self._take()
            self._cleanup.close()


def _create(engine: DockerClient, image: str, python: str, limits: Limits) -> Container:
    from docker.types import LogConfig, Mount, Ulimit

    user = _FIRST_USER + (os.getpid() + next(_STARTED)) % _USERS  # none that another arm has
    memory = limits.memory_mb << 20
    file_bytes = limits.file_mb << 20
    return engine.containers.create(
        image,
        entrypoint=[python, "-I", "-S", "-B", "-u", str(_GIVEN / WORKER.name)],
        command=[_SCRATCH, "stdin"],
        environment=scrubbed_environment(_SCRATCH),
        working_dir=_SCRATCH,
        user=f"{user}:{user}",
        labels=owned(),
        stdin_open=True,
        network_mode="none",
        ipc_mode="private",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        mem_limit=memory,
        memswap_limit=memory,
        pids_limit=_PROCESSES,
        mounts=[Mount(target=str(_GIVEN), source=None, type="volume")],
        tmpfs={_SCRATCH: f"rw,exec,nosuid,nodev,size={memory // 2},mode=1777"},
        ulimits=[
            Ulimit(name="core", soft=0, hard=0),
            Ulimit(name="fsize", soft=file_bytes, hard=file_bytes),
        ],
        healthcheck={"test": ["NONE"]},
        # The engine would log every frame that crosses its stream.
        log_config=LogConfig(type="none"),
        use_config_proxy=False,
    )


@contextlib.contextmanager
def _attached(engine: DockerClient, container: Container) -> Iterator[socket.socket]:
    """The stream of a container, to be read and written as a plain socket."""
    asked = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
    stream = engine.api.attach_socket(str(container.id), params=asked)
    try:
        with socket.socket(fileno=os.dup(stream.fileno())) as connection:
            yield connection
    finally:
        vars(stream)["_response"].close()  # the SDK hangs the connection on it


def _layers(engine: DockerClient) -> Mapping[Layer, str]:
    told = engine.info()
    limits: Mapping[Layer, str] = {"memory": "MemoryLimit", "process-limit": "PidsLimit"}
    return {
        layer: f"the engine does not tell of {limits[layer]}"
        if layer in limits and not told.get(limits[layer])
        else ""
        for layer in get_args(Layer)
        if layer not in SET_BY_WORKERS
    }
