"""`gates deployed`: is what serves the champion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ProjectOption,
    Speech,
    TrackingOption,
    project_from,
)
from gates.errors import UsageError

if TYPE_CHECKING:
    from gates.card.card import Card
    from gates.domain.judging import ModelVersion
    from gates.project import Project

__all__ = ["deployed"]


def deployed(
    where: Annotated[
        str,
        typer.Argument(
            metavar="URL|FOLDER|CONTAINER",
            help="An MLflow scoring server, a model folder, or a Docker container.",
        ),
    ],
    model: Annotated[str, typer.Option("--model", metavar="MODEL", help="The registered model.")],
    path: Annotated[
        str, typer.Option("--path", metavar="FOLDER", help="Where the model is in a container.")
    ] = "/opt/ml/model",
    tolerance: Annotated[
        float,
        typer.Option(metavar="NUMBER", min=0.0, help="By how much a server's numbers may differ."),
    ] = 1e-6,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare what serves with the champion and its evidence.

    Files are compared by their digest. A server is asked the golden inputs, and has to answer as
    the champion does in an environment of its own lock: the same answers, not the same files.

    Exit code 0: it is the champion, and evidence speaks for it. 1: not.

    Example: gates deployed http://ranker.example.com:5001 --model product-ranker
    """
    from gates.promotion.deployed import evidence_problems

    home = project_from(project, tracking_uri, cache)
    speech = Speech(as_json)
    card = home.card(model)
    alias = card.policy.champion
    champion = home.registry.alias(model, alias)
    if champion is None:
        raise UsageError(
            f"the alias '{alias}' of '{model}' is not set: there is no champion to compare with",
            advice="promote a version first: gates promote",
        )
    if where.startswith(("http://", "https://")):
        found = _server(home, speech, card, champion, where, tolerance)
    else:
        found = _files(home, speech, model, champion, where, path)
    problems = evidence_problems(home.registry, champion)
    if found["is_champion"]:
        speech.say(f"{where} {found['words']} {champion.uri}, the {alias}", "bold green")
    else:
        speech.say(f"{where} {found['words']}", "bold red")
    for one in problems:
        speech.say(f"  {one}", "red")
    del found["words"]
    speech.result(
        {
            **found,
            "where": where,
            "champion": champion.uri,
            "champion_digest": champion.digest,
            "evidence_problems": list(problems),
        }
    )
    if problems or not found["is_champion"]:
        raise typer.Exit(1)


def _files(
    home: Project, speech: Speech, model: str, champion: ModelVersion, where: str, path: str
) -> dict[str, Any]:
    """What files there are, by their digest."""
    from gates.promotion.deployed import container_digest, folder_digest, version_with

    folder = Path(where)
    with speech.working() as progress:
        progress.add_task("digesting what serves", total=None)
        local = folder.is_dir()
        digest = folder_digest(folder) if local else container_digest(where, path)
        same = digest == champion.digest
        uri = champion.uri if same else version_with(home.registry, model, digest)
    other = f"is {uri}" if uri else f"is no version of {model}"
    return {
        "kind": "folder" if local else "container",
        "is_champion": same,
        "digest": digest,
        "version": uri or None,
        "words": "holds" if same else f"{other}, not {champion.uri}, the champion",
    }


def _server(
    home: Project,
    speech: Speech,
    card: Card,
    champion: ModelVersion,
    where: str,
    tolerance: float,
) -> dict[str, Any]:
    """How a scoring server answers the golden inputs."""
    from gates.environments.cache import EnvironmentCache
    from gates.golden import read_golden
    from gates.promotion.deployed import agreement, ask_server, in_form
    from gates.run.subject import prepare_subject

    golden = read_golden(card.golden_path)
    inputs, policy = golden.inputs(), card.policy
    with speech.working() as progress:
        task = progress.add_task("asking the server", total=None)
        said = ask_server(where, inputs)
        subject = prepare_subject(
            card,
            golden,
            champion,
            None,
            path_of=home.registry.path,
            cache=EnvironmentCache(home.settings.cache),
            progress=lambda text: progress.update(task, description=text),
        )
        try:
            answer = subject.candidate.predicted(inputs)
        finally:
            subject.close()
    ours = in_form(answer, inputs, policy)
    found = agreement(ours, in_form(said, inputs, policy, of=where), tolerance)
    words = f"answers all {found.rows} golden inputs as"
    if found.differing:
        words = (
            f"answers {found.differing} of {found.rows} golden inputs in another way than "
            f"{champion.uri}, the {policy.champion} (the largest difference is {found.largest:.3g})"
        )
    return {
        "kind": "server",
        "is_champion": not found.differing,
        "rows": found.rows,
        "differing": found.differing,
        "largest_difference": found.largest,
        "words": words,
    }
