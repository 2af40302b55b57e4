"""Keeping one comment: found by its mark and author, renewed, and never written for another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gates.errors import UsageError
from gates.pull_request.comments import keep_comment
from gates.pull_request.github import GitHub, GitHubError
from gates.pull_request.runner import WorkflowEvent, add_summary, read_event, set_outputs
from gates.report.pull_request import MARKER
from tests.action.fake_github import BOT, READS, REPOSITORY, WRITES, FakeGitHub, fake_github
from tests.action.reviews import review_of

HEAD = "a" * 40
EVENT = WorkflowEvent(7, HEAD)
AFTER = WorkflowEvent(0, HEAD, is_fork=True, after_run=True)
BODY = f"{MARKER}\n\nhello"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with fake_github() as fake:
        fake.open_pull(7, HEAD)
        yield fake


def keep(
    hub: FakeGitHub,
    event: WorkflowEvent = EVENT,
    *bodies: str,
    token: str = WRITES,
    head: str = HEAD,
    number: int = 7,
    waits: list[float] | None = None,
) -> str:
    sleep = waits.append if waits is not None else lambda _: None
    github = GitHub(hub.address, REPOSITORY, token, sleep)
    reviews = [review_of(head, number)]
    return keep_comment(github, event, reviews, bodies or (BODY,), mark=MARKER, author=BOT).done


def test_there_is_one_comment_however_often_it_is_written(hub: FakeGitHub) -> None:
    for n in range(250):
        hub.say(7, "somebody", f"{MARKER} {n}")
    assert keep(hub) == "created"
    assert keep(hub) == "same"
    assert keep(hub, EVENT, f"{MARKER} now") == "updated"
    assert hub.own(7) == [f"{MARKER} now"]
    assert len(hub.comments[7]) == 251


def test_a_body_that_is_too_long_gives_way_to_a_shorter_one(hub: FakeGitHub) -> None:
    assert keep(hub, EVENT, MARKER + "x" * 70_000, BODY) == "created"
    assert hub.own(7) == [BODY]
    with pytest.raises(GitHubError, match="too long"):
        keep(hub, EVENT, MARKER + "x" * 70_000)


@pytest.mark.parametrize(
    ("status", "headers", "waited"),
    [
        (500, {}, 2.0),
        (502, {"Retry-After": "7"}, 7.0),
        (429, {"Retry-After": "3"}, 3.0),
        (403, {"Retry-After": "5"}, 5.0),
        (403, {"X-RateLimit-Remaining": "0"}, 2.0),
    ],
)
def test_what_may_work_later_is_tried_again(
    hub: FakeGitHub, status: int, headers: dict[str, str], waited: float
) -> None:
    waits: list[float] = []
    hub.troubles.append((status, headers))
    assert keep(hub, waits=waits) == "created"
    assert waits == [waited]


def test_github_that_stays_away_is_given_up_on(hub: FakeGitHub) -> None:
    hub.troubles += [(503, {})] * 9
    with pytest.raises(GitHubError, match="503: trouble"):
        keep(hub)
    assert len(hub.troubles) == 5


def test_a_comment_that_was_made_all_the_same_is_not_made_twice(
    hub: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = hub.answer

    def heard_and_lost(method: str, *rest: object) -> object:
        given = answer(method, *rest)  # type: ignore[arg-type]  # as it was called
        return (502, {"message": "lost"}, {}) if method == "POST" else given

    monkeypatch.setattr(hub, "answer", heard_and_lost)
    assert keep(hub) == "same"
    assert hub.own(7) == [BODY]


def test_a_token_that_only_reads_is_no_failure_for_a_fork_alone(hub: FakeGitHub) -> None:
    assert keep(hub, replace(EVENT, is_fork=True), token=READS) == "read-only"
    with pytest.raises(GitHubError, match="403") as refused:
        keep(hub, token=READS)
    assert "pull-requests: write" in refused.value.advice
    assert READS not in str(refused.value)


def test_an_older_run_does_not_write_over_a_newer_one(hub: FakeGitHub) -> None:
    hub.open_pull(7, "b" * 40)
    assert keep(hub) == "stale"
    assert hub.own(7) == []


def test_after_a_run_the_pull_request_is_the_one_that_the_run_was_for(hub: FakeGitHub) -> None:
    hub.open_pull(8, "b" * 40)
    assert keep(hub, AFTER) == "created"
    for number, head in ((8, HEAD), (7, "b" * 40), (0, HEAD)):
        with pytest.raises(UsageError):
            keep(hub, AFTER, number=number, head=head)
    with pytest.raises(GitHubError, match="404"):
        keep(hub, AFTER, number=9)
    assert not hub.comments[8]


def test_no_news_and_no_comment_make_none(hub: FakeGitHub) -> None:
    github = GitHub(hub.address, REPOSITORY, WRITES)
    none = keep_comment(github, EVENT, [], [BODY], mark=MARKER, author=BOT)
    assert none.done == "nothing"
    keep(hub, EVENT, f"{MARKER} news")
    renewed = keep_comment(github, EVENT, [], [BODY], mark=MARKER, author=BOT)
    assert renewed.done == "updated"


def test_a_token_goes_over_https_alone_and_is_never_shown() -> None:
    known = {"GITHUB_TOKEN": "hush", "GITHUB_REPOSITORY": "a/b"}
    assert "hush" not in repr(GitHub.from_environment(known))
    for more in (
        {"GITHUB_API_URL": "http://api.example"},
        {"GITHUB_REPOSITORY": "a/b/../c"},
        {"GITHUB_TOKEN": ""},
        {"GITHUB_TOKEN": "two\nlines"},
    ):
        with pytest.raises(UsageError) as refused:
            GitHub.from_environment({**known, **more})
        assert "hush" not in str(refused.value)


def test_outputs_and_summary_keep_to_what_github_takes(tmp_path: Path) -> None:
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    set_outputs({"verdict": "PASS\nevil=1\n", "models": ["a"], "any": True}, files)
    lines = (tmp_path / "GITHUB_OUTPUT").read_text().splitlines()
    mark = lines[0].removeprefix("verdict<<")
    assert lines[:4] == [f"verdict<<{mark}", "PASS", "evil=1", ""]
    assert lines[4] == mark
    assert '["a"]' in lines
    assert "true" in lines
    assert add_summary("x" * 900_000, files)
    assert not add_summary("x" * 900_000, files)
    assert (tmp_path / "GITHUB_STEP_SUMMARY").stat().st_size < 1024 * 1024


def test_an_event_of_a_deleted_fork_is_one_of_a_fork(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    pull = {"number": 3, "head": {"sha": HEAD, "repo": None}}
    path.write_text(json.dumps({"pull_request": pull, "repository": {"full_name": "a/b"}}))
    event = read_event({"GITHUB_EVENT_PATH": str(path), "GITHUB_RUN_ID": "5"})
    assert event == WorkflowEvent(3, HEAD, is_fork=True, run="5")
    assert read_event({}) == WorkflowEvent()
