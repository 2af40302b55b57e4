"""`gates plan`: how likely a card is to pass a version, before one is run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from gates.cli.common import (
    CacheOption,
    JsonOption,
    ModelArgument,
    ProjectOption,
    Speech,
    TrackingOption,
    project_from,
)
from gates.cli.show import find_evidence
from gates.errors import UsageError

if TYPE_CHECKING:
    from gates.domain.judging import Bound
    from gates.planning.pilot import Pilot
    from gates.planning.plan import CardPlan, Help, PlannedBound

__all__ = ["plan"]


def plan(
    model: ModelArgument,
    run: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="RUN",
            help="The gate to plan from, as `gates show` takes it (default: the newest with rows).",
        ),
    ] = None,
    changed: Annotated[
        float | None,
        typer.Option(
            "--changed",
            metavar="SHARE",
            help="Assume, instead of a gate, that so many queries change; with --by.",
        ),
    ] = None,
    by: Annotated[
        float | None,
        typer.Option(
            "--by", metavar="SIZE", help="By how much each of them changes, up or down alike."
        ),
    ] = None,
    power: Annotated[
        float,
        typer.Option(
            "--power",
            metavar="SHARE",
            help="How often an equal version is to pass with the margins that are proposed.",
        ),
    ] = 0.8,
    card: Annotated[
        Path | None,
        typer.Option("--card", metavar="FILE", help="Another card than model_cards/MODEL.md."),
    ] = None,
    project: ProjectOption = None,
    tracking_uri: TrackingOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell how likely the card is to pass a version, and what would help, before one is run.

    Three versions are planned for: one that is equal in truth, one that is better by half the
    margin, and one that loses the margin. Their queries differ as in an earlier gate.

    Example: gates plan product-ranker
    """
    from gates.golden import read_golden
    from gates.planning.pilot import assumed_pilot, find_pilot, pilot_in
    from gates.planning.plan import plan_card

    if not 0 < power < 1:
        raise UsageError(f"--power {power:g} is not between 0 and 1", advice="such as 0.8")
    home, speech = project_from(project, tracking_uri, cache), Speech(as_json)
    policy = home.read_card(card.absolute()) if card else home.card(model)
    golden = read_golden(policy.golden_path)
    if (changed is None) != (by is None) or (run is not None and changed is not None):
        raise UsageError(
            "--changed and --by go together, and without --from",
            advice="such as --changed 0.3 --by 0.1",
        )
    if changed is not None and by is not None:
        for name, value in (("--changed", changed), ("--by", by)):
            if not 0 < value <= 1:
                raise UsageError(f"{name} {value:g} is not above 0 and at most 1")
        pilot = assumed_pilot(policy, golden, changed=changed, by=by)
    elif run is None:
        pilot = find_pilot(home, model, golden)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            path = find_evidence(run, home, Path(scratch))
            pilot = pilot_in(path, verify_key=home.settings.verify_key)
    found = plan_card(policy, golden, pilot)
    helps, demands = found.helps(), found.demands(power)
    _say(model, found, helps, speech)
    _propose(demands, power, speech)
    same = pilot.evidence is None or pilot.evidence.golden.digest == golden.digest
    if not same:
        speech.say("that gate was of another golden set than the card's as it is now", "yellow")
    speech.result(_as_json(model, found, helps, demands, power, same_golden=same))


