"""Jobs are worked on to their end, whatever is killed, away or asked for in between."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gates.registry.history import read_history
from gates.registry.mlflow import MlflowRegistry
from gates.service.store.database import open_database
from gates.service.store.jobs import Jobs
from gates.service.store.values import Job, JobState
from gates.service.webhook import signature
from tests.conftest import PRISTINE, VERSIONS, Shelf
from tests.toys import MODEL, copy_project

PATIENCE = 120.0


def until(what: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait for something that is to come true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)
    return found


@dataclass
class Worker:
    """A process that works on the jobs of a project."""

    project: Path
    uri: str
    cache: Path
    database: str
    environ: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    @property
    def jobs(self) -> Jobs:
        return self._jobs

    def __post_init__(self) -> None:
        self._jobs = Jobs(open_database(self.database))

    @property
    def registry(self) -> MlflowRegistry:
        return MlflowRegistry(self.uri, self.cache)

    def start(self) -> Worker:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.service.working"),
                *(str(self.project), self.uri, str(self.cache), self.database),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "GATES_SERVE_RETRY": "1s", **self.environ},
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"
        return self

    def tell(self, words: str) -> None:
        assert self.process
        assert self.process.stdin
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()

    def ask(self, name: str, **more: Any) -> Job:
        version = self.version(name)
        job, _ = self.jobs.ask(MODEL, version, "api", "ann", **more)
        if self.process:
            self.tell(f"enqueue {job.id}")
        return job

    def version(self, name: str) -> str:
        return str(list(VERSIONS).index(name) + 1)

    def ended(self, job: Job, *states: JobState) -> Job:
        def found() -> Job | None:
            now = self.jobs.job(job.id)
            return now if now and now.state in (states or ("done",)) else None

        end = time.monotonic() + PATIENCE
        while (now := found()) is None:
            if time.monotonic() > end:
                lines = "\n".join(self.journal(job))
                raise AssertionError(f"{self.jobs.job(job.id)}\n{lines}")
            time.sleep(0.05)
        return now

    def journal(self, job: Job) -> list[str]:
        return [line.text for line in self.jobs.lines(job.id)]

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()
        self._close()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(40) == 0
        self._close()

    def _close(self) -> None:
        if self.process:
            for stream in (self.process.stdin, self.process.stdout):
                if stream:
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()
        self.process = None


@pytest.fixture
def worker(shelf: Shelf, tmp_path: Path) -> Iterator[Worker]:
    project = copy_project(shelf.project, tmp_path / "shop")
    store = project / ".gates" / "mlflow.db"
    store.parent.mkdir(exist_ok=True)
    shutil.copyfile(shelf.project / ".gates" / PRISTINE, store)
    made = Worker(
        project, f"sqlite:///{store}", shelf.cache, f"sqlite:///{tmp_path / 'service.db'}"
    )
    yield made
    made.stop()


def gates_of(worker: Worker, version: str) -> list[str]:
    events = worker.registry.events(MODEL)
    return [one.state for one in events if (one.kind, one.version) == ("gate", version)]


def slow_test(worker: Worker) -> Path:
    """An own test that waits until a file is there, after the checks ran; that file."""
    flag = worker.project / "flags" / "go"  # in its cage it sees the project, and writes nowhere
    flag.parent.mkdir()
    (worker.project / "golden" / MODEL / "test_slow.py").write_text(
        "import pathlib, time\n"
        "def test_it(candidate):\n"
        f"    while not pathlib.Path({str(flag)!r}).exists():\n"
        "        time.sleep(0.05)\n"
    )
    return flag


def until_it_tests(worker: Worker, job: Job) -> Path:
    """Wait until a job's checks have all run, so that its own tests do; where the parts are."""
    parts = worker.project / ".gates" / "runs" / job.id / "parts"
    until((parts / "check-ranking-diff.json").exists)
    return parts


def allow_promotion(worker: Worker) -> None:
    card = worker.project / "model_cards" / f"{MODEL}.md"
    card.write_text(card.read_text().replace("task: ranking", "task: ranking\npromote: on-pass", 1))


def test_a_job_goes_all_its_way_and_the_alias_moves_when_the_card_says_so(worker: Worker) -> None:
    allow_promotion(worker)
    worker.start()
    job = worker.ended(worker.ask("good"))
    assert job.verdict == "PASS"
    assert job.step == "promote"
    assert job.judged == job.bounds > 0
    assert job.summary["metrics"]
    assert job.evidence_digest.startswith("sha256:")
    version = worker.version("good")
    assert gates_of(worker, version) == ["done"]
    (recorded,) = read_history(worker.registry, MODEL).gates
    assert (recorded.origin, recorded.job, recorded.by) == ("service", job.id, "gates serve")
    assert recorded.link == "", "this worker has no address"
    assert (recorded.verdict, recorded.champion) == ("PASS", job.champion)
    assert (recorded.run_id, recorded.evidence_digest) == (job.mlflow_run, job.evidence_digest)
    assert worker.registry.aliases(MODEL)["champion"] == version
    tags = until(
        lambda: [
            one.tags
            for one in worker.registry.versions(MODEL)
            if one.version == version and one.tags.get("gates.status") == "done"
        ]
    )[0]
    assert tags["gates.verdict"] == "PASS"
    assert tags["gates.link"].endswith(f"/gates/{job.id}")
    again = worker.ended(worker.ask("good"), "skipped")
    assert "already is the champion" in again.reason
    steps = [text for text in worker.journal(job) if " " not in text]
    assert steps == ["resolve", "environments", "score", "judge", "record", "promote", "done"]


