"""One changed model, gated: from two checkouts to a verdict.

new, model, lock   the base's model is the champion, this checkout's the candidate
lock               and `equivalence` is asked for, whether or not the card does
criteria           one version on both sides, on the base's golden set and card, and on these
"""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import yaml

from gates.card.card import Card
from gates.domain.judging import ModelVersion
from gates.domain.review import ModelChange, Review, ReviewOutcome, Trouble
from gates.errors import GatesError, InputError
from gates.evidence.bundle import read_evidence, rows_beside
from gates.evidence.evidence import canonical
from gates.evidence.verdict import settled_verdict
from gates.project import Project
from gates.pull_request.budget import BudgetSpent
from gates.pull_request.criteria import criteria_changes
from gates.pull_request.repository import Repository
from gates.report.renderer import report_files
from gates.run.request import RunRequest
from gates.system.files import write_atomically
from gates.system.yaml_values import yaml_value

__all__ = ["REVIEW", "Tools", "gate_change", "trouble_of"]

REVIEW = "review.json"
_UPGRADE = "equivalence"


class Tools(Protocol):
    """What gating a change calls upon: packaging, the registry, and the gate itself."""

    def project(self, folder: Path, store: str | None = None) -> Project:
        """A checkout as a project: its own settings, and the cache of all of them.

        Args:
            folder: The checkout's.
            store: The MLflow to use instead of its own.

        Raises:
            GatesError: Its settings cannot be read.
        """

    def package(self, model: str, card: Card, project: Project) -> ModelVersion:
        """Build a model of a checkout and register it.

        Raises:
            GatesError: It could not be.
        """

    def champion(self, model: str, alias: str, project: Project) -> ModelVersion | None:
        """The version in production; None when there is none, or no such model yet.

        Raises:
            GatesError: The registry failed.
        """

    def scratch(self, folder: Path) -> str:
        """The tracking URI of a new, empty store.

        Raises:
            GatesError: It could not be made.
        """

    def gate(self, request: RunRequest) -> Path:
        """Run the gate; the folder with its evidence and reports.

        Raises:
            GatesError: It gave no verdict.
        """


def gate_change(
    change: ModelChange,
    repository: Repository,
    tools: Tools,
    *,
    output: Path,
    scratch: Path,
    store: str | None,
    number: int = 0,
) -> Review:
    """Gate one changed model.

    Args:
        change: The change; not one of a removed model.
        repository: The project and its base.
        tools: What does the work.
        output: The review's folder, made anew: `review.json`, evidence and reports.
        scratch: A folder for what nobody needs afterwards.
        store: The team's MLflow, whose champion is the one to beat; None to package the base's
            model too, into a store of its own.
        number: The pull request; 0 for none.

    Returns:
        The review, as it was written.

    Raises:
        UsageError: The output cannot be written, or git failed.
    """
    started = time.monotonic()
    shutil.rmtree(output, ignore_errors=True)
    with repository.base_checkout() as base:
        gating = _Gating(change, repository, tools, base, output, scratch, store, number)
        review = gating.review()
    review = replace(review, seconds=round(time.monotonic() - started, 1))
    write_atomically(output / REVIEW, canonical(review))
    return review


def trouble_of(problem: GatesError, *roots: Path) -> Trouble:
    """An error as a value, its path from the first of some folders that holds it.

    Args:
        roots: The folders.
    """
    path = Path(getattr(problem, "path", ""))
    line = getattr(problem, "line", None) or 0
    shown = path.as_posix() if path.parts else ""
    what, advice = problem.what, problem.advice
    for root in roots:
        if path.is_absolute() and path.is_relative_to(root):
            shown = path.relative_to(root).as_posix()
        what = what.replace(f"{root}/", "")
        advice = advice.replace(f"{root}/", "")
    return Trouble(type(problem).__name__, what[:2000], advice[:2000], shown[:500], line)


