"""Where a gate ran: told by the variables that each CI sets."""

from __future__ import annotations

import pytest

from gates.registry import GateSource
from gates.run.source import gate_source


def test_a_gate_outside_of_ci_is_run_by_hand() -> None:
    for environ in ({}, {"CI": "false"}, {"GITHUB_ACTOR": "ann"}):
        assert gate_source("bob", environ) == GateSource("bob", "hand")


@pytest.mark.parametrize(
    ("environ", "by", "link"),
    [
        (
            {
                "CI": "true",
                "GITHUB_ACTOR": "ann",
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "shop/search",
                "GITHUB_RUN_ID": "77",
            },
            "ann",
            "https://github.com/shop/search/actions/runs/77",
        ),
        (
            {"CI": "true", "GITLAB_USER_LOGIN": "ann", "CI_JOB_URL": "https://gitlab.com/j/1"},
            "ann",
            "https://gitlab.com/j/1",
        ),
        (
            {"BUILD_NUMBER": "3", "BUILD_URL": "https://jenkins.example/3"},
            "runner",
            "https://jenkins.example/3",
        ),
        ({"TF_BUILD": "True"}, "runner", ""),
    ],
)
def test_a_gate_in_ci_says_who_set_it_off_and_where_its_page_is(
    environ: dict[str, str], by: str, link: str
) -> None:
    assert gate_source("runner", environ) == GateSource(by, "ci", link)
