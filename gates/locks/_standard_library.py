"""Which modules the standard library of another Python has."""

from __future__ import annotations

import sys

__all__ = ["standard_library"]

# Minor version of Python 3 → top-level modules that came with it, and that went with it.
_CAME = {
    9: "graphlib zoneinfo",
    11: "tomllib",
    14: "annotationlib compression",
}
_WENT = {
    9: "dummy_threading",
    10: "formatter parser symbol",
    11: "binhex",
    12: "asynchat asyncore distutils imp smtpd",
    13: "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev "
    "pipes sndhdr spwd sunau telnetlib uu xdrlib",
}


def standard_library(minor: int) -> frozenset[str]:
    """The top-level modules of Python 3's standard library.

    Starts from this Python's own list and follows what came and went, as the "What's New" pages
    of Python 3.9 to 3.14 have it.

    Args:
        minor: The minor version, 12 for Python 3.12.
    """
    modules = set(sys.stdlib_module_names)
    for came, names in _CAME.items():
        (modules.update if came <= minor else modules.difference_update)(names.split())
    for went, names in _WENT.items():
        (modules.difference_update if went <= minor else modules.update)(names.split())
    return frozenset(modules)
