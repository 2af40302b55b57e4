"""Auditing a lock: what is known against its pins, and never a clean answer out of nothing."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gates.domain.lock_report import LockReport
from gates.errors import LockError
from gates.locks.advisories import Advisories, read_advisories
from gates.locks.verify import verify

from .osv import NOW, osv
from .samples import CLEAN, Locked, Write, only


def known(write: Write, raw: Any) -> Advisories:
    return read_advisories(str(write(json.dumps(raw), "osv.json")), max_age_days=30, now=NOW)


def audited(locked: Locked, advisories: Advisories | str | None) -> LockReport:
    return verify(
        locked(CLEAN), inputs=None, installed=None, repository=None, advisories=advisories
    )


def test_a_pin_with_an_advisory_is_named_with_all_there_is_to_know(
    locked: Locked, write: Write
) -> None:
    score = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N"}]
    one = osv("GHSA-1", "Six", fixed="1.18", summary="It leaks.", severity=score)
    problem = only(audited(locked, known(write, one)))
    assert (problem.kind, problem.requirement, problem.line) == ("advisories", "six", 2)
    assert problem.message == (
        "six 1.17.0 has the advisory GHSA-1, severity CVSS:3.1/AV:N: It leaks.; fixed in 1.18"
    )


def test_pins_without_advisories_are_clean_and_counted(locked: Locked, write: Write) -> None:
    report = audited(locked, known(write, [osv("A", fixed="1.17"), osv("B", "other")]))
    assert (report.problems, report.looked_at["advisories"]) == ((), 2)


def test_the_same_thing_in_three_databases_is_one_problem(locked: Locked, write: Write) -> None:
    records = [
        osv("PYSEC-1", aliases=["CVE-1"]),
        osv("GHSA-1", aliases=["CVE-1"], summary="It leaks."),
        osv("OTHER-9", aliases=["PYSEC-1"]),
        osv("GHSA-2"),
    ]
    messages = [problem.message for problem in audited(locked, known(write, records)).problems]
    assert messages == [
        "six 1.17.0 has the advisory GHSA-1 (CVE-1, OTHER-9, PYSEC-1): It leaks.; fixed in 99",
        "six 1.17.0 has the advisory GHSA-2; fixed in 99",
    ]


def test_aliases_meet_through_a_record_about_another_package(locked: Locked, write: Write) -> None:
    records = [
        osv("A", aliases=["CVE-1"]),
        osv("B", "other", aliases=["CVE-1", "CVE-2"]),
        osv("C", aliases=["CVE-2"]),
    ]
    assert only(audited(locked, known(write, records))).message.startswith(
        "six 1.17.0 has the advisory A (B, C, CVE-1, CVE-2)"
    )


def test_withdrawn_records_do_not_count(locked: Locked, write: Write) -> None:
    records = [
        osv("A", withdrawn="2026-11-01T00:00:00Z", aliases=["CVE-1"]),
        osv("B", "idna", aliases=["CVE-1"]),
    ]
    assert only(audited(locked, known(write, records))).message == (
        "idna 3.10 has the advisory B (CVE-1); fixed in 99"
    )


def test_of_two_records_of_one_name_the_later_counts(locked: Locked, write: Write) -> None:
    old = osv("A", modified="2026-11-01T00:00:00Z")
    new = osv("A", modified="2026-11-02T00:00:00Z", fixed="1.0")
    for records in ([old, new], [new, old]):
        assert audited(locked, known(write, records)).problems == ()


def test_releases_taken_back_are_told_apart_from_advisories(locked: Locked, write: Write) -> None:
    yanked = osv("Y-1", summary="broken wheels", database_specific={"yanked": True})
    report = audited(locked, known(write, [yanked, osv("A", "other")]))
    problem = only(report)
    assert problem.kind == "yanked"
    assert problem.message == "six 1.17.0 was taken back by its authors (Y-1): broken wheels"
    assert (report.looked_at["yanked"], report.looked_at["advisories"]) == (2, 2)


def test_a_record_that_denies_it_shows_that_the_source_would_know(
    locked: Locked, write: Write
) -> None:
    report = audited(locked, known(write, osv("Y", database_specific={"yanked": False})))
    assert (report.problems, report.looked_at["yanked"]) == ((), 2)


def test_a_source_that_never_speaks_of_yanked_releases_cannot_clear_them(
    locked: Locked, write: Write
) -> None:
    report = audited(locked, known(write, osv("A", fixed="1")))
    assert "does not tell which releases were taken back" in report.absent["yanked"]


def test_a_record_without_versions_leaves_the_answer_open(locked: Locked, write: Write) -> None:
    vague = osv("A")
    vague["affected"][0]["ranges"][0]["type"] = "GIT"
    report = audited(locked, known(write, [vague]))
    assert report.absent["advisories"] == "A is about six and names no versions to compare with"
    both = audited(locked, known(write, [vague, osv("B", "idna")]))
    assert only(both).requirement == "idna"


def test_what_could_not_be_audited_is_not_clean(locked: Locked) -> None:
    for advisories, reason in ((None, "no source of advisories was named"), ("gone", "gone")):
        report = audited(locked, advisories)
        assert report.absent["advisories"] == report.absent["yanked"] == reason


def as_zip(path: Path, **files: object) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in files.items():
            archive.writestr(f"{name}.json", raw if isinstance(raw, bytes) else json.dumps(raw))
        archive.writestr("README.txt", "not a record")
    return path


def test_every_shape_of_a_source_gives_the_same(write: Write, tmp_path: Path) -> None:
    one, two = osv("A"), osv("B", "idna")
    folder = write(json.dumps(one), "folder/deep/A.json").parents[1]
    as_zip(folder / "more.zip", B=two)
    write("not a record", "folder/README.md")
    shapes = [
        write(json.dumps([one, two]), "list.json"),
        write(json.dumps({"vulns": [one, two]}), "answer.json"),
        as_zip(tmp_path / "all.bin", A=one, B=two),
        folder,
    ]
    for shape in shapes:
        found = read_advisories(str(shape), max_age_days=30, now=NOW)
        assert (found.records, sorted(found.by_package)) == (2, ["idna", "six"]), shape
    assert read_advisories(str(write(json.dumps(one))), max_age_days=None, now=NOW).records == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b"\xff\xfe\x00", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "it holds no record about PyPI"),
        (b"{}", "a record that cannot be read: id must be text"),
        (b'{"vulns": null}', "a record that cannot be read: a record must be an object"),
        (b"PK\x03\x04broken", "it is a damaged or encrypted zip"),
        (json.dumps([osv("A"), {"id": "B"}]).encode(), "cannot be read: B: modified must be text"),
        (
            json.dumps(osv("A") | {"affected": []}).encode(),
            "it holds no record about PyPI",
        ),
    ],
)
def test_a_source_that_cannot_be_read_whole_is_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "osv.json"
    path.write_bytes(content)
    with pytest.raises(LockError) as refused:
        read_advisories(str(path), max_age_days=30, now=NOW)
    assert reason in refused.value.what
    assert str(path) in str(refused.value)


def test_a_broken_record_in_a_zip_or_folder_names_itself(write: Write, tmp_path: Path) -> None:
    path = as_zip(tmp_path / "all.zip", A=osv("A"), B=b"{")
    with pytest.raises(LockError, match=r"all\.zip/B\.json: it is not JSON"):
        read_advisories(str(path), max_age_days=30, now=NOW)
    write(json.dumps(osv("A")), "folder/A.json")
    folder = write("{", "folder/B.json").parent
    with pytest.raises(LockError, match=r"folder/B\.json: it is not JSON"):
        read_advisories(str(folder), max_age_days=30, now=NOW)


def test_a_source_that_is_not_there_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="there is no such file or folder"):
        read_advisories(str(tmp_path / "gone.json"), max_age_days=30, now=NOW)
    with pytest.raises(LockError, match="it holds no record about PyPI"):
        read_advisories(str(tmp_path), max_age_days=30, now=NOW)


def test_the_age_is_that_of_the_newest_record_about_pypi(write: Write) -> None:
    npm = osv("N", modified="2026-11-24T00:00:00Z")
    npm["affected"][0]["package"]["ecosystem"] = "npm"
    old = osv("A", modified="2026-10-01T00:00:00Z")
    source = str(write(json.dumps([npm, old])))
    with pytest.raises(LockError) as refused:
        read_advisories(source, max_age_days=30, now=NOW)
    assert refused.value.what == (
        "its newest record is 54 days old (2026-10-01), and at most 30 days are allowed"
    )
    assert read_advisories(source, max_age_days=54, now=NOW).newest.month == 10
    assert read_advisories(source, max_age_days=None, now=NOW).records == 1


def test_a_record_from_the_future_does_not_keep_a_source_fresh(write: Write) -> None:
    source = str(write(json.dumps(osv("A"))))
    with pytest.raises(LockError, match="which is yet to come, so its age cannot be told"):
        read_advisories(source, max_age_days=None, now=NOW - timedelta(days=9))
