"""Versions that a model's files say they were made with: the words for them."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

__all__ = ["Unread", "Written", "distributions_of"]

# Distributions that bring the same package; one of them is enough.
_SAME = (
    ("mlflow", "mlflow-skinny"),
    ("xgboost", "xgboost-cpu"),
    ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tensorflow-macos"),
    ("onnxruntime", "onnxruntime-gpu"),
    ("llama-index", "llama-index-core"),
    ("pyspark", "pyspark-connect", "databricks-connect"),
)
_SAME_AS = {name: group for group in _SAME for name in group}


@dataclass(frozen=True, slots=True)
class Written:
    """A version written into a model's file.

    Attributes:
        package: The distribution's canonical name.
        version: The version, or what stands for it.
        where: The file, relative to the model, and what in it.
        accepts: Which locked versions agree (PEP 440 specifiers); empty when only the same does.
        optional: True when it needs not be locked at all.
    """

    package: str
    version: str
    where: str
    accepts: str = ""
    optional: bool = False

    def agrees(self, locked: str) -> bool:
        """Whether a locked version is what is written."""
        try:
            pinned = Version(locked)
            if self.accepts:
                return SpecifierSet(self.accepts).contains(pinned, prereleases=True)
            written = Version(self.version)
        except InvalidVersion:
            return locked == self.version
        # A build's label (+cu121) is told by what was installed, but not by an index's version.
        labels = {pinned.local, written.local} - {None}
        return pinned.public == written.public and len(labels) < 2


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that may hold a version and was not read, or not to its end: why, in words."""

    reason: str


def distributions_of(package: str) -> tuple[str, ...]:
    """The distributions that bring a package, any of which may be locked.

    Args:
        package: The name it was recorded by.
    """
    name = str(canonicalize_name(package))
    return _SAME_AS.get(name, (name,))
