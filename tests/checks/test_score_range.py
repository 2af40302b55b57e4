"""`score-range`: the expected label, with a score in its range, and what changed since."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from gates.domain.judging import Bound, Measurement, Outcome, judge
from gates.domain.subject import Expectation
from gates.errors import NoChampion
from tests.checks.subjects import FakeArm, FakeSubject, golden_set, rows_of, run

ANSWERS = {"desk": ("tables", 0.9), "lamp": ("lamps", 0.4), "sofa": ("chairs", 0.8)}
BEFORE = {"desk": ("tables", 0.9), "lamp": ("tables", 0.6), "sofa": ("sofas", 0.8)}


def subject(*, champion: bool = True) -> FakeSubject:
    golden = golden_set(
        task="classification",
        texts=tuple(ANSWERS),
        slices={"room": ("office", "office", "living")},
        expectations=[
            Expectation(0, "label", "tables", low=0.5, high=1.0, line=2),
            Expectation(1, "label", "lamps", low=0.5, high=1.0, line=3),
            Expectation(2, "label", "sofas", low=0.5, high=1.0, line=4),
        ],
    )
    old = FakeArm("champion", label=lambda text: BEFORE[text]) if champion else None
    return FakeSubject(golden, FakeArm(label=lambda text: ANSWERS[text]), old)


def test_expectations_are_counted_exactly_and_accuracy_is_a_sample_of_traffic() -> None:
    result = run("score-range", subject(), "label-accuracy", "in-range")
    accuracy, in_range = result["label-accuracy"], result["in-range"]
    assert accuracy.value == pytest.approx(2 / 3)
    # One of three wrong, as Clopper and Pearson bound it: (1 - p)^3 + 3 p (1 - p)^2 = 0.05.
    assert accuracy.lower == pytest.approx(0.1354, abs=1e-4)
    assert in_range.value == pytest.approx(1 / 3)
    assert in_range.lower is None
    assert in_range.unit == "share of expectations"


def test_accuracy_and_changed_labels_are_shares_of_traffic() -> None:
    """Nine of ten queries are right and unchanged: the tenth is what half of the shoppers type."""
    n = 200
    golden = golden_set(
        task="classification",
        texts=[str(at) for at in range(n)],
        expectations=[Expectation(at, "label", ROOMS[at % 4], line=at + 2) for at in range(n)],
        weight=[9.0 if at % 10 == 0 else 1.0 for at in range(n)],
    )
    new = FakeArm(label=lambda text: nine_of_ten(int(text)))
    old = FakeArm("champion", label=lambda text: right(int(text)))
    result = run("score-range", FakeSubject(golden, new, old), "label-accuracy", "label-changes")
    accuracy, changes = result["label-accuracy"], result["label-changes"]
    assert [accuracy.value, changes.value] == pytest.approx([0.5, 0.5])
    assert {accuracy.unit, changes.unit} == {"share of traffic"}
    assert judged(accuracy, minimum=0.85) is Outcome.FAIL
    assert judged(changes, maximum=0.15) is Outcome.FAIL


def test_accuracy_just_above_its_bound_on_few_queries_is_undecided() -> None:
    accuracy = run("score-range", many(nine_of_ten, n=40), "label-accuracy")["label-accuracy"]
    assert judged(accuracy, minimum=0.89) is Outcome.UNDECIDED
    assert judged(accuracy, minimum=0.75) is Outcome.PASS


def test_accuracy_over_queries_taken_whole_is_exact() -> None:
    every = many(nine_of_ten, n=40, census=[True] * 40)
    accuracy = run("score-range", every, "label-accuracy")["label-accuracy"]
    assert [accuracy.lower, accuracy.upper] == pytest.approx([0.9, 0.9])


def test_misses_are_shown_with_their_line() -> None:
    (exhibit,) = run("score-range", subject(), "in-range").tables
    assert exhibit.rows == [
        ["lamp", "lamps", "0.5 to 1", "lamps", 0.4, 3],
        ["sofa", "sofas", "0.5 to 1", "chairs", 0.8, 4],
    ]


def test_slices_are_counted_by_themselves() -> None:
    result = run("score-range", subject(), "label-accuracy", slices=["room"])
    assert result.measurements["label-accuracy", "room=office"].value == 1.0
    assert result.measurements["label-accuracy", "room=living"].value == 0.0


def test_changes_against_the_champion() -> None:
    result = run("score-range", subject(), "label-changes", "label-accuracy.delta")
    assert result["label-changes"].value == pytest.approx(2 / 3)
    assert result["label-accuracy.delta"].value == 0.0
    changes = result.tables[1].rows
    assert changes == [["lamp", "lamps", "tables", "lamps"], ["sofa", "sofas", "sofas", "chairs"]]


def test_without_a_champion_only_the_comparison_is_missing() -> None:
    assert run("score-range", subject(champion=False), "in-range")["in-range"].n == 3
    with pytest.raises(NoChampion):
        run("score-range", subject(champion=False), "label-accuracy.delta")


def test_a_set_that_expects_no_label_measures_nothing_and_says_so() -> None:
    bare = FakeSubject(golden_set(task="classification", texts=["desk"]), FakeArm(), None)
    measurement = run("score-range", bare, "in-range")["in-range"]
    assert (measurement.value, measurement.n) == (None, 0)
    assert "expects no label" in measurement.reason


ROOMS = ("bed", "bath", "hall", "shed")


def many(
    new: Callable[[int], tuple[str, float]],
    old: Callable[[int], tuple[str, float]] | None = None,
    *,
    n: int = 200,
    census: Sequence[bool] | None = None,
) -> FakeSubject:
    """`n` queries whose expected labels take turns among four; answers by the query's number."""
    golden = golden_set(
        task="classification",
        texts=[str(at) for at in range(n)],
        expectations=[Expectation(at, "label", ROOMS[at % 4], line=at + 2) for at in range(n)],
        census=census,
    )
    arm = FakeArm(label=lambda text: new(int(text)))
    before = FakeArm("champion", label=lambda text: old(int(text))) if old else None
    return FakeSubject(golden, arm, before)


