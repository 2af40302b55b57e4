"""What every page is given, and how a page is made of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from gates.card.card import Card
from gates.errors import CardError
from gates.report import text
from gates.report.templating import html_environment
from gates.service.all_gates import AllGates
from gates.service.auth import Caller, allow, csrf_token
from gates.service.context import Service
from gates.service.pages import pictures, wording
from gates.service.pages.files import address

__all__ = ["Site", "rendered"]


class Site:
    """The service, and what its pages keep between requests.

    Args:
        registry_trouble: Why the registry could not be read the last time; empty when it could.
    """

    def __init__(self, service: Service, registry_trouble: Callable[[], str]) -> None:
        self.service = service
        self.gates = AllGates(service.jobs, service.last_seen)
        self.project = service.project
        self._trouble = registry_trouble
        self._read: dict[str, tuple[tuple[int, int], Card | CardError]] = {}
        self._lock = threading.Lock()

    def page(self, request: Request, template: str, **values: object) -> HTMLResponse:
        """A page for whoever asks, if they may look.

        Args:
            template: The file name of the template.
            values: What it may use.

        Raises:
            Denied: They have not said who they are.
        """
        caller = allow(request, "viewer")
        return rendered(self.service, caller, template, {"path": request.url.path, **values})

    def card(self, model: str) -> Card | CardError | None:
        """The card of a model, read again when its file changed; None when it has none.

        Returns:
            The card, or what is wrong with it.
        """
        if not self.project.has_card(model):
            return None
        path = self.project.card_path(model)
        state = _state(path)
        with self._lock:
            kept = self._read.get(model)
        if kept and kept[0] == state and isinstance(kept[1], Card):
            return kept[1]
        try:
            card: Card | CardError = self.project.card(model)
        except CardError as problem:
            card = problem
        with self._lock:
            self._read[model] = (state, card)
        return card

    def known(self, model: str) -> None:
        """See that a model has a card or was ever gated.

        Raises:
            HTTPException: 404, it is not known here.
        """
        if "\0" in model or not (
            self.project.has_card(model) or self.service.jobs.page(model=model, size=1).jobs
        ):
            raise HTTPException(404, f"the model '{text.clip(model, 100)}' is not known here")

    def trouble(self, seen: str = "") -> str:
        """Why the registry could not be read the last time; empty when it could.

        Args:
            seen: What came of reading it for this page.
        """
        return seen or self._trouble()


def rendered(
    service: Service,
    caller: Caller | None,
    template: str,
    values: Mapping[str, object],
    status: int = 200,
) -> HTMLResponse:
    """A page.

    Args:
        caller: Who asks; None when that is not known.
        template: The file name of the template.
        values: What the template may use; everything that is not `Markup` is escaped.
        status: The status of the answer.
    """
    made = _environment().get_template(template)
    token = csrf_token(caller, service.key) if caller else ""
    html = made.render(
        {
            "path": "",
            "caller": caller,
            "operates": caller is not None and caller.may("operator"),
            "csrf": token,
            "now": datetime.now(UTC),
            **values,
        }
    )
    return HTMLResponse(html, status)


@cache
def _environment() -> Environment:
    environment = html_environment(PackageLoader("gates.service"))
    environment.filters |= {
        "moment": wording.moment,
        "ago": wording.ago,
        "short_digest": wording.short_digest,
        "breakable": _breakable,
    }
    environment.globals |= {"words": wording, "picture": pictures, "file": address}
    return environment


def _breakable(name: str) -> Markup:
    """A long name that may be broken behind the signs between its words."""
    clean = text.clean(name)
    for sign in "/._-":
        clean = clean.replace(sign, f"{sign}\u200b")
    return Markup("<wbr>").join(clean.split("\u200b"))


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
