"""HTTP and nothing else: what opens addresses that people or servers name."""

from __future__ import annotations

from urllib.request import (
    BaseHandler,
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
)

from gates import __version__

__all__ = ["USER_AGENT", "http_opener"]

USER_AGENT = f"mlgates/{__version__}"


def http_opener(*more: BaseHandler) -> OpenerDirector:
    """Opens http(s) addresses, through the proxies of the environment, and follows no redirect.

    Args:
        more: Handlers besides, such as one that follows redirects.
    """
    # Not build_opener: that one also opens file:, ftp: and data:, and follows redirects with all
    # that a request carries, its token too.
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        *more,
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
