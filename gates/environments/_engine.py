"""The Docker engine: reached, asked, and every trouble with it named."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gates.environments._commands import clean
from gates.errors import BuildError

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

__all__ = ["connected", "engine_troubles", "run_to_end"]

_UNREACHABLE = (
    "Start the engine (`docker info` says whether it runs and whether you may use it), or name "
    "another one in DOCKER_HOST; a card with `kind: venv` needs none."
)
_KEPT_LINES = 200


@contextlib.contextmanager
def connected() -> Iterator[DockerClient]:
    """The engine that DOCKER_HOST names, else the one of this machine.

    Raises:
        BuildError: It cannot be reached, or the user may not use it.
    """
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env()
        client.ping()
    except (DockerException, OSError, ValueError) as problem:
        where = os.environ.get("DOCKER_HOST") or "its usual socket"
        raise BuildError(
            f"the Docker engine cannot be reached at {clean(where)}: {_reason(problem)}",
            advice=_UNREACHABLE,
        ) from problem
    try:
        yield client
    finally:
        client.close()


@contextlib.contextmanager
def engine_troubles(doing: str, *, advice: str = _UNREACHABLE) -> Iterator[None]:
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


def run_to_end(client: DockerClient, container: Container, *, seconds: float) -> tuple[int, str]:
    """Start a container that was made, and wait for its end.

    Args:
        client: The engine.
        container: It writes to a log that can be read back.
        seconds: How long it may take.

    Returns:
        Its exit code, and the end of what it wrote.
    """
    del client
    container.start()
    deadline = time.monotonic() + seconds
    ended: Mapping[str, Any] = container.wait(timeout=max(1.0, deadline - time.monotonic()))
    written: bytes = container.logs(tail=_KEPT_LINES)
    return int(ended["StatusCode"]), clean(written)
