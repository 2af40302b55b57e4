"""The service as pages: HTML from the server, a little script, nothing from another host.

    site.py          what every page is given, and how a page is made of it
    wording.py       states, verdicts and times in words
    numbers.py       the main numbers of a gate
    pictures.py      trends as SVG
    overview.py      `/`, and all gates at `/gates`
    gate.py          `/gates/{id}`, live while it waits and runs, and its report
    model.py         `/models/{name}`: history, versions, trend, what its card requires
    history.py       what was done to a model, by whoever and from wherever
    golden.py        `/golden/{name}`: what the golden set of a model's card holds
    actions.py       what buttons ask for: gate, cancel, promote, roll back
    forms.py         a form that was sent: from our own page, by somebody who may
    signing_in.py    `/login`, `/logout`
    files.py         style, script and icon, under the digest of what they hold

Pages are read without JavaScript too; the script only fetches a page again while it changes.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gates.service.auth import caller_of
from gates.service.context import Service
from gates.service.pages.actions import action_routes
from gates.service.pages.files import file_routes
from gates.service.pages.gate import gate_routes
from gates.service.pages.golden import golden_routes
from gates.service.pages.model import model_routes
from gates.service.pages.overview import overview_routes
from gates.service.pages.signing_in import sign_in_path, sign_in_routes
from gates.service.pages.site import Site, rendered
from gates.service.pages.wording import PROBLEMS

__all__ = ["page_routes", "problem_page"]


def page_routes(service: Service, registry_trouble: Callable[[], str]) -> list[Route]:
    """Every page, and what their buttons ask for.

    Args:
        registry_trouble: Why the registry could not be read the last time; empty when it could.
    """
    site = Site(service, registry_trouble)
    return [
        *overview_routes(site),
        *gate_routes(site),
        *action_routes(site),
        *model_routes(site),
        *golden_routes(site),
        *sign_in_routes(site),
        *file_routes(),
    ]


def problem_page(service: Service) -> Callable[[Request, int, str], Response]:
    """What makes the page for a status and its reason; who is not known is led to sign in."""

    def page(request: Request, status: int, why: str) -> Response:
        if status == 401 and service.config.tokens:
            return RedirectResponse(sign_in_path(request), 303)
        title, advice = PROBLEMS.get(status, PROBLEMS[0])
        what, *lines = why.splitlines() or [title]
        values = {"title": title, "what": what, "lines": lines, "advice": advice}
        return rendered(
            service, caller_of(request), "problem.html", {"code": status, **values}, status
        )

    return page
