"""The model card: checks that make sense for the task, cautious bounds, and what MLflow knows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gates.domain.judging import ModelVersion
from gates.registry import Origin
from gates.scaffold.model import ModelFacts
from gates.scaffold.tasks import GoldenDraft, TaskScaffold

__all__ = ["CardDraft", "card_text"]

_MOST = 40


@dataclass(frozen=True)
class CardDraft:
    """What a card is made from.

    Attributes:
        version: The version it is made for.
        scaffold: What its task says.
        because: What the task was found out from, in words.
        model: What its files say.
        origin: What MLflow knows of where it came from.
        golden: The golden set that is made with it.
        late_lock: Whether its lock is made after the fact.
    """

    version: ModelVersion
    scaffold: TaskScaffold
    because: str
    model: ModelFacts
    origin: Origin
    golden: GoldenDraft
    late_lock: bool


def card_text(facts: CardDraft) -> str:
    """The card, front matter and prose.

    Args:
        facts: What it is made from.
    """
    scaffold = facts.scaffold
    checks = scaffold.checks(judged=facts.golden.judged)
    owner = json.dumps(_plain(facts.origin.by) or "unknown", ensure_ascii=False)
    front = [
        "---",
        f"model: {json.dumps(facts.version.name)}",
        f"task: {scaffold.task}  # {_plain(facts.because)}",
        f"owners: [{owner}]  # whom to ask: an address of the team",
        f"golden: {json.dumps(f'golden/{facts.version.name}')}",
        "champion: champion  # the registry alias that means 'in production'",
        "environment:",
        "  memory_mb: 4096  # what one worker may use; raise it for a model that is larger",
        *scaffold.environment(facts.model),
        "checks:",
        *_lockfile(facts),
        "  artifact: {}  # nothing in its files runs commands, opens connections or cannot be read",
        "  equivalence: {}  # the champion answers the same under the new lock",
        *checks.strip("\n").splitlines(),
        "---",
        "",
    ]
    return "\n".join((*front, *_prose(facts))) + "\n"


def _lockfile(facts: CardDraft) -> Iterable[str]:
    kinds = ["unpinned", "unhashed", "unsatisfied", "unneeded", "environment", "files", "recorded"]
    kinds += ["imports"] * facts.model.has_code
    yield "  lockfile:"
    yield "    bounds:"
    yield from (f"      {kind}: {{max: 0}}" for kind in (*kinds, "base-image", "swapped-files"))
    if facts.late_lock:
        yield "      # A lock made by gates init came after the model. Once versions are made with"
        yield "      # gates package, take `advisory: true` out, so that only those can pass."
    advisory = ", advisory: true" if facts.late_lock else ""
    yield f"      after-the-fact: {{max: 0{advisory}}}"


def _prose(facts: CardDraft) -> Iterable[str]:
    version, origin, model = facts.version, facts.origin, facts.model
    made = f"{origin.trained:%Y-%m-%d}" if origin.trained else model.made[:10] or "unknown"
    yield f"# {_plain(version.name)}"
    yield ""
    yield f"{facts.scaffold.introduction} (Written by gates init: say what it is for, and where.)"
    if origin.description:
        yield f"In MLflow: {_plain(origin.description, 400)}"
    yield ""
    yield "## How it works"
    yield ""
    yield "(To be filled in: the method, the features, what a score means.)"
    yield ""
    registered = f"{origin.registered:%Y-%m-%d}"
    yield f"- {version.uri}, artifact {version.digest[:19]}…, registered {registered}"
    yield f"- Flavour: {', '.join(sorted(model.flavors)) or 'pyfunc'}; Python {model.python or '?'}"
    if origin.run:
        yield f"- Run {_plain(origin.run)} by {_plain(origin.by) or 'nobody named'}, begun {made}"
    yield from _listed("Parameters", origin.params)
    yield from _listed("Metrics", {name: f"{value:g}" for name, value in origin.metrics.items()})
    yield ""
    yield "## Data"
    yield ""
    yield f"- Training: {'; '.join(map(_plain, origin.datasets)) or '(to be filled in)'}"
    yield f"- Golden set: `golden/{version.name}`, from {_plain(facts.golden.source)}"
    yield ""
    yield "## Limits"
    yield ""
    yield "(To be filled in: languages, kinds of queries and products it does not know.)"
    yield ""
    yield "## What the gate asks"
    yield ""
    yield "The bounds above are cautious guesses by gates init: tune each to what you would accept."


def _listed(title: str, values: Mapping[str, str]) -> Iterable[str]:
    if values:
        shown = [f"{_plain(name)} = {_plain(value)}" for name, value in sorted(values.items())]
        more = f", and {len(shown) - _MOST} more" if len(shown) > _MOST else ""
        yield f"- {title}: {', '.join(shown[:_MOST])}{more}"


def _plain(text: str, most: int = 100) -> str:
    """A stranger's text on one line, with nothing that YAML, Markdown or HTML would read."""
    kept = "".join(one if one.isprintable() and one not in "<>`|[]{}#" else " " for one in text)
    kept = " ".join(kept.split())
    return kept if len(kept) <= most else f"{kept[: most - 1]}…"
