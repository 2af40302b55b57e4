"""A site for tests: a project, jobs of every kind in its store, and its pages behind a socket."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from gates.errors import RegistryError
from gates.registry import Registry
from gates.service.app import AppParts, create_app
from gates.service.config import ServiceConfig, Token
from gates.service.context import Service
from gates.service.pages import page_routes, problem_page
from gates.service.store.values import Job
from tests.service.parts import Noted, app_parts, open_service
from tests.service.serving import Served
from tests.toys import MODEL

ANN = Token("ann", "operator", "ann's token, long enough")
BOB = Token("bob", "viewer", "bob's token, long enough")
GUARDED = ServiceConfig(tokens=(ANN, BOB))
METRIC = "ranking-diff/ndcg@10.delta"


def away() -> Registry:
    """A registry that is not there."""
    raise RegistryError("could not open the registry: it does not answer")


@dataclass(frozen=True)
class Shown:
    """Pages that are served, and the service behind them."""

    service: Service
    url: str

    @property
    def noted(self) -> Noted:
        """The work that was asked for."""
        assert isinstance(self.service.work, Noted)
        return self.service.work

    def browser(self, token: Token | None = None) -> Session:
        """Somebody with a browser that has no scripts."""
        found = Session(self.url)
        if token:
            answer = found.post("/login", token=token.secret)
            assert answer.status_code == 303
        return found


class Session:
    """A browser without scripts: it keeps cookies, and follows nowhere by itself."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()

    def get(self, path: str, **headers: str) -> requests.Response:
        """What comes of asking for a page."""
        return self.http.get(self.url + path, headers=headers, allow_redirects=False, timeout=30)

    def page(self, path: str, status: int = 200) -> str:
        """A page's HTML."""
        answer = self.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def post(self, path: str, **fields: str) -> requests.Response:
        """What comes of a form with these fields and no others."""
        return self.http.post(self.url + path, data=fields, allow_redirects=False, timeout=30)

    def press(self, page: str, action: str, **fields: str) -> requests.Response:
        """Fill in the form on a page that leads to an action, and send it."""
        pattern = rf'<form[^>]*action="{re.escape(action)}".*?</form>'
        form = re.search(pattern, self.page(page), re.DOTALL)
        assert form, f"{page} has no form for {action}"
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0]))
        return self.post(action, **hidden | fields)


@contextmanager
def shown(
    folder: Path,
    project: Path,
    config: ServiceConfig = GUARDED,
    registry: Callable[[], Registry] = away,
    trouble: Callable[[], str] = lambda: "",
) -> Iterator[Shown]:
    """The pages of a service over a project, with its own store in a folder."""
    database = f"sqlite:///{folder / 'service.db'}"
    with open_service(project, database, config, registry) as service, app_parts(service) as plain:
        parts = AppParts(
            plain.receiver,
            plain.metrics,
            trouble,
            page_routes(service, trouble),
            problem_page(service),
        )
        with Served(create_app(service, parts)) as served:
            yield Shown(service, served.url)


def summary(
    verdict: str = "PASS", value: float = 0.012, reasons: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    """What work writes of a gate."""
    metrics = [
        {"name": METRIC, "value": value, "low": value - 0.008, "high": value + 0.008, "n": 180},
        {"name": "ranking-diff/severe-losses", "value": 0.02, "low": None, "high": 0.05, "n": 180},
        {"name": "lockfile/unhashed", "value": 0, "low": None, "high": None, "n": 1},
    ]
    return {
        "verdict": verdict,
        "reasons": list(reasons),
        "champion": "1",
        "metrics": [
            {**one, "outcome": verdict if at == 0 else "PASS"} for at, one in enumerate(metrics)
        ],
        "counts": {"PASS": 12, "FAIL": int(verdict == "FAIL"), "UNDECIDED": 0},
        "seconds": 6.1,
    }


def done(
    service: Service,
    version: str = "2",
    verdict: str = "PASS",
    *,
    model: str = MODEL,
    value: float = 0.012,
    reasons: tuple[str, ...] = (),
    **more: Any,
) -> Job:
    """A gate that came to a verdict."""
    job, _ = service.jobs.ask(model, version, "webhook", "mlflow")
    service.jobs.note(job.id, "the webhook told of a new version")
    values = {"champion": "1", "evidence_digest": "sha256:" + "e" * 64} | more
    service.jobs.change(job.id, state="running", step="record", started_at=job.created_at)
    ended = service.jobs.end(
        job.id, "done", verdict=verdict, summary=summary(verdict, value, reasons), **values
    )
    assert ended
    return ended
