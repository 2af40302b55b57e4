"""Functions that may be called with anything: they compute, and run, load and fetch nothing.

Whoever holds a function may call it (`map`, `functools.partial`, the `predict` of a pipeline), so a
function that a pickle merely names is harmless only if calling it is.
"""

from __future__ import annotations

import re

import numpy as np

__all__ = ["is_pure"]

_WORDS = (
    "all allclose amax amin any arange argmax argmin argsort array asarray asanyarray "
    "atleast_1d atleast_2d average bincount broadcast_to clip column_stack concatenate corrcoef "
    "count_nonzero cov cross cumprod cumsum diff digitize dot einsum expand_dims eye flip full "
    "full_like hstack identity inner interp isclose linspace lexsort max mean median min "
    "moveaxis nan_to_num nanmax nanmean nanmedian nanmin nanpercentile nanquantile nanstd "
    "nansum nanvar nonzero ones ones_like outer pad percentile prod ptp quantile ravel repeat "
    "reshape roll round round_ searchsorted sort split squeeze stack std sum swapaxes take "
    "tensordot tile transpose trapz tril triu unique var vstack where zeros zeros_like"
)
_NUMPY = frozenset(_WORDS.split())
_NUMPY_MODULE = re.compile(r"numpy(\._?core(\.\w+)*|\.lib(\.\w+)*|\.linalg(\.\w+)*)?")
_STANDARD = re.compile(
    r"(functools\.(partial|partialmethod|reduce|cmp_to_key|lru_cache|_lru_cache_wrapper|wraps)"
    r"|_?operator\.(?!attrgetter|methodcaller|call$|setitem|delitem)\w+"
    r"|copy\.(copy|deepcopy)|re\.(_compile|compile|escape|sub|findall|match|fullmatch|search|split)"
    r"|unicodedata\.\w+|hashlib\.\w+|_hashlib\.\w+|html\.(un)?escape|urllib\.parse\.\w+"
    r"|random\.(random|randint|choice|shuffle|sample|uniform|gauss)|textwrap\.\w+"
    r"|time\.(time|monotonic|perf_counter)|json\.(dumps|loads)|locale\.(strxfrm|strcoll)"
    r"|inspect\.(Signature|Parameter|_empty|_ParameterKind)|argparse\.Namespace"
    r"|(posixpath|ntpath|genericpath)\.(join|basename|dirname|split|splitext|normpath|normcase)"
    r"|(abc\.ABCMeta|dataclasses\.(Field|_\w+)|contextvars\.\w+|weakref\.(ref|Weak\w+)))"
)
_NUMERIC = re.compile(
    r"(scipy\.(special|stats|spatial|sparse|linalg|interpolate|optimize|signal|ndimage|cluster)\b"
    r"|sklearn\.(metrics|feature_selection|preprocessing|gaussian_process|neighbors|linear_model)\b"
    r"|sklearn\.(ensemble|tree|decomposition|cluster|impute|compose|isotonic|_loss)\b"
    r"|sklearn\.feature_extraction\.text|sklearn\.utils\.(extmath|fixes|validation|_random|_mask)\b"
    r"|torch\.nn\.functional|torch\._C\._nn|torch\.nn\.init|torch\.special)[\w.]*"
)
_TORCH = re.compile(
    r"torch\.(b?float\d*|u?int\d+|bool|complex\d+|half|double|long|short|cfloat|cdouble|qu?int\d+|"
    r"float8_\w+|strided|sparse_\w+|contiguous_format|channels_last|preserve_format|relu|tanh|"
    r"sigmoid|softmax|gelu|exp|log|sin|cos|abs|sum|mean|max|min)"
)


def is_pure(module: str, name: str) -> bool:
    """Whether calling something cannot do more than compute, whatever it is given."""
    full = f"{module}.{name}"
    if _NUMPY_MODULE.fullmatch(module) and "." not in name:
        known = getattr(np, name, None)
        number = isinstance(known, type) and issubclass(known, (np.generic, np.dtype, np.ndarray))
        return name in _NUMPY or isinstance(known, np.ufunc) or (number and name != "memmap")
    return any(pattern.fullmatch(full) for pattern in (_STANDARD, _NUMERIC, _TORCH))
