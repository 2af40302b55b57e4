"""A store with versions of `toy`, its card, and evidence for them as a gate would write it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from gates.card.card import Card, CheckSpec, MetricSpec, read_card
from gates.card.policy import Limit
from gates.domain.judging import Bound, Judgement, Measurement, decide, judge
from gates.domain.tasks import AnswerForm
from gates.evidence.bundle import read_evidence, write_evidence
from gates.evidence.evidence import (
    CardFacts,
    CheckRecord,
    Evidence,
    GateFacts,
    GoldenFacts,
)
from gates.evidence.inventory import Inventory
from gates.evidence.signing import signer_of
from gates.promotion.criteria import Criteria
from gates.registry.mlflow import MlflowRegistry

__all__ = ["GOLDEN", "PASSED", "criteria", "toy_card", "write_gated"]

GOLDEN = "sha256:" + "9" * 64
PASSED = judge(Bound("lockfile", "problems", maximum=0), Measurement("problems", 0, 3, "problems"))


class _NoOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")


def toy_card(project: Path, model: str = "toy") -> Card:
    """A card that asks for one check, in a project made for it."""
    (project / "golden" / model).mkdir(parents=True)
    path = project / f"{model}.md"
    path.write_text(
        f"---\nmodel: {model}\ntask: ranking\nowners: [search]\nchecks:\n  lockfile:\n---\n"
    )
    metric = MetricSpec("problems", "problems of a lock", "problems", Limit(max=0))
    spec = CheckSpec("lockfile", "the lock", AnswerForm.SCORES, (metric,), _NoOptions)
    return read_card(path, {"lockfile": spec}, project=project)


def criteria(evidence: Path) -> Criteria:
    """A golden set and card that ask just what the evidence says that it had to cover."""
    inventory = read_evidence(evidence).inventory
    assert inventory is not None
    return Criteria(GOLDEN, inventory)


def write_gated(
    path: Path,
    registry: MlflowRegistry,
    card: Card,
    version: str,
    /,
    *judgements: Judgement,
    key: Path | None = None,
    golden: str = GOLDEN,
    card_digest: str = "",
    **changes: object,
) -> Path:
    """Write the evidence of a gate run of one version against the champion there is now."""
    judged = judgements or (PASSED,)
    model = card.policy.model
    own = [one.bound.metric for one in judged if one.bound.check == "tests"]
    digest = card_digest or card.digest
    evidence = Evidence(
        run_id="r",
        created="2026-09-01T00:00:00+00:00",
        gate=GateFacts("0.1.0", "3.11.7", "Linux", "3.1"),
        card=CardFacts(f"{model}.md", digest, model, "ranking", "champion", ("search",), {}),
        golden=GoldenFacts(f"golden/{model}", golden, model, True, "all", 3, 9, 9, 0),
        candidate=registry.resolve(f"{model}/{version}"),
        champion=registry.alias(model, "champion"),
        environments={},
        seed=1,
        records=_records(judged),
        judgements=judged,
        timings=(),
        verdict=decide(judged),
        inventory=Inventory(
            tuple(one.bound for one in judged if one.bound.check != "tests"), tests=tuple(own)
        ),
        registry=registry.identity(),
    )
    signer = signer_of(str(key)) if key else None
    write_evidence(path, replace(evidence, **changes), signer=signer)  # type: ignore[arg-type]  # whatever a test wants changed
    return path


def _records(judgements: tuple[Judgement, ...]) -> tuple[CheckRecord, ...]:
    """What the checks must have given for these judgements."""
    found = (one for one in judgements if one.bound.check != "tests")
    return tuple(
        CheckRecord(one.bound.check, (one.measurement,))
        if one.measurement
        else CheckRecord(one.bound.check, cause=one.cause, fault=one.reason)  # type: ignore[arg-type]  # a check's own cause
        for one in found
    )
