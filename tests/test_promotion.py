from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gates.card.card import Card
from gates.domain.judging import Bound, Cause, Judgement, Measurement, decide, judge
from gates.errors import (
    EvidenceError,
    IntegrityError,
    PromotionRefused,
    RegistryError,
    UsageError,
)
from gates.evidence.evidence import (
    RegistryFacts,
    evidence_digest,
)
from gates.evidence.inventory import OwnTestFile
from gates.promotion.criteria import Criteria
from gates.promotion.guards import GUARDS
from gates.promotion.plan import plan
from gates.promotion.promote import promote
from gates.promotion.rollback import rollback
from gates.registry import Event
from gates.registry.mlflow import MlflowRegistry

from .promotion.parts import GOLDEN, PASSED, criteria, toy_card, write_gated
from .registry.stores import embedded, toy_model

DELTA = Bound("ranking-diff", "delta", minimum=0)
FAILED = judge(DELTA, Measurement("delta", -0.1, 3, "nDCG"))
UNSURE = judge(DELTA, Measurement("delta", 0.1, 3, "nDCG", -1, 1))
ALONE = Judgement(
    Bound("equivalence", "changed", maximum=0), Cause.NO_CHAMPION, "nothing is in production"
)


@pytest.fixture
def registry(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> MlflowRegistry:
    """A store with three versions of `toy`, none of them a champion."""
    found = embedded(tmp_path, tmp_path_factory)
    for text in ("one", "two", "three"):
        found.register("toy", toy_model(tmp_path / text, text), {}, "")
    return found


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return toy_card(tmp_path)


Gated = Callable[..., Path]


@pytest.fixture
def gated(tmp_path: Path, card: Card, registry: MlflowRegistry) -> Gated:
    """Write the evidence of a gate run of one version against the champion there is now."""

    def write(version: str, *judgements: Judgement, **changes: Any) -> Path:
        path = tmp_path / f"evidence-{version}-{changes.get('run_id', 'r')}.json"
        return write_gated(path, registry, card, version, *judgements, **changes)

    return write


Promoted = Callable[..., Event]


@pytest.fixture
def promoted(registry: MlflowRegistry, card: Card, gated: Gated) -> Promoted:
    """Gate and promote one version; the first one as a first version."""

    def do(version: str, evidence: Path | None = None, **changes: object) -> Event:
        evidence = evidence or gated(version)
        arguments: dict[str, object] = {
            "criteria": changes.get("criteria") or criteria(evidence),
            "why": "a test",
            "by": "ada",
            "first": not registry.aliases("toy"),
        }
        return promote(
            registry,
            card,
            f"models:/toy/{version}",
            evidence,
            **(arguments | changes),  # type: ignore[arg-type]  # whatever a test wants changed
        )

    return do


def _champion(registry: MlflowRegistry) -> str | None:
    return registry.aliases("toy").get("champion")


def _moves(registry: MlflowRegistry) -> list[str]:
    """What moved the champion, newest first."""
    return [
        f"{one.kind} {one.previous_version}>{one.version}"
        for one in registry.events("toy")
        if one.alias and one.kind != "refused" and one.state == "done"
    ]


def test_a_candidate_that_passed_becomes_the_champion(
    registry: MlflowRegistry, promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    evidence = gated("2")
    event = promoted("2", evidence)
    assert _champion(registry) == "2"
    assert (event.kind, event.version, event.previous_version) == ("promote", "2", "1")
    assert (event.by, event.why, event.verdict, event.state) == ("ada", "a test", "PASS", "done")
    assert event.evidence_digest == evidence_digest(evidence.read_bytes())
    assert registry.events("toy")[0] == event
    tags = registry.resolve("toy/2").tags
    assert tags["gates.promoted_by"] == "ada"
    assert tags["gates.promoted_at"] == event.when.isoformat()


def test_a_candidate_may_be_named_by_an_alias(
    registry: MlflowRegistry, card: Card, promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    registry.set_alias("toy", "candidate", "2", expected=None)
    evidence = gated("2")
    asked = criteria(evidence)
    promote(registry, card, "toy@candidate", evidence, criteria=asked, why="better", by="ada")
    assert _champion(registry) == "2"


@pytest.mark.parametrize(
    ("differs", "said"),
    [
        ("candidate", "the candidate digest differs: evidence has sha256:0000"),
        ("golden", "the golden set digest differs: evidence has sha256:0000"),
        ("card", "the card digest differs: evidence has sha256:0000"),
        (
            "champion digest",
            "the champion differs: evidence has models:/toy/1 with digest sha256:0",
        ),
        ("champion version", "the champion differs: evidence has models:/toy/3 with"),
        ("no champion", "the champion differs: evidence has none, now it is models:/toy/1"),
        ("version", "the evidence is for models:/toy/3, not models:/toy/2"),
    ],
)
def test_evidence_for_anything_else_is_refused(
    registry: MlflowRegistry, promoted: Promoted, gated: Gated, differs: str, said: str
) -> None:
    promoted("1")
    other = "sha256:" + "0" * 64
    candidate, champion = registry.resolve("toy/2"), registry.resolve("toy/1")
    changes: dict[str, dict[str, object]] = {
        "candidate": {"candidate": replace(candidate, digest=other)},
        "golden": {"golden": other},
        "card": {"card_digest": other},
        "champion digest": {"champion": replace(champion, digest=other)},
        "champion version": {"champion": replace(champion, version="3")},
        "no champion": {"champion": None},
        "version": {"candidate": replace(candidate, version="3")},
    }
    evidence = gated("2", **changes[differs])
    with pytest.raises(PromotionRefused) as refused:
        promoted("2", evidence)
    assert said in refused.value.what
    assert refused.value.what.count("\n") == 1
    assert refused.value.exit_code == 1
    assert _champion(registry) == "1"
    assert _moves(registry) == ["promote >1"]


def test_every_difference_has_its_line_and_stands_in_the_history_once(
    registry: MlflowRegistry, promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    other = "sha256:" + "0" * 64
    evidence = gated("2", FAILED, golden=other, card_digest=other)
    for _ in range(2):
        with pytest.raises(PromotionRefused) as refused:
            promoted("2", evidence)
    assert refused.value.what.count("\n  - ") == 3
    event, before = registry.events("toy")[:2]
    assert (event.kind, event.version, event.previous_version) == ("refused", "2", "1")
    assert (event.by, event.why, event.alias) == ("ada", "a test", "champion")
    assert event.evidence_digest == evidence_digest(evidence.read_bytes())
    assert [one.guard for one in event.refusals] == ["digests", "digests", "verdict"]
    assert all(f"  - {one.line}" in refused.value.what for one in event.refusals)
    assert before.kind == "promote"
    with pytest.raises(PromotionRefused):
        promoted("2", evidence, by="grace")
    assert registry.events("toy")[0].by == "grace"


def test_a_refusal_with_too_many_lines_for_the_registry_is_recorded_in_part(
    registry: MlflowRegistry, promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    own = tuple(OwnTestFile(f"golden/toy/test_{'n' * 80}_{at}.py", "sha256:1") for at in range(60))
    evidence = gated("2")
    asked = criteria(evidence)
    longer = replace(asked, inventory=replace(asked.inventory, test_files=own))
    with pytest.raises(PromotionRefused) as refused:
        promoted("2", evidence, criteria=longer)
    lines = refused.value.what.count("\n  - ")
    refusals = registry.events("toy")[0].refusals
    assert 10 < len(refusals) < lines
    assert refusals[-1].line == f"… and {lines + 1 - len(refusals)} more"


def test_a_plan_has_the_answer_of_every_guard_and_changes_nothing(
    registry: MlflowRegistry, card: Card, promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    good, bad = gated("2"), gated("2", FAILED, golden="sha256:" + "0" * 64, run_id="bad")
    before = registry.events("toy"), registry.turns("toy"), registry.aliases("toy")
    for evidence, says_no in ((good, []), (bad, ["digests", "verdict"])):
        asked = criteria(evidence)
        planned = plan(registry, card, "models:/toy/2", evidence, criteria=asked, by="ada")
        assert [one.guard for one in planned.answers] == list(GUARDS)
        assert [one.guard.name for one in planned.answers if one.lines] == says_no
        assert planned.would_move == (not says_no)
        assert (planned.foreign, planned.turn) == (None, None)
    assert (registry.events("toy"), registry.turns("toy"), registry.aliases("toy")) == before
    asked = criteria(good)
    again = plan(registry, card, "models:/toy/1", good, criteria=asked, by="ada", first=True)
    assert {"there", "first"} <= {one.guard.name for one in again.answers if one.lines}
    registry.set_alias("toy", "champion", "3", expected="1")
    registry.claim_turn("toy", 2, "grace")
    foreign = plan(registry, card, "models:/toy/2", good, criteria=asked, by="ada")
    assert foreign.foreign is not None
    assert foreign.turn is not None
    assert (foreign.foreign.version, foreign.turn.by) == ("3", "grace")


@pytest.mark.parametrize(("judgement", "word"), [(FAILED, "FAIL"), (UNSURE, "UNDECIDED")])
def test_a_candidate_that_did_not_pass_is_refused_with_its_reasons(
    registry: MlflowRegistry, promoted: Promoted, gated: Gated, judgement: Judgement, word: str
) -> None:
    promoted("1")
    with pytest.raises(PromotionRefused, match=f"the verdict is {word}: ranking-diff::delta"):
        promoted("2", gated("2", PASSED, judgement))
    assert _champion(registry) == "1"


def test_a_verdict_that_its_judgements_do_not_bear_out_is_refused(
    promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    forged = gated("2", FAILED, verdict=decide([PASSED]))
    with pytest.raises(PromotionRefused, match="says PASS but what it holds makes FAIL"):
        promoted("2", forged)


def test_the_champion_is_not_promoted_again(promoted: Promoted) -> None:
    promoted("1")
    with pytest.raises(PromotionRefused, match="already is the champion"):
        promoted("1")


def test_the_candidate_of_another_model_is_refused(
    registry: MlflowRegistry, tmp_path: Path, card: Card, gated: Gated
) -> None:
    registry.register("other", toy_model(tmp_path / "other"), {}, "")
    evidence = gated("1")
    asked = criteria(evidence)
    with pytest.raises(PromotionRefused, match="the card is for model 'toy'"):
        promote(registry, card, "other/1", evidence, criteria=asked, why="w", by="b", first=True)


def test_a_candidate_tampered_with_after_the_gate_is_refused(
    registry: MlflowRegistry, promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    evidence = gated("2")
    source = registry._connection.client.get_model_version_download_uri("toy", "2")
    (Path(source.removeprefix("file://")) / "MLmodel").write_text("flavors: {}")
    with pytest.raises(IntegrityError, match="models:/toy/2 changed"):
        promoted("2", evidence)
    assert _champion(registry) == "1"


def test_a_first_version_needs_the_flag(registry: MlflowRegistry, promoted: Promoted) -> None:
    with pytest.raises(PromotionRefused, match="no champion yet: promote a first version with"):
        promoted("1", first=False)
    assert _champion(registry) is None


def test_a_first_version_may_be_undecided_only_for_want_of_a_champion(
    registry: MlflowRegistry, promoted: Promoted, gated: Gated
) -> None:
    for problem in (UNSURE, FAILED):
        with pytest.raises(PromotionRefused, match=f"ranking-diff::delta is {problem.outcome}"):
            promoted("1", gated("1", PASSED, ALONE, problem))
    with pytest.raises(PromotionRefused, match="no required judgement"):
        promoted("1", gated("1", replace(PASSED, bound=replace(PASSED.bound, advisory=True))))
    event = promoted("1", gated("1", PASSED, ALONE))
    assert (event.previous_version, event.verdict) == ("", "UNDECIDED")
    assert _champion(registry) == "1"


def test_a_first_version_is_not_excused_by_what_a_reason_says(
    registry: MlflowRegistry, promoted: Promoted, gated: Gated
) -> None:
    bound = Bound("features", "splits", minimum=0)
    said_by_the_model = Measurement("splits", None, 0, "features", reason="no champion of mine")
    for problem in (
        judge(bound, said_by_the_model),
        Judgement(Bound("tests", "test_a.py::test_it"), Cause.SKIPPED, "no champion needed"),
        Judgement(bound, Cause.FAULT, "no champion: there is nothing to compare with"),
    ):
        with pytest.raises(PromotionRefused, match="is UNDECIDED: no champion"):
            promoted("1", gated("1", PASSED, problem))
    assert _champion(registry) is None


def test_first_is_not_a_way_around_a_champion(promoted: Promoted, gated: Gated) -> None:
    promoted("1")
    for evidence in (gated("2"), gated("2", PASSED, ALONE)):
        with pytest.raises(PromotionRefused, match="'first' was asked for, but models:/toy/1"):
            promoted("2", evidence, first=True)


def test_two_promotions_at_once_make_one_champion(
    registry: MlflowRegistry, promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    evidence = {version: gated(version) for version in "23"}

    def attempt(version: str) -> str:
        try:
            promoted(version, evidence[version])
        except PromotionRefused:
            return "refused"
        return version

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(attempt, "23"))
    assert sorted(outcomes)[1] == "refused"
    assert _champion(registry) in outcomes
    done = [one for one in registry.events("toy") if one.kind == "promote" and one.state == "done"]
    assert [one.version for one in done] == [_champion(registry), "1"]


def test_a_promotion_verifies_only_once_the_one_before_it_is_done(
    registry: MlflowRegistry, promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    evidence = gated("2")
    with ThreadPoolExecutor(1) as pool:
        with registry.exclusive("toy"):
            waiting = pool.submit(promoted, "2", evidence)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
            registry.set_alias("toy", "champion", "3", expected="1")
        with pytest.raises(
            PromotionRefused, match="the champion differs: evidence has models:/toy/1"
        ):
            waiting.result(timeout=60)
    assert _moves(registry) == ["promote >1"]


def test_a_promotion_of_another_model_waits_for_nobody(
    registry: MlflowRegistry, promoted: Promoted
) -> None:
    with registry.exclusive("another"):
        promoted("1")
    assert _champion(registry) == "1"


def test_a_promotion_that_loses_the_race_leaves_a_failed_event(
    registry: MlflowRegistry, promoted: Promoted, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted("1")
    record = registry.log_event

    def meanwhile(event: Event) -> str:
        run = record(event)
        if event.state == "begun":
            registry.set_alias("toy", "champion", "3", expected="1")
        return run

    monkeypatch.setattr(registry, "log_event", meanwhile)
    with pytest.raises(PromotionRefused, match="expected 1, it is at 3"):
        promoted("2")
    assert _champion(registry) == "3"
    assert registry.events("toy")[0].state == "failed"


def test_a_history_that_cannot_be_completed_says_that_the_alias_moved(
    registry: MlflowRegistry, promoted: Promoted, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted("1")

    def dies(*_: object) -> None:
        raise RegistryError("the disk is full")

    monkeypatch.setattr(registry, "end_turn", dies)
    with pytest.raises(RegistryError, match="moved to version 2, but the history could not"):
        promoted("2")
    monkeypatch.undo()
    assert registry.events("toy")[0].state == "begun"
    assert rollback(registry, "toy", "champion", why="half done", by="ada").version == "1"
    assert [one.state for one in registry.events("toy") if one.alias] == ["done"] * 3


def test_evidence_must_be_signed_when_a_key_is_given(
    tmp_path: Path, promoted: Promoted, gated: Gated
) -> None:
    private = Ed25519PrivateKey.generate()
    key, public = tmp_path / "gate.pem", tmp_path / "gate.pub"
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(EvidenceError, match="no signature"):
        promoted("1", gated("1"), verify_key=public)
    assert promoted("1", gated("1", key=key), verify_key=public).version == "1"


def test_a_move_without_a_reason_and_a_name_is_refused(
    registry: MlflowRegistry, promoted: Promoted
) -> None:
    for argument, text in (("why", ""), ("why", "x" * 2001), ("by", " ")):
        with pytest.raises(UsageError, match=f"'{argument}' is"):
            promoted("1", **{argument: text})
        with pytest.raises(UsageError, match=f"'{argument}' is"):
            rollback(registry, "toy", "champion", **{"why": "w", "by": "b", argument: text})
    assert _champion(registry) is None


def test_a_rollback_goes_to_the_version_before(
    registry: MlflowRegistry, promoted: Promoted
) -> None:
    promoted("1")
    promoted("2")
    event = rollback(registry, "toy", "champion", why="returns went up", by="grace")
    assert _champion(registry) == "1"
    assert (event.kind, event.version, event.previous_version) == ("rollback", "1", "2")
    assert registry.events("toy")[0] == event


def test_a_second_rollback_undoes_the_first_and_to_goes_further(
    registry: MlflowRegistry, promoted: Promoted
) -> None:
    for version in "123":
        promoted(version)
    for expected in "232":
        rollback(registry, "toy", "champion", why="look again", by="ada")
        assert _champion(registry) == expected
    rollback(registry, "toy", "champion", why="further back", by="ada", to="1")
    assert _champion(registry) == "1"


def test_there_is_no_rollback_where_nothing_was_before(
    registry: MlflowRegistry, promoted: Promoted
) -> None:
    with pytest.raises(PromotionRefused, match="is not set"):
        rollback(registry, "toy", "champion", why="w", by="b")
    promoted("1")
    with pytest.raises(PromotionRefused, match="was the first champion"):
        rollback(registry, "toy", "champion", why="w", by="b")
    assert _champion(registry) == "1"


def test_a_rollback_is_no_way_around_the_gate(registry: MlflowRegistry, promoted: Promoted) -> None:
    promoted("1")
    promoted("2")
    with pytest.raises(PromotionRefused, match="version 3 of 'toy' was never the champion"):
        rollback(registry, "toy", "champion", why="w", by="b", to="3")
    with pytest.raises(PromotionRefused, match="already is the champion"):
        rollback(registry, "toy", "champion", why="w", by="b", to="2")
    assert _champion(registry) == "2"


def test_an_alias_moved_by_hand_is_rolled_back_and_stands_in_the_history(
    registry: MlflowRegistry, promoted: Promoted
) -> None:
    promoted("1")
    promoted("2")
    registry.set_alias("toy", "champion", "3", expected="2")
    rollback(registry, "toy", "champion", why="w", by="b")
    assert _moves(registry) == ["rollback 3>2", "foreign 2>3", "promote 1>2", "promote >1"]
    # What nobody gated is no place to go back to, though it was there.
    rollback(registry, "toy", "champion", why="w", by="b")
    assert _champion(registry) == "1"
    with pytest.raises(PromotionRefused, match="version 3 of 'toy' was never the champion"):
        rollback(registry, "toy", "champion", why="w", by="b", to="3")


def test_a_rollback_to_a_tampered_version_is_refused(
    registry: MlflowRegistry, promoted: Promoted
) -> None:
    promoted("1")
    promoted("2")
    source = registry._connection.client.get_model_version_download_uri("toy", "1")
    (Path(source.removeprefix("file://")) / "MLmodel").write_text("flavors: {}")
    with pytest.raises(IntegrityError, match="models:/toy/1 changed"):
        rollback(registry, "toy", "champion", why="w", by="b")
    assert _champion(registry) == "2"


def test_a_rollback_away_from_a_tampered_version_works(
    registry: MlflowRegistry, promoted: Promoted
) -> None:
    promoted("1")
    promoted("2")
    source = registry._connection.client.get_model_version_download_uri("toy", "2")
    (Path(source.removeprefix("file://")) / "MLmodel").write_text("flavors: {}")
    rollback(registry, "toy", "champion", why="somebody wrote to the store", by="b")
    assert _champion(registry) == "1"


def test_evidence_of_another_registry_is_refused(
    registry: MlflowRegistry, tmp_path: Path, promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    elsewhere = MlflowRegistry(f"sqlite:///{tmp_path / 'elsewhere' / 'mlflow.db'}", tmp_path)
    for other, words in (
        (elsewhere.identity(), "the evidence is of the registry "),
        (replace(registry.identity(), id="0" * 32), f"the evidence is of the registry {'0' * 32}"),
        (RegistryFacts("", registry.identity().address), "does not say of which registry"),
        (None, "does not say of which registry"),
    ):
        with pytest.raises(PromotionRefused, match=words):
            promoted("2", gated("2", registry=other))
    assert _champion(registry) == "1"


def test_a_registry_that_was_moved_is_the_same(registry: MlflowRegistry, tmp_path: Path) -> None:
    name = registry.identity()
    database = registry._connection.database
    assert database is not None
    moved = tmp_path / "moved" / "other.db"
    moved.parent.mkdir()
    moved.write_bytes(database.read_bytes())
    found = MlflowRegistry(f"sqlite:///{moved}", tmp_path / "cache-2").identity()
    assert (found.id, len(name.id)) == (name.id, 32)
    assert found.address != name.address
    assert registry.identity() == name


def _after(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_evidence_is_spent_by_a_rollback_away_from_its_version(
    registry: MlflowRegistry, promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    used = gated("2", created=_after(-60))
    promoted("2", used)
    rollback(registry, "toy", "champion", why="returns went up", by="grace")
    # The same again, another of the same age, one dated later that was used before, and no date.
    unused = gated("2", created=_after(-60), run_id="another")
    undated = gated("2", created="yesterday", run_id="undated")
    for evidence in (used, unused, undated):
        with pytest.raises(PromotionRefused, match=r"models:/toy/2 was rolled back on .* is spent"):
            promoted("2", evidence)
    assert _champion(registry) == "1"
    fresh = gated("2", created=_after(60), run_id="fresh")
    assert promoted("2", fresh).version == "2"
    rollback(registry, "toy", "champion", why="and up again", by="grace")
    with pytest.raises(PromotionRefused, match="is spent"):
        promoted("2", fresh)


def test_a_rollback_away_from_another_version_spends_nothing(
    registry: MlflowRegistry, promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    waiting = gated("3", created=_after(-60))
    promoted("2")
    rollback(registry, "toy", "champion", why="returns went up", by="grace")
    assert promoted("3", waiting).version == "3"


def test_a_card_may_let_evidence_grow_old(
    registry: MlflowRegistry, card: Card, promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    object.__setattr__(card, "policy", card.policy.model_copy(update={"evidence_days": 7}))
    for created in (_after(-8 * 86_400), "last week", "2026-09-01T00:00:00"):
        with pytest.raises(PromotionRefused, match="takes none older than 7 d"):
            promoted("2", gated("2", created=created))
    assert promoted("2", gated("2", created=_after(-6 * 86_400))).version == "2"


def test_evidence_that_does_not_say_what_it_had_to_cover_is_refused(
    registry: MlflowRegistry, card: Card, promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    asked = criteria(gated("2"))
    with pytest.raises(PromotionRefused, match=r"has no inventory .* gate again"):
        promoted("2", gated("2", inventory=None), criteria=asked)


def test_evidence_must_cover_the_card_and_the_own_tests_as_they_are_now(
    registry: MlflowRegistry, promoted: Promoted, gated: Gated
) -> None:
    promoted("1")
    own = OwnTestFile("golden/toy/test_own.py", "sha256:1")
    test = f"{own.path}::test_it"
    evidence = gated("2")
    covered = criteria(evidence).inventory
    for now, words in (
        (replace(covered, bounds=(*covered.bounds, DELTA)), "no judgement of ranking-diff::delta"),
        (
            replace(covered, bounds=(replace(PASSED.bound, maximum=-1),)),
            "it judged lockfile::problems ≤ 0, and demanded is lockfile::problems ≤ -1",
        ),
        (replace(covered, test_files=(own,)), f"for {own.path} the evidence has none, now it is"),
        (replace(covered, tests=(test,)), f"no judgement of tests::{test}"),
    ):
        with pytest.raises(PromotionRefused, match=words):
            promoted("2", evidence, criteria=Criteria(GOLDEN, now))
    older = replace(covered, test_files=(replace(own, digest="sha256:2"),))
    with pytest.raises(PromotionRefused, match="the evidence has sha256:2, now it is gone"):
        promoted("2", gated("2", inventory=older), criteria=Criteria(GOLDEN, covered))
