"""Where a gate is run: by hand, or in which run of continuous integration."""

from __future__ import annotations

import os
from collections.abc import Mapping

from gates.registry import GateSource

__all__ = ["CI_SIGNS", "gate_source"]

CI_SIGNS = ("CI", "BUILD_NUMBER", "TF_BUILD")  # GitHub, GitLab and most; Jenkins, TeamCity; Azure
"""Variables by which CI is known."""

_ACTORS = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN")
_PAGES = ("CI_JOB_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL", "BUILD_URL")


def gate_source(by: str, environ: Mapping[str, str] = os.environ) -> GateSource:
    """Who runs a gate, and from where, for the history.

    Args:
        by: Whose process it is; in CI whoever set off the run counts, where that is known.
    """
    if all(environ.get(one, "").lower() in {"", "0", "false"} for one in CI_SIGNS):
        return GateSource(by, "hand")
    return GateSource(_first(_ACTORS, environ) or by, "ci", _page(environ))


def _page(environ: Mapping[str, str]) -> str:
    server, repository = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
    run = environ.get("GITHUB_RUN_ID", "")
    if server and repository and run:
        return f"{server}/{repository}/actions/runs/{run}"
    return _first(_PAGES, environ)


def _first(names: tuple[str, ...], environ: Mapping[str, str]) -> str:
    return next((environ[one] for one in names if environ.get(one)), "")
