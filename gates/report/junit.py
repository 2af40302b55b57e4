"""The run as JUnit XML, for build servers that show tests."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from gates.domain.judging import Judgement, Outcome
from gates.evidence.evidence import CheckRecord, Evidence
from gates.report.text import clean

__all__ = ["FILE", "render"]

FILE = "junit.xml"


def render(evidence: Evidence) -> str:
    """A test case per bound: FAIL is a failure, UNDECIDED an error, advisory ones never block.

    Returns:
        XML with one `testsuite`, to be written as UTF-8.
    """
    required = [j for j in evidence.judgements if not (j.bound.advisory or j.is_waived)]
    name = clean(f"{evidence.candidate.name} {evidence.candidate.version}")
    suite = ET.Element(
        "testsuite",
        name=f"mlgates: {name}",
        tests=str(len(evidence.judgements)),
        failures=str(sum(j.outcome is Outcome.FAIL for j in required)),
        errors=str(sum(j.outcome is Outcome.UNDECIDED for j in required)),
        skipped=str(sum(_is_waiting(j) for j in evidence.judgements)),
        time=f"{sum(record.seconds for record in evidence.records):.3f}",
        timestamp=clean(evidence.created),
    )
    properties = ET.SubElement(suite, "properties")
    for key, value in _properties(evidence).items():
        ET.SubElement(properties, "property", name=key, value=clean(value))
    records = {record.check: record for record in evidence.records}
    seen: set[str] = set()
    for judgement in evidence.judgements:
        check = judgement.bound.check
        # A check measures all its bounds at once; its time is counted with the first of them.
        seconds = records[check].seconds if check in records and check not in seen else 0.0
        seen.add(check)
        _case(suite, judgement, seconds, records.get(check))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return f"{content.decode()}\n"


def _is_waiting(judgement: Judgement) -> bool:
    excused = judgement.bound.advisory or judgement.is_waived
    return excused and judgement.outcome is not Outcome.PASS


def _properties(evidence: Evidence) -> dict[str, str]:
    return {
        "verdict": evidence.verdict.outcome,
        "candidate": evidence.candidate.digest,
        "champion": evidence.champion.digest if evidence.champion else "none",
        "golden": evidence.golden.digest,
        "synthetic": str(evidence.golden.synthetic).lower(),
        "card": evidence.card.digest,
        "run": evidence.run_id,
    }


def _case(
    suite: ET.Element, judgement: Judgement, seconds: float, record: CheckRecord | None
) -> None:
    bound, reason = judgement.bound, clean(judgement.reason)
    case = ET.SubElement(
        suite,
        "testcase",
        classname=clean(f"gates.{bound.check}"),
        name=clean(bound.id.partition("::")[2]),
        time=f"{seconds:.3f}",
    )
    if _is_waiting(judgement):
        kind, would = ("WAIVED", "would be ") if judgement.is_waived else ("advisory", "")
        message = f"{kind}, {would}{judgement.outcome}: {reason}"
        ET.SubElement(case, "skipped", type=kind, message=message)
    elif judgement.outcome is Outcome.FAIL:
        ET.SubElement(case, "failure", type="FAIL", message=reason).text = reason
    elif judgement.outcome is Outcome.UNDECIDED:
        ET.SubElement(case, "error", type="UNDECIDED", message=reason).text = reason
    else:
        ET.SubElement(case, "system-out").text = reason
    if record and record.log and judgement.outcome is not Outcome.PASS:
        ET.SubElement(case, "system-err").text = clean(record.log)
