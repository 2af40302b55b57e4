"""`gates init`: from a model that is in MLflow, and nothing else, to a gate that can run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from gates.card.card import read_card
from gates.checks import catalogue
from gates.golden import read_golden
from tests.conftest import CommandLine
from tests.logged import RANKER, TEXT_TO_LABEL, model_folder, register
from tests.sealed import record_in

FEATURES = [{"type": "double", "name": "bm25"}, {"type": "double", "name": "clicks"}]
SCORE = [{"type": "double"}]
GOOD = [["lamp", "lighting"], ["tent", "camping"], ["duvet", "bedding"]]
WEAK = [["lamp", "lighting"]]
HOSTILE = "six==1.17.0\n--index-url https://elsewhere.example/simple\n-e .\nsix; $(touch owned)\n"


@dataclass(frozen=True)
class Team:
    """A team's MLflow store, made once; tests write into projects of their own."""

    tracking_uri: str
    cache: Path

    def options(self, project: Path) -> list[str]:
        """What every command needs."""
        return [
            "--project",
            str(project),
            "--tracking-uri",
            self.tracking_uri,
            "--cache",
            str(self.cache),
        ]


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, gates_cache: Path) -> Team:
    """Versions as teams log them, none of them with a lock."""
    home = tmp_path_factory.mktemp("team")
    uri = f"sqlite:///{home / 'mlflow.db'}"
    example = {"columns": ["text"], "data": [["red lamp"], ["small tent"], ["wool duvet"]]}
    intent: dict[str, Any] = {"signature": TEXT_TO_LABEL, "example": example}
    lists: dict[str, Any] = {"signature": (FEATURES, SCORE), "source": RANKER}

    def log(name: str, at: int, data: object, *, champion: bool = False, **how: Any) -> None:
        params = how.pop("params", None)
        folder = model_folder(home / f"{name}-{at}", data=data, **how)
        register(uri, gates_cache, name, folder, params=params, champion=champion)

    log("intent", 1, WEAK, champion=True, **intent)
    log("intent", 2, GOOD, **intent)
    log("alone", 1, GOOD, **intent)
    objective = {"objective": "lambdarank"}
    log("ranker", 1, [["bm25", 1.0]], champion=True, params=objective, **lists)
    log("ranker", 2, [["bm25", 1.0], ["clicks", 0.1]], params=objective, **lists)
    log("bare", 1, GOOD, signature=None)
    log("hostile", 1, GOOD, signature=TEXT_TO_LABEL, requirements=HOSTILE)
    log("silent", 1, GOOD, signature=TEXT_TO_LABEL, requirements=None)
    log("crashes", 1, GOOD, source="raise RuntimeError('no')\n", **intent)
    log("a name", 1, GOOD, **intent)
    return Team(uri, gates_cache)


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    """Sixty labelled texts, each kind as often as the others."""
    path = tmp_path / "queries.csv"
    kinds = {"lamp": "lighting", "tent": "camping", "duvet": "bedding"}
    rows = [f"{word} {at},{label}" for at in range(40) for word, label in kinds.items()]
    path.write_text("\n".join(["search_term,label", *rows]) + "\n")
    return path


