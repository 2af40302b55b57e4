"""What it means that a pickle names or calls something: the tables behind each severity.

What nobody lists is at least `medium`, never harmless: a list of dangerous names alone would always
lack some. Of the well-known packages, classes are harmless, and functions where they rebuild values
or only compute (`_pure.py`); of their parts that run, load or fetch, and of the standard library, a
function that is not listed is `critical`, be it called or handed to whoever may call it.

The lists are in `_names.py`; besides them, whatever `picklescan` calls dangerous is.
"""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple

from picklescan.scanner import SafetyLevel, scan_pickle_bytes

from gates.artifacts._names import (
    BUILTINS,
    BUILTINS_THAT_RUN,
    BUILTINS_TO_CALL,
    CALLERS,
    CLASSES,
    EXACTLY,
    EXCEPT,
    HARMLESS,
    KNOWN,
    NO_FUNCTIONS,
    PLAIN,
    REBUILD,
    REBUILDERS,
    RUNNERS,
    SERVES,
    UNPACKERS,
    VERBS,
    WALKED,
    WRITES,
)
from gates.artifacts._pure import is_pure
from gates.domain.artifact_scan import Severity

__all__ = ["Ruling", "judge"]

# picklescan also logs what it returns.
_LOG = logging.getLogger("picklescan")
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False


class Ruling(NamedTuple):
    """How bad something is, why, and what to call it when not by the global's name."""

    severity: Severity
    why: str
    what: str = ""


_RUNS = "it runs commands or code of its own choosing when the file is loaded"
_NETWORK = "it reaches the network when the file is loaded"
_CODE = "functions and classes come as code that no lock covers; the loading process runs it"
_LOADS = "it evaluates text or loads another file when the file is loaded"
_UNKNOWN = "nobody has said that this is harmless; where it is, list it under environment.allow"
_CALLED = "a function that is not known to only rebuild values; " + _UNKNOWN.partition("; ")[2]
_CALLS_OTHERS = "it calls whatever it is handed, so that names are judged as if they were called"
_STANDARD = "of the standard library, only what rebuilds values or computes is known to be harmless"
_UNPACKS = "it unpacks data into which nobody looked"


@lru_cache(maxsize=16_384)
def judge(
    module: str, name: str, called: bool, own: AbstractSet[str], allow: AbstractSet[str]
) -> Ruling | None:
    """What it means that a pickle names, or calls, something.

    Args:
        module: The module's dotted name.
        name: The dotted name inside it.
        called: Whether it is called while the pickle is loaded, or may be by what it is handed to.
        own: The top-level modules that the artifact itself brings.
        allow: `module.name` of what the team knows.

    Returns:
        A severity and why; None when it is harmless.
    """
    if module == "__builtin__":
        module = "builtins"
    full = f"{module}.{name}"
    if full in allow or full in EXACTLY:
        return None
    ruling = _runs(module, name) or _codes(module, name)
    if ruling:
        return ruling
    root = module.partition(".")[0]
    if root == "builtins":
        return _builtin(name, called)
    if is_pure(module, name):
        return None
    if root in SERVES or module in SERVES or module.startswith("google.cloud."):
        return Ruling("high", _NETWORK)
    if root in KNOWN:
        return _known(full, name, called)
    # A file `pathlib.py` in the artifact does not make harmless what the standard library holds.
    if root in own and root not in sys.stdlib_module_names:
        return None
    if _dangerous(module, name):
        return Ruling("critical", _RUNS)
    if root in HARMLESS or (root in CLASSES and not _is_function(name)):
        return None
    if root in UNPACKERS:
        return _by_its_verb(name) or Ruling("high", _UNPACKS)
    if not _is_function(name):
        return Ruling("medium", _UNKNOWN)
    if root in sys.stdlib_module_names:
        return Ruling("critical", _STANDARD)
    return _by_its_verb(name) or Ruling("high" if called else "medium", _UNKNOWN)


def _is_function(name: str) -> bool:
    return not name.rpartition(".")[2].lstrip("_")[:1].isupper()


def _runs(module: str, name: str) -> Ruling | None:
    first, *others = name.split(".")
    if f"{module}.{first}" in NO_FUNCTIONS:
        return Ruling("critical", _RUNS)
    if module.partition(".")[0] in RUNNERS or WALKED.intersection((first, *others)):
        return Ruling("critical", _RUNS)
    if module == "builtins" and BUILTINS_THAT_RUN.intersection((first, *others)):
        return Ruling("critical", _RUNS)
    if module in ("operator", "_operator") and first in ("attrgetter", "methodcaller"):
        return Ruling("critical", _RUNS)
    if any(part.startswith("__") and part.endswith("__") for part in others):
        return Ruling("critical", _RUNS)
    return None


def _codes(module: str, name: str) -> Ruling | None:
    """Functions as code: of cloudpickle (joblib brings a copy) and of dill."""
    if module.removeprefix("joblib.externals.").partition(".")[0] not in ("cloudpickle", "dill"):
        return None
    if _by_its_verb(name) or name in ("_getattribute", "_get_attr", "_import_module"):
        return Ruling("critical", _LOADS)
    return Ruling("medium", _CODE, "holds functions or classes as code")


def _builtin(name: str, called: bool) -> Ruling | None:
    exception = name.endswith(("Error", "Exception", "Warning", "Exit", "Interrupt", "Iteration"))
    method = name.partition(".")[0] in PLAIN and "__" not in name
    if (
        exception
        or method
        or name in (BUILTINS_TO_CALL if called else BUILTINS - {"map", "filter"})
    ):
        return None
    if name in ("map", "filter"):
        return Ruling("high", _CALLS_OTHERS)
    return Ruling("medium", _UNKNOWN)


def _known(full: str, name: str, called: bool) -> Ruling | None:
    if full in REBUILD or REBUILDERS.fullmatch(full):
        return None
    ruling = _by_its_verb(name)
    if ruling or _dangerous(full.removesuffix(f".{name}"), name):
        return ruling or Ruling("critical", _LOADS)
    apart = EXCEPT.fullmatch(full.removesuffix(f".{name}")) is not None
    if not _is_function(name):
        return Ruling("medium", _UNKNOWN) if apart else None
    if apart:
        return Ruling("critical", _LOADS)
    if tuple(full.rsplit(".", 1)) in CALLERS:
        return Ruling("medium", _CALLS_OTHERS)
    # By convention of these packages such a function is what their own `__reduce__` names.
    rebuilds = name.lstrip("_").startswith(("new", "rebuild", "reconstruct", "restore", "unpickle"))
    return Ruling("high" if called and not rebuilds else "medium", _CALLED)


def _by_its_verb(name: str) -> Ruling | None:
    last = name.rpartition(".")[2]
    words = {one.lower() for one in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", last)}
    if WRITES.fullmatch(name) or (_is_function(name) and words & VERBS):
        return Ruling("critical", _LOADS)
    return None


def _dangerous(module: str, name: str) -> bool:
    if not all(part.isidentifier() for part in f"{module}.{name}".split(".")):
        return False  # nothing can be imported by such a name
    found = scan_pickle_bytes(io.BytesIO(f"c{module}\n{name}\n.".encode()), "")
    return any(one.safety is SafetyLevel.Dangerous for one in found.globals)
