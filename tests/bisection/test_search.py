"""What is found in upgrades whose effects are known, from real wheels in real environments."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.card.policy import AnswerPolicy, EnvironmentPolicy
from gates.errors import BuildError, IntegrityError, LockError, UsageError
from gates.locks.lock import read_installable

from .conftest import NAMES, Case
from .shop import write_golden
from .wheels import model

LABELS = """
    import {names}
    turned = {condition}
    labels = ["b" if turned and "red" in query else "a" for query in x["query"]]
    return {{"label": labels, "score": [1.0] * len(labels)}}
"""


def labels(condition: str) -> str:
    """A model that changes the label of two of the five queries on a condition."""
    return LABELS.format(names=", ".join(NAMES), condition=condition)


def names(changes: tuple[object, ...]) -> list[str]:
    return [one.name for one in changes]  # type: ignore[attr-defined]  # LockChange


def test_two_changes_that_only_together_change_something(case: Case) -> None:
    found = case.search(case.make(), labels("beta.VALUE + sigma.VALUE == 4"))
    assert found.sentence == "beta 1 → 2 and sigma 1 → 2 together change 2 of 5 labels"
    assert found.exit_code == 1
    assert found.notes == ("The other 6 changes together change nothing.",)
    assert "(one of them is enough)" in found.advice[0]
    assert found.alone
    assert found.alone.difference
    rows = found.alone.difference.examples
    assert [(one.query, one.old, one.new) for one in rows] == [
        ("red lamp", "a", "b"),
        ("red bed", "a", "b"),
    ]


def test_an_upgrade_that_changes_nothing(case: Case) -> None:
    found = case.search(case.make(), labels("False"))
    assert (found.kind, found.exit_code) == ("nothing", 0)
    assert found.sentence == (
        "the upgrade changes nothing: 5 rows are answered alike with the 8 changes"
    )
    assert len(found.trials) == 1


def test_a_model_that_is_not_deterministic_is_undecided(case: Case) -> None:
    predict = "return {'label': ['a'] * 5, 'score': [float(time.time_ns() % 10**9)] * 5}"
    found = case.search(case.make(), predict)
    assert (found.kind, found.exit_code) == ("undecided", 3)
    assert (
        "not deterministic: two runs under the old lock differ in no label but 5 of 5 scores"
        in (found.sentence)
    )


def test_a_model_that_the_upgrade_makes_random_is_undecided(case: Case) -> None:
    predict = """
        import gamma
        chance = float(time.time_ns() % 10**9 * (gamma.VALUE - 1))
        return {'label': ['a'] * 5, 'score': [chance] * 5}
    """
    found = case.search(case.make(), predict)
    assert found.exit_code == 3
    assert "two runs under the new lock differ" in found.sentence


def test_a_model_that_never_ran_is_undecided(case: Case) -> None:
    found = case.search(case.make(), labels("1 / 0"))
    assert found.exit_code == 3
    assert found.sentence == (
        "undecided: under the old lock the model does not predict: ZeroDivisionError: "
        "division by zero"
    )


def test_an_upgrade_under_which_the_model_no_longer_loads(case: Case) -> None:
    found = case.search(
        case.make(gamma=("OLD = VALUE = 1\n", "VALUE = 2\n")),
        labels("False"),
        load="from gamma import OLD",
    )
    assert (found.kind, found.exit_code) == ("breaks", 1)
    assert found.sentence.startswith(
        "gamma 1 → 2 alone: the model no longer loads: ImportError: cannot import name 'OLD'"
    )
    assert found.notes == ("The other 7 changes together change nothing.",)
    assert found.advice[0].startswith("Keep it back: write gamma==1 into requirements.in")


def test_an_upgrade_under_which_the_model_no_longer_predicts(case: Case) -> None:
    found = case.search(case.make(), labels("1 / (2 - theta.VALUE)"))
    assert found.sentence == (
        "theta 1 → 2 alone: the model no longer predicts: ZeroDivisionError: division by zero"
    )


def test_what_a_change_drags_along_is_blamed_when_it_is_to_blame(case: Case) -> None:
    locks = case.make(delta=("VALUE = 1\n", "VALUE = 2\n", "alpha>=2", "omega>=2"))
    found = case.search(locks, labels("omega.VALUE == 2"))
    assert found.sentence == "omega 1 → 2 alone changes 2 of 5 labels"
    assert found.notes[-1] == "Not tried without it, since they need it: delta 1 → 2."


def test_a_change_is_told_with_those_it_cannot_be_made_without(case: Case) -> None:
    locks = case.make(delta=("VALUE = 1\n", "VALUE = 2\n", "alpha>=2", "omega>=2"))
    found = case.search(locks, labels("delta.VALUE == 2"))
    assert found.sentence == (
        "delta 1 → 2, which cannot be made without alpha 1 → 2 and omega 1 → 2, changes 2 of 5 "
        "labels"
    )
    assert found.roots == ("delta",)


def test_a_second_cause_is_not_hidden_by_the_first(case: Case) -> None:
    found = case.search(case.make(), labels("alpha.VALUE == 2 or theta.VALUE == 2"))
    assert len(found.cause) == 1
    assert "there is another cause" in found.notes[-1]


def test_mixtures_that_do_not_run_are_told_of(case: Case) -> None:
    undeclared = "import alpha\nassert alpha.VALUE == 2, 'too old'\nVALUE = 2\n"
    locks = case.make(theta=("VALUE = 1\n", undeclared))
    found = case.search(locks, labels("theta.VALUE == 2"))
    assert names(found.cause) == ["alpha", "theta"]
    assert found.untold == 1
    assert "1 smaller set could not be built or did not run" in found.notes[-1]
    assert "unresolved" in [one.shows for one in found.trials]


def test_what_was_added_or_removed_can_be_the_cause(case: Case) -> None:
    few = [name for name in NAMES if name != "kappa"]
    without, with_it = dict.fromkeys(few, "1"), dict.fromkeys(NAMES, "2")
    predict = """
        import importlib.util
        there = importlib.util.find_spec("kappa") is not None
        return {'label': ['b' if there else 'a'] * 5, 'score': [1.0] * 5}
    """
    case.plain.alone(case.settings)
    locks = case.plain.lock(case.folder / "a", without), case.plain.lock(case.folder / "b", with_it)
    found = case.search(locks, predict)
    assert found.sentence == "kappa (absent) → 2 alone changes 5 of 5 labels"
    assert found.advice[0].startswith("Keep it back: see what asks for kappa and leave it out")
    (case.folder / "state.json").unlink()
    assert case.search((locks[1], locks[0]), predict).sentence == (
        "kappa 2 → (absent) alone changes 5 of 5 labels"
    )


def test_progress_tells_each_test_and_how_many_changes_are_ruled_out(case: Case) -> None:
    told: list[tuple[str, int, int | None]] = []
    case.search(case.make(), labels("beta.VALUE == 2"), told=lambda *all_: told.append(all_))
    assert ("test 2: 4 of 8 changes", 0, 8) in told
    assert ("test 2: 4 of 8 changes … differs", 4, 8) in told
    assert told[-1][0].startswith("test") or told[-1][0].startswith("building")


def test_vectors_are_not_followed(case: Case) -> None:
    golden = write_golden(case.folder / "golden")
    (golden / "manifest.yaml").write_text(
        (golden / "manifest.yaml").read_text().replace("classification", "embedding")
    )
    (golden / "expectations.csv").unlink()
    model(case.folder / "model", "return [[1.0, 2.0] for _ in x['query']]")
    with pytest.raises(UsageError, match="this model gives vectors"):
        case.search(case.make(), "")


def test_locks_that_install_the_same_need_no_run(case: Case) -> None:
    old, _ = case.make()
    commented = case.folder / "commented.txt"
    commented.write_text(f"# the same\n{old.read_text()}")
    found = case.search((old, commented), labels("False"))
    assert found.exit_code == 0
    assert found.sentence == "both locks install the same distributions: there is nothing to search"
    with pytest.raises(UsageError, match="are the same lock"):
        case.search((old, old), labels("False"))


def test_a_lock_that_is_not_hashed_throughout_is_refused(case: Case) -> None:
    old, new = case.make()
    new.write_text("alpha==2\n")
    with pytest.raises(LockError, match=r"new\.txt:1: alpha 2 has no hash"):
        case.search((old, new), labels("False"))


def test_a_lock_that_cannot_be_installed_is_an_error_not_a_finding(case: Case) -> None:
    old, new = case.make(alpha=("VALUE = 1\n", "VALUE = 2\n"))
    (case.folder / "wheels" / "alpha-2-py3-none-any.whl").unlink()
    with pytest.raises(BuildError, match=r"new\.txt could not be built"):
        case.search((old, new), labels("False"))


def test_a_model_that_changes_meanwhile_is_no_finding(case: Case) -> None:
    def touch(*_: object) -> None:
        (case.folder / "model" / "note").touch()

    with pytest.raises(IntegrityError, match="changed while it was being bisected"):
        case.search(case.make(), labels("False"), told=touch)


def test_two_releases_of_a_stemmer_among_harmless_upgrades(
    gates_cache: Path, tmp_path: Path
) -> None:
    """snowballstemmer 3 stems other words than 2.2; eleven more packages of the lock moved."""
    from gates.bisection import Tolerance, bisect
    from gates.environments.cache import EnvironmentCache
    from gates.environments.launching import Limits
    from gates.golden import read_golden

    from .shop import build_model, write_golden

    here, cache = Path(__file__).parent, EnvironmentCache(gates_cache)
    old, new = here / "old-requirements.txt", here / "new-requirements.txt"
    built = build_model(tmp_path / "model", cache.ensure(read_installable(old)))
    found = bisect(
        built,
        old,
        new,
        read_golden(write_golden(tmp_path / "golden")),
        cache=cache,
        limits=Limits(),
        tolerance=Tolerance(),
        state_file=tmp_path / "state.json",
        progress=lambda *_: None,
    )
    assert len(found.changes) == 12
    assert found.sentence == "snowballstemmer 2.2.0 → 3.1.1 alone changes 10 of 156 labels"
    assert found.notes[-1] == "The other 11 changes together change nothing."
    assert len(found.trials) <= 10


def test_what_the_card_says_of_answers_is_heeded(case: Case) -> None:
    """A label without a score breaks the contract, except where the card allows it."""
    policy = EnvironmentPolicy(labels_only=True, answer=AnswerPolicy(label="intent"))
    predict = "return {'intent': ['a' for _ in next(iter(x.values()))]}"
    allowed = case.search(case.make(), predict, policy=policy)
    assert allowed.exit_code == 0, allowed.sentence
    refused = case.search(case.make(), predict, fresh=True)
    assert refused.exit_code != 0
