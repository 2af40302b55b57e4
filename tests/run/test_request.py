"""A request: one value, the same on every way to the gate."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gates.cli.main import app
from gates.errors import UsageError
from gates.run.request import RunRequest
from gates.run.watcher import Watcher
from gates.settings import FLAGS, CacheLimits, Settings, load_settings


def _request(project: Path) -> RunRequest:
    (project / "model_cards").mkdir(exist_ok=True)
    settings = load_settings(
        project, tracking_uri="https://ada:pw@mlflow.example", output=project / "runs", environ={}
    )
    return RunRequest(settings, project / "model_cards" / "toy.md", "models:/toy/7")


def test_another_process_reads_what_was_written_with_every_setting(tmp_path: Path) -> None:
    plain = _request(tmp_path)
    settings = replace(
        plain.settings,
        signing_key="env:GATE_KEY",
        verify_key=tmp_path / "verify.pem",
        cache_limits=CacheLimits(10**9, timedelta(days=30)),
    )
    whole = RunRequest(
        settings,
        plain.card,
        plain.candidate,
        champion="models:/toy/6",
        extra=("-n", "2"),
        folder=tmp_path / "größe\nzwei",
        logged=False,
    )
    blank = [one.name for one in fields(Settings) if getattr(settings, one.name) is None]
    assert blank == [], "a setting that this test leaves out could be lost on the way"
    for one in (plain, whole, replace(plain, against_itself=True)):
        assert b"\n" not in one.to_json()
        assert RunRequest.from_json(one.to_json()) == one


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"champion": "models:/toy/6"},
        {"against_itself": True},
        {"extra": ("-n", "2", "-k", "ranking")},
    ],
)
def test_its_command_asks_for_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    request = replace(_request(tmp_path), **changes)  # type: ignore[arg-type]  # fields by name
    heard: list[RunRequest] = []

    def drive(request: RunRequest, watcher: Watcher) -> str:
        del watcher
        heard.append(request)
        raise typer.Exit(0)

    monkeypatch.setattr("gates.run.drive.drive", drive)
    monkeypatch.setattr("os.environ", {"GATES_OUTPUT": "/elsewhere", "HOME": str(tmp_path)})
    CliRunner().invoke(app, request.as_command()[1:], catch_exceptions=False)
    assert heard == [request]


def test_every_setting_with_a_flag_is_in_its_command(tmp_path: Path) -> None:
    words = _request(tmp_path).as_command()
    assert {f"--{name.replace('_', '-')}" for name in FLAGS} <= set(words)


def test_a_champion_and_an_a_a_run_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        replace(_request(tmp_path), champion="models:/toy/6", against_itself=True)
