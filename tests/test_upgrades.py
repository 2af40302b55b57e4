"""An upgrade of a lock, gated: the old model against the old model, each in a real environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gates.domain.exhibits import Table
from gates.environments.cache import EnvironmentCache
from gates.evidence.bundle import read_evidence
from gates.golden import golden_digest
from gates.packaging import package
from gates.registry.mlflow import MlflowRegistry
from tests.conftest import CommandLine
from tests.toys import CARD, MODEL, OLDER_SIX, SIX, make_project, set_params

CHECKS = "checks:\n  equivalence: {}\n---\n"


def shop(folder: Path, cache: Path, *locks: str, **params: object) -> list[str]:
    """A project with one version for each lock, the first of them champion; the options for it."""
    project = make_project(folder)
    set_params(project, weights={"good": 1.0, "noise": 0.0}, **params)
    card = project / "model_cards" / f"{MODEL}.md"
    card.write_text(CARD.partition("checks:")[0] + CHECKS)
    uri = f"sqlite:///{project / '.gates' / 'mlflow.db'}"
    registry = MlflowRegistry(uri, cache)
    for lock in locks:
        (project / "models" / MODEL / "requirements.txt").write_text(lock)
        package(
            MODEL,
            models=project / "models",
            registry=registry,
            environments=EnvironmentCache(cache),
            golden_digest=golden_digest(project / "golden" / MODEL),
            by="tests",
            progress=lambda _: None,
        )
    registry.set_alias(MODEL, "champion", "1", None)
    return ["--project", str(project), "--tracking-uri", uri, "--cache", str(cache)]


@pytest.mark.parametrize(
    ("trick", "code", "verdict"), [("none", 0, "PASS"), ("reads-six", 1, "FAIL")]
)
def test_an_upgrade_passes_only_when_it_changes_nothing(
    gates: CommandLine, tmp_path: Path, gates_cache: Path, trick: str, code: int, verdict: str
) -> None:
    options = shop(tmp_path / "shop", gates_cache, OLDER_SIX, SIX, trick=trick)
    answer = gates("run", f"models:/{MODEL}/2", options, "--json")
    assert answer.code == code, answer.err
    said = json.loads(answer.out)
    assert said["verdict"] == verdict
    (check,) = read_evidence(Path(said["evidence"])).records
    changed = float(trick == "reads-six")
    assert {one.metric: one.value for one in check.measurements} == {
        "changed-scores": changed,
        "changed-orders": changed,
    }
    assert {one.n for one in check.measurements} == {720, 60}
    if changed:
        (table,) = check.exhibits
        assert isinstance(table, Table)
        assert "the order of 1 of 60 queries, 1 of 720 scores" in table.title
        assert [20.0, -20.0, -40.0] in [row[-3:] for row in table.rows]


def test_a_champion_that_does_not_run_under_the_new_lock_is_undecided(
    gates: CommandLine, tmp_path: Path, gates_cache: Path
) -> None:
    options = shop(tmp_path / "shop", gates_cache, SIX, "# nothing\n", trick="reads-six")
    answer = gates("run", f"models:/{MODEL}/2", options, "--json")
    assert answer.code == 3, answer.err
    assert "the champion under the candidate's lock" in json.dumps(json.loads(answer.out))
