"""`gates show`: an outcome again, from its evidence alone."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ProjectOption,
    Speech,
    TrackingOption,
    project_from,
)
from gates.errors import RegistryError, UsageError
from gates.project import Project
from gates.report.renderer import Form
from gates.system.json_files import json_value

if TYPE_CHECKING:
    from gates.evidence.evidence import Evidence

__all__ = ["find_evidence", "show"]

_RUN_ID = re.compile(r"[0-9a-f]{32}")


def show(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run's folder, an evidence.json, models:/NAME/VERSION, or a gate's MLflow run.",
        ),
    ],
    form: Annotated[Form, typer.Option("--as", help="How to show it.")] = Form.TERMINAL,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write there instead of to stdout.")
    ] = None,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a verdict again: in the terminal, or as Markdown, HTML or JUnit.

    Example: gates show models:/product-ranker/7 --as markdown
    """
    from gates.evidence.bundle import read_evidence
    from gates.evidence.evidence import canonical
    from gates.evidence.verdict import settled_verdict
    from gates.report.renderer import find_renderer
    from gates.report.terminal import print_report
    from gates.system.files import write_atomically

    home = project_from(project, tracking_uri, cache)
    speech = Speech(as_json)
    with tempfile.TemporaryDirectory() as scratch:
        path = find_evidence(what, home, Path(scratch))
        kept = path.parent if path.parent != Path(scratch) else None
        evidence = read_evidence(path, verify_key=home.settings.verify_key)
        settled_verdict(evidence, path)
    if as_json:
        speech.result(json_value(canonical(evidence)))
        return
    if form is Form.TERMINAL and not output:
        print_report(evidence, speech.out, folder=kept)
        for line in _approvals(evidence, home):
            speech.say(line)
        return
    content = find_renderer(form).render(evidence)
    if output:
        write_atomically(output.absolute(), content.encode())
        speech.say(f"wrote {output}")
    else:
        typer.echo(content)


def _approvals(evidence: Evidence, home: Project) -> Iterator[str]:
    """Who approved evidence, where its card asks for that."""
    from gates.evidence.approval import Approval
    from gates.promotion.approvals import given

    model = evidence.candidate.name
    policy = home.card(model).policy.approvals if home.has_card(model) else None
    if policy is None:
        return
    registry, version = home.registry, evidence.candidate.version
    wanted = Approval(model, version, registry.identity().id, evidence.digest)
    by = given(policy.keys, registry.events(model), wanted)
    yield f"{len(by)} of {policy.needed} approvals"
    for person, event in by.items():
        yield f"  approved by {person}, {event.when:%Y-%m-%d}: {event.why}"


def find_evidence(what: str, project: Project, scratch: Path) -> Path:
    """The evidence that somebody names.

    Args:
        what: A run's folder, an `evidence.json`, a model version or a gate's MLflow run.
        project: Whose registry is asked.
        scratch: Where what the registry keeps is put.

    Raises:
        UsageError, RegistryError: There is none.
    """
    from gates.registry.names import parse_uri

    path = Path(what)
    if path.is_dir():
        return path / "evidence.json"
    if path.is_file() or what.endswith(".json"):
        return path
    registry = project.registry
    if _RUN_ID.fullmatch(what):
        return registry.evidence_of(what, scratch)
    try:
        parse_uri(what)
    except RegistryError:
        raise UsageError(
            f"'{what}' is no run's folder, no evidence.json and no model version",
            advice="name one of them: gates show models:/NAME/VERSION",
        ) from None
    found = registry.evidence(what, scratch)
    if found is None:
        raise RegistryError(f"{what} was never gated", advice=f"run: gates run {what}")
    return found
