"""The workflow that gates every change, and the first test of one's own."""

from __future__ import annotations

import json
import re

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


def own_test_text(name: str, task: str) -> str:
    """A first test of one's own, which every version passes that works at all.

    Args:
        name: The registered model's name.
        task: Its task.
    """
    return f"{_HEAD.format(name=name)}{_BODIES[task]}"


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
_BODIES: dict[str, str] = {
    "classification": '''\
def test_white_space_around_a_query_is_not_part_of_it(candidate: Arm, golden: GoldenSet) -> None:
    """A query that was pasted with a space behind it gets the same label."""
    before, _ = candidate.labels(golden.texts(golden.query_text))
    after, _ = candidate.labels(golden.texts([f"{text} " for text in golden.query_text]))
    moved = [text for text, a, b in zip(golden.query_text, before, after, strict=True) if a != b]
    assert not moved, f"{len(moved)} queries: {moved[:5]}"
''',
    "ranking": '''\
def test_not_all_candidates_get_one_score(candidate: Arm, golden: GoldenSet) -> None:
    """A model that scores everything alike ranks nothing."""
    scores = candidate.scores(golden.inputs())
    assert scores.min() < scores.max()
''',
    "embedding": '''\
def test_white_space_around_a_text_hardly_moves_its_vector(
    candidate: Arm, golden: GoldenSet
) -> None:
    """A text that was pasted with a space behind it means the same."""
    before = candidate.vectors(golden.texts(golden.query_text))
    after = candidate.vectors(golden.texts([f"{text} " for text in golden.query_text]))
    lengths = (before**2).sum(axis=1) ** 0.5 * (after**2).sum(axis=1) ** 0.5
    assert ((before * after).sum(axis=1) >= 0.95 * lengths).all()
''',
}