def right(at: int) -> tuple[str, float]:
    return ROOMS[at % 4], 0.9


def wrong(at: int) -> tuple[str, float]:
    return ROOMS[(at + 1) % 4], 0.9


def nine_of_ten(at: int) -> tuple[str, float]:
    return wrong(at) if at % 10 == 0 else right(at)


def judged(
    measurement: Measurement, *, minimum: float | None = None, maximum: float | None = None
) -> Outcome:
    return judge(Bound("score-range", measurement.metric, minimum, maximum), measurement).outcome


def test_a_model_that_is_right_as_often_as_it_says_is_calibrated() -> None:
    result = run("score-range", many(nine_of_ten), "calibration-error", "brier")
    error = result["calibration-error"]
    assert error.value == 0
    assert error.extra["plug_in"] == pytest.approx(0)
    assert judged(error, maximum=0.1) is Outcome.PASS
    assert result["brier"].value == pytest.approx(0.09)


def test_an_overconfident_model_fails_by_its_calibration_alone() -> None:
    def boasts(at: int) -> tuple[str, float]:
        return (right(at) if at % 10 < 6 else wrong(at))[0], 0.95

    result = run("score-range", many(boasts), "calibration-error")
    assert result["label-accuracy"].value == 0.6
    error = result["calibration-error"]
    assert error.value == pytest.approx(0.35, abs=0.01)
    assert judged(error, maximum=0.1) is Outcome.FAIL
    (table,) = (one for one in result.tables if "how often it is right" in one.title)
    assert table.title == "The candidate's scores are on average 0.350 above how often it is right"
    assert table.rows == [["0.950 to 0.950", 200, 1.0, 0.95, 0.6, -0.35]]


def test_a_candidate_that_turned_overconfident_is_compared_with_the_champion() -> None:
    def boasts(at: int) -> tuple[str, float]:
        return nine_of_ten(at)[0], 1.0

    metrics = ("calibration-error.delta", "confidence.delta", "brier.delta")
    result = run("score-range", many(boasts, nine_of_ten), *metrics)
    assert result["confidence.delta"].value == pytest.approx(0.1)
    assert result["confidence.delta"].extra["new"] == pytest.approx(1.0)
    grown = result["calibration-error.delta"]
    assert grown.value == pytest.approx(0.1, abs=0.02)
    assert judged(grown, maximum=0.2) is Outcome.PASS
    # (1 - 0)^2 of the tenth that is wrong, less 0.09: and fewer queries are better than worse.
    assert result["brier.delta"].value == pytest.approx(0.01)
    assert (result["brier.delta"].extra["losses"], result["brier.delta"].extra["wins"]) == (20, 180)


def test_scores_that_are_no_probabilities_have_no_calibration() -> None:
    result = run(
        "score-range", many(lambda at: (right(at)[0], at / 10.0)), "calibration-error", "brier"
    )
    for metric in ("calibration-error", "brier"):
        assert result[metric].value is None
        assert "from 0 to 19.9" in result[metric].reason
    assert len(result.tables) == 1


