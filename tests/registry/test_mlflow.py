"""What goes wrong around a registry: tampering, races, dead servers, files that are no store."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gates.errors import GatesError, IntegrityError, NoSuchModel, RegistryError, UsageError
from gates.registry._connection import Connection
from gates.registry.digests import tree_digest
from gates.registry.mlflow import MlflowRegistry

from .stores import toy_model


def _stored(store: MlflowRegistry, version: str = "1") -> Path:
    """The folder in which an embedded store keeps the toy's artifact."""
    source = store._connection.client.get_model_version_download_uri("toy", version)
    return Path(source.removeprefix("file://"))


def test_a_byte_changed_in_the_store_is_noticed(store: MlflowRegistry, tmp_path: Path) -> None:
    made = store.register("toy", toy_model(tmp_path / "model"), {}, "")
    (_stored(store) / "code" / "toy.py").write_text("TEXT = 'onE'\n")
    with pytest.raises(IntegrityError, match="models:/toy/1 changed since it was packaged") as said:
        store.resolve("toy/1")
    assert made.digest in said.value.what
    assert tree_digest(_stored(store)) in said.value.what


def test_a_file_added_after_registration_is_noticed(store: MlflowRegistry, tmp_path: Path) -> None:
    store.register("toy", toy_model(tmp_path / "model"), {}, "")
    (_stored(store) / "sitecustomize.py").write_text("")
    with pytest.raises(IntegrityError, match="changed since"):
        store.resolve("toy/1")


def test_an_artifact_that_is_gone_is_said_to_be(store: MlflowRegistry, tmp_path: Path) -> None:
    store.register("toy", toy_model(tmp_path / "model"), {}, "")
    _stored(store).rename(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match="not a folder"):
        store.resolve("toy/1")


def test_a_resolved_version_outlives_what_the_store_does_to_it(
    store: MlflowRegistry, tmp_path: Path
) -> None:
    made = store.register("toy", toy_model(tmp_path / "model"), {}, "")
    (_stored(store) / "code" / "toy.py").write_text("TEXT = 'changed'\n")
    assert tree_digest(store.path(made)) == made.digest


def test_a_damaged_copy_is_replaced(store: MlflowRegistry, tmp_path: Path) -> None:
    made = store.register("toy", toy_model(tmp_path / "model"), {}, "")
    (store.path(made) / "code" / "toy.py").write_text("damaged")
    assert store.resolve("toy/1") == made
    assert tree_digest(store.path(made)) == made.digest


def test_a_copy_that_was_cleared_away_is_said_to_be(store: MlflowRegistry, tmp_path: Path) -> None:
    made = store.register("toy", toy_model(tmp_path / "model"), {}, "")
    store.path(made).rename(tmp_path / "elsewhere")
    with pytest.raises(RegistryError, match="resolve the model again"):
        store.path(made)


def test_compiled_code_that_no_digest_covers_does_not_reach_the_copy(
    store: MlflowRegistry, tmp_path: Path
) -> None:
    made = store.register("toy", toy_model(tmp_path / "model"), {}, "")
    store.path(made).rename(tmp_path / "elsewhere")
    planted = _stored(store) / "code" / "__pycache__"
    planted.mkdir()
    (planted / "toy.cpython-311.pyc").write_bytes(b"evil")
    assert not list(store.path(store.resolve("toy/1")).rglob("__pycache__"))


def test_a_folder_that_cannot_be_digested_is_not_registered(
    store: MlflowRegistry, tmp_path: Path
) -> None:
    model = toy_model(tmp_path / "model")
    (model / "link").symlink_to("/etc/hostname")
    with pytest.raises(IntegrityError):
        store.register("toy", model, {}, "")
    with pytest.raises(NoSuchModel, match="no model 'toy'"):
        store.resolve("toy/1")


def test_a_version_whose_files_cannot_be_stored_is_not_registered(
    store: MlflowRegistry, tmp_path: Path
) -> None:
    first = store.register("toy", toy_model(tmp_path / "a", "a"), {}, "")
    artifacts = _stored(store).parents[2]
    artifacts.rename(artifacts.with_name("elsewhere"))
    artifacts.write_text("a file in the way")
    with pytest.raises(RegistryError, match="could not store a version of 'toy'"):
        store.register("toy", toy_model(tmp_path / "b", "b"), {}, "")
    assert [event.state for event in store.events("toy")] == ["failed", "done"]
    with pytest.raises(RegistryError, match=r"it has: 1$"):
        store.resolve("toy/2")
    assert first.version == "1"


def test_many_resolve_the_same_version_into_one_fresh_cache(
    store: MlflowRegistry, tmp_path: Path
) -> None:
    made = store.register("toy", toy_model(tmp_path / "model"), {}, "")
    fresh = MlflowRegistry(store._connection.uri, tmp_path / "fresh")
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(fresh.resolve, ["toy/1"] * 8)) == [made] * 8
    assert [path.name for path in (tmp_path / "fresh" / "models").iterdir()] == [made.digest[7:]]