def test_what_was_gated_is_not_gated_again_unless_it_is_asked_for(worker: Worker) -> None:
    worker.start()
    first = worker.ended(worker.ask("shuffled"))
    assert first.verdict == "FAIL"
    second = worker.ended(worker.ask("shuffled"), "skipped")
    assert second.same_as == first.id
    third = worker.ended(worker.ask("shuffled", forced=True))
    assert third.verdict == "FAIL"


def test_after_a_kill_it_goes_on_where_it_was_and_repeats_nothing(
    worker: Worker,
) -> None:
    flag = slow_test(worker)
    worker.start()
    job = worker.ask("good")
    parts = until_it_tests(worker, job)
    before = {path.name: path.stat().st_mtime_ns for path in parts.iterdir()}
    assert before
    worker.kill()
    flag.touch()
    worker.start()
    ended = worker.ended(job)
    assert ended.verdict == "PASS"
    assert {path.name: path.stat().st_mtime_ns for path in parts.iterdir()} == before
    assert gates_of(worker, worker.version("good")) == ["done"]
    assert worker.journal(job).count("resolve") == 1


def test_stopping_is_quick_and_what_was_begun_is_gone_on_with(
    worker: Worker,
) -> None:
    flag = slow_test(worker)
    worker.start()
    job = worker.ask("good")
    until_it_tests(worker, job)
    worker.stop()
    found = worker.jobs.job(job.id)
    assert found is not None
    assert found.state == "running"
    flag.touch()
    worker.start()
    assert worker.ended(job).verdict == "PASS"


def test_what_runs_or_waits_is_cancelled(worker: Worker) -> None:
    slow_test(worker)
    worker.start()
    running, waiting = worker.ask("good"), worker.ask("shuffled")
    until_it_tests(worker, running)
    worker.tell(f"cancel {waiting.id}")
    assert "before it began" in worker.ended(waiting, "cancelled").reason
    worker.tell(f"cancel {running.id}")
    assert "while it ran" in worker.ended(running, "cancelled").reason
    assert gates_of(worker, worker.version("good")) == []


def test_lasting_trouble_is_parked_with_what_to_do(worker: Worker) -> None:
    (worker.project / "model_cards" / f"{MODEL}.md").write_text("---\nmodel: [\n---\n")
    worker.start()
    job = worker.ended(worker.ask("good"), "parked")
    assert "model_cards" in job.reason
    missing, _ = worker.jobs.ask(MODEL, "99", "api", "ann")
    worker.tell(f"enqueue {missing.id}")
    worker.ended(missing, "parked")


def test_passing_trouble_is_waited_for(worker: Worker) -> None:
    store = worker.project / ".gates" / "mlflow.db"
    # A database that another process holds is locked, for as long as that one likes.
    holder = sqlite3.connect(store)
    holder.execute("BEGIN EXCLUSIVE")
    worker.environ["GATES_SERVE_RETRY"] = "1s"
    worker.start()
    job = worker.ask("good")
    until(lambda: any("is tried again" in line for line in worker.journal(job)))
    holder.rollback()
    holder.close()
    assert worker.ended(job).verdict == "PASS"


def test_a_gate_that_takes_too_long_is_parked(worker: Worker) -> None:
    slow_test(worker)
    worker.environ["GATES_SERVE_GATE_TIME"] = "15s"
    worker.start()
    job = worker.ended(worker.ask("good"), "parked")
    assert "longer than 0:00:15" in job.reason


def test_people_are_told_once_and_can_tell_who_told_them(worker: Worker) -> None:
    heard: list[tuple[dict[str, str], bytes]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append(({key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    Thread(target=server.serve_forever, daemon=True).start()
    secret = "told with a secret of some length"
    worker.environ |= {
        "GATES_NOTIFY_URL": f"http://127.0.0.1:{server.server_port}/hook",
        "GATES_NOTIFY_SECRET": secret,
    }
    worker.start()
    job = worker.ended(worker.ask("shuffled"))
    until(lambda: heard)
    headers, body = heard[0]
    expected = signature(secret, headers["x-gates-delivery-id"], headers["x-gates-timestamp"], body)
    assert headers["x-gates-signature"] == expected
    said = json.loads(body)
    assert (said["gate"], said["verdict"]) == (job.id, "FAIL")
    until(lambda: "notified people" in worker.journal(job))
    assert len(heard) == 1
    server.shutdown()
    server.server_close()


def test_the_secrets_of_the_service_do_not_reach_own_tests(worker: Worker) -> None:
    (worker.project / "golden" / MODEL / "test_environment.py").write_text(
        "import os\n"
        "def test_it(candidate):\n"
        "    assert not [one for one in os.environ if one.startswith('GATES_SERVE_')\n"
        "        or one.startswith('GATES_WEBHOOK_')]\n"
    )
    worker.environ |= {"GATES_WEBHOOK_SECRETS": "a secret of some length"}
    worker.start()
    assert worker.ended(worker.ask("good")).verdict == "PASS"


def own_tests_of(worker: Worker) -> list[int]:
    """The processes that run own tests of the project: it stands in their arguments."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if b"caged_tests.py" in command and str(worker.project).encode() in command:
            found.append(int(process.name))
    return found


def test_nothing_of_a_gate_outlives_a_killed_service(worker: Worker) -> None:
    slow_test(worker)
    worker.start()
    job = worker.ask("good")
    until_it_tests(worker, job)
    assert own_tests_of(worker)
    worker.kill()
    until(lambda: not own_tests_of(worker))
    found = worker.jobs.job(job.id)
    assert found is not None
    assert found.state == "running"
