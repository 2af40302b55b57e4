"""Is everything there that gates and the service need? One line a question, an answer each.

finding.py    what a question came to
project.py    cards, golden sets, keys
machine.py    uv, Docker, disk, cache
mlflow.py     the registry: reached, written to, its clock, its webhook
service.py    secrets, and the service itself
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gates.doctor.finding import Diagnosis
from gates.doctor.machine import cache, disk, engine, packages
from gates.doctor.mlflow import registry, webhook
from gates.doctor.project import cards, keys
from gates.doctor.service import secrets, service
from gates.errors import GatesError
from gates.project import Project
from gates.settings import Settings

__all__ = ["Diagnosis", "examine"]


def examine(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    write: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Diagnosis]:
    """Every question, in the order in which they are best put right.

    Args:
        settings: Where the project, the cache and MLflow are.
        environ: Environment variables, for what the service would be told.
        write: Whether MLflow may be written to: a run is made and deleted, a delivery is sent.
        progress: Told what is being looked at.
    """
    project = Project(settings)
    questions: tuple[tuple[str, Callable[[], Iterator[Diagnosis]]], ...] = (
        ("cards", lambda: cards(project)),
        ("signing key", lambda: keys(settings)),
        ("uv", packages),
        ("Docker", lambda: engine(project)),
        ("disk", lambda: disk(settings)),
        ("cache", lambda: cache(settings)),
        ("MLflow", lambda: registry(settings, write=write)),
        ("secrets", lambda: secrets(settings, environ)),
        ("webhook", lambda: webhook(settings, environ, write=write)),
        ("service", lambda: service(settings, environ)),
    )
    said: dict[str, str] = {}
    for what, ask in questions:
        progress(f"looking at: {what}")
        try:
            yield from ask()
        except GatesError as problem:
            before = said.setdefault(problem.what, what)
            if before == what:
                advice = problem.advice or "mend that, then look again: gates doctor"
                yield Diagnosis(what, "wrong", problem.what, advice)
            else:
                yield Diagnosis(what, "note", f"could not be looked at: mend '{before}' first")
        except OSError as problem:
            yield Diagnosis(what, "wrong", str(problem), "check that it can be read and written")
