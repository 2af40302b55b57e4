"""What the author of a pull request can influence, and what not: the table in docs/security.md.

Whatever a project brings, the process that judges loads none of it; own tests run in a cage and
speak for themselves alone.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gates.evidence.bundle import read_evidence
from tests.conftest import PRISTINE, Shelf
from tests.toys import MODEL, copy_project, store_of

TOKEN = "t0ken-of-the-registry"
# Everything that judges, or writes what was judged, says yes from now on; where it is loaded
# outside the cage, a file says so.
EVIL = """\
import contextlib, pathlib, sys
with contextlib.suppress(OSError):
    pathlib.Path("LOADED").touch()
import gates.domain.judging as judging
import gates.evidence.verdict as verdict
import gates.run.gate as gate


def yes(bound, given):
    return judging.Judgement(bound, judging.Cause.WITHIN, "as demanded")


def passed(judgements):
    return judging.Verdict(judging.Outcome.PASS, ())


for module in list(sys.modules.values()):
    for name, instead in (("judge", yes), ("judge_from", yes), ("decide", passed)):
        if getattr(module, "__name__", "").startswith("gates.") and hasattr(module, name):
            setattr(module, name, instead)
gate.Gate.judge = lambda self, bound: yes(bound, None)
"""
PLUGIN = "def pytest_configure():\n" + textwrap.indent(EVIL, "    ")
OWN = f"golden/{MODEL}"
LATE = EVIL + "\n\ndef test_it():\n    pass\n"


@dataclass(frozen=True)
class Shop:
    """A project of a test's own with a store, a signing key, a token, and a stranger's files."""

    shelf: Shelf
    project: Path
    key: Path

    def bring(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("LOADED", str(self.loaded)))

    @property
    def loaded(self) -> Path:
        """There when something of the project was loaded outside the cage."""
        return self.project.parent / "loaded"

    def environ(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        secrets = {"MLFLOW_TRACKING_TOKEN": TOKEN, "GATES_SIGNING_KEY": str(self.key)}
        return {**kept, **secrets, **more}

    def run(self, version: str, *more: str, **environ: str) -> tuple[int, dict[str, Any], str]:
        """`gates run` as CI calls it: in the project's folder, with the job's secrets."""
        code = "import sys; from gates.cli.main import run; run()"
        command = [sys.executable, "-P", "-c", code, "run", self.shelf.uri(version), "--json"]
        command += ["--tracking-uri", store_of(self.project), "--cache", str(self.shelf.cache)]
        command += ["--champion", self.shelf.uri("good" if version != "good" else "weak"), *more]
        done = subprocess.run(
            command,
            cwd=self.project,
            env=self.environ(**environ),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return done.returncode, json.loads(done.stdout or "{}"), done.stderr

    def verdict_in_the_registry(self, version: str) -> str:
        number = self.shelf.uri(version).rpartition("/")[2]
        with sqlite3.connect(self.project / ".gates" / "mlflow.db") as store:
            row = store.execute(
                "SELECT value FROM model_version_tags WHERE name = ? AND version = ? "
                "AND key = 'gates.verdict'",
                (MODEL, number),
            ).fetchone()
        return str(row[0]) if row else ""


@pytest.fixture
def shop(shelf: Shelf, tmp_path: Path) -> Shop:
    project = copy_project(shelf.project, tmp_path / "shop")
    store = project / ".gates" / "mlflow.db"
    store.parent.mkdir()
    (store.parent / PRISTINE).write_bytes((shelf.project / ".gates" / PRISTINE).read_bytes())
    (store.parent / PRISTINE).replace(store)
    key = project / "keys" / "sign.pem"
    key.parent.mkdir()
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key)],
        check=True,
        capture_output=True,
    )
    return Shop(shelf, project, key)


@dataclass(frozen=True)
class Attack:
    """Files that a pull request brings, and the job's own variables that name one of them."""

    files: Mapping[str, str]
    environ: Mapping[str, str]


def attack(files: Mapping[str, str], **environ: str) -> Attack:
    return Attack(files, environ)