class _Gating:
    """One change under way, and what is known of it so far."""

    def __init__(
        self,
        change: ModelChange,
        repository: Repository,
        tools: Tools,
        base: Path,
        output: Path,
        scratch: Path,
        store: str | None,
        number: int,
    ) -> None:
        self._change, self._repository, self._tools = change, repository, tools
        self._project, self._base = repository.project, base
        self._output, self._scratch = output, scratch
        self._team = store
        self._review = Review(
            change,
            "ERROR",
            repository.base,
            repository.head,
            number,
            candidate=f"this pull request, {repository.head[:8]}",
        )

    def review(self) -> Review:
        """Gate it; whatever goes wrong is part of the review."""
        try:
            self._run()
        except BudgetSpent as spent:
            self._note(spent)
            self._review = replace(self._review, outcome="UNDECIDED")
        except GatesError as problem:
            self._note(problem)
        return self._review

    def _run(self) -> None:
        card = self._card(self._project)
        self._compare_grounds(card)
        store = self._team or self._tools.scratch(self._scratch / "store")
        project = self._tools.project(self._project, store)
        if self._change.kind == "criteria":
            self._judge_again(card, project)
            return
        champion = self._champion(card, project)
        candidate = self._tools.package(self._change.model, card, project)
        path = (
            self._with_equivalence(card) if self._change.kind == "lock" and champion else card.path
        )
        self._keep(self._gate(candidate, champion, path, project), "gate")

    def _judge_again(self, card: Card, project: Project) -> None:
        """The same version, under golden set and card as they were and as they are now."""
        version = self._tools.champion(card.policy.model, card.policy.champion, project)
        version = version or self._tools.package(self._change.model, card, project)
        where = version.uri if self._team else f"the same model, at {self._repository.base[:8]}"
        self._review = replace(self._review, champion=where)
        self._keep(self._gate(version, version, card.path, project), "gate")
        try:
            before = self._card(self._base)
            base = self._tools.project(self._base, project.settings.tracking_uri)
            self._keep(self._gate(version, version, before.path, base), "before")
        except BudgetSpent:
            raise
        except GatesError as problem:  # the verdict stands, with nothing to set beside it
            self._note(problem)

    def _champion(self, card: Card, project: Project) -> ModelVersion | None:
        if self._team:
            found = self._tools.champion(card.policy.model, card.policy.champion, project)
            where = found.uri if found else ""
        elif self._change.kind == "new":
            found, where = None, ""
        else:
            found = self._packaged_base(project.settings.tracking_uri)
            where = f"the base, {self._repository.base[:8]}"
        self._review = replace(self._review, champion=where)
        return found

    def _packaged_base(self, store: str) -> ModelVersion:
        try:
            base = self._tools.project(self._base, store)
            return self._tools.package(self._change.model, base.card(self._change.model), base)
        except BudgetSpent:
            raise
        except GatesError as problem:  # its place is in the base, and none of this pull request
            trouble = trouble_of(problem, self._base)
            where = trouble.path + (f":{trouble.line}" if trouble.line else "")
            raise GatesError(
                f"the model of the base could not be packaged: {where + ': ' if where else ''}"
                f"{trouble.message}",
                advice="mend the base first, or compare with the team's MLflow (tracking-uri)",
            ) from None

    def _gate(
        self, candidate: ModelVersion, champion: ModelVersion | None, card: Path, project: Project
    ) -> Path:
        itself = champion is not None and champion.digest == candidate.digest
        return self._tools.gate(
            RunRequest(
                replace(project.settings, output=self._scratch / "runs"),
                card,
                candidate.uri,
                champion=champion.uri if champion and not itself else None,
                against_itself=itself,
            )
        )

    def _keep(self, run: Path, name: str) -> None:
        """Take over a run's files; of the run that judges, its verdict too."""
        folder = self._output / name
        folder.mkdir(parents=True)
        for file in ("evidence.json", *report_files().values()):
            if (run / file).is_file():
                shutil.copyfile(run / file, folder / file)
        evidence = read_evidence(folder / "evidence.json")
        for rows in rows_beside(run / "evidence.json", evidence).values():
            shutil.copyfile(rows, folder / rows.name)
        if name == "before":
            self._review = replace(self._review, before=f"{name}/evidence.json")
            return
        verdict = settled_verdict(evidence, folder / "evidence.json")
        outcome: ReviewOutcome = verdict.outcome.value
        self._review = replace(self._review, outcome=outcome, evidence=f"{name}/evidence.json")

    def _compare_grounds(self, card: Card) -> None:
        if not {"golden", "card"} & set(self._change.parts) or self._change.kind == "new":
            return
        try:
            criteria = criteria_changes(self._card(self._base), card, self._change.files)
        except InputError as problem:
            if problem.path.is_relative_to(self._project):
                raise
            return  # what the base had was not valid: there is nothing to compare with
        self._review = replace(self._review, criteria=criteria)

    def _card(self, project: Path) -> Card:
        return self._tools.project(project).card(self._change.model)

    def _with_equivalence(self, card: Card) -> Path:
        """The card itself when it asks for `equivalence`, else a copy that does."""
        if _UPGRADE in card.policy.checks:
            return card.path
        front = card.path.read_text(encoding="utf-8-sig").split("---", 2)[1]
        policy = yaml_value(front)
        policy["checks"][_UPGRADE] = {}
        path = self._scratch / "cards" / card.path.name
        text = yaml.safe_dump(policy, sort_keys=False, allow_unicode=True)
        write_atomically(path, f"---\n{text}---\n{card.prose}".encode())
        return path

    def _note(self, problem: GatesError) -> None:
        trouble = trouble_of(problem, self._project, self._base, self._scratch)
        self._review = replace(self._review, trouble=trouble)
