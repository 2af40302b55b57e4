"""The workflow that gates every change, and the first test of one's own."""

from __future__ import annotations

import json
import re

from gates.scaffold.tasks import TaskScaffold

__all__ = ["own_test_name", "own_test_text", "workflow_text"]


def workflow_text(tracking_uri: str) -> str:
    """The GitHub workflow.

    Args:
        tracking_uri: The MLflow server; a store in a file is left to a variable of the repository,
            as no other machine has it.
    """
    server = tracking_uri.startswith(("http://", "https://")) and "@" not in tracking_uri
    uri = json.dumps(tracking_uri) if server else "${{ vars.MLFLOW_TRACKING_URI }}"
    return f"""\
# Gates the candidates of this repository's model cards on every pull request.
name: gates

on:
  pull_request:

permissions: {{}}

jobs:
  gate:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          persist-credentials: false
      # Put the commit of a release in place of main: a branch can change under you.
      - uses: mlgates/mlgates/.github/actions/gate@main
        with:
          tracking-uri: {uri}
          fail-on: fail
"""


def own_test_text(name: str, scaffold: TaskScaffold) -> str:
    """A first test of one's own, which every version passes that works at all.

    Args:
        name: The registered model's name.
        scaffold: What its task says.
    """
    return f"{_HEAD.format(name=name)}{scaffold.own_test}"


def own_test_name(name: str) -> str:
    """The test's file name.

    Args:
        name: The registered model's name.
    """
    return f"test_{re.sub(r'[^0-9A-Za-z]+', '_', name).strip('_').lower()}.py"


_HEAD = '''\
"""What only {name} needs: ordinary pytest, run with the card. docs/own-tests.md says more."""

# ruff: noqa: S101 - a test asserts

from gates.subject import Arm, GoldenSet


'''