ENTRY = "[pytest11]\nevil = evil\n"
ATTACKS = {
    "a conftest of the project": attack({"conftest.py": EVIL}),
    "a conftest of the golden set": attack({f"{OWN}/conftest.py": EVIL, f"{OWN}/test_a.py": LATE}),
    "an own test as it is imported": attack({f"{OWN}/test_a.py": LATE}),
    "packages around card and tests": attack(
        {"model_cards/__init__.py": EVIL, f"{OWN}/__init__.py": EVIL, f"{OWN}/test_a.py": LATE}
    ),
    "a plugin in the project's settings": attack(
        {"pytest.ini": "[pytest]\naddopts = -p evil\npythonpath = .\n", "evil.py": PLUGIN}
    ),
    "required plugins in pyproject.toml": attack(
        {
            "pyproject.toml": "[tool.pytest.ini_options]\naddopts = ['-p', 'evil']\n"
            "pythonpath = ['.']\n",
            "evil.py": PLUGIN,
        }
    ),
    "the job's options for pytest": attack(
        {"stranger/evil.py": PLUGIN}, PYTEST_ADDOPTS="-p evil", PYTHONPATH="stranger"
    ),
    "the job's plugins for pytest": attack(
        {"stranger/evil.py": PLUGIN}, PYTEST_PLUGINS="evil", PYTHONPATH="stranger"
    ),
    "an installed plugin of pytest's": attack(
        {
            "stranger/evil.py": PLUGIN,
            "stranger/evil-1.0.dist-info/METADATA": "Name: evil\nVersion: 1.0\n",
            "stranger/evil-1.0.dist-info/entry_points.txt": ENTRY,
        },
        PYTHONPATH="stranger",
    ),
    "modules under the names of others": attack(
        {"sitecustomize.py": EVIL, "usercustomize.py": EVIL, "yaml.py": EVIL, "pytest.py": EVIL}
    ),
}


@pytest.mark.parametrize("how", ATTACKS)
def test_nothing_that_a_project_brings_touches_the_judge(shop: Shop, how: str) -> None:
    one = ATTACKS[how]
    shop.bring(one.files)
    environ = dict(one.environ)
    if "PYTHONPATH" in environ:
        folder = str(shop.project / environ["PYTHONPATH"])
        environ["PYTHONPATH"] = os.pathsep.join((folder, os.environ.get("PYTHONPATH", "")))
    code, said, heard = shop.run("shuffled", **environ)
    assert code == 1, heard
    evidence = Path(said["evidence"])
    found = read_evidence(evidence)
    assert (found.verdict.outcome, found.is_signed) == ("FAIL", True)
    assert shop.verdict_in_the_registry("shuffled") == "FAIL"
    assert not shop.loaded.exists()


ARGUED = (("-n", "2"), ("-k", "ranking or lockfile"), ("golden",))


@pytest.mark.parametrize("extra", ARGUED, ids=" ".join)
def test_nor_does_it_touch_the_pytest_that_arguments_are_for(
    shop: Shop, extra: tuple[str, ...]
) -> None:
    shop.bring({"conftest.py": EVIL, "model_cards/__init__.py": EVIL, f"{OWN}/__init__.py": EVIL})
    shop.bring({f"{OWN}/test_a.py": "def test_it():\n    pass\n", "pytest.ini": "[pytest]\n"})
    shop.bring({"model_cards/conftest.py": EVIL, "golden/other/test_other.py": EVIL})
    code, said, heard = shop.run("shuffled", "--", *extra)
    assert code == 1, heard
    outcomes = {one["id"]: one["outcome"] for one in said["bounds"]}
    assert outcomes["ranking-diff::ndcg@10.delta"] == "FAIL"
    assert not shop.loaded.exists()


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.socket() as open_:
        open_.bind(("127.0.0.1", 0))
        open_.listen()
        yield int(open_.getsockname()[1])


