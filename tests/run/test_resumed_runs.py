"""A run in a folder that its caller names goes on where it was stopped."""

from __future__ import annotations

import json
from pathlib import Path

from gates.evidence.evidence import CheckRecord
from gates.registry.mlflow import MlflowRegistry
from gates.run.drive import drive
from gates.run.request import RunRequest
from gates.run.watcher import Watcher
from gates.settings import load_settings
from tests.conftest import Shelf
from tests.toys import MODEL


class _Seen(Watcher):
    def __init__(self) -> None:
        super().__init__()
        self.checks: list[str] = []

    def measured(self, record: CheckRecord) -> None:
        self.checks.append(record.check)


def _run(shelf: Shelf, folder: Path, version: str = "good") -> _Seen:
    settings = load_settings(shelf.project, tracking_uri=shelf.tracking_uri, cache=shelf.cache)
    seen = _Seen()
    card = shelf.project / "model_cards" / f"{MODEL}.md"
    drive(RunRequest(settings, card, shelf.uri(version), folder=folder, logged=False), seen)
    return seen


def test_what_was_measured_is_not_measured_again(shelf: Shelf, tmp_path: Path) -> None:
    registry = MlflowRegistry(shelf.tracking_uri, shelf.cache)
    logged = len(registry.events(MODEL))
    first = _run(shelf, tmp_path / "job")
    assert first.checks == ["lockfile", "behaviour", "ranking-diff"]
    run_id = json.loads((tmp_path / "job" / "run.json").read_bytes())["run_id"]
    (tmp_path / "job" / "parts" / "check-behaviour.json").unlink()
    (tmp_path / "job" / "evidence.json").unlink()
    second = _run(shelf, tmp_path / "job")
    assert second.checks == ["behaviour"]
    whole = _run(shelf, tmp_path / "job")
    assert whole.checks == []
    assert whole.session is not None
    assert whole.session.evidence is not None
    assert whole.session.evidence.run_id == run_id
    assert whole.session.evidence.environments.keys() == {"candidate", "champion"}
    assert whole.session.evidence.verdict.outcome == "PASS"
    assert len(registry.events(MODEL)) == logged


def test_a_folder_of_another_version_is_begun_anew(shelf: Shelf, tmp_path: Path) -> None:
    _run(shelf, tmp_path / "job")
    (tmp_path / "job" / "left").write_text("behind")
    other = _run(shelf, tmp_path / "job", "noise")
    assert other.checks == ["lockfile", "behaviour", "ranking-diff"]
    assert not (tmp_path / "job" / "left").exists()
