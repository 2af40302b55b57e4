"""The image a container is built upon: found or pulled by digest, and asked for its Python."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gates.environments._engine import engine_troubles, owned, removed_after, run_to_end
from gates.errors import BuildError, InputError, UsageError
from gates.system.commands import clean, last_lines
from gates.system.files import write_atomically
from gates.system.json_files import JsonFile, json_value

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.images import Image

__all__ = ["BaseImage", "find_base"]

_ASK = (
    "import json, os, platform, sys, sysconfig\n"
    "libc = 'musl' if 'musl' in (sysconfig.get_config_var('SOABI') or '') else "
    "'-'.join(platform.libc_ver())\n"
    "print(json.dumps({'python': platform.python_version(), 'libc': libc, "
    "'machine': platform.machine(), 'executable': sys._base_executable}))"
)
_ASK_SECONDS = 60.0
_GLIBC = (17, 28, *range(31, 41))  # the minor versions of glibc 2 that uv knows targets for


@dataclass(frozen=True)
class BaseImage:
    """An image with a Python in it.

    Attributes:
        id: The engine's id of it, `sha256:…`.
        python: Its full Python version.
        executable: Where its Python is.
        machine: Such as `x86_64`.
        libc: Such as `glibc-2.36`, or `musl`.
    """

    id: str
    python: str
    executable: str
    machine: str
    libc: str

    @property
    def series(self) -> str:
        """The Python version's first two numbers."""
        return ".".join(self.python.split(".")[:2])

    @property
    def platform(self) -> str:
        """Operating system, machine and C library, as facts name them."""
        return f"Linux-{self.machine}-{self.libc}"

    @property
    def target(self) -> str:
        """What uv calls this platform, so that it takes wheels that run there.

        Raises:
            BuildError: uv knows no such platform.
        """
        if self.machine in ("x86_64", "aarch64"):
            if self.libc == "musl":
                return f"{self.machine}-unknown-linux-musl"
            name, _, version = self.libc.partition("-")
            major, _, minor = version.partition(".")
            if name == "glibc" and major == "2" and minor.isdigit():
                known = [one for one in _GLIBC if one <= int(minor)]
                if known:
                    return f"{self.machine}-manylinux_2_{known[-1]}"
        raise BuildError(
            f"the base image {self.id[:19]} is {self.platform}, for which no wheels can be chosen",
            advice="Take an image for x86_64 or aarch64 with glibc 2.17 or later, or musl.",
        )


_NOTE = JsonFile(BaseImage, most_bytes=1 << 16)


def find_base(
    client: DockerClient, reference: str, notes: Path, progress: Callable[[str], None]
) -> BaseImage:
    """The base image of that name, tag, digest or id.

    An image that is asked for by digest and is not there is pulled: its bytes are what the digest
    says, wherever they come from. A tag may mean anything by now, and is never pulled.

    Args:
        client: The engine.
        reference: As the card has it.
        notes: A folder that keeps what images said of themselves, by id.
        progress: Told what takes long.

    Raises:
        BuildError: It is not there, cannot be pulled, is not for Linux or has no Python.
    """
    image = _get(client, reference, progress)
    if image.attrs.get("Os") != "linux":
        raise BuildError(
            f"the base image {reference} is for {image.attrs.get('Os')}, not for Linux",
            advice="Take an image for Linux, such as an official Python image.",
        )
    if volumes := (image.attrs.get("Config") or {}).get("Volumes"):
        raise BuildError(
            f"the base image {reference} declares volumes ({', '.join(volumes)}), "
            "which a model could write to",
            advice="Take an image without VOLUME, such as an official Python image.",
        )
    note = notes / f"{str(image.id).removeprefix('sha256:')}.json"
    with contextlib.suppress(InputError):  # it can be asked again
        return _NOTE.read(note)
    found = _ask(client, image, reference)
    with contextlib.suppress(UsageError):
        write_atomically(note, json.dumps(asdict(found)).encode())
    return found


def _get(client: DockerClient, reference: str, progress: Callable[[str], None]) -> Image:
    from docker.errors import ImageNotFound

    with engine_troubles(f"looking for the base image {reference}"):
        try:
            return client.images.get(reference)
        except ImageNotFound:
            pass
    name, at, digest = reference.partition("@")
    if not at:
        raise BuildError(
            f"the base image {reference} is not on the Docker engine",
            advice="Get it with `docker pull`, `docker load` or `docker import`; or name it in "
            "the card by digest (name@sha256:…), and the gate pulls it.",
        )
    progress(f"pulling the base image {reference}")
    with engine_troubles(
        f"pulling the base image {reference}",
        advice="Check the name, the digest, and that the registry can be reached; or get the "
        "image with `docker load`.",
    ):
        for said in client.api.pull(name, tag=digest, stream=True, decode=True):
            if "error" in said:
                raise BuildError(f"the base image cannot be pulled: {clean(str(said['error']))}")
            if said.get("status") in ("Pull complete", "Download complete"):
                progress(clean(f"{said.get('id', '')}: {said['status']}"))
        return client.images.get(reference)


def _ask(client: DockerClient, image: Image, reference: str) -> BaseImage:
    from docker.errors import APIError
    from docker.types import LogConfig

    no_python = f"the base image {reference} has no python3 that runs"
    advice = "Take an image with python3 on its PATH, such as an official Python image."
    with engine_troubles(f"asking the base image {reference} for its Python"):
        container = client.containers.create(
            str(image.id),
            entrypoint=["python3", "-I", "-c", _ASK],
            command=[],
            network_mode="none",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            user="65534:65534",
            labels=owned(),
            log_config=LogConfig(type=LogConfig.types.JSON),
            use_config_proxy=False,
        )
        with removed_after(client, container):
            try:
                code, said = run_to_end(container, seconds=_ASK_SECONDS)
            except APIError as refused:
                if refused.status_code != 400:
                    raise
                raise BuildError(f"{no_python}: {refused.explanation}", advice=advice) from None
    try:
        return BaseImage(id=str(image.id), **json_value(said.splitlines()[-1]))
    except (ValueError, TypeError, IndexError):
        raise BuildError(
            f"{no_python} (exit code {code}):\n{last_lines(said)}", advice=advice
        ) from None
