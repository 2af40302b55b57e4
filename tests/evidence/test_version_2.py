"""Evidence of `mlgates.evidence/2` stays readable: a signed PASS and a signed FAIL in `version_2/`.

Both are of one card, with an own test, an inventory and the lists of the ranking difference.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gates.domain.judging import Outcome
from gates.errors import EvidenceError
from gates.evidence.bundle import read_evidence
from gates.evidence.evidence import SCHEMA, evidence_digest
from gates.evidence.verdict import settled_verdict
from tests.conftest import CommandLine

KEPT = Path(__file__).parent / "version_2"
RUNS = {"passed": Outcome.PASS, "failed": Outcome.FAIL}


@pytest.fixture(params=RUNS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One of the two, with its signature beside it."""
    for file in (f"{request.param}.json", f"{request.param}.json.sig"):
        shutil.copyfile(KEPT / file, tmp_path / file)
    return tmp_path / f"{request.param}.json"


def test_it_verifies_and_comes_to_what_it_said(path: Path) -> None:
    stored = json.loads(path.read_bytes())
    evidence = read_evidence(path, verify_key=KEPT / "gate.pub")
    assert (stored["schema"], evidence.schema) == ("mlgates.evidence/2", SCHEMA)
    assert evidence.digest == evidence_digest(path.read_bytes())
    assert settled_verdict(evidence, path).outcome is RUNS[path.stem]
    assert [one.reason for one in evidence.judgements] == [
        one["reason"] for one in stored["judgements"]
    ]


def test_a_byte_of_it_or_of_its_signature_is_enough(path: Path) -> None:
    signature = path.with_name(path.name + ".sig")
    for file in (path, signature):
        before = file.read_bytes()
        file.write_bytes(before[:20] + bytes([before[20] ^ 1]) + before[21:])
        with pytest.raises(EvidenceError, match=r"is not JSON|signature is not by gate\.pub"):
            read_evidence(path, verify_key=KEPT / "gate.pub")
        file.write_bytes(before)
    signature.unlink()
    with pytest.raises(EvidenceError, match="has no signature"):
        read_evidence(path, verify_key=KEPT / "gate.pub")


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "junit"])
def test_it_is_drawn(gates: CommandLine, path: Path, form: str) -> None:
    shown = gates("show", str(path), "--as", form, "--project", str(path.parent))
    assert shown.code == 0, shown.err
    assert str(RUNS[path.stem]) in shown.out
