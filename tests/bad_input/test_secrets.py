"""Tokens in the gate's environment reach neither the model nor anything the gate writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bad_input.conftest import World
from tests.conftest import CommandLine
from tests.sealed import record_in
from tests.toys import MODEL

SECRETS = {
    "MLFLOW_TRACKING_TOKEN": "s3cr3t-tracking-token",
    "MLFLOW_TRACKING_PASSWORD": "s3cr3t-tracking-password",
    "AWS_SECRET_ACCESS_KEY": "s3cr3t-aws-key",
    "GITHUB_TOKEN": "s3cr3t-github-token",
}


def _holding(needle: str, *folders: Path) -> list[Path]:
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return [path for path in files if needle.encode() in path.read_bytes()]


def test_a_secret_of_the_gate_is_seen_by_no_model_and_written_nowhere(
    world: World, gates: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    source = world.model / "toy_model.py"
    spy = "import sys\nprint(dict(os.environ), file=sys.stderr)\n"
    spy += "for pid in (os.getpid(), os.getppid()):\n"
    spy += "    print(open(f'/proc/{pid}/environ').read(), file=sys.stderr)\n"
    source.write_text(source.read_text() + spy)
    build = world.model / "build.py"
    build.write_text(build.read_text() + "import os\nprint(dict(os.environ))\n")
    (world.model / "params.json").write_text(
        '{"inputs": ["good", "noise"], "trick": "raises", "weights": {}}'
    )
    packaged = gates("package", MODEL, world.options(), "--json")
    assert packaged.code == 0, packaged.err
    command = ["--", "--override-ini", "junit_suite_name=https://ada:s3cr3t-in-a-uri@mlflow"]
    run = gates("run", json.loads(packaged.out)["uri"], world.options(), "--json", command)
    assert run.code == 3, run.err
    evidence = record_in(Path(json.loads(run.out)["evidence"]))
    log = "".join(record["log"] for record in evidence["records"])
    assert "OMP_NUM_THREADS" in log, "the model did look at its environment"
    assert "https://***@mlflow" in evidence["gate"]["command"][-1]
    assert "s3cr3t" not in json.dumps(evidence)
    for answer in (packaged, run):
        assert "s3cr3t" not in answer.out + answer.err
    assert _holding("s3cr3t", world.project, tmp_path) == []
    assert _holding("OMP_NUM_THREADS", world.output), "the search itself finds things"
