"""What pickles name, as lists: what runs, serves, writes, rebuilds values or does no harm.

The names come from pickles of scikit-learn, LightGBM, XGBoost, pandas, SciPy, PyTorch and MLflow;
the dangerous ones from the advisories on scanners of pickles.
"""

from __future__ import annotations

import re

__all__ = [
    "BUILTINS",
    "BUILTINS_THAT_RUN",
    "BUILTINS_TO_CALL",
    "CALLERS",
    "CLASSES",
    "EXACTLY",
    "EXCEPT",
    "HARMLESS",
    "KNOWN",
    "NO_FUNCTIONS",
    "PLAIN",
    "REBUILD",
    "REBUILDERS",
    "RUNNERS",
    "SERVES",
    "UNPACKERS",
    "VERBS",
    "WALKED",
    "WRITES",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


RUNNERS = _words(
    "IPython _aix_support _ctypes _io _multiprocessing _osx_support _pickle _posixsubprocess _pyio "
    "_pyrepl _pytest _thread _xxsubinterpreters antigravity atexit "
    "_winapi asyncio bdb cPickle cProfile celery cffi code codeop commands compileall concurrent "
    "ctypes dbm distutils doctest ensurepip execnet fabric faulthandler fileinput gc idlelib imp "
    "importlib invoke io jinja2 jsonpickle lib2to3 mako marshal mmap msvcrt multiprocessing "
    "nbconvert nt numexpr os pdb pexpect pickle pip pkg_resources pkgutil plumbum popen2 posix "
    "profile ptyprocess pty py_compile pydoc pytest rlcompleter runpy sched setuptools sh shelve "
    "shutil signal site socket sqlite3 subprocess sys sysconfig test threading timeit tkinter "
    "trace unittest venv winreg yaml zipapp zipimport"
)
# No class or function goes by such a name: `os.system` of `inspect` walks into another module.
WALKED = _words(
    "_io _pickle builtins ctypes importlib marshal nt os pickle posix pty runpy shutil socket "
    "subprocess sys"
)
SERVES = _words(
    "aiohttp boto3 botocore ftplib google.cloud grpc http httplib httplib2 httpx imaplib nntplib "
    "paramiko poplib requests smtplib socketserver ssl telnetlib urllib urllib2 urllib3 webbrowser "
    "websocket websockets xmlrpc"
)
BUILTINS_THAT_RUN = _words(
    "__import__ apply breakpoint compile delattr eval exec execfile file getattr globals help "
    "input locals open reload setattr vars"
)
BUILTINS = _words(
    "Ellipsis NotImplemented abs all any bool bytearray bytes callable chr complex dict divmod "
    "enumerate filter float format frozenset hash hex id int isinstance issubclass iter len list "
    "map max memoryview min next object oct ord pow print property range repr reversed round set "
    "slice sorted staticmethod classmethod str sum super tuple type zip"
)
PLAIN = _words("str bytes bytearray int float complex list tuple dict set frozenset range bool")
BUILTINS_TO_CALL = BUILTINS - {"filter", "map", "next", "iter", "type", "print", "super"}
NO_FUNCTIONS = _words(  # classes of the standard library that run or write when they are made
    "gzip.GzipFile bz2.BZ2File lzma.LZMAFile zipfile.ZipFile zipfile.PyZipFile tarfile.TarFile "
    "logging.FileHandler types.CodeType types.FunctionType types.LambdaType codecs.StreamWriter "
    "contextlib.ExitStack weakref.finalize tempfile.NamedTemporaryFile tempfile.TemporaryFile "
    "tempfile.TemporaryDirectory tempfile.SpooledTemporaryFile"
)
UNPACKERS = _words("base64 binascii bz2 codecs gzip lzma zlib _codecs _bz2 _lzma _compression")
CALLERS = frozenset(
    tuple(one.rsplit(".", 1))
    for one in _words(
        "builtins.map builtins.filter builtins.sorted builtins.max builtins.min builtins.property "
        "functools.partial functools.partialmethod functools.reduce functools.cmp_to_key "
        "functools.lru_cache functools.singledispatch itertools.starmap itertools.accumulate "
        "itertools.filterfalse itertools.takewhile itertools.dropwhile itertools.groupby "
        "numpy.vectorize numpy.frompyfunc numpy.apply_along_axis numpy.apply_over_axes "
        "numpy.fromfunction numpy.piecewise collections.defaultdict re.sub types.MethodType "
        "joblib.parallel.delayed joblib.parallel.BatchedCalls joblib.delayed operator.call "
        "numpy.lib.function_base.vectorize numpy.lib._function_base_impl.vectorize"
    )
)
"""What calls what it is handed."""

EXACTLY = frozenset(
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
HARMLESS = _words(
    "__torch__ _collections _datetime _decimal array cmath collections datetime decimal enum "
    "fractions ipaddress itertools math numbers statistics string"
)
# Of these, what is written with a capital.
CLASSES = _words("abc json pathlib random re time types typing typing_extensions zoneinfo")
KNOWN = _words(
    "catboost joblib keras lightgbm mlflow numpy onnx onnxruntime pandas pyarrow safetensors scipy "
    "sentence_transformers skl2onnx sklearn skops tensorflow threadpoolctl tokenizers torch "
    "transformers xgboost"
)
# Parts of well-known packages that run, load or fetch: no function of theirs is harmless.
EXCEPT = re.compile(
    r"(joblib\.externals|joblib\.memory|mlflow(?!\.types|\.models\.signature|\.pyfunc\.model$)"
    r"|numpy\.(ctypeslib|distutils|f2py|testing|lib\._?(npyio|datasource))"
    r"|pandas\.(io|core\.computation|_testing|testing|util)|pyarrow\.(fs|dataset|flight|_fs)"
    r"|scipy\.(io|datasets|weave|misc)|sklearn\.(datasets|externals)"
    r"|torch\.(_dynamo|_inductor|_ops|ops|distributed|fx|hub|multiprocessing|package|testing)"
    r"|torch\.utils\.(_config_module|bottleneck|collect_env|cpp_extension|data|model_zoo)"
    r"|xgboost\.(collective|dask|rabit|spark|tracker)|lightgbm\.dask"
    r"|(keras|tensorflow(\.python)?(\.keras)?)\.(src\.)?(utils|config|saving|lib\.io)"
    r"|transformers\.(utils|commands|dynamic_module_utils)|onnxruntime\.tools)\b.*"
)
# A word of a function's name that says it runs, loads, fetches or writes.
VERBS = _words(
    "eval evaluate exec execute load loads loadtxt genfromtxt fromregex fromfile tofile memmap "
    "open popen query read run runs runstring spawn system compile import shell cmd command fetch "
    "download install url urlopen urlretrieve save savez savetxt dump dumps write unlink rmtree "
    "fork subprocess launch getattr setattr parse_expr sympify lambdify"
)
WRITES = re.compile(
    r".*\bto_(pickle|csv|json|excel|hdf|parquet|feather|orc|sql|html|xml|stata|clipboard|latex|gbq)"
)
REBUILD = frozenset(
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
REBUILDERS = re.compile(
    r"(numpy\.(_?core)\.(multiarray|numeric|_multiarray_umath|_ufunc_reconstruct)\."
    r"(_reconstruct|scalar|_frombuffer)"
    r"|numpy\._?core\._ufunc_reconstruct"
    r"|numpy\.random\._pickle\.__[a-z_]+_ctor"
    r"|numpy\.ma\.core\._mareconstruct"
    r"|torch\._utils\._rebuild_\w+"
    r"|\w[\w.]*\.__pyx_unpickle_\w+)"
)
