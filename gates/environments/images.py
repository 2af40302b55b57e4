"""Container images of model environments: a base image, and upon it what one lock says.

The packages are installed on this machine, by uv and by hash, as wheels for the base image's Python
and platform: no package's code runs, and the engine needs neither pip nor a network. They are laid
out as a virtual environment, kept in the cache (whole or not there, as `cache.py` has it, so that
they can be read from outside), and put upon the base image, where byte code is written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from gates.domain.installation import InstallableLock
from gates.domain.judging import EnvironmentFacts
from gates.environments._base_image import BaseImage, find_base
from gates.environments._building import BUILD_SECONDS, install_arguments, run_uv, silent
from gates.environments._container import ContainerWorker
from gates.environments._engine import (
    connected,
    engine_troubles,
    owned,
    removed_after,
    run_to_end,
    sweep_containers,
)
from gates.environments._places import BuiltFacts, EnvironmentPlace
from gates.environments._tar import tarred
from gates.environments.launching import Limits
from gates.errors import BuildError
from gates.system.cached_folders import hold
from gates.system.commands import last_lines

if TYPE_CHECKING:
    from docker import DockerClient

__all__ = ["ContainerEnvironment", "ImageCache", "engine_version", "forget_image", "image_tag"]


def engine_version() -> str:
    """The version of the Docker engine.

    Raises:
        BuildError: It cannot be reached.
    """
    with connected(seconds=10.0) as client, engine_troubles("saying its version"):
        return str(client.version()["Version"])


_RECIPE = "gates-image-3"  # part of the key: raise it when images are built otherwise
_PATIENCE_SECONDS = 1.0
_REPOSITORY = "mlgates-env"
_KEY_LABEL = "mlgates.key"
_HOME = PurePosixPath("/opt/mlgates/environment")
_COMPILE = (
    "import compileall, py_compile, re, sys\n"
    "compileall.compile_dir(sys.argv[1], quiet=2, workers=0, rx=re.compile(r'/tests?/'),\n"
    "    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)\n"
)


@dataclass(frozen=True)
class ContainerEnvironment:
    """An image that holds exactly what one lock says, upon a base image.

    Attributes:
        path: A folder of this machine that holds the same distributions, to be read, not run.
        image: The engine's id of the image.
        facts: Its key, Python, platform and base image, and whether it was found or built.
    """

    path: Path
    image: str
    facts: EnvironmentFacts

    def launch(self, model_dir: Path, limits: Limits, hello: Mapping[str, Any]) -> ContainerWorker:
        """Start a worker in it; see `gates.environments.launching.Launchable`."""
        python = str(_HOME / "bin" / "python")
        return ContainerWorker(self.image, python, model_dir, limits, hello)


class ImageCache:
    """Finds or builds the image a lock asks for.

    Args:
        root: The cache folder; made when it is needed. Any number of processes may share it.
    """

    def __init__(self, root: Path) -> None:
        self._folders = root.absolute() / "images"
        self._notes = root.absolute() / "base-images"

    def ensure(
        self,
        lock: InstallableLock,
        *,
        image: str,
        python: str | None = None,
        progress: Callable[[str], None] = silent,
    ) -> ContainerEnvironment:
        """The environment of a lock upon a base image, built when there is none yet.

        Args:
            lock: What it is to hold; it may be empty.
            image: The base image: `name@sha256:…`, an id, or a tag.
            python: The Python version the model needs, such as `3.11`; None takes the image's.
            progress: Told what is being done, a line at a time.

        Raises:
            BuildError: No engine, no such image, another Python in it, or uv could not
                install the lock for it; with uv's last lines.
        """
        started = time.monotonic()
        try:
            with connected() as engine:
                sweep_containers(engine)
                base = find_base(engine, image, self._notes, progress)
                _require_python(base, image, python)
                place = EnvironmentPlace(self._folders / _key(lock, base))
                found, cached = self._find(engine, place), True
                if found is None:
                    with place.locked() as held:
                        found = self._find(engine, place)
                        if found is None:
                            progress(f"building the image of {lock.path} ({base.python})")
                            self._lay_out(place, lock, base, held, progress)
                            # Another cache may have had it made: the key says what is in it.
                            found = self._image(engine, place)
                            if found is None:
                                found = self._commit(place, base, progress)
                            cached = False
        except OSError as error:
            raise BuildError(
                f"the environment of {lock.path} could not be written: {error}",
                advice=f"Check free space and permissions of {self._folders.parent}.",
            ) from error
        built = place.facts() or BuiltFacts(place.key)
        facts = EnvironmentFacts(
            key=place.key,
            python=base.python,
            platform=base.platform,
            cached=cached,
            build_seconds=time.monotonic() - started,
            image=base.id,
            lock=lock.digest,
            installer=built.installer,
            distributions=built.distributions,
        )
        environment = ContainerEnvironment(place.home, found, facts)
        hold(place.home, environment)
        with contextlib.suppress(OSError):  # the cache of another user can still be read
            os.utime(place.marker)
        return environment

    def _find(self, engine: DockerClient, place: EnvironmentPlace) -> str | None:
        """The id of the whole image of a place, when its folder is there and whole as well."""
        return None if place.damage() else self._image(engine, place)

    def _image(self, engine: DockerClient, place: EnvironmentPlace) -> str | None:
        """The id of the image of a place's key, when the engine has it."""
        from docker.errors import ImageNotFound

        with engine_troubles("looking for an image"):
            try:
                image = engine.images.get(image_tag(place.key))
            except ImageNotFound:
                return None
        return str(image.id) if image.labels.get(_KEY_LABEL) == place.key else None

    def _lay_out(
        self,
        place: EnvironmentPlace,
        lock: InstallableLock,
        base: BaseImage,
        held: int,
        progress: Callable[[str], None],
    ) -> None:
        """Make the folder: a virtual environment's layout, its Python being that of the image."""
        if not place.damage():
            return  # only the engine has lost its image
        if not place.clear(patience=_PATIENCE_SECONDS):
            raise BuildError(
                f"the folder of the image of {lock.path} is not as it was made, and somebody still "
                f"uses it: {place.home}",
                advice="Wait until that has ended, then run again: it will be made anew.",
            )
        building = place.building
        packages = building / "lib" / f"python{base.series}" / "site-packages"
        try:
            packages.mkdir(parents=True)
            requirements = building / "requirements.txt"
            requirements.write_bytes(lock.requirements)
            where = ["--target", str(packages)]
            where += ["--python-version", base.python, "--python-platform", base.target]
            run_uv(install_arguments(requirements, *where), held, lock.path, progress)
            (packages / ".lock").unlink(missing_ok=True)
            (building / "bin").mkdir()
            (building / "bin" / "python").symlink_to(base.executable)
            (building / "pyvenv.cfg").write_text(
                f"home = {PurePosixPath(base.executable).parent}\n"
                f"include-system-site-packages = false\nversion = {base.python}\n",
                encoding="utf-8",
            )
            place.finish(lock.digest, python=base.python, platform=base.platform, image=base.id)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise

    def _commit(
        self, place: EnvironmentPlace, base: BaseImage, progress: Callable[[str], None]
    ) -> str:
        """Put the folder upon the base image, compile it there, and tag what came of it."""
        from docker.types import LogConfig

        progress("writing the image, and byte code in it")
        with (
            connected(seconds=BUILD_SECONDS) as engine,
            engine_troubles("building an image", advice="Check the engine's free space and log."),
        ):
            container = engine.containers.create(
                base.id,
                # -S: what a distribution asks to be run whenever Python starts is not run here.
                entrypoint=[base.executable, "-I", "-S", "-B", "-c", _COMPILE],
                command=[str(_HOME / "lib")],
                network_mode="none",
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                user="0:0",
                working_dir="/",
                labels=owned(),
                log_config=LogConfig(type=LogConfig.types.JSON),
                use_config_proxy=False,
            )
            with removed_after(engine, container):
                container.put_archive("/", tarred((place.home, _HOME)))
                code, said = run_to_end(container, seconds=BUILD_SECONDS)
                if code != 0:
                    raise BuildError(
                        f"byte code could not be written upon the base image {base.id[:19]} "
                        f"(exit code {code}):\n{last_lines(said)}",
                        advice="Take another base image, such as an official Python image.",
                    )
                built = container.commit(
                    _REPOSITORY,
                    place.key[:32],
                    changes=[f"LABEL {_KEY_LABEL}={place.key}", "ENTRYPOINT []", "CMD []"],
                )
                return str(built.id)


def image_tag(key: str) -> str:
    """The tag of the image of a key."""
    return f"{_REPOSITORY}:{key[:32]}"


def forget_image(key: str) -> None:
    """Let the engine remove the image of a key, if it can be reached and nobody runs it.

    Without its folder the image would be made anew; left behind, it takes only room.

    Args:
        key: The key of the environment.
    """
    from docker.errors import DockerException

    with contextlib.suppress(BuildError, DockerException, OSError), connected() as engine:
        engine.images.remove(image_tag(key))


def _key(lock: InstallableLock, base: BaseImage) -> str:
    parts = (_RECIPE, lock.digest, base.id, base.python, base.platform)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _require_python(base: BaseImage, image: str, python: str | None) -> None:
    if python is not None and ".".join(python.split(".")[:2]) != base.series:
        raise BuildError(
            f"the model needs Python {python}, and the base image {image} has {base.python}",
            advice="Name a base image with that Python in the card ('environment: image'), or "
            "package the model for the image's.",
        )
