"""Evidence as others read it: an in-toto statement in a DSSE envelope, verified by none of ours."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from gates.domain.judging import Outcome
from gates.errors import EvidenceError, UsageError
from gates.evidence.bundle import read_evidence, write_evidence
from gates.evidence.envelope import seal
from gates.evidence.evidence import Evidence, canonical
from gates.evidence.signing import signer_of
from tests.report import evidence_factory as factory
from tests.sealed import statement_in

HEX = "ab" * 32


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A pair as docs/evidence.md makes it."""
    key, public = tmp_path / "gate.pem", tmp_path / "gate.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    return key, public


def whole(evidence: Evidence) -> Evidence:
    """The same with an environment that has a digest, as those of real runs have."""
    environment = replace(evidence.environments["candidate"], key=HEX)
    return replace(evidence, environments={**evidence.environments, "candidate": environment})


def verified(envelope: dict[str, Any], public: Path) -> bytes:
    """The payload of a DSSE envelope, verified as the specification says and by none of our code.

    https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
    """
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    (signature,) = envelope["signatures"]
    load_pem_public_key(public.read_bytes()).verify(base64.b64decode(signature["sig"]), signed)  # type: ignore[union-attr, call-arg]  # it is Ed25519
    return payload


@pytest.mark.parametrize("made", [factory.passing, factory.failing, factory.undecided])
def test_others_verify_and_read_it(
    tmp_path: Path, keys: tuple[Path, Path], made: Callable[[], Evidence]
) -> None:
    evidence = whole(made())
    write_evidence(tmp_path / "evidence.json", evidence, signer=signer_of(str(keys[0])))
    payload = verified(json.loads((tmp_path / "evidence.json").read_bytes()), keys[1])

    parsed = json_format.Parse(payload, statement_pb2.Statement())
    Statement.copy_from_pb(parsed).validate()
    found = {one.name: dict(one.digest) for one in parsed.subject}
    assert found == {
        "model": {"sha256": evidence.candidate.digest.removeprefix("sha256:")},
        "lock": {"sha256": evidence.candidate.lock_digest.removeprefix("sha256:")},
        "golden-set": {"sha256": evidence.golden.digest.removeprefix("sha256:")},
        "card": {"sha256": evidence.card.digest.removeprefix("sha256:")},
        "environment": {"sha256": HEX},
    }
    assert parsed.predicate_type == "https://in-toto.io/attestation/test-result/v0.1"
    predicate = json_format.MessageToDict(parsed.predicate)
    result = test_result_pb2.TestResult()
    json_format.ParseDict(predicate, result, ignore_unknown_fields=True)
    outcomes = {one.bound.id: one.outcome for one in evidence.judgements}
    assert result.result == ("PASSED" if evidence.verdict.outcome is Outcome.PASS else "FAILED")
    assert {outcomes[one] for one in result.passed_tests} == {Outcome.PASS}
    assert Outcome.PASS not in {outcomes[one] for one in result.failed_tests}
    advisory = {one.bound.id for one in evidence.judgements if one.bound.advisory}
    assert advisory >= set(result.warned_tests)
    assert {*result.passed_tests, *result.warned_tests, *result.failed_tests} == outcomes.keys()
    assert [one.name for one in result.configuration][:2] == [
        evidence.card.path,
        evidence.golden.path,
    ]


def test_what_is_undecided_is_passed_to_nobody(tmp_path: Path) -> None:
    write_evidence(tmp_path / "evidence.json", factory.undecided())
    assert statement_in(tmp_path / "evidence.json")["predicate"]["result"] == "FAILED"


def _subject(statement: dict[str, Any]) -> None:
    statement["subject"][0]["digest"]["sha256"] = HEX


def _no_subject(statement: dict[str, Any]) -> None:
    statement["subject"] = statement["subject"][1:]


def _result(statement: dict[str, Any]) -> None:
    statement["predicate"]["result"] = "PASSED"


def _failed_tests(statement: dict[str, Any]) -> None:
    statement["predicate"]["passedTests"] += statement["predicate"]["failedTests"]
    statement["predicate"]["failedTests"] = []


def _configuration(statement: dict[str, Any]) -> None:
    statement["predicate"]["configuration"] = []


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_subject, "subject"),
        (_no_subject, "subject"),
        (_result, "result"),
        (_failed_tests, "passedTests"),
        (_configuration, "configuration"),
    ],
)
def test_a_statement_that_says_other_than_its_record_is_refused(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], named: str
) -> None:
    path = tmp_path / "evidence.json"
    write_evidence(path, factory.failing())
    statement = statement_in(path)
    spoil(statement)
    path.write_bytes(seal(canonical(statement), None))
    with pytest.raises(EvidenceError, match=f"contradicts itself: its '{named}'"):
        read_evidence(path)


def test_a_key_may_be_in_a_variable(
    tmp_path: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="variable GATE_KEY, which is not set"):
        signer_of("env:GATE_KEY")
    monkeypatch.setenv("GATE_KEY", keys[0].read_text())
    write_evidence(tmp_path / "evidence.json", factory.passing(), signer=signer_of("env:GATE_KEY"))
    assert read_evidence(tmp_path / "evidence.json", verify_key=keys[1]).is_signed


def test_a_key_may_stay_where_a_program_signs_by_it(
    tmp_path: Path, keys: tuple[Path, Path]
) -> None:
    program = tmp_path / "sign.py"
    program.write_text(
        "import base64, pathlib, sys\n"
        "from cryptography.hazmat.primitives.serialization import load_pem_private_key\n"
        "key = load_pem_private_key(pathlib.Path(sys.argv[1]).read_bytes(), None)\n"
        "print(base64.encodebytes(key.sign(sys.stdin.buffer.read())).decode())\n"
    )
    command = f"command:{sys.executable} {program} {keys[0]}"
    write_evidence(
        tmp_path / "evidence.json", factory.passing(), signer=signer_of(command, keys[1])
    )
    assert read_evidence(tmp_path / "evidence.json", verify_key=keys[1]).is_signed
    verified(json.loads((tmp_path / "evidence.json").read_bytes()), keys[1])


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("no-such-program-here", "cannot be run"),
        ("sh -c 'echo locked >&2; exit 3'", "exit code 3: locked"),
        ("sh -c 'echo no base64!'", "is not base64"),
        ("sh -c 'echo QUJD'", "is no signature by the key that GATES_VERIFY_KEY names"),
        ("sh -c 'echo \"", "cannot be run"),
    ],
)
def test_a_program_that_does_not_sign_is_found_out_at_once(
    keys: tuple[Path, Path], command: str, why: str
) -> None:
    with pytest.raises(UsageError, match=f"did not: .*{why}"):
        signer_of(f"command:{command}", keys[1])


def test_what_a_program_signs_cannot_go_unverified() -> None:
    with pytest.raises(UsageError, match="no public key is set"):
        signer_of("command:true")
