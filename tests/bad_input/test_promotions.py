"""Promotions that must not be: every guard says what differs, and the alias stays where it is."""

from __future__ import annotations

import json
from collections.abc import Callable
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

from tests.bad_input.conftest import Refusals, World
from tests.bad_input.test_cards_and_golden_sets import append, replace
from tests.conftest import CommandLine
from tests.sealed import forge, record_in, reseal
from tests.toys import MODEL

WHY = ("--why", "it is better")
MOVE_ALIAS = "UPDATE registered_model_aliases SET version = 3"


def edited(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of evidence with something else in it."""
    other = path.with_name("edited.json")
    forge(path, other, change)
    return other


def _all_pass(evidence: dict[str, Any]) -> None:
    for one in evidence["judgements"]:
        one |= {"outcome": "PASS", "cause": "within"}


def _verdict_pass(evidence: dict[str, Any]) -> None:
    evidence["verdict"] = {"outcome": "PASS", "reasons": ["all is well"]}


def _both(evidence: dict[str, Any]) -> None:
    _all_pass(evidence)
    _verdict_pass(evidence)


def _measured(evidence: dict[str, Any]) -> None:
    """The judgements say a number, and the records another that is as good."""
    _both(evidence)
    for record in evidence["records"]:
        for one in record["measurements"]:
            one["n"] += 1


def _one_of_all(evidence: dict[str, Any]) -> None:
    _both(evidence)
    del evidence["judgements"][1:]


def _without_records(evidence: dict[str, Any]) -> None:
    _both(evidence)
    evidence["records"] = []


def _lenient(evidence: dict[str, Any]) -> None:
    """Every bound such that anything is within it."""
    for one in (*evidence["judgements"], *({"bound": b} for b in evidence["inventory"]["bounds"])):
        one["bound"] |= {"minimum": -1e9, "maximum": 1e9}
    _both(evidence)


def _elsewhere(evidence: dict[str, Any]) -> None:
    evidence["registry"]["id"] = "0" * 32


def _nowhere(evidence: dict[str, Any]) -> None:
    del evidence["registry"]


def _not_listed(evidence: dict[str, Any]) -> None:
    del evidence["inventory"]


def test_pass_evidence_promotes_once(gated: World, gates: CommandLine, refused: Refusals) -> None:
    append(gated.card, "More prose changes nothing.")
    answer = gates("promote", gated.uri("good"), *WHY, gated.options())
    assert answer.code == 0, answer.err
    assert gated.champion() == "2"
    says = [f"{gated.uri('good')} already is the champion", "nothing to move"]
    refused(gated, "promote", gated.uri("good"), *WHY, gated.options(), code=1, says=says)


def test_what_was_never_gated_is_not_promoted(gated: World, refused: Refusals) -> None:
    says = [f"{gated.uri('noise')} was never gated", f"gates run {gated.uri('noise')}"]
    refused(gated, "promote", gated.uri("noise"), *WHY, gated.options(), code=1, says=says)


def test_what_failed_is_not_promoted(gated: World, refused: Refusals) -> None:
    says = ["the verdict is FAIL", "behaviour::must-be-first", "see what it rests on: gates show"]
    refused(gated, "promote", gated.uri("shuffled"), *WHY, gated.options(), code=1, says=says)


CHANGES: dict[str, tuple[Callable[[World], object], str]] = {
    "the golden set": (
        lambda world: append(world.golden / "judgments.csv", ""),
        "the golden set digest differs: evidence has sha256:",
    ),
    "the card": (
        lambda world: replace(world.card, "min: -0.02", "min: -0.5"),
        "the card digest differs: evidence has sha256:",
    ),
    "the champion": (
        lambda world: world.edit(MOVE_ALIAS),
        f"the champion differs: evidence has models:/{MODEL}/1",
    ),
    "there is no champion any more": (
        lambda world: world.edit("DELETE FROM registered_model_aliases"),
        "now it is none",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_evidence_is_worth_nothing_once_what_it_speaks_of_changed(
    gated: World, refused: Refusals, what: str
) -> None:
    change, says = CHANGES[what]
    change(gated)
    refused(gated, "promote", gated.uri("good"), *WHY, gated.options(), code=1, says=[says])


def test_evidence_of_one_version_does_not_speak_for_another(
    gated: World, refused: Refusals
) -> None:
    borrowed = ["--evidence", str(gated.evidence("first"))]
    for version in ("shuffled", "noise"):
        says = [
            "the candidate digest differs",
            f"the evidence is for {gated.uri('good')}, not {gated.uri(version)}",
        ]
        command = ["promote", gated.uri(version), *WHY, *borrowed]
        refused(gated, command, gated.options(), code=1, says=says)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_verdict_pass, "the evidence says PASS but what it holds makes FAIL"),
        (_all_pass, "is judged 'within', but what was measured is 'outside'"),
        (_both, "the evidence says PASS but what it holds makes FAIL"),
        (_measured, "was judged by another value than the one that was measured"),
        (_one_of_all, "it has no judgement of "),
        (_without_records, "and holds no record of "),
        (_lenient, "it judged behaviour::"),
        (_elsewhere, "the evidence is of the registry 0000"),
        (_nowhere, "does not say of which registry it is"),
        (_not_listed, "has no inventory of what it had to cover"),
        (_both, "no gate run of models:/toy-ranker/3 recorded this evidence"),
    ],
)
def test_evidence_that_was_edited_is_refused(
    gated: World, refused: Refusals, change: Callable[[dict[str, Any]], None], says: str
) -> None:
    forged = edited(gated.evidence("shuffled"), change)
    command = ["promote", gated.uri("shuffled"), *WHY, "--evidence", str(forged)]
    refused(gated, command, gated.options(), code=1, says=[says, "gate again: gates run"])


def test_an_outcome_that_was_edited_and_its_cause_was_not_is_no_evidence(
    gated: World, refused: Refusals
) -> None:
    def outcomes(evidence: dict[str, Any]) -> None:
        for one in evidence["judgements"]:
            one["outcome"] = "PASS"

    forged = edited(gated.evidence("shuffled"), outcomes)
    command = ["promote", gated.uri("shuffled"), *WHY, "--evidence", str(forged)]
    says = ["is damaged at 'judgements.", "it says PASS, but 'outside' is FAIL"]
    refused(gated, command, gated.options(), says=says)


def test_evidence_that_was_edited_in_the_store_is_refused(gated: World, refused: Refusals) -> None:
    for kept in (gated.project / ".gates" / "artifacts").rglob("evidence.json"):
        if record_in(kept)["candidate"]["version"] == "3":
            edited(kept, _both).replace(kept)
    says = ["no gate run of models:/toy-ranker/3 recorded this evidence", "was it edited?"]
    refused(gated, "promote", gated.uri("shuffled"), *WHY, gated.options(), code=1, says=says)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 200_000, "is not JSON"),
        (b"[]", "has schema None"),
        (b'{"schema": "mlgates.evidence/9"}', "this gate reads 'mlgates.evidence/3'"),
        (b'{"schema": "mlgates.evidence/1"}', "is damaged at"),
        (b'{"schema": "mlgates.evidence/2"}', "is damaged at"),
    ],
)
def test_evidence_that_is_none_is_an_input_error(
    gated: World, refused: Refusals, content: bytes, says: str
) -> None:
    path = gated.project / "evidence.json"
    path.write_bytes(content)
    command = ["promote", gated.uri("good"), *WHY, "--evidence", str(path)]
    refused(gated, command, gated.options(), says=[f"{path}: ", says])
    refused(gated, "show", str(path), gated.options(), says=[says])


def test_a_move_needs_a_reason(gated: World, refused: Refusals) -> None:
    for command in (["promote", gated.uri("good")], ["rollback", MODEL]):
        says = ["'why' is empty", "the history keeps it"]
        refused(gated, command, "--why", "  ", gated.options(), says=says)


def test_there_is_nothing_to_roll_back_to(gated: World, refused: Refusals) -> None:
    says = ["version 1, which no promotion put there", "promote another version instead"]
    refused(gated, "rollback", MODEL, *WHY, gated.options(), code=1, says=says)
    says = ["version 2 of 'toy-ranker' was never the champion", "gate that version and promote it"]
    refused(gated, "rollback", MODEL, *WHY, "--to", "2", gated.options(), code=1, says=says)
    gated.edit("DELETE FROM registered_model_aliases")
    says = ["the alias 'champion' of 'toy-ranker' is not set", "promote a version first"]
    refused(gated, "rollback", MODEL, *WHY, gated.options(), code=1, says=says)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private and a public key that belong together."""
    private = Ed25519PrivateKey.generate()
    key, public = tmp_path / "gate.pem", tmp_path / "gate.pub"
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return key, public


def test_where_signatures_are_demanded_unsigned_evidence_is_refused(
    gated: World, refused: Refusals, monkeypatch: pytest.MonkeyPatch, keys: tuple[Path, Path]
) -> None:
    monkeypatch.setenv("GATES_VERIFY_KEY", str(keys[1]))
    says = ["has no signature, and a verification key is set", "GATES_SIGNING_KEY"]
    refused(gated, "promote", gated.uri("good"), *WHY, gated.options(), says=says)


def test_a_signature_is_worth_nothing_over_other_bytes(
    gated: World, refused: Refusals, monkeypatch: pytest.MonkeyPatch, keys: tuple[Path, Path]
) -> None:
    evidence = gated.evidence("first")
    reseal(evidence, key=keys[0])
    envelope = json.loads(evidence.read_bytes())
    envelope["payload"] = json.loads(gated.evidence("second").read_bytes())["payload"]
    evidence.write_text(json.dumps(envelope))
    monkeypatch.setenv("GATES_VERIFY_KEY", str(keys[1]))
    command = ["promote", gated.uri("good"), *WHY, "--evidence", str(evidence)]
    says = ["its signature is not by gate.pub over these bytes", "gate again"]
    refused(gated, command, gated.options(), says=says)
    reseal(evidence, key=keys[0])  # a signature that its run did not make is another file
    says = ["no gate run of models:/toy-ranker/2 recorded this evidence", "was it edited?"]
    refused(gated, command, gated.options(), code=1, says=says)


def test_a_verification_key_that_cannot_be_used_is_never_passed_over(
    gated: World, refused: Refusals, monkeypatch: pytest.MonkeyPatch, keys: tuple[Path, Path]
) -> None:
    for key, what in ((keys[1].with_name("gone.pub"), "cannot be read"), (keys[0], "is not a PEM")):
        monkeypatch.setenv("GATES_VERIFY_KEY", str(key))
        says = [f"the verification key {key} {what}", "openssl pkey -in gate.pem -pubout"]
        refused(gated, "promote", gated.uri("good"), *WHY, gated.options(), says=says)
