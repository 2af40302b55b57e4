"""Real MLflow servers, and something between them and us that changes or delays what they say."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import pytest

FERNET = "1ivLJm9tCN0kJMqgWRXGeG2tuBbRnVmYMtBlU3QC5xA="
HOOKS = {
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_CACHE_TTL": "0",
    "MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": FERNET,
}
"""What a server needs to deliver to this machine at once, and to forget what does not arrive."""

_QUIET = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class MlflowServer:
    """A server over a folder, on a port that it keeps when it is started again.

    Args:
        folder: Where its database, artifacts and log go.
        environ: Environment variables for it; `HOOKS` are set unless others are given.
        host: The address it listens on.
    """

    def __init__(
        self, folder: Path, environ: Mapping[str, str] = HOOKS, host: str = "127.0.0.1"
    ) -> None:
        self._host = host
        self.environ = dict(environ)
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.uri = f"http://{host}:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", self._host]
        command += ["--port", str(self._port), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{self._folder / 'server.db'}"]
        command += ["--artifacts-destination", str(self._folder / "artifacts")]
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env={**inherited, **_QUIET, **self.environ},
                cwd=self._folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 120
        while time.monotonic() < end and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=2).close()  # noqa: S310 - loopback
            except OSError:
                time.sleep(0.1)
            else:
                return
        pytest.fail(f"the MLflow server did not start:\n{self._log.read_text()[-3000:]}")

    def kill(self) -> None:
        """End it and what it started, as a crash would."""
        if self._process:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    @property
    def _log(self) -> Path:
        return self._folder / "log"


class Between:
    """Passes requests on to a server, and says some things otherwise.

    Attributes:
        version: What `/version` says; the server's own when None.
        ahead: How far the clock is ahead of this machine's, as the Date header says.
        delay: Seconds each request is held back.
        passed: Paths that were asked for.
    """

    def __init__(self, target: str) -> None:
        self.version: str | None = None
        self.ahead = timedelta()
        self.delay = 0.0
        self.passed: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65_537)
                if self.raw_requestline and self.parse_request():
                    self._pass_on()
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

            def _pass_on(self) -> None:
                outer.passed.append(self.path)
                outer._ended.wait(outer.delay)
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                asked = http.client.HTTPConnection(target.removeprefix("http://"), timeout=60)
                try:
                    asked.request(self.command, self.path, body, dict(self.headers.items()))
                    found = asked.getresponse()
                    said = found.read()
                finally:
                    asked.close()
                if self.path == "/version" and outer.version is not None:
                    said = outer.version.encode()
                self.send_response_only(found.status)
                for name, value in found.getheaders():
                    if name.lower() not in _HOP_BY_HOP:
                        self.send_header(name, value)
                now = datetime.now(UTC) + outer.ahead
                self.send_header("Date", format_datetime(now, usegmt=True))
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.uri = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
