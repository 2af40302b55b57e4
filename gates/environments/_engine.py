"""The Docker engine: reached, asked, and every trouble with it named."""

from __future__ import annotations

import contextlib
import math
import os
import socket
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gates.environments._owner import has_ended, this_process
from gates.errors import BuildError
from gates.system.commands import clean

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

__all__ = [
    "connected",
    "engine_troubles",
    "owned",
    "remove",
    "removed_after",
    "run_to_end",
    "sweep_containers",
]

_UNREACHABLE = (
    "Start the engine (`docker info` says whether it runs and whether you may use it), or name "
    "another one in DOCKER_HOST; a card with `kind: venv` needs none."
)
_FAILED = "Look into the engine's own log, and at what `docker info` says."
_KEPT_LINES = 200
_LABEL = "mlgates.gate"


@contextlib.contextmanager
def connected(*, seconds: float = 60.0) -> Iterator[DockerClient]:
    """The engine that DOCKER_HOST names, else the one of this machine.

    Args:
        seconds: How long any one request may take.

    Raises:
        BuildError: It cannot be reached, the user may not use it, or it is behind TLS or SSH.
    """
    import docker
    from docker.constants import DEFAULT_UNIX_SOCKET
    from docker.errors import DockerException

    named = os.environ.get("DOCKER_HOST") or DEFAULT_UNIX_SOCKET.replace("http+", "")
    secured = bool(os.environ.get("DOCKER_TLS_VERIFY") or os.environ.get("DOCKER_CERT_PATH"))
    if not named.startswith("unix://") and (secured or not named.startswith("tcp://")):
        raise BuildError(
            f"the Docker engine at {clean(named)} cannot be spoken to: workers are attached to "
            "over unix:// or over tcp:// without TLS",
            advice="Forward its socket to this machine, and name that in DOCKER_HOST.",
        )
    try:
        if named.startswith("unix://"):
            # The SDK would leave the socket of a failed connection open.
            with socket.socket(socket.AF_UNIX) as knocking:
                knocking.connect(named.removeprefix("unix://"))
        client = docker.from_env(timeout=math.ceil(seconds))  # asks the engine for its version
    except (DockerException, OSError, ValueError) as problem:
        raise BuildError(
            f"the Docker engine cannot be reached at {clean(named)}: {_reason(problem)}",
            advice=_UNREACHABLE,
        ) from problem
    try:
        yield client
    finally:
        client.close()


@contextlib.contextmanager
def engine_troubles(doing: str, *, advice: str = _FAILED) -> Iterator[None]:
    """What the engine refuses or fails to do, as a BuildError that says what was asked of it.

    Args:
        doing: What is being done, such as `starting the candidate`.
        advice: What to do about it.

    Raises:
        BuildError: The engine said no, or went away.
    """
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except (DockerException, RequestException, OSError) as problem:
        raise BuildError(
            f"the Docker engine failed while {doing}: {_reason(problem)}", advice=advice
        ) from problem


def _reason(problem: BaseException) -> str:
    """The innermost system error, else what the engine explained, else the error itself."""
    explained = getattr(problem, "explanation", None)
    if explained:
        return clean(str(explained)).strip()
    seen: BaseException | None = problem
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror
        seen = seen.__cause__ or seen.__context__
    return clean(str(problem)).strip()


def owned() -> dict[str, str]:
    """The labels of a container that is this process's own."""
    return {_LABEL: this_process()}


def sweep_containers(client: DockerClient) -> None:
    """Remove the containers of this machine's processes that have ended, killed perhaps."""
    with engine_troubles("looking for containers that were left behind"):
        for one in client.api.containers(all=True, filters={"label": [_LABEL]}):
            if has_ended(one["Labels"][_LABEL]):
                remove(client, one["Id"])


def remove(client: DockerClient, container: str) -> None:
    """Kill a container if it runs, and remove it with its volumes."""
    from docker.errors import DockerException

    # It may be going already, or the engine may be gone: there is nothing left to do then.
    with contextlib.suppress(DockerException, OSError):
        client.api.remove_container(container, force=True, v=True)


@contextlib.contextmanager
def removed_after(client: DockerClient, container: Container) -> Iterator[None]:
    """A container, with its volumes, goes when this ends, whatever it does then."""
    try:
        yield
    finally:
        remove(client, str(container.id))


def run_to_end(container: Container, *, seconds: float) -> tuple[int, str]:
    """Start a container that was made, and wait for its end.

    Args:
        container: One whose log can be read back.
        seconds: How long it may take.

    Returns:
        Its exit code, and the end of what it wrote.
    """
    container.start()
    ended: Mapping[str, Any] = container.wait(timeout=seconds)
    return int(ended["StatusCode"]), clean(container.logs(tail=_KEPT_LINES))
