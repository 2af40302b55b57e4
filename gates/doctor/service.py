"""The service's secrets, and the service itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec

from gates.doctor.finding import Diagnosis
from gates.service.config import load_config
from gates.settings import Settings

__all__ = ["secrets", "service"]

_SECONDS = 5.0
_NEEDED = ("dbos", "fastapi", "prometheus_client", "psycopg", "python_multipart", "uvicorn")


def secrets(settings: Settings, environ: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Whether the service could start with what it would be told.

    Args:
        settings: Where the project is.

    Raises:
        UsageError: It would refuse to start.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        yield Diagnosis(
            "serving",
            "note",
            f"gates serve cannot run here: {', '.join(missing)} is not installed",
            "pip install 'mlgates[serve]'",
        )
    config = load_config(settings, environ=environ)
    if config.secrets:
        count = "1 webhook secret is" if len(config.secrets) == 1 else "webhook secrets are"
        yield Diagnosis("secrets", "ok", f"{count} set")
    else:
        yield Diagnosis(
            "secrets",
            "note",
            "no webhook secret is set",
            "GATES_WEBHOOK_SECRETS=$(openssl rand -hex 32), the same here and where it serves",
        )
    if config.guarded:
        yield Diagnosis("callers", "ok", "callers must say who they are")
    else:
        yield Diagnosis(
            "callers",
            "note",
            "nobody has to say who they are, so that it serves this machine only",
            "to be reached from others: GATES_SERVE_TOKENS=NAME:operator:TOKEN",
        )


def service(settings: Settings, environ: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Whether the service answers and is ready.

    Args:
        settings: Where the project is.
        environ: Environment variables, which say where it is.
    """
    import requests

    config = load_config(settings, environ=environ)
    address = config.url or f"http://{config.host}:{config.port}"
    try:
        found = requests.get(f"{address}/ready", timeout=_SECONDS)
        said = found.json()
        ready, registry = said["status"] == "ready", said["registry"]
    except requests.ConnectionError:
        yield Diagnosis("service", "note", f"nothing answers at {address}", "start it: gates serve")
        return
    except (requests.RequestException, ValueError, KeyError, TypeError):
        yield Diagnosis(
            "service",
            "wrong",
            f"what answers at {address} is not gates serve",
            "name its address in GATES_SERVE_URL",
        )
        return
    if not ready:
        yield Diagnosis("service", "wrong", f"{address} does not reach its database", "see its log")
    elif registry:
        yield Diagnosis("service", "wrong", f"{address} does not reach MLflow", "see its log")
    else:
        yield Diagnosis("service", "ok", f"{address} answers and is ready")
