"""A form that was sent: from a page of ours, by somebody who may."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from gates.service.auth import Caller, Denied, allow, csrf_token, from_our_own_page
from gates.service.context import Service

__all__ = ["operating", "sent", "sent_by"]

_MOST = 64 * 1024


async def sent(request: Request) -> Mapping[str, str]:
    """The fields of a form; the last of each name.

    Raises:
        HTTPException: It is too large, or no form.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST:
            raise HTTPException(413, "the form is too large")
    try:
        fields = dict(
            parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=20)
        )
    except ValueError:
        raise HTTPException(400, "what was sent is no form of ours") from None
    if any("\0" in value for value in fields.values()):  # PostgreSQL keeps no such text
        raise HTTPException(400, "what was sent holds a character that no text has")
    return fields


async def sent_by(request: Request, service: Service, caller: Caller) -> Mapping[str, str]:
    """The fields of a form that a caller sent from a page of ours, made for them.

    Raises:
        Denied: Their browser was made to send it.
        HTTPException: The form cannot be read.
    """
    if not from_our_own_page(request, service.config):
        raise Denied(403, "it was sent from a page that is not ours")
    form = await sent(request)
    expected = csrf_token(caller, service.key).encode()
    if not hmac.compare_digest(form.get("csrf", "").encode(), expected):
        raise Denied(403, "the page was too old, or is not ours: load it again and repeat")
    return form


async def operating(request: Request, service: Service) -> tuple[Caller, Mapping[str, str]]:
    """Who asks for something to be done, and the form in which they do.

    Raises:
        Denied: They may not, or their browser was made to ask.
        HTTPException: The form cannot be read.
    """
    caller = allow(request, "operator")
    return caller, await sent_by(request, service, caller)