def _say(model: str, found: CardPlan, helps: tuple[Help, ...], speech: Speech) -> None:
    joint = {one.name: found.joint(one) for one in found.effects}
    equal = joint["equal"]
    line = (
        f"{model}: an equal version passes this card in {_percent(equal.joint)} of tries"
        f" (± {200 * equal.error:.0f})"
    )
    if "better" in joint:
        line += f", one that is better by half the margin in {_percent(joint['better'].joint)}"
        line += f", one that loses the margin in {_percent(joint['at margin'].joint)}"
    speech.say(line, "bold")
    speech.say(
        f"{len(found.planned)} of {len(found.bounds)} bounds are planned, from {_of(found.pilot)}; "
        "the others are taken to hold",
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("bound", overflow="fold")
    for heading in ("demands", "n", *joint, "keeps", "needs"):
        table.add_column(heading, justify="right", no_wrap=heading in {"demands", "keeps"})
    for names, one in _labelled(found.rows):
        for name in names[:-1]:
            table.add_row(name)
        chances = (_percent(one.chance[name]) for name in joint)
        needed = "–" if one.needed is None else f"{one.needed:,}"
        kept = "any" if one.kept is None else f"{one.kept:.4g}"
        table.add_row(names[-1], one.bound.demand, str(one.queries), *chances, kept, needed)
    speech.out.print(table)
    speech.say(
        "keeps, needs: the limit that an equal version keeps four times in five, and how many "
        "queries it takes to keep this one as often"
    )
    if helps:
        speech.say("What would help an equal version most, and how often it then passes", "bold")
    for help_ in helps:
        speech.say(f"  {_words(help_)}")
    for column, share in found.without_slices().items() if helps else ():
        speech.say(f"  without the slices of {column}: {_percent(share)}")


def _labelled(rows: Sequence[PlannedBound]) -> Iterator[tuple[tuple[Text, ...], PlannedBound]]:
    """Each bound under the name of its metric, which stands once."""
    metric = ""
    for one in rows:
        # As it is: what stands in brackets would be markup.
        own = (Text(f"  {one.bound.slice}"),) if one.bound.slice else ()
        head = (Text(one.bound.metric),) if one.bound.metric != metric or not own else ()
        metric = one.bound.metric
        yield (*head, *own), one


def _of(pilot: Pilot) -> str:
    evidence = pilot.evidence
    if evidence is None:
        return "what --changed and --by assume"
    champion = evidence.champion.uri if evidence.champion else "nothing"
    return f"the gate of {evidence.candidate.uri} against {champion} ({evidence.created[:10]})"


def _words(one: Help) -> str:
    ways = []
    if one.demand is not None and one.wider is not None:
        ways.append(f"{_signed(one.bound, one.demand)} instead: {_percent(one.wider)}")
    if one.more is not None and one.more > one.queries:
        ways.append(f"{one.more:,} queries instead of {one.queries:,}: {_percent(one.more_joint)}")
    ways.append(f"advisory: {_percent(one.without)}")
    return f"{one.bound.id.partition('::')[2]}: {'; '.join(ways)}"


def _propose(demands: tuple[tuple[Bound, float], ...], power: float, speech: Speech) -> None:
    if not demands:
        return
    speech.say(
        f"The tightest bounds that an equal version keeps all at once in {_percent(power)} of tries"
        " (--power)",
        "bold",
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    for bound, demand in demands:
        name = f"{bound.metric}[{bound.slice}]" if bound.slice else bound.metric
        table.add_row(Text(name), _signed(bound, demand), f"now {bound.demand}")
    speech.out.print(table)


def _signed(bound: Bound, demand: float) -> str:
    return f"{'≥' if bound.minimum is not None else '≤'} {demand:.4g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _as_json(
    model: str,
    found: CardPlan,
    helps: tuple[Help, ...],
    demands: tuple[tuple[Bound, float], ...],
    power: float,
    *,
    same_golden: bool,
) -> dict[str, Any]:
    evidence = found.pilot.evidence
    joint = {one.name: found.joint(one) for one in found.effects}
    return {
        "model": model,
        "from": evidence
        and {
            "evidence_digest": evidence.digest,
            "candidate": evidence.candidate.uri,
            "champion": evidence.champion.uri if evidence.champion else None,
            "same_golden_set": same_golden,
        },
        "passes": {name: {"chance": one.joint, "error": one.error} for name, one in joint.items()},
        "effects": {one.name: dict(one.of) for one in found.effects},
        "bounds": [
            {
                "id": one.bound.id,
                "demand": one.bound.demand,
                "queries": one.queries,
                "passes": dict(one.chance),
                "kept_4_in_5": one.kept,
                "queries_needed": one.needed,
            }
            for one in found.rows
        ],
        "not_planned": [one.id for one in found.others],
        "helps": [
            {
                "id": one.bound.id,
                "demand": one.demand,
                "passes_with_it": one.wider,
                "queries": one.queries,
                "queries_needed": one.more,
                "passes_with_them": one.more_joint,
                "passes_without": one.without,
            }
            for one in helps
        ],
        "passes_without_slices": dict(found.without_slices()),
        "proposed": {
            "power": power,
            "bounds": [{"id": one.id, "demand": demand} for one, demand in demands],
        },
    }
