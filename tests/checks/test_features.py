"""Planted defects of features: each is found by the metric that should, and by no other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gates.checks import catalogue, find
from gates.checks.features import FeaturesOptions
from gates.domain.exhibits import Table
from gates.domain.judging import Bound, Cause, Role, judge
from gates.domain.subject import (
    CheckPlan,
    Columns,
    Contributions,
    GoldenSet,
    NoContributions,
    NoSplits,
    Splits,
)
from gates.errors import ModelFault
from gates.kernels.packed import Floats
from tests.checks.subjects import FakeArm, FakeSubject, Result, golden_set, rows_of, run

QUERIES, DEPTH = 80, 10
WEIGHTS = {"bm25": 3.0, "title": 2.0, "clicks": 1.0, "price": -0.5, "rating": 0.25}
EVERY = ("dead", "constant", "importance-drift", "sign-flips")
SNAPSHOT = ("psi.worst", "ks.worst", "missing-rate.delta.worst", "out-of-range.worst")


def drawn(rows: int, seed: int) -> dict[str, Floats]:
    """Features that are all uniform, so that no draw of a thousand rows looks like another's."""
    random = np.random.default_rng(seed)
    return {name: random.permutation(rows) / (rows - 1) for name in WEIGHTS}


def golden_of(features: Mapping[str, Floats]) -> GoldenSet:
    bm25 = np.nan_to_num(features["bm25"]).reshape(QUERIES, DEPTH)
    lists = [
        {f"d{d}": float(bm25[q, d] > 0.6) + float(bm25[q, d] > 0.8) for d in range(DEPTH)}
        for q in range(QUERIES)
    ]
    return golden_set(lists=lists, features={n: list(v) for n, v in features.items()})


def linear(role: Role, weights: Mapping[str, float]) -> FakeArm:
    """A ranker that adds up weighted features, missing ones as 0, and can tell."""

    def explain(columns: Columns) -> Contributions:
        values = np.stack(
            [w * np.nan_to_num(np.asarray(columns[n])) for n, w in weights.items()], 1
        )
        return Contributions(tuple(weights), values, np.zeros(len(values)))

    def score(columns: Columns) -> Any:
        return explain(columns).values.sum(axis=1)

    return FakeArm(role, score, explain=explain, inputs=tuple(weights))


