"""What it means that a pickle names or calls something: the tables behind each severity.

What nobody lists is `medium`, never harmless: a list of dangerous names alone would always lack
some. Of the well-known packages, classes and the functions that rebuild values are harmless, and
any function may be named; one that is called must be among those that rebuild values.

The names in the tables come from pickles of scikit-learn, LightGBM, XGBoost, pandas, SciPy, PyTorch
and MLflow; the dangerous ones from the advisories on scanners of pickles, and besides them whatever
`picklescan` calls dangerous.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple

from picklescan.scanner import SafetyLevel, scan_pickle_bytes

from gates.domain.artifact_scan import Severity

__all__ = ["judge"]

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


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_RUNNERS = _words(
    "_ctypes _io _multiprocessing _osx_support _aix_support _pickle _posixsubprocess _pyrepl "
    "_winapi asyncio bdb cPickle cProfile code codeop commands concurrent ctypes distutils "
    "doctest ensurepip faulthandler gc idlelib imp importlib lib2to3 marshal msvcrt "
    "multiprocessing nt os pdb pickle pip pkg_resources pkgutil popen2 posix profile pty pydoc "
    "runpy sched setuptools shelve shutil signal site socket subprocess sys sysconfig test "
    "threading timeit trace venv winreg zipimport"
)
# No class or function goes by such a name: `os.system` of `inspect` walks into another module.
_WALKED = _words(
    "_io _pickle builtins ctypes importlib marshal nt os pickle posix pty runpy shutil socket "
    "subprocess sys"
)
_SERVES = _words(
    "aiohttp boto3 botocore ftplib google.cloud grpc http httplib httplib2 httpx imaplib nntplib "
    "paramiko poplib requests smtplib socketserver ssl telnetlib urllib urllib2 urllib3 webbrowser "
    "websocket websockets xmlrpc"
)
_BUILTINS_THAT_RUN = _words(
    "__import__ apply breakpoint compile delattr eval exec execfile file getattr globals help "
    "input locals open reload setattr vars"
)
_BUILTINS = _words(
    "Ellipsis NotImplemented abs all any bool bytearray bytes callable chr complex dict divmod "
    "enumerate filter float format frozenset hash hex id int isinstance issubclass iter len list "
    "map max memoryview min next object oct ord pow print property range repr reversed round set "
    "slice sorted staticmethod classmethod str sum super tuple type zip"
)
_BUILTINS_TO_CALL = _BUILTINS - {"filter", "map", "next", "iter", "type", "print", "super"}

_EXACTLY = frozenset(
    {
        "_codecs.encode",
        "_io.BytesIO",
        "_io.StringIO",
        "io.BytesIO",
        "io.StringIO",
        "codecs.encode",
        "copyreg._reconstructor",
        "copyreg.__newobj__",
        "copyreg.__newobj_ex__",
        "functools.partial",
        "logging.Logger",
        "logging.RootLogger",
        "logging.getLogger",
        "ntpath.join",
        "operator.itemgetter",
        "_operator.itemgetter",
        "re._compile",
        "sre_compile._compile",
        "urllib.parse.ParseResult",
        "urllib.parse.SplitResult",
        "uuid.SafeUUID",
        "uuid.UUID",
        "time.struct_time",
        "zoneinfo.ZoneInfo._unpickle",
    }
)
_HARMLESS = _words(
    "__torch__ _collections _datetime _decimal array cmath collections datetime decimal enum "
    "fractions ipaddress itertools math numbers statistics string"
)
# Of these, what is written with a capital.
_CLASSES = _words("abc json pathlib random re time types typing typing_extensions zoneinfo")
_KNOWN = _words(
    "catboost joblib lightgbm mlflow numpy pandas pyarrow scipy sklearn threadpoolctl torch xgboost"
)
# Parts of well-known packages that run, load or fetch.
_EXCEPT = (
    "joblib.externals",
    "mlflow.artifacts",
    "mlflow.projects",
    "mlflow.tracking",
    "mlflow.utils",
    "numpy.ctypeslib",
    "numpy.distutils",
    "numpy.f2py",
    "numpy.testing",
    "pandas.io",
    "pyarrow.fs",
    "sklearn.datasets",
    "sklearn.externals",
    "torch._dynamo",
    "torch._inductor",
    "torch.distributed",
    "torch.fx",
    "torch.hub",
    "torch.multiprocessing",
    "torch.package",
    "torch.utils.cpp_extension",
)
_EVALUATE = re.compile(
    r"(?:.*_)?(?:eval|exec|execute|load|loads|open|popen|query|read_[a-z0-9_]+|run|runstring|spawn|"
    r"system|compile_file|import_module)"
)
_REBUILD = frozenset(
    {
        "joblib.numpy_pickle.NumpyArrayWrapper",
        "numpy.dtype",
        "numpy.ndarray",
        "pandas._libs.internals._unpickle_block",
        "pandas._libs.tslibs.timestamps._unpickle_timestamp",
        "pandas._libs.tslibs.timedeltas._timedelta_unpickle",
        "pandas._libs.tslibs.offsets._offset_unpickle",
        "pandas.core.indexes.base._new_Index",
        "pandas.core.indexes.datetimes._new_DatetimeIndex",
        "pandas.core.internals.blocks.new_block",
        "sklearn.neighbors._kd_tree.newObj",
        "sklearn.neighbors._ball_tree.newObj",
        "sklearn.metrics._dist_metrics.newObj",
        "sklearn.tree._tree._build_pruned_tree_py",
        "torch.device",
        "torch.storage._load_from_bytes",
        "torch.serialization._get_layout",
        "torch.jit._pickle.build_intlist",
        "torch.jit._pickle.build_tensorlist",
        "torch.jit._pickle.build_doublelist",
        "torch.jit._pickle.build_boollist",
        "torch.jit._pickle.build_tensor_from_id",
        "torch.jit._pickle.restore_type_tag",
        "torch._tensor._rebuild_from_type_v2",
    }
)
_REBUILDERS = re.compile(
    r"(numpy\.(_?core)\.(multiarray|numeric|_multiarray_umath|_ufunc_reconstruct)\."
    r"(_reconstruct|scalar|_frombuffer)"
    r"|numpy\._?core\._ufunc_reconstruct"
    r"|numpy\.random\._pickle\.__[a-z_]+_ctor"
    r"|torch\._utils\._rebuild_\w+"
    r"|\w[\w.]*\.__pyx_unpickle_\w+)"
)


@lru_cache(maxsize=16_384)
def judge(
    module: str, name: str, called: bool, own: AbstractSet[str], allow: AbstractSet[str]
) -> Ruling | None:
    """What it means that a pickle names, or calls, something.

    Args:
        module: The module's dotted name.
        name: The dotted name inside it.
        called: Whether it is called while the pickle is loaded.
        own: The top-level modules that the artifact itself brings.
        allow: `module.name` of what the team knows.

    Returns:
        A severity and why; None when it is harmless.
    """
    if module == "__builtin__":
        module = "builtins"
    full = f"{module}.{name}"
    if full in allow or full in _EXACTLY:
        return None
    ruling = _runs(module, name) or _codes(module, name)
    if ruling:
        return ruling
    root = module.partition(".")[0]
    if root in _SERVES or module in _SERVES or module.startswith("google.cloud."):
        return Ruling("high", _NETWORK)
    if root == "builtins":
        return _builtin(name, called)
    if root in _KNOWN and not module.startswith(_EXCEPT):
        return _known(full, name, called)
    if root in own:
        return None
    if _dangerous(module, name):
        return Ruling("critical", _RUNS)
    if root in _HARMLESS or (root in _CLASSES and not (called and _is_function(name))):
        return None
    return Ruling("medium", _UNKNOWN)


def _is_function(name: str) -> bool:
    return not name.rpartition(".")[2].lstrip("_")[:1].isupper()


def _runs(module: str, name: str) -> Ruling | None:
    first, *others = name.split(".")
    if module.partition(".")[0] in _RUNNERS or _WALKED.intersection((first, *others)):
        return Ruling("critical", _RUNS)
    if module == "builtins" and _BUILTINS_THAT_RUN.intersection((first, *others)):
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
    if _EVALUATE.fullmatch(name) or name in ("_getattribute", "_get_attr", "_import_module"):
        return Ruling("critical", _LOADS)
    return Ruling("medium", _CODE, "holds functions or classes as code")


def _builtin(name: str, called: bool) -> Ruling | None:
    exception = name.endswith(("Error", "Exception", "Warning", "Exit", "Interrupt", "Iteration"))
    if exception or name in (_BUILTINS_TO_CALL if called else _BUILTINS):
        return None
    return Ruling("medium", _UNKNOWN)


def _known(full: str, name: str, called: bool) -> Ruling | None:
    if full in _REBUILD or _REBUILDERS.fullmatch(full):
        return None
    last = name.rpartition(".")[2]
    if _EVALUATE.fullmatch(last) or _dangerous(full.removesuffix(f".{name}"), name):
        return Ruling("critical", _LOADS)
    return Ruling("medium", _CALLED) if called and _is_function(name) else None


def _dangerous(module: str, name: str) -> bool:
    if not all(part.isidentifier() for part in f"{module}.{name}".split(".")):
        return False  # nothing can be imported by such a name
    found = scan_pickle_bytes(io.BytesIO(f"c{module}\n{name}\n.".encode()), "")
    return any(one.safety is SafetyLevel.Dangerous for one in found.globals)
