"""Old lists against new ones: the vectors of the design note, references, and what always holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from gates.kernels import matching, similarity
from tests.kernels.packed_lists import doc_lists, pack, pair_lists, pair_words, paired_doc_lists

Lists = list[tuple[list[int], list[int]]]


def both_ways(lists: Lists) -> tuple[similarity.Pairing, similarity.Pairing]:
    old, new = [pair[0] for pair in lists], [pair[1] for pair in lists]
    return pair_lists(old, new), pair_lists(new, old)


def rbo_by_definition(short: list[int], long: list[int], p: float) -> float:
    """Equation 32 term by term."""
    if len(short) > len(long):
        short, long = long, short
    s, n = len(short), len(long)
    if n == 0 or s == 0:
        return float(n == s)
    x = [len(set(short[:d]) & set(long[:d])) for d in range(n + 1)]
    seen = sum(x[d] / d * p**d for d in range(1, n + 1))
    unseen = sum(x[s] * (d - s) / (s * d) * p**d for d in range(s + 1, n + 1))
    return (1 - p) / p * (seen + unseen) + ((x[n] - x[s]) / n + x[s] / s) * p**n


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("abcde", "bacde", 0.9),
        ("abcdefg", "zcavwxy", 0.288217),
        ("abc", "abcdefgh", 1.0),
        ("abcdefgh", "a", 1.0),
        ("abc", "abc", 1.0),
        ("abc", "xyz", 0.0),
        ("", "", 1.0),
        ("", "abc", 0.0),
        ("abc", "", 0.0),
    ],
)
def test_rbo_vectors(old: str, new: str, expected: float) -> None:
    assert similarity.rbo(pair_words(old, new))[0] == pytest.approx(expected, abs=5e-7)


@given(paired_doc_lists, st.sampled_from([0.5, 0.9, 0.98]), st.integers(1, 13))
def test_rbo_follows_its_definition_on_uneven_lists(lists: Lists, p: float, k: int) -> None:
    pairing = both_ways(lists)[0]
    whole = [rbo_by_definition(old, new, p) for old, new in lists]
    assert similarity.rbo(pairing, p=p).tolist() == pytest.approx(whole, abs=1e-12)
    cut = [rbo_by_definition(old[:k], new[:k], p) for old, new in lists]
    assert similarity.rbo(pairing, k, p=p).tolist() == pytest.approx(cut, abs=1e-12)


@given(paired_doc_lists, st.integers(1, 13))
def test_overlap_jaccard_rbo_and_tau_are_symmetric_and_bounded(lists: Lists, k: int) -> None:
    there, back = both_ways(lists)
    for one, other in (
        (similarity.overlap_at(there, k), similarity.overlap_at(back, k)),
        (similarity.jaccard_at(there, k), similarity.jaccard_at(back, k)),
        (similarity.rbo(there, k), similarity.rbo(back, k)),
        (similarity.kendall_tau(there), similarity.kendall_tau(back)),
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
        assert not (one > 1).any()
        assert not (one < -1).any()
    tau_ap = similarity.tau_ap(there)
    assert not (np.abs(tau_ap) > 1 + 1e-12).any()


@given(st.lists(doc_lists, min_size=1, max_size=5), st.integers(1, 13))
def test_identical_lists_are_one(lists: list[list[int]], k: int) -> None:
    same = pair_lists(lists, lists)
    assert similarity.rbo(same, k).tolist() == [1.0] * len(lists)
    assert (similarity.jaccard_at(same, k) == 1).all()
    filled = [min(len(one), k) / k for one in lists]
    assert similarity.overlap_at(same, k).tolist() == filled
    taus = [1.0 if len(one) > 1 else np.nan for one in lists]
    np.testing.assert_array_equal(similarity.kendall_tau(same), taus)
    np.testing.assert_allclose(similarity.tau_ap(same), taus, rtol=0, atol=1e-12)
    assert not similarity.top1_changed(same).any()
    assert not similarity.displacement(same).any()


@given(doc_lists, st.integers(0, 12))
def test_a_beginning_of_a_list_has_rbo_one(docs: list[int], length: int) -> None:
    start = docs[: max(1, length)] if docs else []
    assert similarity.rbo(pair_lists([docs], [start]))[0] == 1.0
    assert similarity.rbo(pair_lists([start], [docs]))[0] == 1.0


@given(paired_doc_lists, st.integers(1, 13))
def test_sets_agree_with_python_sets(lists: Lists, k: int) -> None:
    pairing = both_ways(lists)[0]
    for query, (old, new) in enumerate(lists):
        a, b = set(old[:k]), set(new[:k])
        assert similarity.overlap_at(pairing, k)[query] == len(a & b) / k
        assert similarity.jaccard_at(pairing, k)[query] == (len(a & b) / len(a | b) if a | b else 1)
        assert similarity.top1_changed(pairing)[query] == (old[:1] != new[:1])


def test_kendall_tau_equals_scipys_on_ranks_of_common_documents() -> None:
    rng = np.random.default_rng(11)
    old = [rng.permutation(150)[: rng.integers(2, 120)].tolist() for _ in range(60)]
    new = [rng.permutation(150)[: rng.integers(2, 120)].tolist() for _ in range(60)]
    ours = similarity.kendall_tau(pair_lists(old, new))
    compared = 0
    for query, (a, b) in enumerate(zip(old, new, strict=True)):
        common = [doc for doc in b if doc in a]
        if len(common) < 2:
            assert np.isnan(ours[query])
            continue
        theirs = kendalltau([a.index(doc) for doc in common], range(len(common))).statistic
        assert ours[query] == pytest.approx(theirs, abs=1e-12)
        compared += 1
    assert compared > 50


def test_scipys_tau_of_tied_scores_is_not_the_tau_of_the_ranks_served() -> None:
    """Ties in score were broken before anybody saw the list; tau-b puts them back."""
    old, new = {"a": 3.0, "b": 2.0, "c": 2.0}, {"a": 3.0, "b": 1.0, "c": 2.0}
    theirs = kendalltau([*old.values()], [*new.values()]).statistic
    served = ["".join(sorted(arm, key=lambda doc: (-arm[doc], -ord(doc)))) for arm in (old, new)]
    assert served == ["acb", "acb"]
    assert similarity.kendall_tau(pair_words(*served)).tolist() == [1.0]
    assert theirs == pytest.approx(0.8165, abs=1e-4)


@pytest.mark.parametrize("size", [254, 255, 256, 300])
def test_tau_of_lists_whose_ranks_outgrow_a_byte(size: int) -> None:
    rng = np.random.default_rng(size)
    old, new = np.arange(size).tolist(), rng.permutation(size).tolist()
    pairing = pair_lists([old, old, [*old, 9_000]], [new, old, old[::-1]])
    theirs = kendalltau(new, range(size)).statistic
    assert similarity.kendall_tau(pairing).tolist() == pytest.approx([theirs, 1, -1], abs=1e-12)
    expected = [tau_ap_by_definition(old, new), 1, -1]
    assert similarity.tau_ap(pairing).tolist() == pytest.approx(expected, abs=1e-12)


@given(paired_doc_lists)
def test_displacement_follows_its_definition(lists: Lists) -> None:
    pairing = both_ways(lists)[0]
    moves = [[b.index(doc) - a.index(doc) if doc in a else np.nan for doc in b] for a, b in lists]
    flat = [move for moved in moves for move in moved]
    np.testing.assert_array_equal(similarity.displacement(pairing), flat)
    largest = [
        max((abs(move) for move in moved if not np.isnan(move)), default=np.nan) for moved in moves
    ]
    np.testing.assert_array_equal(similarity.largest_displacement(pairing), largest)


@given(paired_doc_lists, st.permutations(range(16)), st.none() | st.integers(1, 13))
def test_renaming_every_document_changes_nothing(
    lists: Lists, names: list[int], k: int | None
) -> None:
    renamed = [([names[doc] for doc in a], [names[doc] for doc in b]) for a, b in lists]
    one, other = both_ways(lists)[0], both_ways(renamed)[0]
    for measure in (
        lambda pairing: similarity.rbo(pairing, k),
        lambda pairing: similarity.overlap_at(pairing, k or 13),
        lambda pairing: similarity.jaccard_at(pairing, k or 13),
        similarity.kendall_tau,
        similarity.tau_ap,
        similarity.displacement,
        similarity.top1_changed,
    ):
        assert measure(one).tobytes() == measure(other).tobytes()


def tau_ap_by_definition(old: list[int], new: list[int]) -> float:
    common = [doc for doc in new if doc in old]
    if len(common) < 2:
        return float("nan")
    shares = [
        sum(old.index(above) < old.index(doc) for above in common[:i]) / i
        for i, doc in enumerate(common)
        if i > 0
    ]
    return 2 / (len(common) - 1) * sum(shares) - 1


@given(paired_doc_lists)
def test_tau_ap_follows_its_definition(lists: Lists) -> None:
    ours = similarity.tau_ap(both_ways(lists)[0])
    expected = [tau_ap_by_definition(old, new) for old, new in lists]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


def test_tau_ap_weighs_the_top_and_is_not_symmetric() -> None:
    def tau(old: str, new: str) -> float:
        return float(similarity.tau_ap(pair_words(old, new))[0])

    assert tau("abcd", "dcba") == pytest.approx(-1)
    assert tau("abcd", "bacd") < tau("abcd", "abdc")
    assert tau("abcd", "bcda") != pytest.approx(tau("bcda", "abcd"))


@given(paired_doc_lists)
def test_reversing_one_list_negates_kendall_tau(lists: Lists) -> None:
    straight = similarity.kendall_tau(both_ways(lists)[0])
    reversed_lists = [(old, new[::-1]) for old, new in lists]
    np.testing.assert_allclose(similarity.kendall_tau(both_ways(reversed_lists)[0]), -straight)


def test_moves_of_every_document() -> None:
    pairing = pair_words("abcd", "dbxa")
    np.testing.assert_array_equal(similarity.displacement(pairing), [-3, 0, np.nan, 3])


def test_lists_that_became_empty_or_stopped_being_so() -> None:
    pairing = pair_lists([[1], [], [], [4]], [[], [2], [], [4]])
    assert similarity.zero_result_flips(pairing).tolist() == [-1, 1, 0, 0]
    assert similarity.top1_changed(pairing).tolist() == [True, True, False, False]


@given(paired_doc_lists)
def test_documents_may_be_numbered_or_hashed(lists: Lists) -> None:
    """Hashed codes span the whole range, where query and code would not fit one integer."""

    def hashed(docs: list[list[int]]) -> matching.Lists:
        starts, flat = pack(docs)
        return matching.Lists(starts, flat.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))

    old, new = [one for one, _ in lists], [one for _, one in lists]
    wide = similarity.rbo(matching.pair(hashed(old), hashed(new)))
    np.testing.assert_array_equal(similarity.rbo(pair_lists(old, new)), wide)


def test_the_same_document_in_another_query_is_another_document() -> None:
    pairing = pair_lists([[1, 2], [3, 4]], [[3, 4], [1, 2]])
    assert similarity.overlap_at(pairing, 2).tolist() == [0, 0]