def write(folder: Path, features: Mapping[str, Floats]) -> None:
    lines = [",".join(["query_id", *features])]
    for row, values in enumerate(zip(*features.values(), strict=True)):
        cells = ("" if np.isnan(value) else repr(float(value)) for value in values)
        lines.append(",".join([f"q{row}", *cells]))
    (folder / "training.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def training(tmp_path: Path) -> Path:
    write(tmp_path, drawn(QUERIES * DEPTH, 7))
    return tmp_path


def measured(
    training: Path,
    features: Mapping[str, Floats],
    new: Mapping[str, float] = WEIGHTS,
    old: Mapping[str, float] = WEIGHTS,
    **options: Any,
) -> Result:
    subject = FakeSubject(
        golden_of(features), linear("candidate", new), linear("champion", old), project=training
    )
    options.setdefault("snapshot", "training.csv")
    return run("features", subject, *EVERY, *SNAPSHOT, "in-top@2", **options)


def found(result: Result) -> set[str]:
    """The metrics that saw something."""
    values = {metric: result[metric].value for metric in (*EVERY, *SNAPSHOT)}
    assert None not in values.values(), values
    slight = {"psi.worst": 0.05, "ks.worst": 0.05, "importance-drift": 1e-9}
    return {metric for metric, value in values.items() if (value or 0) > slight.get(metric, 0)}


PLAIN = drawn(QUERIES * DEPTH, 1)


def test_a_model_as_it_was_on_inputs_as_they_were_has_nothing_wrong(training: Path) -> None:
    assert found(measured(training, PLAIN)) == set()


def test_an_inverted_feature_is_a_sign_flip_and_nothing_else(training: Path) -> None:
    result = measured(training, PLAIN, {**WEIGHTS, "clicks": -1.0})
    assert found(result) == {"sign-flips"}
    assert result["sign-flips"].value == 1
    assert result["sign-flips"].reason == "clicks (+1.00 → -1.00)"


def test_a_flip_of_what_hardly_counts_is_none(training: Path) -> None:
    faint = {**WEIGHTS, "rating": 0.01}
    flipped = {**WEIGHTS, "rating": -0.01}
    assert found(measured(training, PLAIN, flipped, faint)) == set()
    assert found(measured(training, PLAIN, flipped, faint, noticeable=0.0)) == {"sign-flips"}


def test_a_dead_feature_is_one_that_moves_no_score(training: Path) -> None:
    still = {**WEIGHTS, "clicks": 0.0}
    result = measured(training, PLAIN, still, still)
    assert found(result) == {"dead"}
    assert (result["dead"].value, result["dead"].n) == (1, 5)
    assert result["dead"].reason == "clicks"


def test_a_feature_that_went_dead_is_drift_of_importance_too(training: Path) -> None:
    result = measured(training, PLAIN, {**WEIGHTS, "title": 0.0})
    assert found(result) == {"dead", "importance-drift"}
    assert "title 2 → –" in result["importance-drift"].reason


def test_a_constant_feature_is_constant_and_not_dead(training: Path) -> None:
    write(training, {**drawn(QUERIES * DEPTH, 7), "price": np.full(QUERIES * DEPTH, 0.5)})
    result = measured(training, {**PLAIN, "price": np.full(QUERIES * DEPTH, 0.5)})
    assert found(result) == {"constant"}
    assert result["constant"].reason == "price"


def test_a_feature_all_missing_is_constant_and_its_missing_rate_jumped(training: Path) -> None:
    result = measured(training, {**PLAIN, "price": np.full(QUERIES * DEPTH, np.nan)})
    seen = {metric for metric in (*EVERY, *SNAPSHOT) if result[metric].value}
    assert seen == {"constant", "missing-rate.delta.worst"}


def test_nearly_constant_is_what_the_card_says_it_is(training: Path) -> None:
    nearly = {**PLAIN, "price": np.where(np.arange(QUERIES * DEPTH) < 4, PLAIN["price"], 0.5)}
    assert measured(training, nearly)["constant"].value == 0
    assert measured(training, nearly, nearly=0.99)["constant"].value == 1


def test_a_shifted_feature_is_seen_by_psi_and_ks_and_in_its_range(training: Path) -> None:
    result = measured(training, {**PLAIN, "title": PLAIN["title"] + 0.3})
    assert found(result) == {"psi.worst", "ks.worst", "out-of-range.worst"}
    assert result["ks.worst"].value == pytest.approx(0.3, abs=0.01)
    assert "title (n = 800 and 800; p = " in result["ks.worst"].reason
    assert result["out-of-range.worst"].value == pytest.approx(0.3, abs=0.01)


def test_a_narrowed_feature_is_within_its_range(training: Path) -> None:
    narrow = {**PLAIN, "title": 0.4 + PLAIN["title"] / 5}
    assert found(measured(training, narrow)) == {"psi.worst", "ks.worst"}


def test_a_jump_of_missing_values_is_nothing_else(training: Path) -> None:
    random = np.random.default_rng(3)
    gaps = np.where(random.random(QUERIES * DEPTH) < 0.2, np.nan, PLAIN["rating"])
    result = measured(training, {**PLAIN, "rating": gaps})
    assert found(result) == {"missing-rate.delta.worst"}
    assert result["missing-rate.delta.worst"].value == pytest.approx(0.2, abs=0.03)
    assert "rating (0.0% (0.0% to 0.4%) then, " in result["missing-rate.delta.worst"].reason


def test_features_that_change_places_are_drift_of_importance(training: Path) -> None:
    swapped = {**WEIGHTS, "bm25": 2.0, "title": 3.0}
    result = measured(training, PLAIN, swapped)
    assert found(result) == {"importance-drift"}
    assert result["importance-drift"].reason == "bm25 1 → 2, title 2 → 1"
    lower = measured(training, PLAIN, {**WEIGHTS, "price": -0.25, "rating": 0.5})
    assert lower["importance-drift"].value is not None
    assert result["importance-drift"].value is not None
    assert lower["importance-drift"].value < result["importance-drift"].value


def test_expected_features_must_be_among_those_that_move_scores_most() -> None:
    subject = FakeSubject(golden_of(PLAIN), linear("candidate", WEIGHTS), None)
    expected = ["bm25", "title", "clicks", "brand"]
    both = ("in-top@2", "in-top-contributions@2")
    result = run("features", subject, *both, "in-top@3", expected=expected)
    for metric in both:
        assert (result[metric].value, result[metric].n) == (0.5, 4)
        assert result[metric].reason == (
            "not in the top 2: clicks (number 3 of 5), brand (not one of its inputs)"
        )
    assert result["in-top@3"].value == 0.75


def test_without_expected_features_a_snapshot_or_a_champion_nothing_is_measured() -> None:
    subject = FakeSubject(golden_of(PLAIN), linear("candidate", WEIGHTS), None)
    result = run("features", subject, "in-top@2", "psi.worst", "importance-drift", "sign-flips")
    reasons = {metric: one.reason for (metric, _), one in result.measurements.items() if one.reason}
    assert reasons == {
        "in-top@2": "the card names no features: set the option 'expected'",
        "psi.worst": "the card names no training snapshot: set the option 'snapshot'",
        "importance-drift": "no champion: there is nothing to compare with",
        "sign-flips": "no champion: there is nothing to compare with",
    }
    assert all(result[metric].value is None for metric in reasons)
    excused = {one for one in reasons if result[one].cause is Cause.NO_CHAMPION}
    assert excused == {"importance-drift", "sign-flips"}, "what a first promotion excuses"
    assert result["dead"].value == 0, "what needs no champion is measured"


def test_a_model_that_explains_nothing_is_still_shuffled(training: Path) -> None:
    still = {**WEIGHTS, "clicks": 0.0}
    candidate = linear("candidate", still)
    candidate.explain = lambda columns: NoContributions("it is not a tree")
    subject = FakeSubject(golden_of(PLAIN), candidate, linear("champion", WEIGHTS))
    options = {"expected": ["bm25"]}
    result = run("features", subject, *EVERY, "in-top-contributions@2", "in-top@1", **options)
    assert (result["dead"].value, result["in-top@1"].value) == (1, 1)
    assert result["in-top-contributions@2"].reason == "it is not a tree"
    assert result["sign-flips"].value is None
    assert result["sign-flips"].reason == "the candidate does not tell: it is not a tree"


def test_contributions_that_contradict_the_scores_are_not_believed() -> None:
    candidate = linear("candidate", WEIGHTS)
    candidate.explain = linear("candidate", {**WEIGHTS, "bm25": -3.0}).explain
    subject = FakeSubject(golden_of(PLAIN), candidate, None)
    result = run("features", subject, "in-top-contributions@1", expected=["bm25"])
    assert "does not add up" in result["in-top-contributions@1"].reason


def test_a_feature_that_is_told_to_contribute_is_not_dead() -> None:
    """A tree may split on a feature where the golden set has no row."""

    def score(columns: Columns) -> Any:
        return np.asarray(columns["bm25"])

    def explain(columns: Columns) -> Contributions:
        bm25 = np.asarray(columns["bm25"])
        values = np.stack([bm25, np.full_like(bm25, 0.1)], 1)
        return Contributions(("bm25", "title"), values, np.zeros(len(bm25)))

    arm = FakeArm("candidate", score, explain=explain, inputs=("bm25", "title", "price"))
    result = run("features", FakeSubject(golden_of(PLAIN), arm, None), "dead")
    assert (result["dead"].reason, result["dead"].n) == ("price", 3)


def test_each_feature_costs_one_call_and_constant_ones_none() -> None:
    features = {**PLAIN, "price": np.full(QUERIES * DEPTH, 0.5)}
    arm = linear("candidate", WEIGHTS)
    run("features", FakeSubject(golden_of(features), arm, None), "dead")
    assert arm.calls == 1 + len(WEIGHTS) - 1
    arm.calls = 0
    run("features", FakeSubject(golden_of(features), arm, None), "dead", repeats=3)
    assert arm.calls == 1 + 3 * (len(WEIGHTS) - 1)


def test_no_more_rows_than_the_card_allows_are_scored_again() -> None:
    arm, seen = linear("candidate", WEIGHTS), []
    inner = arm.score

    def score(columns: Columns) -> Any:
        seen.append(len(columns["bm25"]))
        return inner(columns)

    arm.score = score
    run("features", FakeSubject(golden_of(PLAIN), arm, None), "dead", rows=205)
    assert set(seen) == {200}, "whole queries"


def test_no_more_than_a_thousand_rows_are_explained_of_queries_drawn_at_random() -> None:
    deep = {name: np.tile(column, 2) for name, column in PLAIN.items()}
    lists = [{f"d{d}": float(d == 0) for d in range(16)} for _ in range(100)]
    golden = golden_set(lists=lists, features={n: list(v) for n, v in deep.items()})
    arm = linear("candidate", WEIGHTS)
    run("features", FakeSubject(golden, arm, None), "dead")
    (frame,) = arm.explained
    assert len(frame["bm25"]) == 16 * (1000 // 16)
    assert list(frame["bm25"]) != list(deep["bm25"][: len(frame["bm25"])]), "not the first ones"


def test_a_query_too_long_to_explain_is_a_reason() -> None:
    features = {"bm25": np.arange(1001.0)}
    lists = [{f"d{d:04}": float(d == 0) for d in range(1001)}]
    golden = golden_set(lists=lists, features={"bm25": list(features["bm25"])})
    arm = linear("candidate", {"bm25": 1.0})
    subject = FakeSubject(golden, arm, None)
    result = run("features", subject, "in-top-contributions@1", expected=["bm25"])
    assert "more candidates than can be explained" in result["in-top-contributions@1"].reason
    assert not arm.explained


def test_the_same_seed_gives_the_same_numbers(training: Path) -> None:
    first, again = (measured(training, PLAIN).tables[0].rows for _ in range(2))
    assert first == again


def test_the_tables_show_every_feature_of_either_version(training: Path) -> None:
    old = {name: WEIGHTS[name] for name in ("bm25", "title", "clicks", "price")}
    new = {name: WEIGHTS[name] for name in ("bm25", "title", "price", "rating")}
    importance, drift = measured(training, PLAIN, {**new, "title": -2.0}, old).tables
    assert {row[0] for row in drift.rows} == set(new)
    rows = {row[0]: row for row in rows_of(importance)}
    assert set(rows) == set(WEIGHTS)
    assert len(importance.columns) == len(rows["bm25"]) == 10
    assert rows["clicks"][2] is None, "not one of the candidate's"
    assert rows["rating"][1] is None, "not one of the champion's"
    assert rows["title"][-1] == "sign flipped"
    assert rows["bm25"][4] > rows["price"][4], "nDCG lost"


def test_a_snapshot_that_cannot_be_read_is_a_reason_and_costs_nothing_else(training: Path) -> None:
    (training / "training.csv").write_text("bm25,title\n1,2\n3,many\n", encoding="utf-8")
    result = measured(training, PLAIN)
    assert result["psi.worst"].value is None
    assert "many" in result["psi.worst"].reason
    assert result["psi.worst"].reason.startswith("training.csv: it cannot be read as a table")
    assert result["dead"].value == 0


def test_a_feature_the_snapshot_lacks_leaves_the_worst_of_all_unknown(training: Path) -> None:
    write(training, {"bm25": PLAIN["bm25"], "title": PLAIN["title"]})
    result = measured(training, PLAIN)
    for metric in SNAPSHOT:
        assert result[metric].value is None
        assert result[metric].cause is Cause.NOTHING_COMPARED
        assert result[metric].reason.startswith("not in the snapshot: clicks, price, rating")
    write(training, {"other": PLAIN["bm25"]})
    assert "none of the columns bm25, title" in measured(training, PLAIN)["psi.worst"].reason


def test_a_feature_with_values_on_one_side_alone_leaves_the_worst_drift_unknown(
    training: Path,
) -> None:
    gone = {**PLAIN, "rating": np.full(QUERIES * DEPTH, np.nan)}
    now = measured(training, {**gone, "title": PLAIN["title"] + 0.3})
    for metric in ("psi.worst", "ks.worst", "out-of-range.worst"):
        assert (now[metric].value, now[metric].n) == (None, 0)
        judged = judge(Bound("features", metric, maximum=1.0), now[metric])
        assert judged.cause is Cause.NOTHING_COMPARED
        assert "rating (missing on every golden row)" in judged.reason
        assert "worst of 4 features: title" in judged.reason, "what can be said still is"
    assert now["missing-rate.delta.worst"].value == 1.0, "which is measured, and fails"
    write(training, gone)
    then = measured(training, PLAIN)
    assert "rating (missing on every row of the snapshot)" in then["psi.worst"].reason
    assert then["psi.worst"].value is None


def test_a_feature_that_never_had_a_value_did_not_drift(training: Path) -> None:
    empty = {**PLAIN, "rating": np.full(QUERIES * DEPTH, np.nan)}
    write(training, empty)
    result = measured(training, empty)
    assert None not in {result[metric].value for metric in SNAPSHOT}


def test_a_champion_that_fails_leaves_what_needs_none() -> None:
    def fail(columns: Columns) -> Any:
        raise ModelFault("died", "the champion died")

    champion = FakeArm("champion", fail)
    subject = FakeSubject(golden_of(PLAIN), linear("candidate", WEIGHTS), champion)
    yielded = iter(find("features").measure(subject, CheckPlan((), (), FeaturesOptions())))
    measured_before = [next(yielded), next(yielded)]
    assert {getattr(one, "metric", "") for one in measured_before} == {"constant", "dead"}
    with pytest.raises(ModelFault, match="champion died"):
        next(yielded)


def test_a_model_that_fails_still_leaves_the_table_of_its_inputs(training: Path) -> None:
    def fail(columns: Columns) -> Any:
        raise ModelFault("died", "the candidate died")

    candidate = FakeArm("candidate", fail, inputs=tuple(WEIGHTS))
    subject = FakeSubject(golden_of(PLAIN), candidate, None, project=training)
    plan, seen = CheckPlan(SNAPSHOT, (), FeaturesOptions(snapshot="training.csv")), list[object]()
    with pytest.raises(ModelFault, match="candidate died"):
        seen.extend(find("features").measure(subject, plan))
    (table,) = (one for one in seen if isinstance(one, Table))
    assert table.title.startswith("Golden inputs beside training.csv")


@pytest.mark.parametrize("path", ["/etc/passwd.csv", "../elsewhere.csv", "models/../../x.csv"])
def test_a_snapshot_outside_the_project_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="leads out of the project"):
        catalogue()["features"].options.model_validate({"snapshot": path})


def with_splits(new: Splits | NoSplits, *metrics: str, **options: Any) -> Result:
    candidate = linear("candidate", WEIGHTS)
    candidate.split = new
    subject = FakeSubject(golden_of(PLAIN), candidate, linear("champion", WEIGHTS))
    return run("features", subject, *metrics, **options)


SPLIT = Splits(
    "model.lgb",
    {"bm25": 3, "title": 2, "clicks": 1, "price": 0, "rating": 0},
    {"bm25": 1.0, "title": 5.0, "clicks": 2.0, "price": 0.0, "rating": 0.0},
)


def test_importance_by_gain_has_an_order_of_its_own() -> None:
    result = with_splits(SPLIT, "in-top@1", "in-top-gain@1", expected=["bm25"])
    assert result["in-top@1"].value == 1
    assert result["in-top-gain@1"].value == 0
    assert result["in-top-gain@1"].reason == "not in the top 1: bm25 (number 3 of 5)"


def test_features_that_no_tree_splits_on_are_counted_and_named_exactly() -> None:
    result = with_splits(SPLIT, "never-split")
    assert (result["never-split"].value, result["never-split"].n) == (2, 5)
    assert result["never-split"].reason == "price, rating"
    table = result.tables[1]
    assert table.of == ("never-split",)
    assert table.rows[0] == ["title", 0.625, 2]


def test_where_the_file_cannot_be_read_gain_is_undecided_with_the_reason() -> None:
    result = with_splits(NoSplits("it is a pickle"), "never-split", "in-top-gain@2")
    for metric in ("never-split", "in-top-gain@2"):
        assert (result[metric].value, result[metric].reason) == (None, "it is a pickle")


def test_where_no_feature_varies_or_matters_there_is_nothing_to_count() -> None:
    one_value = golden_of({name: np.full(QUERIES * DEPTH, 0.5) for name in WEIGHTS})
    arms = linear("candidate", WEIGHTS), linear("champion", WEIGHTS)
    result = run("features", FakeSubject(one_value, *arms), "dead", "importance-drift")
    assert result["dead"].n == 0
    assert judge(Bound("features", "dead", maximum=0), result["dead"]).cause is (
        Cause.NOTHING_COMPARED
    )
    flat = dict.fromkeys(WEIGHTS, 0.0)
    still = FakeSubject(
        golden_of(drawn(QUERIES * DEPTH, 7)), linear("candidate", flat), linear("champion", flat)
    )
    drift = run("features", still, "importance-drift")["importance-drift"]
    assert drift.value is None
    assert drift.reason == "no feature moves a score of either version"
