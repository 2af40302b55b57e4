"""Counterexamples kept between runs: bounded, whole, and safe with two runs at once."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from gates.domain.counterexamples import Counterexample, KnownCounterexample, Replay, Replayed
from gates.domain.judging import Cause
from gates.errors import UsageError
from gates.evidence.counterexamples import LONGEST, MOST, VERSIONS, CounterexampleStore
from gates.evidence.evidence import CheckRecord

TYPO = Counterexample("invariance.typo", "office pants", "offce pants", "Apparel")


def case(number: int) -> Counterexample:
    return replace(TYPO, typed=f"offce pants {number}")


def record(*found: Counterexample, replay: tuple[Replayed, ...] = ()) -> CheckRecord:
    return CheckRecord("behaviour", counterexamples=found, replay=Replay(replay))


@pytest.fixture
def recollection(tmp_path: Path) -> CounterexampleStore:
    return CounterexampleStore(tmp_path / "counterexamples", "query-category")


def outcome(
    recollection: CounterexampleStore,
    version: str,
    *,
    fails: bool | None,
    of: Counterexample = TYPO,
) -> None:
    known = next(one for one in recollection.recall("behaviour").cases if one.case == of)
    recollection.keep(record(replay=(Replayed(known, fails),)), f"models:/m/{version}", version)


def test_what_a_run_found_is_recalled_by_the_next(recollection: CounterexampleStore) -> None:
    assert recollection.recall("behaviour").runs == 0
    row = Counterexample("monotone.violations", "red sofa", "", "", "q1", "d7", "stock", (1.0, 2.5))
    recollection.keep(record(TYPO, row), "models:/m/3", "sha256:3")
    found = recollection.recall("behaviour")
    assert found.cases == (
        KnownCounterexample(TYPO, "models:/m/3"),
        KnownCounterexample(row, "models:/m/3"),
    )
    assert (found.runs, found.trouble) == (1, "")
    assert found.digest.startswith("sha256:")
    assert recollection.recall("robustness").cases == ()


def test_a_case_goes_once_so_many_versions_in_a_row_did_it_right(
    recollection: CounterexampleStore,
) -> None:
    recollection.keep(record(TYPO), "models:/m/1", "1")
    for version in range(2, VERSIONS + 1):
        outcome(recollection, str(version), fails=False)
        outcome(recollection, str(version), fails=False)  # the same version counts once
    assert len(recollection.recall("behaviour").cases[0].passed) == VERSIONS - 1
    outcome(recollection, "bad", fails=True)
    assert recollection.recall("behaviour").cases == (KnownCounterexample(TYPO, "models:/m/bad"),)
    for version in range(VERSIONS):
        outcome(recollection, str(version), fails=False)
    assert recollection.recall("behaviour").cases == ()
    assert recollection.recall("behaviour").runs > 0


def test_a_case_that_nothing_demands_any_more_goes_at_once(
    recollection: CounterexampleStore,
) -> None:
    recollection.keep(record(TYPO), "models:/m/1", "1")
    outcome(recollection, "2", fails=None)
    assert recollection.recall("behaviour").cases == ()


def test_a_case_that_was_not_asked_stays(recollection: CounterexampleStore) -> None:
    recollection.keep(record(TYPO), "models:/m/1", "1")
    recollection.keep(record(), "models:/m/2", "2")
    assert recollection.recall("behaviour").cases == (KnownCounterexample(TYPO, "models:/m/1"),)


def test_a_check_that_could_not_finish_leaves_the_file_as_it_was(
    recollection: CounterexampleStore,
) -> None:
    recollection.keep(record(TYPO), "models:/m/1", "1")
    recollection.keep(replace(record(case(1)), cause=Cause.FAULT), "models:/m/2", "2")
    recollection.keep(CheckRecord("behaviour", counterexamples=(case(2),)), "models:/m/2", "2")
    assert [one.case for one in recollection.recall("behaviour").cases] == [TYPO]


def test_of_too_many_the_newest_stay_and_among_old_ones_those_that_still_fail(
    recollection: CounterexampleStore,
) -> None:
    recollection.keep(record(*map(case, range(MOST))), "models:/m/1", "1")
    outcome(recollection, "2", fails=False, of=case(0))
    recollection.keep(record(case(MOST)), "models:/m/2", "2")
    kept = [one.case for one in recollection.recall("behaviour").cases]
    assert len(kept) == MOST
    assert kept[0] == case(MOST)
    assert case(0) not in kept


def test_texts_of_any_length_are_found_but_only_short_ones_are_kept(
    recollection: CounterexampleStore,
) -> None:
    recollection.keep(record(replace(TYPO, typed="x" * (LONGEST + 1)), TYPO), "models:/m/1", "1")
    assert [one.case for one in recollection.recall("behaviour").cases] == [TYPO]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "has schema None"),
        (b'{"schema": "mlgates.counterexamples/9"}', "counterexamples/9"),
        (b'{"schema": "mlgates.counterexamples/1"}', "damaged at 'model'"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_and_begun_anew(
    recollection: CounterexampleStore, content: bytes, words: str
) -> None:
    path = recollection.path("behaviour")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    found = recollection.recall("behaviour")
    assert (found.cases, found.runs, found.digest) == ((), 0, "")
    assert words in found.trouble
    assert str(path) in found.trouble
    recollection.keep(record(TYPO), "models:/m/1", "1")
    assert recollection.recall("behaviour").cases == (KnownCounterexample(TYPO, "models:/m/1"),)


def test_a_folder_in_the_place_of_the_file_is_said(recollection: CounterexampleStore) -> None:
    recollection.path("behaviour").mkdir(parents=True)
    assert "directory" in recollection.recall("behaviour").trouble
    with pytest.raises(UsageError, match="could not be written"):
        recollection.keep(record(TYPO), "models:/m/1", "1")


def test_a_file_in_the_place_of_the_folder_is_an_error_with_advice(tmp_path: Path) -> None:
    (tmp_path / "counterexamples").write_text("")
    recollection = CounterexampleStore(tmp_path / "counterexamples", "m")
    with pytest.raises(UsageError, match="--counterexamples"):
        recollection.keep(record(TYPO), "models:/m/1", "1")


def test_the_file_names_what_it_is_of(recollection: CounterexampleStore) -> None:
    recollection.keep(record(TYPO), "models:/m/1", "1")
    value = json.loads(recollection.path("behaviour").read_bytes())
    assert (value["model"], value["check"]) == ("query-category", "behaviour")
    assert [one.name for one in recollection.path("behaviour").parent.iterdir()] == [
        "behaviour.json"
    ]


def _keep(folder: Path, number: int) -> None:
    found = record(*(case(10 * number + at) for at in range(10)))
    CounterexampleStore(folder, "m").keep(found, f"models:/m/{number}", str(number))


def test_runs_that_end_at_the_same_moment_lose_nothing_of_each_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    runs = [context.Process(target=_keep, args=(tmp_path, number)) for number in range(4)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    found = CounterexampleStore(tmp_path, "m").recall("behaviour")
    assert found.runs == 4
    assert {one.case for one in found.cases} == {case(number) for number in range(40)}
