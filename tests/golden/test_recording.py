"""What recording a version's answers makes of `expectations.csv`, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.errors import GoldenError
from gates.golden import read_golden
from gates.golden.recording import Recording, record

MANIFEST = (
    "name: labels\ntask: classification\ndescription: d\nsynthetic: true\nsource: s\n"
    "sampling: by hand\ninputs: [query]\n"
)
QUERIES = 'query_id,query\na,kettle\nb,tent\nc,"lamp, red"\nd,mug\n'
LABELS = ["kitchen", "camping", "lighting", "kitchen"]
SCORES = [0.9, 0.85, 0.5, 0.02]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "manifest.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "queries.csv").write_text(QUERIES, encoding="utf-8")
    return tmp_path


def recorded(
    folder: Path,
    expectations: str | None = None,
    *,
    labels: list[str] = LABELS,
    tolerance: float = 0.05,
    only_new: bool = False,
) -> Recording:
    if expectations is not None:
        (folder / "expectations.csv").write_bytes(expectations.encode())
    golden = read_golden(folder, expects=False)
    return record(golden, labels, SCORES, tolerance=tolerance, only_new=only_new)


def test_a_set_without_expectations_gets_one_for_each_query(folder: Path) -> None:
    found = recorded(folder)
    assert found.after == (
        "query_id,expect,target,low,high,source\n"
        "a,label,kitchen,0.850,0.950,recorded\n"
        "b,label,camping,0.800,0.900,recorded\n"
        "c,label,lighting,0.450,0.550,recorded\n"
        "d,label,kitchen,0.000,0.070,recorded\n"
    )
    assert (found.added, found.changed, found.judged) == (4, 0, 0)
    assert not (folder / "expectations.csv").exists()


def test_what_was_recorded_holds_for_the_version_and_is_said_to_be_no_judgment(
    folder: Path,
) -> None:
    found = recorded(folder)
    found.path.write_text(found.after, encoding="utf-8")
    golden = read_golden(folder)
    for one in golden.expectations:
        assert one.target == LABELS[one.query]
        assert one.low <= SCORES[one.query] <= one.high
    (warning,) = golden.warnings
    assert warning.startswith("4 of 4 expectations were recorded from a version's answers")


def test_recording_the_same_again_changes_nothing(folder: Path) -> None:
    again = recorded(folder, recorded(folder).after)
    assert again.after == again.before
    assert (again.diff, again.same) == ("", 4)


def test_what_a_person_wrote_stays_to_the_byte_and_a_disagreement_is_told(folder: Path) -> None:
    odd = 'query_id,expect,target,low,high,source,why\nb,label,"hiking",.5,,judged,"a, b"\n'
    found = recorded(folder, odd)
    assert found.after.splitlines()[2] == 'b,label,"hiking",.5,,judged,"a, b"'
    assert (found.added, found.judged) == (3, 1)
    (one,) = found.disagreements
    assert (one.query, one.judged, one.answered, one.line) == ("tent", "hiking", "camping", 2)


def test_rows_are_judged_where_nothing_says_who_wrote_them(folder: Path) -> None:
    found = recorded(folder, "query_id,expect,target\nb,label,hiking\n")
    assert found.after == (
        "query_id,expect,target,low,high,source\n"
        "a,label,kitchen,0.850,0.950,recorded\n"
        "b,label,hiking,,,judged\n"
        "c,label,lighting,0.450,0.550,recorded\n"
        "d,label,kitchen,0.000,0.070,recorded\n"
    )


def test_a_row_recorded_before_follows_the_version_and_nothing_else_moves(folder: Path) -> None:
    before = recorded(folder).after
    other = [*LABELS[:2], "decoration", LABELS[3]]
    found = recorded(folder, before, labels=other)
    assert found.changed == 1
    assert found.diff == (
        "--- expectations.csv\n+++ expectations.csv\n@@ -3,3 +3,3 @@\n"
        " b,label,camping,0.800,0.900,recorded\n"
        "-c,label,lighting,0.450,0.550,recorded\n"
        "+c,label,decoration,0.450,0.550,recorded\n"
        " d,label,kitchen,0.000,0.070,recorded\n"
    )
    assert recorded(folder, before, labels=other, only_new=True).diff == ""


def test_a_file_in_an_order_of_its_own_keeps_it(folder: Path) -> None:
    found = recorded(folder, "query_id,expect,target\nc,label,lighting\na,label,kitchen\n")
    assert [line[:1] for line in found.after.splitlines()[1:]] == ["c", "a", "b", "d"]


def test_line_ends_are_kept(folder: Path) -> None:
    found = recorded(folder, "query_id,expect,target\r\na,label,kitchen\r\n")
    assert found.after.count("\r\n") == found.after.count("\n") == 5


def test_mixed_line_ends_are_refused(folder: Path) -> None:
    mixed = "query_id,expect,target\r\na,label,kitchen\nb,label,camping\r\n"
    with pytest.raises(GoldenError, match="line ends are mixed"):
        recorded(folder, mixed)


@pytest.mark.parametrize(
    ("tolerance", "low", "high"),
    [(0.05, "0.850", "0.950"), (0.25, "0.65", "1.00"), (0.001, "0.8990", "0.9010")],
)
def test_bounds_are_written_as_finely_as_the_tolerance_needs(
    folder: Path, tolerance: float, low: str, high: str
) -> None:
    found = recorded(folder, tolerance=tolerance)
    assert found.after.splitlines()[1] == f"a,label,kitchen,{low},{high},recorded"


def test_a_blank_label_is_refused(folder: Path) -> None:
    with pytest.raises(GoldenError, match="1 queries with a blank label"):
        recorded(folder, labels=["kitchen", " ", "lighting", "kitchen"])


def test_an_unknown_source_is_refused_with_its_line(folder: Path) -> None:
    with pytest.raises(GoldenError, match=r"csv:2: `source` is neither judged nor recorded"):
        recorded(folder, "query_id,expect,target,source\na,label,kitchen,guessed\n")


def test_two_labels_of_one_query_contradict_each_other(folder: Path) -> None:
    with pytest.raises(GoldenError, match="duplicate query_id"):
        recorded(folder, "query_id,expect,target\na,label,kitchen\na,label,camping\n")
