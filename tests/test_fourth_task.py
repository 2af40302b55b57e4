"""A task that the gate does not have is one value and one scaffold; all else asks these two."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from rich.console import Console

from gates.card.card import Card, read_card
from gates.checks import catalogue
from gates.domain.golden_set import GoldenSet
from gates.domain.judging import ModelVersion
from gates.domain.subject import Columns
from gates.domain.tasks import TASKS, AnswerForm, Task
from gates.errors import CardError, GoldenError
from gates.evidence.bundle import read_evidence, write_evidence
from gates.evidence.facts import card_facts, golden_facts
from gates.golden import read_golden
from gates.registry import Origin, Registry
from gates.report import html, markdown, terminal
from gates.scaffold.golden import golden_of_lists
from gates.scaffold.lists import lists_of_file
from gates.scaffold.model import ModelFacts
from gates.scaffold.plan import Wishes, plan_scaffold, write
from gates.scaffold.tasks import SCAFFOLDS, GoldenDraft, TaskScaffold
from tests.checks.subjects import FakeArm, FakeSubject, run
from tests.logged import RANKER, model_folder
from tests.report.evidence_factory import passing

PAGE = Task(
    name="page",
    answers=AnswerForm.SCORES,
    expectations=("in-top",),
    item="page",
    items="pages",
)
VERSION = ModelVersion("shop-page", "1", "sha256:" + "a" * 64, "sha256:" + "b" * 64)
FEATURES = [{"type": "double", "name": "bm25"}, {"type": "double", "name": "clicks"}]
CANDIDATES = """\
query_id,query,doc_id,bm25,clicks,grade
q1,desk,a,3,0.1,2
q1,desk,b,2,0.9,0
q2,lamp,c,1,0.4,0
q2,lamp,d,5,0.2,1
"""


class PageScaffold(TaskScaffold):
    task = PAGE
    introduction = "Lays out the page of a query."
    own_test = "def test_pages(candidate: Arm, golden: GoldenSet) -> None: ...\n"

    def checks(self, *, judged: bool) -> str:
        return "  ranking-diff:\n    bounds:\n      ndcg@10.delta: {min: -0.02}\n"

    def golden(self, version: ModelVersion, model: ModelFacts, file: Path | None) -> GoldenDraft:
        assert file is not None
        lists = lists_of_file(file, model)
        return GoldenDraft(golden_of_lists(version, PAGE, lists), lists.source, True, ())


class OneVersion:
    """A registry that holds one version, with a lock of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, version: ModelVersion) -> Path:
        return self._folder

    def origin(self, version: ModelVersion) -> Origin:
        return Origin(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture(autouse=True)
def fourth_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TASKS, PAGE.name, PAGE)
    monkeypatch.setitem(SCAFFOLDS, PAGE.name, PageScaffold())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What `gates init --task page --candidates FILE` writes."""
    model = model_folder(
        tmp_path / "model", data=[], signature=(FEATURES, [{"type": "double"}]), source=RANKER
    )
    candidates = tmp_path / "candidates.csv"
    candidates.write_text(CANDIDATES)
    scaffold = plan_scaffold(
        (VERSION,),
        project=tmp_path,
        registry=cast("Registry", OneVersion(model)),
        tracking_uri="sqlite:///mlflow.db",
        wishes=Wishes(task=PAGE, candidates=candidates),
        force=False,
        progress=lambda _: None,
    )
    assert scaffold.missing == ()
    folder = tmp_path / "shop"
    write(scaffold, folder, force=False)
    return folder


def read(project: Path) -> tuple[Card, GoldenSet]:
    card = read_card(project / "model_cards" / "shop-page.md", catalogue(), project=project)
    return card, read_golden(card.golden_path)


def subject(golden: GoldenSet) -> FakeSubject:
    def by(*weights: float) -> FakeArm:
        def score(columns: Columns) -> Iterator[float]:
            total = sum(w * np.asarray(columns[n]) for w, n in zip(weights, columns, strict=True))
            return iter(np.asarray(total).tolist())

        return FakeArm(score=lambda columns: list(score(columns)), inputs=("bm25", "clicks"))

    old = by(1, 0)
    return FakeSubject(golden, by(0, 1), replace(old, role="champion", key="old"))


def test_init_writes_a_card_a_golden_set_and_a_test_that_the_gate_reads(project: Path) -> None:
    card, golden = read(project)
    assert card.policy.task is PAGE
    assert golden.manifest.task is PAGE
    assert card.prose.count("Lays out the page of a query.") == 1
    assert golden.inputs().keys() == {"bm25", "clicks"}
    assert "def test_pages(" in (golden.path / "test_shop_page.py").read_text()


def test_a_card_may_ask_for_checks_that_measure_its_form_of_answer_alone(project: Path) -> None:
    path = project / "model_cards" / "shop-page.md"
    text = path.read_text()
    assert set(read(project)[0].plans) == {"lockfile", "artifact", "equivalence", "ranking-diff"}
    path.write_text(text.replace("  ranking-diff:\n", "  score-range:\n"))
    with pytest.raises(CardError, match="'score-range' is not for page models") as refused:
        read(project)
    assert "ranking-diff" in refused.value.advice
    path.write_text(text.replace("task: page", "task: pagee"))
    with pytest.raises(CardError, match="did you mean 'page'") as misspelt:
        read(project)
    assert misspelt.value.line == 3


def test_a_golden_set_may_expect_what_the_task_says_and_nothing_else(project: Path) -> None:
    expected = project / "golden" / "shop-page" / "expectations.csv"
    expected.write_text("query_id,expect,target,k\nq1,in-top,a,1\n")
    assert [one.kind for one in read(project)[1].expectations] == ["in-top"]
    expected.write_text("query_id,expect,target,k\nq1,must-be-first,a,\n")
    with pytest.raises(GoldenError, match="`expect` is not for page models"):
        read(project)


def test_checks_of_its_form_of_answer_measure_it(project: Path) -> None:
    one = subject(read(project)[1])
    assert run("ranking-diff", one, "top1-changed")["top1-changed"].value == 1.0
    assert run("robustness", one, "order-dependence")["order-dependence"].value == 0.0
    one.guests = {"champion": replace(one.candidate, role="champion")}
    assert run("equivalence", one, "changed-orders")["changed-orders"].value == 2.0


def test_reports_name_what_its_golden_set_holds(project: Path, tmp_path: Path) -> None:
    card, golden = read(project)
    evidence = replace(passing(), card=card_facts(card), golden=golden_facts(golden, card.project))
    write_evidence(tmp_path / "evidence.json", evidence)
    kept = read_evidence(tmp_path / "evidence.json")
    out = io.StringIO()
    terminal.print_report(kept, Console(file=out, width=100))
    assert "2 pages" in out.getvalue()
    assert "2 pages" in markdown.render(kept)
    assert "Golden pages" in html.render(kept)


def test_evidence_of_a_task_that_this_gate_lacks_can_still_be_read(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, _ = read(project)
    evidence = replace(passing(), card=card_facts(card))
    monkeypatch.delitem(TASKS, PAGE.name)
    assert "160 queries" in markdown.render(evidence)