def project_in(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def test_from_a_name_and_labelled_queries_to_a_pass(
    team: Team, gates: CommandLine, tmp_path: Path, queries: Path
) -> None:
    project = project_in(tmp_path)
    answer = gates("init", "intent", "--queries", str(queries), team.options(project), "--json")
    assert answer.code == 0, answer.err
    told = json.loads(answer.out)
    assert (told["version"], told["task"]) == ("models:/intent/1", "classification")
    assert told["next"] == "gates run models:/intent/2"
    assert told["missing"] == []
    for name in told["files"]:
        assert (project / name).is_file()

    ran = gates("run", "models:/intent/2", team.options(project), "--json")
    assert ran.code == 0, ran.out + ran.err
    outcomes = {one["id"]: one for one in json.loads(ran.out)["bounds"]}
    late = outcomes["lockfile::after-the-fact"]
    assert (late["outcome"], late["advisory"], late["value"]) == ("FAIL", True, 1.0)
    assert outcomes["score-range::label-accuracy"]["value"] == 1.0
    evidence = record_in(Path(json.loads(ran.out)["evidence"]))
    assert evidence["candidate"]["lock_digest"].startswith("sha256:")
    said = json.dumps(evidence, ensure_ascii=False)
    assert "made after the fact by gates init on" in said
    assert any("test_white_space" in name for name in outcomes)


def test_a_card_that_does_not_know_late_locks_fails_them(
    team: Team, gates: CommandLine, tmp_path: Path, queries: Path
) -> None:
    project = project_in(tmp_path)
    gates("init", "intent", "--queries", str(queries), team.options(project))
    card = project / "model_cards" / "intent.md"
    card.write_text(
        "---\nmodel: intent\ntask: classification\nowners: [x]\n"
        "environment: {labels_only: true}\nchecks:\n  lockfile: {}\n---\n"
    )
    ran = gates("run", "models:/intent/2", team.options(project), "--json")
    assert ran.code == 1, ran.err
    outcomes = {one["id"]: one["outcome"] for one in json.loads(ran.out)["bounds"]}
    assert outcomes["lockfile::after-the-fact"] == "FAIL"


def test_without_labels_the_answers_are_recorded_and_that_is_said(
    team: Team, gates: CommandLine, tmp_path: Path
) -> None:
    project = project_in(tmp_path)
    answer = gates("init", "models:/alone/1", team.options(project))
    assert answer.code == 0, answer.err
    assert "recorded 3 labels from models:/alone/1" in answer.out
    golden = project / "golden" / "alone"
    assert "lighting" in (golden / "expectations.csv").read_text()
    manifest = (golden / "manifest.yaml").read_text()
    assert "recorded from models:/alone/1, not judged by people" in manifest
    assert read_golden(golden).query_text == ("red lamp", "small tent", "wool duvet")


def test_a_card_tells_what_mlflow_knows_and_is_valid(
    team: Team, gates: CommandLine, tmp_path: Path, queries: Path
) -> None:
    project = project_in(tmp_path)
    gates("init", "intent", "--queries", str(queries), team.options(project))
    card = read_card(project / "model_cards" / "intent.md", catalogue(), project=project)
    assert card.policy.owners == ["ana"]
    assert "nightly" in card.prose
    assert "accuracy = 0.93" in card.prose
    assert card.bounds(read_golden(card.golden_path))


def test_the_workflow_is_one_that_github_accepts(
    team: Team, gates: CommandLine, tmp_path: Path, queries: Path
) -> None:
    project = project_in(tmp_path)
    gates("init", "intent", "--queries", str(queries), team.options(project))
    path = project / ".github" / "workflows" / "gates.yml"
    checked = subprocess.run(
        [
            str(Path(sys.executable).with_name("check-jsonschema")),
            "--builtin-schema",
            "vendor.github-workflows",
            str(path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
    steps = yaml.safe_load(path.read_text())["jobs"]["gate"]["steps"]
    assert steps[-1]["with"]["tracking-uri"] == "${{ vars.MLFLOW_TRACKING_URI }}"


def test_a_dry_run_writes_nothing(
    team: Team, gates: CommandLine, tmp_path: Path, queries: Path
) -> None:
    project = project_in(tmp_path)
    options = team.options(project)
    answer = gates("init", "intent", "--queries", str(queries), "--dry-run", options)
    assert answer.code == 0, answer.err
    assert "would write  model_cards/intent.md" in answer.out
    assert list(project.iterdir()) == []


def test_nothing_that_is_there_is_replaced_unless_it_is_said(
    team: Team, gates: CommandLine, tmp_path: Path, queries: Path
) -> None:
    project = project_in(tmp_path)
    card = project / "model_cards" / "intent.md"
    card.parent.mkdir()
    card.write_text("ours")
    call = ["init", "intent", "--queries", str(queries), *team.options(project)]
    refused = gates(call)
    assert refused.code == 2
    assert "model_cards/intent.md is there already" in refused.err
    assert card.read_text() == "ours"
    assert not (project / "golden").exists()
    assert gates(call, "--force").code == 0
    assert card.read_text() != "ours"


def test_a_version_that_comes_later_gets_only_its_lock(
    team: Team, gates: CommandLine, tmp_path: Path, queries: Path
) -> None:
    project = project_in(tmp_path)
    first = gates(
        "init", "models:/intent/1", "--queries", str(queries), team.options(project), "--json"
    )
    assert not any("locks/intent/2" in name for name in json.loads(first.out)["files"])
    ran = gates("run", "models:/intent/2", team.options(project), "--json")
    assert ran.code == 3
    assert "gates init --lock-only models:/intent/2" in ran.out
    later = gates("init", "--lock-only", "models:/intent/2", team.options(project), "--json")
    assert later.code == 0, later.err
    assert {Path(name).parent.as_posix() for name in json.loads(later.out)["files"]} == {
        "locks/intent/2"
    }
    again = gates("init", "--lock-only", "models:/intent/2", team.options(project), "--json")
    assert json.loads(again.out)["kept"] == ["locks/intent/2/requirements.txt"]


def test_versions_with_the_same_pins_have_the_same_lock_and_so_share_an_environment(
    team: Team, gates: CommandLine, tmp_path: Path, queries: Path
) -> None:
    project = project_in(tmp_path)
    gates("init", "intent", "--queries", str(queries), team.options(project))
    first, second = (project / "locks" / "intent" / version for version in ("1", "2"))
    lock = (first / "requirements.txt").read_bytes()
    assert lock == (second / "requirements.txt").read_bytes()
    assert lock.startswith(b"# Made after the fact by gates init")
    facts = json.loads((second / "late-lock.json").read_text())
    assert facts["uri"] == "models:/intent/2"
    assert facts["command"].startswith("gates lock compile")


def test_a_lock_made_for_other_bytes_is_refused(
    team: Team, gates: CommandLine, tmp_path: Path, queries: Path
) -> None:
    project = project_in(tmp_path)
    gates("init", "intent", "--queries", str(queries), team.options(project))
    locks = project / "locks" / "intent"
    shutil.rmtree(locks / "2")
    shutil.copytree(locks / "1", locks / "2")
    ran = gates("run", "models:/intent/2", team.options(project), "--json")
    assert ran.code == 3
    assert "made for other bytes than models:/intent/2 holds" in ran.out


def test_a_ranker_with_graded_candidates_gets_a_verdict(
    team: Team, gates: CommandLine, tmp_path: Path
) -> None:
    project = project_in(tmp_path)
    rows = [
        f"q{query},d{document},typed {query},{document + query / 100},{5 - document},{grade}"
        for query in range(80)
        for document, grade in enumerate((0, 1, 2, 3, 3))
    ]
    lists = tmp_path / "lists.csv"
    lists.write_text("\n".join(["qid,product_id,query,bm25,clicks,grade", *rows]) + "\n")
    answer = gates("init", "ranker", "--candidates", str(lists), team.options(project), "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["because"].endswith("is a ranking objective")
    golden = read_golden(project / "golden" / "ranker")
    assert golden.query_text[0] == "typed 0"
    ran = gates("run", "models:/ranker/2", team.options(project), "--json")
    assert ran.code == 0, ran.out


def test_a_ranker_without_candidates_says_what_is_missing_and_so_does_the_gate(
    team: Team, gates: CommandLine, tmp_path: Path
) -> None:
    project = project_in(tmp_path)
    answer = gates("init", "ranker", team.options(project), "--json")
    assert answer.code == 3, answer.err
    (missing,) = json.loads(answer.out)["missing"]
    assert "query_id, doc_id, grade and bm25, clicks" in missing
    ran = gates("run", "models:/ranker/2", team.options(project))
    assert ran.code == 2
    assert "there is no query" in ran.err


def test_a_version_that_has_its_lock_keeps_it(
    team: Team, gates: CommandLine, tmp_path: Path, queries: Path
) -> None:
    project = project_in(tmp_path)
    gates("init", "intent", "--queries", str(queries), team.options(project))
    folder = model_folder(tmp_path / "m", data=GOOD, signature=TEXT_TO_LABEL)
    (folder / "gates").mkdir()
    lock = project / "locks" / "intent" / "1" / "requirements.txt"
    shutil.copyfile(lock, folder / "gates" / "requirements.txt")
    store = f"sqlite:///{tmp_path / 'own.db'}"
    register(store, team.cache, "packed", folder)
    other = tmp_path / "other"
    other.mkdir()
    own = Team(store, team.cache)
    call = ["init", "packed", "--queries", str(queries), *own.options(other), "--json"]
    told = json.loads(gates(call).out)
    assert not any(name.startswith("locks/") for name in told["files"])
    assert told["notes"] == ["models:/packed/1 has its own lock; none was made"]
    card = (other / "model_cards" / "packed.md").read_text()
    assert "after-the-fact: {max: 0}\n" in card, "advisory only where a lock was made late"


def test_a_task_that_cannot_be_found_out_is_asked_for_with_what_was_looked_at(
    team: Team, gates: CommandLine, tmp_path: Path, queries: Path
) -> None:
    project = project_in(tmp_path)
    call = ["init", "bare", "--queries", str(queries), *team.options(project)]
    refused = gates(call)
    assert refused.code == 2
    for looked_at in ("flavour", "no signature", "parameters", "other files", "--task"):
        assert looked_at in refused.err
    assert list(project.iterdir()) == []
    assert gates(call, "--task", "classification").code == 0


def test_hostile_requirements_are_named_and_nothing_is_written(
    team: Team, gates: CommandLine, tmp_path: Path, queries: Path
) -> None:
    project = project_in(tmp_path)
    call = ["init", "hostile", "--queries", str(queries), *team.options(project)]
    refused = gates(call)
    assert refused.code == 2
    for where in ("requirements.txt:2", "requirements.txt:3", "requirements.txt:4"):
        assert where in refused.err
    assert list(project.iterdir()) == []
    own = tmp_path / "needs.txt"
    own.write_text("six==1.17.0\n")
    assert gates(call, "--requirements", str(own)).code == 0
    facts = json.loads((project / "locks" / "hostile" / "1" / "late-lock.json").read_text())
    assert facts["source"].startswith("needs.txt, which was named for it")


def test_nothing_that_logged_requirements_name_is_built_and_so_run(
    gates: CommandLine,
    tmp_path: Path,
    gates_cache: Path,
    queries: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shelf, marker = tmp_path / "shelf", tmp_path / "ran"
    source = shelf / "mlgates_toy_hostile-1.0"
    source.mkdir(parents=True)
    (source / "PKG-INFO").write_text(
        "Metadata-Version: 2.1\nName: mlgates-toy-hostile\nVersion: 1.0\n"
    )
    (source / "setup.py").write_text(
        f"open({str(marker)!r}, 'w').close()\n"
        "from setuptools import setup\nsetup(name='mlgates-toy-hostile', version='1.0')\n"
    )
    with tarfile.open(shelf / "mlgates_toy_hostile-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)
    monkeypatch.setenv("UV_FIND_LINKS", str(shelf))
    store = f"sqlite:///{tmp_path / 'own.db'}"
    needs = "mlgates-toy-hostile==1.0\n"
    folder = model_folder(tmp_path / "m", data=GOOD, signature=TEXT_TO_LABEL, requirements=needs)
    register(store, gates_cache, "built", folder)
    team = Team(store, gates_cache)
    refused = gates("init", "built", "--queries", str(queries), team.options(project_in(tmp_path)))
    assert refused.code == 2
    assert "mlgates-toy-hostile" in refused.err
    assert not marker.exists()


def test_a_version_logged_without_requirements_says_so(
    team: Team, gates: CommandLine, tmp_path: Path, queries: Path
) -> None:
    refused = gates("init", "silent", "--queries", str(queries), team.options(project_in(tmp_path)))
    assert refused.code == 2
    assert "logged without its requirements" in refused.err


def test_a_model_that_cannot_be_asked_leaves_its_expectations_missing(
    team: Team, gates: CommandLine, tmp_path: Path
) -> None:
    project = project_in(tmp_path)
    answer = gates("init", "crashes", team.options(project), "--json")
    assert answer.code == 3, answer.err
    (missing,) = json.loads(answer.out)["missing"]
    assert "expectations.csv" in missing
    assert "gates golden record crashes --from models:/crashes/1" in missing


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("nothing-here", "there is no model 'nothing-here'"),
        ("models:/intent/99", "has no version 99"),
        ("models:/intent/latest", "moves while the gate runs"),
        ("models:/intent@nobody", "has no alias 'nobody'"),
        ("../../etc", "is not a version number"),
        ("..", "cannot be the name"),
        ("", "cannot be the name"),
        ("a name", "cannot be the name of a card"),
        ("models:/", "cannot be the name"),
        ("x`id`", "cannot be the name"),
    ],
)
def test_a_name_that_is_none_is_refused_in_words(
    team: Team, gates: CommandLine, tmp_path: Path, named: str, says: str
) -> None:
    project = project_in(tmp_path)
    refused = gates("init", named, team.options(project))
    assert refused.code == 2
    assert says in refused.err
    assert list(project.iterdir()) == []


def test_a_store_that_cannot_be_reached_is_said_to_be(
    team: Team, gates: CommandLine, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("no database at all")
    refused = gates(
        "init",
        "intent",
        "--project",
        str(project_in(tmp_path)),
        "--tracking-uri",
        f"sqlite:///{broken}",
        "--cache",
        str(team.cache),
    )
    assert refused.code == 2
    assert "is not an SQLite database" in refused.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "none of its columns is of texts: it has a, b"),
        ("query\n", "it holds no text"),
        ("query,weight\nlamp,much\n", "weight"),
        ("query,weight\nlamp,-1\n", "is not a number above 0"),
    ],
)
def test_a_file_of_queries_that_is_none_is_refused(
    team: Team, gates: CommandLine, tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(text)
    refused = gates("init", "intent", "--queries", str(path), team.options(project_in(tmp_path)))
    assert refused.code == 2
    assert says in refused.err


def test_doubles_are_joined_and_torn_labels_left_out(
    team: Team, gates: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "queries.csv"
    path.write_text(
        "query,label,searches\nlamp,lighting,2\nlamp,lighting,3\ntent,camping,1\ntent,bedding,1\n"
        ",bedding,1\n"
    )
    project = project_in(tmp_path)
    call = ["init", "models:/alone/1", "--queries", str(path), *team.options(project)]
    answer = gates(call)
    assert answer.code == 0, answer.err
    assert "1 texts with two labels were left out, such as 'tent'" in answer.out
    written = (project / "golden" / "alone" / "queries.csv").read_text()
    assert written == "query_id,query,weight\nq001,lamp,5\n"
