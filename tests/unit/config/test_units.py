"""Durations, sizes and rates: what is read, what is not, and that printing reads back."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.units import (
    Rate,
    format_duration,
    format_size,
    parse_duration,
    parse_rate,
    parse_size,
)


@given(st.integers(0, timedelta.max // timedelta(milliseconds=1)))
def test_duration_reads_back(total_ms):
    """Any whole number of milliseconds survives printing."""
    value = timedelta(milliseconds=total_ms)

    assert parse_duration(format_duration(value)) == value


@given(st.integers(0, 10**18 - 1))
def test_size_reads_back(size_bytes):
    """Any size survives printing."""
    assert parse_size(format_size(size_bytes)) == size_bytes


@given(st.integers(1, 10**9 - 1), st.integers(1, 10**9 - 1))
def test_rate_reads_back(count, seconds):
    """Any rate over whole seconds survives printing."""
    rate = Rate(count, timedelta(seconds=seconds))

    assert parse_rate(str(rate)) == rate


@given(st.text() | st.from_regex(r"[0-9]{0,25}[a-zA-Z/]{0,3}[0-9]*[a-z]*", fullmatch=True))
def test_no_text_makes_a_unit_raise(text):
    """Whatever is not a unit is None."""
    for parse in (parse_duration, parse_size, parse_rate):
        parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30s", timedelta(seconds=30)),
        ("250ms", timedelta(milliseconds=250)),
        ("1us", timedelta(microseconds=1)),
        ("5m", timedelta(minutes=5)),
        ("1h30m", timedelta(minutes=90)),
        ("2w1d", timedelta(days=15)),
        ("0s", timedelta()),
    ],
)
def test_duration_is_read(text, value):
    """Units stand from the largest to the smallest."""
    assert parse_duration(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "30", "s", "1.5h", "-30s", "30 s", "30m1h", "1s1s", "30S", "٣s", "30s\n", "99999999999w",
     "1month"],
)  # fmt: skip
def test_other_text_is_no_duration(text):
    """A number alone, a fraction, a wrong order or other digits are refused."""
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(seconds=30), "30s"),
        (timedelta(minutes=90), "90m"),
        (timedelta(days=14), "2w"),
        (timedelta(milliseconds=1500), "1500ms"),
        (timedelta(), "0s"),
    ],
)
def test_duration_is_printed_in_the_largest_exact_unit(value, text):
    """The unit printed says the duration exactly."""
    assert format_duration(value) == text


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("10MB", 10_000_000), ("1kB", 1000), ("1KB", 1000), ("3GB", 3 * 10**9), ("0B", 0)],
)
def test_size_is_read(text, size_bytes):
    """Units are of 1000."""
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "10", "10mb", "10 MB", "1.5MB", "-1B", "1MiB", "MB"])
def test_other_text_is_no_size(text):
    """A size has a unit and no fraction."""
    assert parse_size(text) is None


@pytest.mark.parametrize(
    ("text", "count", "seconds", "printed"),
    [
        ("10/s", 10, 1, "10/s"),
        ("100/min", 100, 60, "100/min"),
        ("100/m", 100, 60, "100/min"),
        ("5/hour", 5, 3600, "5/h"),
        ("1/day", 1, 86400, "1/d"),
        ("100/10s", 100, 10, "100/10s"),
        ("6/2min", 6, 120, "6/120s"),
    ],
)
def test_rate_is_read(text, count, seconds, printed):
    """A rate is so many in one unit or in some of them."""
    rate = parse_rate(text)

    assert rate == Rate(count, timedelta(seconds=seconds))
    assert str(rate) == printed


@pytest.mark.parametrize("text", ["", "10", "0/s", "10/0s", "/s", "10/year", "10 / s", "1.5/s"])
def test_other_text_is_no_rate(text):
    """A rate allows something in some time."""
    assert parse_rate(text) is None


@pytest.mark.parametrize(
    ("size_bytes", "text"), [(0, "0B"), (999, "999B"), (1500, "1500B"), (2 * 10**6, "2MB")]
)
def test_size_is_printed_in_the_largest_exact_unit(size_bytes, text):
    """The unit printed says the size exactly."""
    assert format_size(size_bytes) == text
