"""`gates run`: a gate driven in this process, with progress and a summary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ProjectOption,
    Speech,
    TrackingOption,
    settings_from,
)
from gates.errors import GatesError, UsageError
from gates.project import Project
from gates.run.request import RunRequest
from gates.run.watcher import RunSession, Watcher

if TYPE_CHECKING:
    from rich.progress import Progress

    from gates.domain.judging import Judgement
    from gates.run.gate import Gate

__all__ = ["run_gate"]

_UNLIKELY = 0.5  # a card that passes an equal version less often deserves a word before it starts


class _ProgressView(Watcher):
    """Shows a run's progress, and says beforehand where even an equal version seldom passes.

    Attributes:
        chance: How likely an equal version is to pass; None: not asked, or nothing can tell.

    Args:
        progress: The display.
        speech: Where words go.
        plans: Whether to ask how likely an equal version is to pass.
    """

    def __init__(self, progress: Progress, speech: Speech, *, plans: bool) -> None:
        super().__init__()
        self.chance: float | None = None
        self._progress, self._speech, self._plans = progress, speech, plans
        self._task = progress.add_task("starting", total=None)

    def progress(self, text: str) -> None:
        self._progress.update(self._task, description=text)

    def opened(self, gate: Gate) -> None:
        self._progress.update(self._task, total=len(gate.bounds))
        if self._plans:
            self.progress("asking how likely an equal version is to pass")
            self._forecast(gate)

    def judged(self, judgement: Judgement) -> None:
        self._progress.update(self._task, advance=1, description=f"judged {judgement.bound.id}")

    def _forecast(self, gate: Gate) -> None:
        from gates.planning.plan import forecast

        try:
            found = forecast(gate.project, gate.card, gate.subject.golden)
        except GatesError:
            return  # the run itself says what is wrong
        if found is None:
            return
        self.chance = found.chance
        if found.chance >= _UNLIKELY:
            return
        shown = self._progress.live.is_started
        if shown:
            self._progress.stop()
        self._speech.say(
            f"A version whose rankings differ as much as those of version {found.pilot} did passes "
            f"this card in {100 * found.chance:.0f} % of tries only, even if it is as good as the "
            f"champion. What would help: gates plan {gate.card.policy.model}",
            "yellow",
        )
        if shown:
            self._progress.start()


def run_gate(
    context: typer.Context,
    candidate: Annotated[
        str, typer.Argument(metavar="URI", help="Version under test: models:/NAME/VERSION.")
    ],
    champion: Annotated[
        str | None,
        typer.Option(metavar="URI", help="Version to compare with (default: the card's alias)."),
    ] = None,
    against_itself: Annotated[
        bool,
        typer.Option(
            "--against-itself",
            help="Compare the version with itself, an A/A run: what does the gate make of no "
            "difference? Its evidence promotes nothing.",
        ),
    ] = False,
    card: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Model card (default: model_cards/NAME.md)."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the run gets its folder (default: .gates/runs)."),
    ] = None,
    counterexamples: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="What earlier runs found, asked again (default: .gates/counterexamples).",
        ),
    ] = None,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Gate a version: run its card's checks against the champion and give a verdict.

    Everything after -- goes to pytest: gates run models:/product-ranker/7 -- -n 2 -k ranking

    Example: gates run models:/product-ranker/7
    """
    from gates.registry.names import parse_uri
    from gates.run.drive import drive  # with it comes all that a gate needs, seconds of imports

    settings = settings_from(
        project, tracking_uri, cache, output=output, counterexamples=counterexamples
    )
    if card and card.suffix != ".md":
        raise UsageError(f"--card {card} is not a Markdown file", advice="name the card itself")
    request = RunRequest(
        settings,
        card.absolute() if card else Project(settings).card_path(parse_uri(candidate).name),
        candidate,
        champion=champion,
        against_itself=against_itself,
        extra=tuple(one for one in context.args if one != "--"),
    )
    speech = Speech(as_json)
    with speech.working() as progress:
        view = _ProgressView(progress, speech, plans=not against_itself)
        log = drive(request, view)
    session = view.session
    if session is None or session.evidence is None:
        raise (session.error if session else None) or UsageError(
            "pytest ended before the gate could open",
            advice=log.strip() or "call pytest with the same arguments to see why",
        )
    _tell(session, speech, view.chance)
    if session.error:
        raise session.error
    raise typer.Exit(session.evidence.verdict.outcome.exit_code)


def _tell(session: RunSession, speech: Speech, chance: float | None) -> None:
    from gates.report.counterexamples import shown_counterexamples
    from gates.report.terminal import print_report

    evidence, delivery = session.evidence, session.delivery
    if evidence is None or delivery is None:
        return
    print_report(evidence, speech.out, folder=delivery.folder)
    if delivery.trouble:
        speech.say(f"Warning   {delivery.trouble}", "yellow")
    speech.result(
        {
            "verdict": str(evidence.verdict.outcome),
            "reasons": list(evidence.verdict.reasons),
            "candidate": evidence.candidate.uri,
            "champion": evidence.champion.uri if evidence.champion else None,
            "bounds": [
                {
                    "id": one.bound.id,
                    "outcome": str(one.outcome),
                    "waived": one.is_waived,
                    "reason": one.reason,
                    "advisory": one.bound.advisory,
                    "value": one.measurement.value if one.measurement else None,
                }
                for one in evidence.judgements
            ],
            "counterexamples": [
                {
                    "check": one.check,
                    "metric": one.case.metric,
                    "query": one.case.query,
                    "typed": one.case.typed,
                    "state": one.state,
                    "command": one.command or None,
                }
                for record in evidence.records
                for one in shown_counterexamples(evidence, record)
            ],
            "evidence": str(delivery.evidence),
            "evidence_digest": delivery.digest,
            "reports": {kind: str(path) for kind, path in delivery.reports.items()},
            "mlflow_run": delivery.mlflow_run or None,
            "warning": delivery.trouble or None,
            "equal_version_passes": chance,
        }
    )
