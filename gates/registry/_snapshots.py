"""Copies of artifact trees by digest: what was digested is what will run."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gates.errors import RegistryError
from gates.registry.digests import copy_counted, tree_digest
from gates.system.cached_folders import hold, used

INCOMING = ".incoming-"  # how the folders begin that copies are made in


class Snapshots:
    """A folder of artifact trees, each under its own digest.

    Args:
        root: The folder; made when needed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._held: set[str] = set()

    def path(self, digest: str) -> Path:
        """Where the tree of a digest is.

        Raises:
            RegistryError: It is not there (any more).
        """
        path = self._place(digest)
        if not self._hold(digest):
            raise RegistryError(
                f"the copy of {digest} is not in {self._root}", advice="resolve the model again"
            )
        return path

    def take(self, source: str, tracking_uri: str) -> str:
        """Digest what an artifact URI holds now, and keep a copy of it.

        A local tree is digested where it is and copied only when it is new; anything else has to
        be fetched to be digested at all.

        Args:
            source: The artifact URI.
            tracking_uri: The MLflow store or server it belongs to.

        Returns:
            The digest of the copy.

        Raises:
            IntegrityError: It cannot be digested.
            RegistryError: Copies cannot be kept.
        """
        try:
            self._root.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise RegistryError(
                f"the cache {self._root} cannot be made: {problem.strerror}",
                advice="name a folder that can be written: --cache DIR, or GATES_CACHE",
            ) from None
        local = _local(source)
        if local:
            digest = tree_digest(local)
            if self._whole(digest) and self._hold(digest):
                return digest
        with self._incoming() as incoming:
            tree = local or _download(source, incoming / "fetched", tracking_uri)
            copy = incoming / "copy"
            copy_counted(tree, copy)
            digest = tree_digest(copy)
            if not (self._whole(digest) and self._hold(digest)):
                self._keep(copy, digest, incoming / "damaged")
                self._hold(digest)
        return digest

    @contextlib.contextmanager
    def _incoming(self) -> Iterator[Path]:
        folders = tempfile.TemporaryDirectory(prefix=INCOMING, dir=self._root)
        with folders as folder, used(Path(folder)):
            yield Path(folder)

    def _place(self, digest: str) -> Path:
        return self._root / digest.removeprefix("sha256:")

    def _hold(self, digest: str) -> bool:
        """Keep a copy from being removed while this object lives, and note that it was used."""
        place = self._place(digest)
        if digest not in self._held:
            if not hold(place, self):
                return False
            self._held.add(digest)
        with contextlib.suppress(OSError):  # the cache of another user can still be read
            os.utime(place)
        return place.is_dir()

    def _whole(self, digest: str) -> bool:
        place = self._place(digest)
        return place.is_dir() and tree_digest(place) == digest

    def _keep(self, copy: Path, digest: str, damaged: Path) -> None:
        place = self._place(digest)
        with contextlib.suppress(FileNotFoundError):
            place.rename(damaged)
        try:
            copy.rename(place)
        except OSError:
            if not self._whole(digest):  # else another process was faster, with the same bytes
                raise


def _local(source: str) -> Path | None:
    if source.startswith("file:"):
        return Path(unquote(urlsplit(source).path))
    return Path(source) if source.startswith("/") else None


def _download(source: str, into: Path, tracking_uri: str) -> Path:
    from mlflow.artifacts import download_artifacts

    fetched = download_artifacts(
        artifact_uri=source,
        dst_path=str(into),
        tracking_uri=tracking_uri,
        registry_uri=tracking_uri,
    )
    return Path(fetched)
