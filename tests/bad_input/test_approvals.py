"""Where a card asks for approvals, others than who promotes have to sign for the evidence."""

from __future__ import annotations

import base64
import getpass
import json
from collections.abc import Callable, Sequence
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
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

from gates.evidence.approval import Approval, approver, signed
from tests.bad_input.conftest import Refusals, World
from tests.bad_input.test_cards_and_golden_sets import replace
from tests.conftest import CommandLine

ME = getpass.getuser()
WANTED = Approval("toy-ranker", "2", "store", "sha256:" + "e" * 64)


def new_key() -> tuple[Ed25519PrivateKey, str]:
    """A private key, and its public half as a card writes it."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key, base64.b64encode(public).decode()


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Path]:
    """Keys of three whom the card lets approve, and of one whom it does not."""
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in ("ann@example.com", "ben", ME, "eve"):
        key, public = new_key()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(pem)
        (folder / f"{name}.pub").write_text(public)
    return {path.stem: path for path in folder.glob("*.pem")}


@pytest.fixture
def asked(world: World, keys: dict[str, Path], gates: CommandLine) -> World:
    """A world whose card asks for one approval, and in which `good` passed."""
    listed = "".join(
        f"    {name}: {path.with_suffix('.pub').read_text()}\n"
        for name, path in keys.items()
        if name != "eve"
    )
    replace(world.card, "checks:", f"approvals:\n  needed: 1\n  keys:\n{listed}checks:")
    assert gates("run", world.uri("good"), world.options()).code == 0
    return world


def test_evidence_promotes_when_a_second_person_signed_for_it(
    asked: World, keys: dict[str, Path], gates: CommandLine, refused: Refusals
) -> None:
    uri, options = asked.uri("good"), asked.options()
    promote = ("promote", uri, "--why", "it is better", options)

    def approve(name: str) -> tuple[str | Sequence[str], ...]:
        return ("approve", uri, "--key", str(keys[name]), "--why", "looked at the lamps", options)

    refused(asked, *promote, code=1, says=["0 of 1 approvals", f"gates approve {uri}"])
    refused(asked, *approve("eve"), says=["nobody whom the card lets approve"])
    refused(asked, *approve(ME), code=1, says=[f"{ME} ran the gate"])

    answer = gates(*approve("ann@example.com"), "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["by"] == "ann@example.com"
    history = json.loads(gates("history", "toy-ranker", options, "--json").out)
    assert ("approve", "ann@example.com", "looked at the lamps") in {
        (one["kind"], one["by"], one["why"]) for one in history
    }
    shown = gates("show", uri, options)
    assert "approved by ann@example.com" in shown.out + shown.err

    assert gates("run", uri, options).code == 0  # other bytes of evidence
    refused(asked, *promote, code=1, says=["0 of 1 approvals"])
    assert gates(*approve("ben")).code == 0
    assert gates(*promote).code == 0
    assert asked.champion() == "2"


def test_a_card_that_asks_for_none_takes_none(
    gated: World, keys: dict[str, Path], refused: Refusals
) -> None:
    key = ("--key", str(keys["ben"]), "--why", "because")
    refused(gated, "approve", gated.uri("good"), *key, gated.options(), says=["no approvals"])


def test_what_failed_is_approved_by_nobody(
    asked: World, keys: dict[str, Path], gates: CommandLine, refused: Refusals
) -> None:
    assert gates("run", asked.uri("shuffled"), asked.options()).code == 1
    key = ("--key", str(keys["ben"]), "--why", "because")
    says = ["is a FAIL"]
    refused(asked, "approve", asked.uri("shuffled"), *key, asked.options(), code=1, says=says)


def _with(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    def changed(text: str) -> str:
        value = json.loads(text)
        change(value)
        return json.dumps(value)

    return changed


def _payload(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    def changed(envelope: dict[str, Any]) -> None:
        said = json.loads(base64.b64decode(envelope["payload"]))
        change(said)
        envelope["payload"] = base64.b64encode(json.dumps(said).encode()).decode()

    return _with(changed)


@pytest.mark.parametrize(
    "spoil",
    [
        str.upper,
        lambda _: "",
        lambda _: "[]",
        lambda _: "{}",
        lambda text: text * 2,
        _with(lambda one: one.pop("signatures")),
        _with(lambda one: one["signatures"].clear()),
        _with(lambda one: one["signatures"][0].update(sig="AAAA")),
        _with(lambda one: one.update(payloadType="text/plain")),
        _payload(lambda one: one["predicate"].update(version="3")),
        _payload(lambda one: one["predicate"].update(evidence="sha256:" + "f" * 64)),
        _payload(lambda one: one["predicate"].update(more="1")),
        _payload(lambda one: one.update(predicateType="other")),
        _payload(lambda one: one.update(predicate=None)),
    ],
)
def test_an_approval_is_worth_nothing_when_anything_of_it_was_changed(
    spoil: Callable[[str], str],
) -> None:
    key, public = new_key()
    text = signed(WANTED, CryptoSigner(key))
    assert approver(text, {"ben": new_key()[1], "ann": public}, WANTED) == "ann"
    assert approver(spoil(text), {"ann": public}, WANTED) == ""


def test_an_approval_of_something_else_or_by_another_key_is_none() -> None:
    key, public = new_key()
    for other in (
        Approval("toy-ranker", "3", "store", WANTED.evidence),
        Approval("toy-ranker", "2", "another", WANTED.evidence),
        Approval("toy-ranker", "2", "store", "sha256:" + "f" * 64),
    ):
        assert approver(signed(other, CryptoSigner(key)), {"ann": public}, WANTED) == ""
    assert approver(signed(WANTED, CryptoSigner(key)), {"ann": new_key()[1]}, WANTED) == ""
    foreign = Envelope(b"not a statement", "application/vnd.in-toto+json", {})
    foreign.sign(CryptoSigner(key))
    assert approver(json.dumps(foreign.to_dict()), {"ann": public}, WANTED) == ""
