"""The JUnit report: what a build server counts."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree as ET

from gates.domain.judging import Outcome
from gates.evidence.evidence import Evidence
from gates.report import junit

from . import evidence_factory as factory


def suite(evidence: Evidence) -> ET.Element:
    found = ET.fromstring(junit.render(evidence)).find("testsuite")  # noqa: S314 - our own
    assert found is not None
    return found


def test_every_bound_is_a_test_case_and_the_counts_are_those_of_its_outcomes(
    any_evidence: Evidence,
) -> None:
    found = suite(any_evidence)
    cases = found.findall("testcase")
    assert len(cases) == len(any_evidence.judgements) == int(found.attrib["tests"])
    for attribute, child in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(found.attrib[attribute]) == len(found.findall(f"testcase/{child}"))
    broken = int(found.attrib["failures"]) + int(found.attrib["errors"])
    assert (broken == 0) == (any_evidence.verdict.outcome is Outcome.PASS)


def test_a_fail_is_a_failure_with_its_reason() -> None:
    case = suite(factory.failing()).find("testcase[@name='ndcg@10.delta[category=rugs]']")
    assert case is not None
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib["message"].startswith("-0.1841 [-0.2451, -0.1231]")
    assert case.attrib["classname"] == "gates.ranking-diff"


def test_undecided_is_an_error_of_that_type() -> None:
    errors = suite(factory.undecided()).findall("testcase/error")
    assert [error.attrib["type"] for error in errors] == ["UNDECIDED"]


def test_an_advisory_bound_cannot_fail_a_build() -> None:
    run = factory.failing()
    relaxed = tuple(
        dataclasses.replace(j, bound=dataclasses.replace(j.bound, advisory=True))
        for j in run.judgements
    )
    found = suite(dataclasses.replace(run, judgements=relaxed))
    assert (found.attrib["failures"], found.attrib["errors"]) == ("0", "0")
    message = found.findall("testcase/skipped")[0].attrib["message"]
    assert message.startswith("advisory, FAIL: ")


def test_control_characters_do_not_break_the_file() -> None:
    text = junit.render(factory.hostile())
    assert "\x1b" not in text
    assert "&lt;script&gt;" in text


def test_a_dead_worker_leaves_its_log() -> None:
    logs = suite(factory.faulty()).findall("testcase/system-err")
    assert logs
    assert "libgomp.so.1" in (logs[0].text or "")
