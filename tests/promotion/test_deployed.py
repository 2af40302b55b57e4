"""What serves is the champion, or it is said what it is."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from gates.errors import InputError, IntegrityError, RegistryError
from gates.golden import read_golden
from gates.promotion.deployed import agreement, ask_server, folder_digest, version_with
from gates.registry.mlflow import MlflowRegistry
from tests.conftest import CommandLine, Shelf
from tests.servers import free_port
from tests.toys import MODEL

SERVED = """\
class Served:
    def predict(self, frame):
        return ({good} * frame["good"] + 1.0 * frame["noise"]).to_numpy()

def _load_pyfunc(path):
    return Served()
"""


@contextmanager
def scoring_server(folder: Path, good: float) -> Iterator[str]:
    """`mlflow models serve`, of a model that computes what the toy does with these weights."""
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "served_toy.py").write_text(SERVED.format(good=good))
    (folder / "MLmodel").write_text(
        "flavors:\n  python_function:\n    loader_module: served_toy\n    code: code\n"
        f"    python_version: {sys.version.split()[0]}\n"
    )
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    command += ["-m", str(folder), "-p", str(port), "--host", "127.0.0.1"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PATH": path, "MLFLOW_DISABLE_TELEMETRY": "true"},
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _await(f"{url}/ping", folder / "log")
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _await(address: str, log: Path) -> None:
    for _ in range(1200):
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - this machine's own
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.mark.parametrize(("good", "same"), [(0.3, True), (1.0, False)])
def test_a_scoring_server_answers_as_the_champion_or_not(
    shelf: Shelf, gates: CommandLine, tmp_path: Path, good: float, same: bool
) -> None:
    with scoring_server(tmp_path / "served", good) as url:
        answer = gates("deployed", url, "--model", MODEL, "--json", shelf.options())
    said = json.loads(answer.out)
    assert said["is_champion"] is same, answer.err
    assert said["champion"] == shelf.uri("weak")
    rows = len(next(iter(read_golden(shelf.project / "golden" / MODEL).inputs().values())))
    assert said["rows"] == rows
    assert (said["differing"] == 0) is same
    assert (said["largest_difference"] > 0.1) is not same
    assert ("answers all" if same else "in another way than") in answer.err


def test_a_folder_is_known_by_its_digest(shelf: Shelf, gates: CommandLine, tmp_path: Path) -> None:
    registry = MlflowRegistry(shelf.tracking_uri, shelf.cache)
    for name, words in (("weak", f"holds {shelf.uri('weak')}"), ("good", "not models:/")):
        folder = tmp_path / name
        shutil.copytree(registry.path(registry.resolve(shelf.uri(name))), folder)
        answer = gates("deployed", str(folder), "--model", MODEL, "--json", shelf.options())
        said = json.loads(answer.out)
        assert said["is_champion"] is (name == "weak")
        assert said["version"] == shelf.uri(name)
        assert words in answer.err
        # The champion of the shelf was set by hand: no evidence speaks for it.
        assert "was never gated" in said["evidence_problems"][0]
        assert answer.code == 1
    (folder / "one-more").write_text("byte")
    answer = gates("deployed", str(folder), "--model", MODEL, "--json", shelf.options())
    assert json.loads(answer.out)["version"] is None
    assert f"is no version of {MODEL}" in answer.err


def test_a_tag_that_names_a_digest_is_not_believed(
    registry: MlflowRegistry,
) -> None:
    digest = "sha256:" + "0" * 64
    registry.note("toy", "2", {"gates.digest": digest})
    with pytest.raises(IntegrityError, match="changed since it was packaged"):
        version_with(registry, "toy", digest)


def test_a_folder_without_a_model_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is no model folder"):
        folder_digest(tmp_path)


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("location", "http://127.0.0.1:1/")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (500, b"{}", "answers with status 500"),
        (302, b"", "answers with status 302"),
        (200, b"no JSON", "no predictions"),
        (200, b"[1]", "no predictions"),
        (200, b'{"predictions": []}', "no predictions"),
        (200, b'{"predictions": [{"a": 1}, {}]}', "no predictions"),
    ],
)
def test_a_server_that_is_none_is_an_error(status: int, body: bytes, says: str) -> None:
    with answering(status, body) as url, pytest.raises(RegistryError, match=says):
        ask_server(url, {"a": [1.0]})
    with pytest.raises(RegistryError, match="does not answer: ConnectionError"):
        ask_server("http://127.0.0.1:1", {"a": [1.0]})


def test_answers_come_in_every_form_that_a_scoring_server_has() -> None:
    for body, columns in (
        ([1.0, 2.0], {"prediction": [1.0, 2.0]}),
        ([[1.0, 3.0], [2.0, 4.0]], {"0": [1.0, 2.0], "1": [3.0, 4.0]}),
        ([{"label": "a", "score": 1.0}], {"label": ["a"], "score": [1.0]}),
        ({"label": ["a"]}, {"label": ["a"]}),
    ):
        with answering(200, json.dumps({"predictions": body}).encode()) as url:
            assert ask_server(url, {"a": [float("nan"), np.float32(2)]}) == columns


@pytest.mark.parametrize(
    ("ours", "theirs", "differing"),
    [
        (np.array([1.0, 2e9]), np.array([1.0 + 1e-9, 2e9 + 1]), 0),
        (np.array([1.0, 2.0]), np.array([1.0, 2.1]), 1),
        (np.ones((2, 3)), np.array([[1.0, 1, 1], [1, 1, 2]]), 1),
        (np.ones((2, 3)), np.ones((2, 2)), 2),
        (("a", "b"), ("a", "c"), 1),
    ],
)
def test_how_far_two_answers_are_one(ours: object, theirs: object, differing: int) -> None:
    assert agreement(ours, theirs, 1e-6).differing == differing
