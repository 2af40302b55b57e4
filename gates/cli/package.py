"""`gates package`: from a model folder to a registered version."""

from __future__ import annotations

from typing import Annotated

import typer

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ProjectOption,
    Speech,
    TrackingOption,
    project_from,
)

__all__ = ["package"]


def package(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A folder under models/.")],
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build a model in its own locked environment and register it with its lock and digests.

    Example: gates package product-ranker
    """
    from gates import packaging
    from gates.golden import golden_digest
    from gates.locks.source_files import source_builds
    from gates.run.delivery import who
    from gates.run.pruning import environments_of

    home = project_from(project, tracking_uri, cache)
    speech = Speech(as_json)
    with speech.working() as progress:
        task = progress.add_task("reading the model card", total=None)
        card = home.card(model)
        version = packaging.package(
            model,
            models=home.models_folder,
            registry=home.registry,
            environments=environments_of(home.settings),
            golden_digest=golden_digest(card.golden_path),
            by=who(),
            progress=lambda text: progress.update(task, description=text),
            sources=source_builds(card.policy.environment.source_builds),
        )
    speech.say(f"packaged {version.uri}", "bold")
    speech.say(f"  artifact  {version.digest}\n  lock      {version.lock_digest}")
    speech.say(f"  next      gates run {version.uri}")
    speech.result(
        {
            "uri": version.uri,
            "name": version.name,
            "version": version.version,
            "digest": version.digest,
            "lock_digest": version.lock_digest,
            "tags": dict(version.tags),
        }
    )
