"""`latency`: both versions are asked the same in turns, and noise makes it undecided."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pytest

from gates.domain.judging import Bound, Measurement, Outcome, judge
from gates.domain.subject import Columns
from gates.errors import GoldenError, NoChampion
from tests.checks.subjects import FakeArm, FakeSubject, golden_set, run

TEXTS = tuple(f"query {at}" for at in range(40))
Time = Callable[[Columns], float]


def drawn(milliseconds: float, seed: int, spread: float = 0.05) -> Time:
    """Times that scatter around a median, the same each time a test runs."""
    rng = np.random.default_rng(seed)
    return lambda columns: milliseconds / 1000 * float(rng.lognormal(0, spread))


def subject(new: Time, old: Time | None, **golden: Any) -> FakeSubject:
    champion = FakeArm("champion", time=old, peak=100 << 20) if old else None
    chosen = golden_set(**golden) if golden else golden_set(task="classification", texts=TEXTS)
    return FakeSubject(chosen, FakeArm(time=new, peak=150 << 20), champion)


def outcome(measurement: Measurement, maximum: float) -> Outcome:
    return judge(Bound("latency", measurement.metric, None, maximum), measurement).outcome


def test_a_slower_candidate_fails_by_its_ratio_and_by_an_absolute_limit() -> None:
    result = run("latency", subject(drawn(12, 1), drawn(10, 2)), "p95", "p95.ratio")
    assert result["p95"].unit == "ms"
    assert result["p95"].value == pytest.approx(13, abs=0.3)
    assert outcome(result["p95"], 20.0) is Outcome.PASS
    assert outcome(result["p95"], 11.0) is Outcome.FAIL
    assert result["p95.ratio"].value == pytest.approx(1.2, abs=0.03)
    assert result["p95.ratio"].extra["old"] == pytest.approx(10.85, abs=0.3)
    assert outcome(result["p95.ratio"], 1.1) is Outcome.FAIL
    assert outcome(result["p95.ratio"], 1.3) is Outcome.PASS
    assert result["p50"].n == 400


def test_noise_makes_the_same_difference_undecided() -> None:
    noisy = subject(drawn(12, 1, spread=1.0), drawn(10, 2, spread=1.0))
    result = run("latency", noisy, "p95.ratio", requests=100)
    assert outcome(result["p95.ratio"], 1.1) is Outcome.UNDECIDED


def test_both_versions_are_asked_the_same_in_turns_and_who_begins_alternates() -> None:
    asked: list[tuple[str, Any]] = []

    def noting(who: str) -> Time:
        def time(columns: Columns) -> float:
            asked.append((who, columns["query"]))
            return 0.001

        return time

    run("latency", subject(noting("new"), noting("old")), "p50", batches=[], warmup=1, requests=10)
    assert len(asked) == 22
    rounds = [asked[at : at + 2] for at in range(2, 22, 2)]
    begins = "".join(first[0][0] for first, _ in rounds)
    assert {begins[at : at + 2] for at in range(0, 10, 2)} == {"on", "no"}, "drawn, and as often"
    assert all(first[1] == second[1] and first[0] != second[0] for first, second in rounds)
    assert len({first[1] for first, _ in rounds}) > 3


def test_warming_up_does_not_count() -> None:
    calls = count()
    cold = subject(lambda columns: 9.0 if next(calls) < 3 else 0.001, None)
    result = run("latency", cold, "p99", warmup=3, seconds=600)
    assert result["p99"].value == pytest.approx(1)


def test_a_query_of_much_traffic_is_asked_more_often() -> None:
    golden: dict[str, Any] = {"task": "classification", "texts": ["head", "tail"]}
    seen: list[str] = []

    def time(columns: Columns) -> float:
        seen.append(columns["query"][0])
        return 0.001

    run("latency", subject(time, None, **golden, weight=[9, 1]), "p50", batches=[])
    assert 0.85 < np.mean([text == "head" for text in seen]) < 0.95


def test_a_ranking_model_is_given_the_candidates_of_one_query_and_batches_of_rows() -> None:
    lists = [{"a": 1.0, "b": 0.0}, {}, {"c": 1.0, "d": None, "e": 0.0}]
    features = {"x": [0.0, 1.0, 2.0, 3.0, 4.0]}
    frames: list[list[float]] = []
    golden: dict[str, Any] = {"lists": lists, "features": features}

    def time(columns: Columns) -> float:
        frames.append(list(columns["x"]))
        return 0.001

    result = run("latency", subject(time, None, **golden), "rows-per-second@9", batches=[2])
    singles, twos, nines = frames[:420], frames[420:450], frames[450:]
    assert {tuple(one) for one in singles} == {(0.0, 1.0), (2.0, 3.0, 4.0)}
    assert {len(one) for one in twos} == {2}
    assert {len(one) for one in nines} == {9}
    assert result["rows-per-second@9"].value == pytest.approx(9_000)
    assert result["rows-per-second@2"].n == 30


def test_throughput_has_an_interval() -> None:
    result = run("latency", subject(drawn(10, 1), None), "rows-per-second@64")
    speed = result["rows-per-second@64"]
    assert speed.lower is not None
    assert speed.upper is not None
    assert speed.lower < 6_400 < speed.upper
    bound = Bound("latency", "rows-per-second@64", 6_000)
    assert judge(bound, speed).outcome is Outcome.PASS


def test_memory_is_compared_in_mebibytes() -> None:
    result = run("latency", subject(drawn(1, 1), drawn(1, 2)), "peak-memory")
    assert result["peak-memory"].value == 150
    assert result["peak-memory.ratio"].value == 1.5


def test_memory_that_nobody_can_tell_is_undecided_with_its_reason() -> None:
    both = subject(drawn(1, 1), drawn(1, 2))
    both.champion = FakeArm("champion")
    result = run("latency", both, "peak-memory.ratio")
    assert result["peak-memory"].value == 150
    assert outcome(result["peak-memory.ratio"], 2.0) is Outcome.UNDECIDED
    assert "the champion's Python cannot tell" in result["peak-memory.ratio"].reason


def test_a_machine_that_keeps_changing_its_pace_measures_no_time() -> None:
    def slowing() -> Time:
        calls = count()
        return lambda columns: 0.001 if next(calls) // 200 % 2 == 0 else 0.002

    result = run("latency", subject(slowing(), slowing()), "p50.ratio")
    for metric in ("p50", "p50.ratio", "rows-per-second@7"):
        assert result[metric].value is None
        assert "the champion's median, in ms, went from 1 to 2; of " in result[metric].reason
        assert outcome(result[metric], 5.0) is Outcome.UNDECIDED
    assert result["peak-memory"].value == 150
    steady = run("latency", subject(slowing(), slowing()), "p50.ratio", steady=3)
    assert steady["p50.ratio"].value == 1


def test_a_machine_that_comes_to_rest_is_timed_from_then_on() -> None:
    calls = count()
    slow_at_first = subject(lambda columns: 0.002 if next(calls) < 220 else 0.001, drawn(1, 2))
    result = run("latency", slow_at_first, "p50", "p50.ratio")
    assert result["p50"].value == 1
    assert result["p50"].n == 400


@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_a_spell_of_other_work_beside_one_version_measures_no_time(seconds: float) -> None:
    calls = count()

    def time(columns: Columns) -> float:
        return 0.002 if next(calls) // 80 % 2 else 0.001

    result = run("latency", subject(time, drawn(1, 2)), "p50.ratio", seconds=seconds)
    assert result["p50.ratio"].value is None
    assert "candidate over champion went from 0.9" in result["p50.ratio"].reason


def test_too_few_requests_for_a_quantile_are_said_to_be_too_few() -> None:
    result = run("latency", subject(drawn(1, 1), drawn(1, 2)), "p99", requests=200)
    assert result["p99"].value is None
    assert result["p99"].reason == (
        "200 requests are too few for p99, which needs 299: raise the option 'requests'"
    )
    assert result["p99.ratio"].value is None
    assert result["p95"].value is not None


def test_time_that_is_up_ends_the_requests_and_it_is_said() -> None:
    result = run("latency", subject(drawn(50, 1), drawn(50, 2)), "p50.ratio", seconds=6)
    median = result["p50.ratio"]
    assert median.value is not None
    assert median.n < 50
    assert median.reason == f"time was up after {median.n} of 400 requests"
    assert "raise the option 'seconds'" in result["p95"].reason


def test_without_a_champion_only_the_comparison_is_missing() -> None:
    alone = subject(drawn(1, 1), None)
    result = run("latency", alone, "p95")
    assert result["p95"].value is not None
    assert ("p95.ratio", "") not in result.measurements
    (table,) = result.tables
    assert table.columns == ["", "candidate", "requests"]
    with pytest.raises(NoChampion):
        run("latency", alone, "p95.ratio")


def test_the_table_shows_old_and_new_side_by_side() -> None:
    one, two = (lambda columns: 0.001), (lambda columns: 0.002)
    (table,) = run("latency", subject(two, one), "p50", batches=[7]).tables
    assert table.columns[1:4] == ["champion", "candidate", "candidate / champion"]
    assert table.rows == [
        ["p50, ms a query", "1 [1, 1]", "2 [2, 2]", "2 [2, 2]", 400],
        ["p95, ms a query", "1 [1, 1]", "2 [2, 2]", "2 [2, 2]", 400],
        ["p99, ms a query", "1 [1, 1]", "2 [2, 2]", "2 [2, 2]", 400],
        ["rows a second, 7 at a time", "7,000 [7,000, 7,000]", "3,500 [3,500, 3,500]",
         "0.5", 30],
    ]  # fmt: skip


def test_a_golden_set_without_candidates_has_nothing_to_ask() -> None:
    with pytest.raises(GoldenError, match="no candidates to rank"):
        run("latency", subject(drawn(1, 1), None, lists=[{}], features={"x": []}), "p50")


def test_a_version_so_slow_that_it_is_asked_once_is_undecided() -> None:
    result = run("latency", subject(drawn(9_000, 1), drawn(9_000, 2)), "p50.ratio", seconds=1)
    for metric in ("p50.ratio", "p99", "rows-per-second@1"):
        assert (result[metric].value, result[metric].n) == (None, 1)
        assert "time was up after 1 of " in result[metric].reason
