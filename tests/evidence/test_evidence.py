"""Evidence: one canonical form, written whole or not at all, signed, and read back as it was."""

from __future__ import annotations

import base64
import errno
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gates.domain.judging import (
    Bound,
    Cause,
    Judgement,
    Measurement,
    ModelVersion,
    Outcome,
    Verdict,
)
from gates.errors import EvidenceError, UsageError
from gates.evidence.bundle import read_evidence, write_evidence
from gates.evidence.envelope import seal
from gates.evidence.evidence import (
    CardFacts,
    CheckRecord,
    Evidence,
    GateFacts,
    GoldenFacts,
    canonical,
    evidence_digest,
)
from gates.evidence.signing import signer_of
from tests.sealed import record_in, reseal

STATEMENT = (
    b'{"_type":"https://in-toto.io/Statement/v1",'
    b'"predicateType":"https://in-toto.io/attestation/test-result/v0.1","predicate":%s}'
)


def _enveloped(payload: bytes) -> bytes:
    return seal(payload, None)


def sample() -> Evidence:
    measurement = Measurement("ndcg@10.delta", 0.01, 3, "nDCG", -math.inf, math.inf)
    bound = Bound("ranking-diff", "ndcg@10.delta", minimum=-0.01)
    return Evidence(
        run_id="r1",
        created="2026-01-01T00:00:00+00:00",
        gate=GateFacts("0.1.0", "3.11.7", "Linux x86_64", "3.17.2"),
        card=CardFacts("model_cards/a.md", "sha256:c", "a", "ranking", "champion", ("me",), {}),
        golden=GoldenFacts("golden/a", "sha256:g", "a", True, "all", 3, 9, 9, 0),
        candidate=ModelVersion("a", "2", "sha256:2", "sha256:l"),
        champion=ModelVersion("a", "1", "sha256:1", "sha256:l"),
        environments={},
        seed=1,
        records=(CheckRecord("ranking-diff", (measurement,)),),
        judgements=(Judgement(bound, Cause.ASTRIDE, "too few", measurement),),
        timings=(),
        verdict=Verdict(Outcome.UNDECIDED, ("too few",)),
    )


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    private = Ed25519PrivateKey.generate()
    secret, public = tmp_path / "secret.pem", tmp_path / "public.pem"
    secret.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    public.write_bytes(
        private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return secret, public


def test_it_reads_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    digest = write_evidence(path, sample())
    assert read_evidence(path) == sample()
    assert digest == evidence_digest(path.read_bytes())


def test_an_open_interval_does_not_read_back_as_an_exact_value(tmp_path: Path) -> None:
    write_evidence(tmp_path / "evidence.json", sample())
    measurement = read_evidence(tmp_path / "evidence.json").records[0].measurements[0]
    assert measurement.lower == -math.inf
    assert measurement.upper == math.inf


def test_its_digest_is_that_of_the_bytes_and_no_file_can_name_another(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    digest = write_evidence(path, sample())
    assert read_evidence(path).digest == digest
    reseal(path, digest="sha256:0", _digest="sha256:0")
    assert read_evidence(path).digest == evidence_digest(path.read_bytes()) != digest
    assert not replace(read_evidence(path), run_id="another").digest


def test_what_is_written_knows_its_digest(tmp_path: Path) -> None:
    evidence = sample()
    assert not evidence.digest
    digest = write_evidence(tmp_path / "evidence.json", evidence)
    assert evidence.digest == digest


def test_an_outcome_is_stored_and_must_be_that_of_its_cause(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    write_evidence(path, sample())
    judgements = record_in(path)["judgements"]
    assert judgements[0]["outcome"] == "UNDECIDED"
    judgements[0]["outcome"] = "PASS"
    reseal(path, judgements=judgements)
    words = r"judgements\.0.*says PASS, but 'astride' is UNDECIDED"
    with pytest.raises(EvidenceError, match=words):
        read_evidence(path)


def test_the_canonical_form_is_sorted_compact_utf8() -> None:
    content = canonical(replace(sample(), run_id="größe"))
    assert b'"run_id":"gr\xc3\xb6\xc3\x9fe"' in content
    assert b": " not in content
    assert content.index(b'"candidate"') < content.index(b'"verdict"')


def test_lone_surrogates_from_data_do_not_stop_the_record(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    write_evidence(path, replace(sample(), run_id="bad \udc80"))
    assert path.read_bytes().decode("utf-8")
    assert read_evidence(path).run_id == "bad \udc80"


def test_a_signature_is_demanded_and_checked(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    secret, public = keys
    path = tmp_path / "evidence.json"
    write_evidence(path, sample(), signer=signer_of(str(secret)))
    assert read_evidence(path, verify_key=public) == sample()

    envelope = json.loads(path.read_bytes())
    payload = base64.b64decode(envelope["payload"]).replace(b'"r1"', b'"r2"')
    envelope["payload"] = base64.b64encode(payload).decode()
    path.write_text(json.dumps(envelope))
    assert read_evidence(path).run_id == "r2"
    with pytest.raises(EvidenceError, match="not by public"):
        read_evidence(path, verify_key=public)

    write_evidence(path, sample())
    with pytest.raises(EvidenceError, match="no signature"):
        read_evidence(path, verify_key=public)


def test_a_key_that_is_not_a_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("not a key")
    with pytest.raises(UsageError, match="signing key"):
        signer_of(str(tmp_path / "key.pem"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "schema None"),
        (b'{"schema":"mlgates.evidence/99"}', "mlgates.evidence/99"),
        (b'{"schema":"mlgates.evidence/1"}', "damaged"),
        (b'{"schema":"mlgates.evidence/2"}', "damaged"),
        (b'{"schema":"mlgates.evidence/3"}', "is no envelope"),
        (b'{"payloadType":"text/plain","payload":""}', "is an envelope of 'text/plain'"),
        (_enveloped(b"{"), "is not JSON"),
        (_enveloped(b"[]"), "holds no in-toto statement"),
        (_enveloped(b"{}"), "has the _type None"),
        (_enveloped(STATEMENT % b"null"), "no gate wrote it"),
        (_enveloped(STATEMENT % b'{"mlgates":{"schema":"mlgates.evidence/9"}}'), "evidence/9"),
        (_enveloped(STATEMENT % b'{"mlgates":{"schema":"mlgates.evidence/3"}}'), "damaged"),
        (_enveloped(b"").replace(b'""', b'"?"'), "is not base64"),
        (b'{"schema":"mlgates.evidence/1","judgements":[7],"records":{}}', "damaged"),
    ],
)
def test_damaged_evidence_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(content)
    with pytest.raises(EvidenceError, match=words):
        read_evidence(path)


def test_missing_evidence_says_to_run_the_gate(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="run the gate"):
        read_evidence(tmp_path / "evidence.json")


def test_a_full_disk_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "evidence.json"
    write_evidence(path, sample())
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        write_evidence(path, replace(sample(), run_id="r2"))
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["evidence.json"]
