"""Settings: flags, then environment, then pyproject.toml, then defaults."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from gates.errors import InputError, UsageError
from gates.settings import CacheLimits, find_project, load_settings


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "model_cards").mkdir()
    (tmp_path / "golden" / "deep").mkdir(parents=True)
    return tmp_path


def test_the_project_is_found_from_a_folder_inside_it(project: Path) -> None:
    assert find_project(project / "golden" / "deep") == project
    assert find_project(project / "model_cards" / "card.md") == project


def test_outside_any_project_it_is_the_folder_itself(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert find_project(tmp_path / "empty") == tmp_path / "empty"


def test_defaults_lie_in_the_project_and_the_users_cache(project: Path) -> None:
    settings = load_settings(project, environ={"XDG_CACHE_HOME": "/cache"})
    assert settings.tracking_uri == f"sqlite:///{project}/.gates/mlflow.db"
    assert settings.output == project / ".gates" / "runs"
    assert settings.cache == Path("/cache/mlgates")
    assert not settings.signing_key


def test_flags_win_over_environment_over_pyproject_over_defaults(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.gates]\ntracking-uri = "http://written"\n')
    environ = {"MLFLOW_TRACKING_URI": "http://variable"}
    assert load_settings(project, environ={}).tracking_uri == "http://written"
    assert load_settings(project, environ=environ).tracking_uri == "http://variable"
    flagged = load_settings(project, tracking_uri="http://flag", environ=environ)
    assert flagged.tracking_uri == "http://flag"


def test_paths_written_in_the_project_start_from_it(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.gates]\noutput = "out"\ncache = "~/c"\n')
    settings = load_settings(project, environ={})
    assert settings.output == project / "out"
    assert settings.cache == Path.home() / "c"


def test_limits_of_the_cache_are_read_from_pyproject_and_environment(project: Path) -> None:
    assert load_settings(project, environ={}).cache_limits == CacheLimits()
    (project / "pyproject.toml").write_text(
        '[tool.gates]\ncache-max-size = "20GB"\ncache-max-age = "30d"\n'
    )
    written = CacheLimits(20 * 10**9, timedelta(days=30))
    assert load_settings(project, environ={}).cache_limits == written
    environ = {"GATES_CACHE_MAX_SIZE": "500MB"}
    assert load_settings(project, environ=environ).cache_limits.max_bytes == 500 * 10**6
    with pytest.raises(
        UsageError, match=r"\(GATES_CACHE_MAX_AGE\): 'soon' is not a length of time"
    ):
        load_settings(project, environ={"GATES_CACHE_MAX_AGE": "soon"})


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ('[tool.gates]\ntracking_uri = "x"\n', "did you mean 'tracking-uri'"),
        ("[tool.gates]\noutput = 3\n", "must be a string"),
        ("[tool.gates\n", "cannot be read"),
    ],
)
def test_mistakes_in_pyproject_are_named(project: Path, written: str, words: str) -> None:
    (project / "pyproject.toml").write_text(written)
    with pytest.raises(InputError, match=words):
        load_settings(project, environ={})


def test_a_flag_that_gives_no_setting_is_an_error_and_not_ignored(project: Path) -> None:
    with pytest.raises(TypeError, match="no flag gives signing_key"):
        load_settings(project, environ={}, signing_key=project / "key.pem")


def test_a_path_given_by_a_flag_starts_from_the_current_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "deep").mkdir()
    monkeypatch.chdir(project / "deep")
    assert load_settings(project, environ={}, output=Path("out")).output == project / "deep" / "out"


def test_what_settings_gives_as_flags_gives_the_same_settings(project: Path) -> None:
    settings = load_settings(project, environ={"GATES_CACHE": "/cache", "GATES_OUTPUT": "out"})
    words = settings.as_flags()
    given = dict(zip(words[::2], words[1::2], strict=True))
    root = Path(given.pop("--project"))
    flags = {name.removeprefix("--").replace("-", "_"): value for name, value in given.items()}
    assert load_settings(root, environ={"GATES_OUTPUT": "/elsewhere"}, **flags) == settings
