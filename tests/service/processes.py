"""`gates serve` as a process of its own, and what it did, asked over its API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest
import requests

GATES = (sys.executable, "-m", "gates")
TOKEN = "an-operators-token"
SECRET = "a-secret-that-is-long-enough"
_PATIENCE = 150.0

Found = TypeVar("Found")


def eventually(look: Callable[[], Found], else_say: Callable[[], str] = lambda: "") -> Found:
    """What a look gives once it is neither None nor false; the test fails when it never is."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"it never came:\n{else_say()}")


class GatesServe:
    """A service over a project.

    Args:
        project: The project's folder.
        tracking_uri: MLflow.
        cache: The cache, shared with other tests.
        options: Further options.
        environ: Further variables.
    """

    def __init__(
        self,
        project: Path,
        tracking_uri: str,
        cache: Path,
        *options: str,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._command = [*GATES, "serve", "--json", *(options or ("--port", "0"))]
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GATES_", "PYTEST_", "MLFLOW_"))
        }
        self.environ = {
            **inherited,
            "MLFLOW_TRACKING_URI": tracking_uri,
            "GATES_CACHE": str(cache),
            "GATES_WEBHOOK_SECRETS": SECRET,
            "GATES_SERVE_TOKENS": f"tests:operator:{TOKEN}",
            "GATES_SERVE_POLL": "1h",
            **(environ or {}),
        }
        self.project = project
        self._log = project / f"serve-{id(self)}.log"
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self.kill()

    @property
    def log(self) -> str:
        """What it said on stderr."""
        return self._log.read_text(encoding="utf-8")

    def start(self) -> None:
        """Start it, and wait for the line that says where it serves."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                self._command,
                cwd=self.project,
                env=self.environ,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._process = process
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"it did not start:\n{self.log}"
        self.url = json.loads(line)["serving"]

    def terminate(self) -> int:
        """End it by SIGTERM; gives its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would, and it alone."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        process = self._process
        assert process
        assert process.stdout is not None
        process.send_signal(number)
        code = process.wait(timeout=90)
        process.stdout.close()
        self._process = None
        return code

    def get(self, path: str) -> Any:
        """An answer of the API, as JSON."""
        headers = {"authorization": f"Bearer {TOKEN}"}
        answer = requests.get(self.url + path, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def ask(self, model: str, version: str) -> dict[str, Any]:
        """Ask for a gate; gives it."""
        answer = requests.post(
            f"{self.url}/api/v1/gates",
            headers={"authorization": f"Bearer {TOKEN}"},
            json={"model": model, "version": version},
            timeout=30,
        )
        answer.raise_for_status()
        made: dict[str, Any] = answer.json()
        return made

    def jobs(self) -> list[dict[str, Any]]:
        """Every gate that was asked for, newest first."""
        found: list[dict[str, Any]] = self.get("/api/v1/gates?size=200")["gates"]
        return found

    def job_when(
        self, version: str, states: Iterable[str] = ("done",), steps: Iterable[str] = ()
    ) -> dict[str, Any]:
        """The newest gate of a version, once it is in one of some states, and steps if any."""
        wanted, reached = set(states), set(steps)

        def look() -> dict[str, Any] | None:
            job = next((one for one in self.jobs() if one["version"] == version), None)
            if job is None:
                return None
            if job["state"] in wanted and (not reached or job["step"] in reached):
                return job
            if job["state"] not in {"queued", "running"}:
                pytest.fail(f"it ended otherwise: {json.dumps(job, indent=1)}\n{self.log[-3000:]}")
            return None

        found = eventually(look, lambda: f"{json.dumps(self.jobs(), indent=1)}\n{self.log[-3000:]}")
        assert found is not None
        return found
