"""What uv and pip see of the user's settings: where packages come from, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.system.installers import find_uv, pip_environment, uv_environment

LOOSE = {
    "UV_NO_VERIFY_HASHES": "1",
    "UV_PYTHON": "3.9",
    "PIP_NO_DEPS": "1",
    "PIP_CONSTRAINT": "c.txt",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "PYTHONPATH": "/somewhere",
}


def test_nothing_that_loosens_a_lock_or_moves_its_target_is_passed() -> None:
    assert uv_environment(LOOSE) == pip_environment(LOOSE) == {}


def test_both_ask_the_index_that_was_named_for_one_of_them(tmp_path: Path) -> None:
    ours = {
        "PIP_INDEX_URL": "https://a/simple",
        "PIP_EXTRA_INDEX_URL": "https://b/simple https://c/simple",
        "PIP_FIND_LINKS": f"{tmp_path} https://d {tmp_path / 'gone'}",
        "PIP_NO_INDEX": "true",
    }
    assert uv_environment(ours) == {
        "UV_DEFAULT_INDEX": "https://a/simple",
        "UV_INDEX": "https://b/simple https://c/simple",
        "UV_FIND_LINKS": f"{tmp_path},https://d",
        "UV_NO_INDEX": "1",
    }
    theirs = {
        "UV_DEFAULT_INDEX": "main=https://a/simple?x=1",
        "UV_INDEX": "b=https://b/simple",
        "UV_EXTRA_INDEX_URL": "https://c/simple?x=1",
        "UV_FIND_LINKS": "wheels,https://d",
        "UV_NO_INDEX": "1",
        "UV_INSECURE_HOST": "a",
        "SSL_CERT_FILE": "/ca.pem",
    }
    assert pip_environment(theirs) == {
        "PIP_INDEX_URL": "https://a/simple?x=1",
        "PIP_EXTRA_INDEX_URL": "https://b/simple https://c/simple?x=1",
        "PIP_FIND_LINKS": "wheels https://d",
        "PIP_NO_INDEX": "1",
        "PIP_TRUSTED_HOST": "a",
        "PIP_CERT": "/ca.pem",
        "SSL_CERT_FILE": "/ca.pem",
    }


def test_what_was_set_for_a_tool_itself_goes_first() -> None:
    both = {"PIP_INDEX_URL": "https://pip", "UV_DEFAULT_INDEX": "https://uv", "PIP_NO_INDEX": "0"}
    assert uv_environment(both) == {"UV_DEFAULT_INDEX": "https://uv"}
    assert pip_environment(both) == {"PIP_INDEX_URL": "https://pip", "PIP_NO_INDEX": "0"}


def test_uv_comes_with_the_gate() -> None:
    assert Path(find_uv()).is_file()


def test_folders_mean_the_same_wherever_an_installer_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = {"UV_FIND_LINKS": "wheels,https://d", "UV_CACHE_DIR": "cache"}
    assert uv_environment(settings) == {
        "UV_FIND_LINKS": f"{tmp_path}/wheels,https://d",
        "UV_CACHE_DIR": f"{tmp_path}/cache",
    }