def test_many_register_at_once_and_each_gets_its_own_version(
    store: MlflowRegistry, tmp_path: Path
) -> None:
    models = [toy_model(tmp_path / str(number), str(number)) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda model: store.register("toy", model, {}, ""), models))
    assert sorted(one.version for one in made) == ["1", "2", "3", "4"]
    assert [one.digest for one in made] == [tree_digest(model) for model in models]


def test_two_may_create_the_same_store_at_once(tmp_path: Path) -> None:
    database = tmp_path / "new" / "mlflow.db"
    models = [toy_model(tmp_path / number, number) for number in "ab"]
    together = threading.Barrier(2)

    def register(model: Path) -> str:
        together.wait()
        registry = MlflowRegistry(f"sqlite:///{database}", tmp_path / "cache")
        return registry.register("toy", model, {}, "").version

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(register, models)) == ["1", "2"]
    left = {path.name for path in database.parent.iterdir()}
    assert left == {"mlflow.db", "mlflow.db.lock", "artifacts"}


def test_nothing_is_written_into_the_current_directory(
    store: MlflowRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    store.register("toy", toy_model(tmp_path / "model"), {}, "")
    assert list(here.iterdir()) == []


def test_a_relative_store_stays_where_it_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    connection = Connection("sqlite:///mlflow.db", tmp_path / "cache")
    monkeypatch.chdir("/")
    assert connection.uri == f"sqlite:///{tmp_path}/mlflow.db"


def test_the_global_tracking_uri_is_not_touched_or_used(
    store: MlflowRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "http://127.0.0.1:9")
    made = store.register("toy", toy_model(tmp_path / "model"), {}, "")
    assert store.resolve("toy/1") == made


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_server_that_is_down_is_named_without_its_password(tmp_path: Path) -> None:
    uri = f"http://ada:s3cret@127.0.0.1:{_free_port()}"
    before = dict(os.environ)
    with pytest.raises(RegistryError, match=r"http://\*\*\*@127\.0\.0\.1.*refused") as said:
        MlflowRegistry(uri, tmp_path).resolve("toy/1")
    assert "s3cret" not in str(said.value)
    assert "MLFLOW_TRACKING_URI" in said.value.advice
    assert dict(os.environ) == before


def test_a_server_that_never_answers_is_waited_for_as_long_as_the_user_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(RegistryError, match=r"not answer: Read timed out\. \(read timeout=1\)"):
            MlflowRegistry(uri, tmp_path).resolve("toy/1")
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "1"


class _Forbidding(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(401, "You are not authenticated")

    def log_message(self, *_: object) -> None:
        return


class _NotMlflow(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *_: object) -> None:
        return


@pytest.mark.parametrize(
    ("handler", "advice"), [(_NotMlflow, "MLFLOW_TRACKING_URI"), (_Forbidding, "_PASSWORD")]
)
def test_a_server_that_gives_other_answers_is_said_to(
    handler: type[BaseHTTPRequestHandler], advice: str, tmp_path: Path
) -> None:
    with HTTPServer(("127.0.0.1", 0), handler) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        try:
            with pytest.raises(RegistryError, match="could not open the registry") as said:
                MlflowRegistry(f"http://127.0.0.1:{other.server_port}", tmp_path).resolve("toy/1")
        finally:
            other.shutdown()
            thread.join()
    assert advice in said.value.advice


@pytest.mark.parametrize(
    "uri",
    ["mlruns", "file:///tmp/mlruns", "sqlite://", "sqlite:///:memory:", "databricks", "http://"],
)
def test_a_uri_that_is_no_store_and_no_server_is_refused(uri: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tracking URI"):
        MlflowRegistry(uri, tmp_path)


def test_a_database_uri_with_a_password_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as said:
        MlflowRegistry("postgresql://ada:s3cret@db/mlflow", tmp_path)
    assert "s3cret" not in str(said.value)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes, longer than a header")
    with pytest.raises(RegistryError, match="not an SQLite database"):
        MlflowRegistry(f"sqlite:///{path}", tmp_path).resolve("toy/1")
    assert path.read_text() == "my notes, longer than a header"


def test_a_store_that_cannot_be_made_is_an_error_we_know(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GatesError, match="file"):
        MlflowRegistry(f"sqlite:///{tmp_path}/file/mlflow.db", tmp_path / "c").resolve("toy/1")


def test_a_deleted_history_is_said_to_be(store: MlflowRegistry, tmp_path: Path) -> None:
    store.register("toy", toy_model(tmp_path / "model"), {}, "")
    client = store._connection.client
    experiment = client.get_experiment_by_name("gates/toy")
    assert experiment
    client.delete_experiment(experiment.experiment_id)
    with pytest.raises(RegistryError, match="mlflow experiments restore"):
        store.events("toy")


def test_mlflow_is_imported_only_when_the_registry_is_used() -> None:
    modules = "gates.registry.mlflow, gates.promotion.promote"
    code = f"import sys, {modules}; assert 'mlflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