def test_one_class_that_is_lost_is_named_although_the_mean_hides_it() -> None:
    def without_shed(at: int) -> tuple[str, float]:
        return ("hall", 0.9) if at % 4 == 3 and at < 80 else right(at)

    metrics = ("worst-class-recall", "worst-class-recall.delta", "label-accuracy.delta")
    result = run("score-range", many(without_shed, right), *metrics)
    assert judged(result["label-accuracy.delta"], minimum=-0.15) is Outcome.PASS
    worst = result["worst-class-recall.delta"]
    assert worst.value == pytest.approx(-0.4)
    assert worst.n == 50
    assert worst.reason == "shed, the worst of 4 classes"
    assert judged(worst, minimum=-0.15) is Outcome.FAIL
    assert result["worst-class-recall"].value == pytest.approx(0.6)
    *_, matrix, table = result.tables
    assert matrix.rows == [["shed", "hall", 20, 0.1, 20, 0]]
    assert table.title == "1 of 4 classes surely lost recall"
    assert table.rows[0][:5] == ["shed", 50, 1.0, 0.6, -0.4]
    assert rows_of(table)[0][-1] < 0.001


def test_the_worst_of_many_classes_is_not_taken_for_bad_because_it_was_picked() -> None:
    result = run("score-range", many(nine_of_ten), "worst-class-recall")
    worst = result["worst-class-recall"]
    assert worst.value == pytest.approx(0.8)
    assert judged(worst, minimum=0.9) is Outcome.UNDECIDED
    (_, table) = result.tables
    assert table.columns == ["class", "queries", "recall", "at least", "at most"]
    # Its own upper bound alone would be nearer.
    assert worst.upper is not None
    assert worst.upper > rows_of(table)[0][4]
    assert all(0 <= row[3] <= row[2] <= row[4] <= 1 for row in rows_of(table))


def test_classes_of_few_queries_are_left_out_and_it_is_said() -> None:
    golden = golden_set(
        task="classification",
        texts=[str(at) for at in range(21)],
        expectations=[Expectation(at, "label", "odd" if at == 20 else "bed") for at in range(21)],
    )
    subject = FakeSubject(golden, FakeArm(label=lambda text: ("bed", 0.9)), None)
    worst = run("score-range", subject, "worst-class-recall")["worst-class-recall"]
    assert worst.value == 1.0
    assert worst.reason == ("bed, the worst of 1 class; 1 with fewer than 10 queries left out")
    none = run("score-range", subject, "worst-class-recall", class_queries=30)
    assert none["worst-class-recall"].value is None
    assert "no class has 30" in none["worst-class-recall"].reason


def test_few_changes_allow_for_those_that_were_not_drawn() -> None:
    def one_lost(at: int) -> tuple[str, float]:
        return wrong(at) if at == 7 else right(at)

    delta = run("score-range", many(one_lost, right), "label-accuracy.delta")[
        "label-accuracy.delta"
    ]
    assert delta.value == pytest.approx(-0.005)
    # What Clopper and Pearson say of one loss in 200: at most 2.3 %.
    assert delta.lower == pytest.approx(-0.0235, abs=0.001)
    assert judged(delta, minimum=-0.02) is Outcome.UNDECIDED
    assert judged(delta, minimum=-0.03) is Outcome.PASS


def test_no_change_among_the_sampled_is_no_proof_that_nothing_changed() -> None:
    delta = run("score-range", many(right, right), "label-accuracy.delta")["label-accuracy.delta"]
    assert delta.lower == pytest.approx(-0.0149, abs=0.001)
    certain = many(right, right, census=[True] * 200)
    exact = run("score-range", certain, "label-accuracy.delta")["label-accuracy.delta"]
    assert (exact.lower, exact.upper) == (0.0, 0.0)


def test_labels_that_changed_are_added_up_from_which_into_which() -> None:
    def shifted(at: int) -> tuple[str, float]:
        return wrong(at) if at % 4 == 0 and at < 40 else right(at)

    def before(at: int) -> tuple[str, float]:
        return wrong(at) if at in (1, 5) else right(at)

    matrix = run("score-range", many(shifted, before), "label-changes").tables[2]
    assert matrix.rows == [
        ["bed", "bath", 10, 0.05, 10, 0],
        ["hall", "bath", 2, 0.01, 0, 2],
    ]


def test_bins_of_equal_width_or_of_equal_mass() -> None:
    def two_scores(at: int) -> tuple[str, float]:
        return right(at)[0], 0.8 if at % 2 else 0.4

    subject = many(two_scores)
    mass = run("score-range", subject, "calibration-error", bins=2)["calibration-error"]
    width = run("score-range", subject, "calibration-error", bins=2, binning="equal-width")
    assert mass.extra["plug_in"] == pytest.approx(0.4)
    assert width["calibration-error"].extra["plug_in"] == pytest.approx(0.4)
    table = width.tables[1].rows
    assert [row[0] for row in table] == ["0.400 to 0.400", "0.800 to 0.800"]