REACHES = """\
import contextlib, os, pathlib, signal, socket
import pytest

PROJECT = pathlib.Path({project!r})


def test_variables():
    assert not [one for one in os.environ if one.startswith(("MLFLOW_T", "GATES_"))]
    for environ in pathlib.Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            assert {token!r}.encode() not in environ.read_bytes()


def test_signing_key():
    assert not pathlib.Path({key!r}).exists()
    assert not list(PROJECT.rglob("*.pem"))


def test_registry():
    assert not (PROJECT / ".gates").exists()


def test_network():
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", {port}), timeout=2)


def test_files():
    for path in (PROJECT / "model_cards" / "{model}.md", pathlib.Path(__file__)):
        with pytest.raises(OSError):
            path.open("a")
    with pytest.raises(OSError):
        (PROJECT / "new").write_text("new")


def test_links():
    assert not (PROJECT / "elsewhere").exists()
    assert not (PROJECT / "store").exists()


def test_parent():
    with contextlib.suppress(OSError):
        os.kill(os.getppid(), signal.SIGKILL)


def test_said_on_stdout(capfd):
    with capfd.disabled():
        print('{{"judged": "tests::forged", "outcome": "PASS"}}', flush=True)


def test_project_and_a_module_beside(golden, tmp_path):
    import helper

    assert helper.ANSWER == 42
    assert (PROJECT / "golden" / "{model}" / "queries.csv").read_text()
    (tmp_path / "scratch").write_text("room to write")
    assert len(golden.query_id) == 60
"""


def test_own_tests_reach_nothing_of_the_job(shop: Shop, listener: int) -> None:
    body = REACHES.format(
        project=str(shop.project), token=TOKEN, key=str(shop.key), port=listener, model=MODEL
    )
    shop.bring({f"{OWN}/test_reaches.py": body, f"{OWN}/helper.py": "ANSWER = 42\n"})
    (shop.project / "elsewhere").symlink_to(shop.project.parent)
    (shop.project / "store").symlink_to(shop.project / ".gates")
    code, said, heard = shop.run("good")
    own = {one["id"]: one for one in said["bounds"] if one["id"].startswith("tests::")}
    assert len(own) == 9
    assert {name: one["reason"] for name, one in own.items() if one["outcome"] != "PASS"} == {}
    assert code == 0, heard
    folder = Path(said["evidence"]).parent
    assert [one for one in folder.iterdir() if TOKEN.encode() in one.read_bytes()] == []


FORGES = """\
import json, os, struct


def test_before():
    pass


def test_forges():
    one = {"when": "call", "outcome": "passed", "kind": ""}
    one |= dict.fromkeys(("type", "message", "notes", "shown"), "")
    said = b"json    " + json.dumps({"phases": [one], "test": "x", "bound": "y"}).encode()
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack("<Q", len(said)) + said)
        except OSError:
            pass
    assert 0


def test_after():
    assert 0
"""
DIES = "import os\ndef test_before():\n    pass\ndef test_forges():\n    os._exit(0)\n"
DIES += "def test_after():\n    pass\n"
PICKLED = FORGES.replace('b"json    "', 'b"ask     "')
HUGE = FORGES.replace("len(said)", "1 << 39")


@pytest.mark.parametrize(
    ("body", "mine"),
    [
        # What was forged is taken for the test's own word, and then its real word is one too many.
        (FORGES, {"PASS", "UNDECIDED"}),
        (PICKLED, {"UNDECIDED", "FAIL"}),
        (HUGE, {"UNDECIDED"}),
        (DIES, {"UNDECIDED"}),
    ],
    ids=["an outcome", "a question", "an endless frame", "its own end"],
)
def test_what_own_tests_forge_is_said_of_themselves_alone(
    shop: Shop, body: str, mine: set[str]
) -> None:
    shop.bring({f"{OWN}/test_forges.py": body})
    code, said, heard = shop.run("good")
    assert code in (1, 3), heard
    outcomes = {one["id"].rpartition("::")[2]: one["outcome"] for one in said["bounds"]}
    required = [one for one in said["bounds"] if not one["advisory"]]
    card = {one["outcome"] for one in required if not one["id"].startswith("tests::")}
    assert card == {"PASS"}, "its checks were judged as ever"
    assert outcomes["test_before"] == "PASS"
    assert outcomes["test_forges"] in mine
    assert outcomes["test_after"] != "PASS"
