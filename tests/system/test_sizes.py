"""Sizes and spans are read as people write them, and nothing else is taken for one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gates.system.sizes import as_bytes, as_span, shown_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0B", 0),
        ("500MB", 500_000_000),
        ("20 GB", 20_000_000_000),
        (" 1.5gib ", 1_610_612_736),
        ("1kB", 1000),
        ("20", None),
        ("GB", None),
        ("-1GB", None),
        ("1e3GB", None),
        ("٣GB", None),
        ("20Gb/s", None),
        ("", None),
    ],
)
def test_sizes(text: str, expected: int | None) -> None:
    assert as_bytes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("4 W", timedelta(weeks=4)),
        ("1.5d", timedelta(hours=36)),
        ("30m", timedelta(minutes=30)),
        ("30", None),
        ("99999999999d", None),
        ("", None),
    ],
)
def test_spans(text: str, expected: timedelta | None) -> None:
    assert as_span(text) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (999_600, "1 MB"),
        (427_503_080, "428 MB"),
        (1_050_000_000, "1.1 GB"),
        (5 * 10**15, "5000.0 TB"),
    ],
)
def test_shown_sizes_have_a_fitting_unit(count: int, expected: str) -> None:
    assert shown_bytes(count) == expected
