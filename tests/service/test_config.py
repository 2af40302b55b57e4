"""What the service is told, and what it refuses to be told."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from gates.errors import UsageError
from gates.service.config import Flags, Trigger, load_config
from gates.settings import Settings, load_settings

SECRET = "0123456789abcdef"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "model_cards").mkdir()
    return load_settings(tmp_path, environ={})


def test_by_default_only_this_machine_is_served(settings: Settings) -> None:
    config = load_config(settings, environ={})
    assert config.host == "127.0.0.1"
    assert not config.guarded
    assert config.triggers == (Trigger("created"),)
    assert config.database.endswith(".gates/service.db")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "gates.example.com"])  # noqa: S104
def test_a_public_address_needs_somebody_to_say_who_they_are(settings: Settings, host: str) -> None:
    with pytest.raises(UsageError, match="who they are"):
        load_config(settings, Flags(host=host), environ={})
    guarded = {"GATES_SERVE_TOKENS": f"ann:operator:{SECRET}"}
    assert load_config(settings, Flags(host=host), environ=guarded).guarded


def test_flags_come_before_variables(settings: Settings) -> None:
    environ = {"GATES_SERVE_PORT": "9000", "GATES_SERVE_POLL": "5m", "GATES_SERVE_ON": "alias:next"}
    config = load_config(settings, Flags(port=0, on="created,tag:ready=yes"), environ=environ)
    assert (config.port, config.poll) == (0, timedelta(minutes=5))
    assert config.triggers == (Trigger("created"), Trigger("tag", "ready", "yes"))


def test_secrets_come_from_variables_and_files_and_are_never_shown(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "tokens").write_text(f"# people\nbob:viewer:{SECRET}bob\n")
    environ = {
        "GATES_WEBHOOK_SECRETS": f"{SECRET}1, {SECRET}2",
        "GATES_SERVE_TOKENS": f"ann:operator:{SECRET}",
        "GATES_SERVE_TOKENS_FILE": str(tmp_path / "tokens"),
        "GATES_NOTIFY_URL": "https://hooks.example.com/T0/secret-path",
        "GATES_SERVE_DATABASE": "postgresql://u:password@db/x",
    }
    config = load_config(settings, environ=environ)
    assert len(config.secrets) == 2
    assert [(one.name, one.role) for one in config.tokens] == [
        ("ann", "operator"),
        ("bob", "viewer"),
    ]
    shown = repr(config)
    assert SECRET not in shown
    assert "secret-path" not in shown
    assert "password" not in shown


@pytest.mark.parametrize(
    "environ",
    [
        {"GATES_WEBHOOK_SECRETS": "short"},
        {"GATES_SERVE_TOKENS": "ann"},
        {"GATES_SERVE_TOKENS": f"ann:admin:{SECRET}"},
        {"GATES_SERVE_TOKENS": f"ann:viewer:{SECRET},bob:viewer:{SECRET}"},
        {"GATES_SERVE_TOKENS_FILE": "/no/such/file"},
        {"GATES_SERVE_PORT": "70000"},
        {"GATES_SERVE_WORKERS": "0"},
        {"GATES_SERVE_POLL": "often"},
        {"GATES_SERVE_ON": "deleted"},
        {"GATES_SERVE_ON": "tag:gates.verdict"},
        {"GATES_SERVE_ON": ","},
        {"GATES_SERVE_URL": "gates.example.com"},
        {"GATES_SERVE_TRUSTED_PROXIES": "nobody"},
        {"GATES_NOTIFY_URL": "http://hooks.example.com/x"},
        {"GATES_NOTIFY_URL": "https://hooks.example.com/x", "GATES_NOTIFY_FORMAT": "xml"},
    ],
    ids=lambda environ: ",".join(f"{key}={value}"[:40] for key, value in environ.items()),
)
def test_what_is_wrong_is_said_without_the_secret(
    settings: Settings, environ: dict[str, str]
) -> None:
    with pytest.raises(UsageError) as caught:
        load_config(settings, environ=environ)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (Flags(port=99_999), "--port: '99999' is not a whole number from 0 to 65535"),
        (Flags(gate_time="long"), "--gate-time: 'long' is not a length of time"),
        (Flags(on="deleted"), "--on: 'deleted' is not an event"),
        (Flags(url="gates.example.com"), "--url is not an http(s) address"),
    ],
)
def test_what_is_wrong_names_the_flag_it_came_by(
    settings: Settings, flags: Flags, words: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        load_config(settings, flags, environ={})
