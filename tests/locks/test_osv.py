"""Which versions a record of the OSV format is about: the schema's rules, one by one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gates.locks._osv import read_record


def record(**more: Any) -> dict[str, Any]:
    return {"schema_version": "1.7.0", "id": "X-1", "modified": "2026-01-02T03:04:05Z", **more}


def about(*events: dict[str, str], kind: str = "ECOSYSTEM", **more: Any) -> dict[str, Any]:
    package = {"ecosystem": "PyPI", "name": "Some.Package"}
    ranges = [{"type": kind, "events": list(events)}] if events else []
    return record(affected=[{"package": package, "ranges": ranges, **more}])


def hit(raw: dict[str, Any], version: str) -> bool:
    (affected,) = read_record(raw).affected
    assert affected.name == "some-package"
    return affected.includes(version)


ZERO = {"introduced": "0"}


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        ([ZERO], "0.0.1.dev0 0 1 99!1", ""),
        ([ZERO, {"fixed": "1.0.2"}], "0 1.0.1 1.0.2rc1 1.0.2.dev1", "1.0.2 1.0.2.post1 2"),
        ([ZERO, {"last_affected": "2.1.214"}], "2.1.213 2.1.214", "2.1.214.post1 2.1.215 3"),
        ([{"introduced": "1.0"}, {"fixed": "1.5"}], "1 1.0.0 1.4.9", "0.9 1.0rc1 1.5 1.5.0 2"),
        (
            [{"introduced": "1"}, {"fixed": "1.0.2"}, {"introduced": "3"}, {"fixed": "3.2.5"}],
            "1.0.0 1.0.1 3.0.0 3.2.4",
            "0.9 1.0.2 2.9 3.2.5 4",
        ),
        # Events are sorted before they are followed, whatever their order in the record.
        (
            [{"fixed": "3.2.5"}, {"introduced": "3"}, {"fixed": "1.0.2"}, {"introduced": "1"}],
            "1.0.1 3.2.4",
            "0.9 2.9 4",
        ),
        ([{"introduced": "9"}, {"fixed": "10"}], "9.1 9.10", "8 10 11"),
        ([ZERO, {"limit": "2"}], "0 1.9", "2 3"),
        ([ZERO, {"limit": "2"}, {"limit": "3"}], "1 2.9", "3"),
        ([ZERO, {"limit": "*"}], "1 99", ""),
        ([{"introduced": "1!1"}], "1!2", "2 99"),
        # An event of an age before PEP 440 sorts before all versions of today.
        ([{"introduced": "0.9-beta-x12"}, {"fixed": "2"}], "0.1 1", "2"),
        ([ZERO, {"fixed": "dev-r77"}], "", "0.1 1"),
        (
            [{"introduced": "1.2.0-alpha.1"}, {"fixed": "1.2.0-rc.2"}],
            "1.2.0b1 1.2.0rc1",
            "1.2.0rc2",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["ECOSYSTEM", "SEMVER"])
def test_ranges_are_evaluated_as_the_schema_has_it(
    kind: str, events: list[dict[str, str]], inside: str, outside: str
) -> None:
    raw = about(*events, kind=kind)
    assert [one for one in inside.split() if not hit(raw, one)] == []
    assert [one for one in outside.split() if hit(raw, one)] == []


def test_a_build_is_affected_as_the_release_it_was_built_from() -> None:
    assert hit(about(ZERO, {"last_affected": "2.1.0"}), "2.1.0+cu121")
    assert hit(about(versions=["2.1.0"]), "2.1.0+cu121")
    assert not hit(about(ZERO, {"fixed": "2.1.0"}), "2.1.0+cu121")


def test_versions_named_one_by_one_count_beside_ranges() -> None:
    raw = about({"introduced": "5"}, versions=["1.0", "2.0rc1", "not-a-version"])
    assert [hit(raw, one) for one in ("1", "1.0.0", "2.0rc1", "5")] == [True] * 4
    assert [hit(raw, one) for one in ("1.0.1", "2.0", "4")] == [False] * 3


def test_two_ranges_are_either() -> None:
    ranges = [
        {"type": "ECOSYSTEM", "events": [ZERO, {"fixed": "1"}]},
        {"type": "SEMVER", "events": [{"introduced": "2"}, {"fixed": "3"}]},
    ]
    raw = about(ranges=ranges)
    assert [hit(raw, one) for one in ("0.5", "1", "2", "3")] == [True, False, True, False]


def test_commits_say_nothing_of_versions() -> None:
    raw = about({"introduced": "0"}, kind="GIT")
    (affected,) = read_record(raw).affected
    assert (affected.can_tell, affected.includes("1")) == (False, False)


def test_other_ecosystems_are_left_out() -> None:
    npm = {"package": {"ecosystem": "npm", "name": "six"}, "ranges": "whatever"}
    assert read_record(record(affected=[npm])).affected == ()


def test_severity_is_taken_from_the_package_before_the_record() -> None:
    score = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N"}]
    whole = about(ZERO) | {"severity": score, "database_specific": {"severity": "HIGH"}}
    assert read_record(whole).affected[0].severity == "HIGH, CVSS:3.1/AV:N"
    assert read_record(about(ZERO, severity=score)).affected[0].severity == "CVSS:3.1/AV:N"
    assert read_record(about(ZERO)).affected[0].severity == ""


def test_stamps_may_have_fractions_and_offsets() -> None:
    for text in ("2026-01-02T03:04:05.123456789Z", "2026-01-02T05:04:05+02:00"):
        assert read_record(record(modified=text)).modified.hour in (3, 5)


def test_text_of_strangers_is_made_fit_to_print() -> None:
    found = read_record(record(summary="a\x1b[2Jb\n" + "c" * 500, aliases=["CVE\n1"]))
    assert found.summary.isprintable()
    assert len(found.summary) == 160
    assert found.aliases == ("CVE 1",)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ([], "a record must be an object"),
        ({"modified": "2026-01-02T03:04:05Z"}, "id must be text"),
        ({"id": "X-1"}, "X-1: modified must be text"),
        (record(modified="yesterday"), "X-1: Invalid isoformat string"),
        (record(schema_version="2.0.0"), "X-1 is of schema version 2.0.0, and only 1 is known"),
        (record(aliases="CVE-1"), "X-1: aliases must be a list"),
        (record(affected={}), "X-1: affected must be a list"),
        (record(affected=[1]), "X-1: affected must be an object"),
        (about({"introduced": "0", "fixed": "1"}), "X-1: an event must be one of introduced"),
        (about({"fixed_in": "1"}), "X-1: an event must be one of introduced"),
        (about(versions=[1]), "X-1: a version must be text"),
        (record(affected=[{"package": {"ecosystem": "PyPI"}}]), "X-1: package.name must be text"),
    ],
)
def test_what_is_no_record_is_refused_with_its_name(raw: object, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        read_record(raw)
