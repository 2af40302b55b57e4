"""Numbers and sentences as reports write them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.domain.installation import Installed
from gates.domain.judging import EnvironmentFacts, Measurement
from gates.report.text import (
    amount,
    clean,
    clip,
    duration,
    installation,
    number,
    signed,
    with_signs,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "?"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-0.031249, "−0.03125"),
        (0.3, "0.3"),
        (12345, "12,345"),
        (1234.56, "1,235"),
        (-0.0000123, "−1.23×10⁻⁵"),
        (3e20, "3×10²⁰"),
    ],
)
def test_numbers_have_four_digits_and_a_proper_minus(value: float | None, shown: str) -> None:
    assert number(value) == shown


def test_a_gain_has_a_plus() -> None:
    assert [signed(v) for v in (0.25, 0.0, -0.25, None)] == ["+0.25", "0", "−0.25", "?"]


def test_an_open_interval_end_is_infinity() -> None:
    half = Measurement("m", 0.5, 9, "u", lower=0.25)
    assert amount(half) == "0.5 [0.25, ∞)"
    assert amount(Measurement("m", 0.5, 9, "u", upper=0.75)) == "0.5 (−∞, 0.75]"
    assert amount(Measurement("m", 0.5, 1, "u", -math.inf, math.inf)) == "0.5 (−∞, ∞)"
    assert amount(Measurement("m", 0.5, 9, "u")) == "0.5"
    assert amount(None) == "?"


def test_sentences_get_minus_signs_and_names_keep_hyphens() -> None:
    sentence = "ranking-diff: -0.1 [-0.2, 3], in 2026-01-02, size=a-4"
    assert with_signs(sentence) == "ranking-diff: −0.1 [−0.2, 3], in 2026-01-02, size=a-4"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "0 ms"), (0.0124, "12 ms"), (0.9999, "1 s"), (3.456, "3.46 s"), (125.2, "2 min 5 s")],
)
def test_durations_have_the_unit_people_read(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@given(st.text(st.characters(codec=None)))
def test_clean_text_can_be_encoded_and_holds_nothing_that_acts(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert len(cleaned) == len(text)
    assert not set(cleaned) & {*map(chr, range(9)), "\x1b", "\x7f", "\x9b", "\u202e", "\u2066"}


@given(st.text(), st.integers(1, 40))
def test_clipped_text_is_no_longer_than_asked(text: str, limit: int) -> None:
    assert len(clip(text, limit)) <= limit


def test_what_was_installed_names_what_was_built_from_source() -> None:
    bare = EnvironmentFacts("k", "3.11.7", "Linux", False, 1.0)
    assert installation(bare) == ""
    wheels = (Installed("numpy", "2.0", "sha256:a"), Installed("pandas", "3.0", "sha256:b"))
    built = Installed("docopt", "0.6.2", "sha256:c", source="sha256:d")
    facts = replace(bare, installer="uv 0.9.3", distributions=wheels)
    assert installation(facts) == "2 wheels by uv 0.9.3"
    facts = replace(facts, distributions=(built, wheels[0]))
    assert installation(facts) == "1 wheel by uv 0.9.3; built from source: docopt 0.6.2"
