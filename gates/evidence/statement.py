"""Evidence as an in-toto statement: what was tested, how it came out, and the whole record.

One statement has one predicate, and one envelope one statement. Ours is in-toto's own
`test-result`, so that whoever reads in-toto finds a result, the tests by name and the digests they
are of without knowing mlgates; the record stands in the predicate beside those, as an extension
field, which others pass over. Two statements would be two files to keep together, or two signatures
of which one could be missing.

Who reads `test-result` alone must never be told more than is known: only a PASS is `PASSED`
(`WARNED`, where something was waived for it), and what is UNDECIDED is `FAILED` there. A bound that
does not hold is a warned test where it is advisory or waived.

Specification: https://github.com/in-toto/attestation, `spec/v1` and `spec/predicates/test-result`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from gates.domain.judging import Judgement, Outcome
from gates.errors import EvidenceError
from gates.evidence.evidence import SCHEMA, Evidence
from gates.system.json_files import JsonFile

__all__ = ["PREDICATE_TYPE", "STATEMENT_TYPE", "evidence_in", "statement_of"]

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"

_OURS = "mlgates"
_ADVICE = "run the gate again: gates run"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HELD = JsonFile(Evidence, SCHEMA, EvidenceError, advice=_ADVICE)

Values = dict[str, Any]


def statement_of(evidence: Evidence) -> Values:
    """Evidence as the value that is signed.

    Args:
        evidence: Of a run; it becomes a part of the statement as it is.
    """
    result = {**_result(evidence), _OURS: evidence}
    return {
        "_type": STATEMENT_TYPE,
        "subject": list(_subjects(evidence)),
        "predicateType": PREDICATE_TYPE,
        "predicate": result,
    }


def evidence_in(statement: object, path: Path) -> Evidence:
    """The evidence of a statement that says of it what it says itself.

    Args:
        statement: The JSON value of a payload.
        path: The file it came from.

    Raises:
        EvidenceError: It is another kind of statement, damaged, or contradicts its evidence.
    """
    if not isinstance(statement, dict):
        raise EvidenceError("holds no in-toto statement", path=path, advice=_ADVICE)
    for key, wanted in (("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)):
        if (found := statement.get(key)) != wanted:
            what = f"has the {key} {repr(found)[:100]}, not {wanted!r}"
            raise EvidenceError(what, path=path, advice=_ADVICE)
    predicate = statement.get("predicate")
    if not isinstance(predicate, dict) or _OURS not in predicate:
        raise EvidenceError(
            f"is a test result without '{_OURS}': no gate wrote it", path=path, advice=_ADVICE
        )
    evidence = _HELD.checked(predicate[_OURS], path)
    meant = statement_of(evidence)
    for key, said, wanted in (
        ("subject", statement.get("subject"), meant["subject"]),
        *((key, predicate.get(key), one) for key, one in _result(evidence).items()),
    ):
        if said != wanted:
            raise EvidenceError(
                f"contradicts itself: its '{key}' is not what its record makes",
                path=path,
                advice="it was altered after its run; gate again: gates run",
            )
    return evidence


def _subjects(evidence: Evidence) -> Iterator[Values]:
    """What the statement is about, each with its digest; what has none is not among them."""
    candidate = evidence.candidate
    environment = evidence.environments.get("candidate")
    yield {**_described("model", candidate.digest), "uri": candidate.uri}
    for name, digest in (
        ("lock", candidate.lock_digest),
        ("golden-set", evidence.golden.digest),
        ("card", evidence.card.digest),
        ("environment", environment.key if environment else ""),
    ):
        if digest and (name != "environment" or _SHA256.fullmatch(digest)):
            yield _described(name, digest)
    for record in evidence.records:
        if record.rows:
            yield _described(record.rows.file, record.rows.digest)


def _result(evidence: Evidence) -> Values:
    """The fields of `test-result`, but for the address of the run, which has none of its own."""
    tested = evidence.judgements
    passed = [one for one in tested if one.outcome is Outcome.PASS]
    rest = [one for one in tested if one.outcome is not Outcome.PASS]
    warned = [one for one in rest if one.bound.advisory or one.is_waived]
    failed = [one for one in rest if not (one.bound.advisory or one.is_waived)]
    good = "WARNED" if any(one.is_waived for one in rest) else "PASSED"
    return {
        "result": good if evidence.verdict.outcome is Outcome.PASS else "FAILED",
        "configuration": list(_configuration(evidence)),
        "passedTests": _names(passed),
        "warnedTests": _names(warned),
        "failedTests": _names(failed),
    }


def _configuration(evidence: Evidence) -> Iterator[Values]:
    """What the result depends on besides the candidate."""
    yield _described(evidence.card.path, evidence.card.digest)
    yield _described(evidence.golden.path, evidence.golden.digest)
    if evidence.champion:
        yield {**_described("champion", evidence.champion.digest), "uri": evidence.champion.uri}
    for file in evidence.inventory.test_files if evidence.inventory else ():
        yield _described(file.path, file.digest)


def _described(name: str, digest: str) -> Values:
    return {"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}


def _names(judgements: Iterable[Judgement]) -> list[str]:
    return [one.bound.id for one in judgements]
