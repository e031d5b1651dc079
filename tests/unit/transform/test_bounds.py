"""The lower bound of a reading: never later than asked for, and written as the provider does."""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.transform.bounds import TimeBound, number_bound
from integrationd.transform.cursors import CursorType, Scale
from integrationd.transform.times import TimeNotation

NONE = timedelta()
TIMES = Scale(type=CursorType.TIME)
TEN_MINUTES = timedelta(minutes=10)


def time_bound(cursor, lookback, notation, **said):
    """Write the bound of a cursor."""
    return TimeBound(scale=TIMES, notation=notation, **said).of_cursor(cursor, lookback)


@pytest.mark.parametrize(
    ("cursor", "bound"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T11:50:00Z"),
        ("2026-01-31T12:00:00.250Z", "2026-01-31T11:50:00.250Z"),
        ("2026-01-31T00:05:00+02:00", "2026-01-30T23:55:00+02:00"),
        ("2026-01-31T00:05:00.5-0330", "2026-01-30T23:55:00.5-0330"),
        ("2026-01-31 12:00:00", "2026-01-31 11:50:00"),
        ("2026-01-31T12:00", "2026-01-31T11:50"),
        ("2026-01-31", "2026-01-30"),
        ("20260131T120000Z", "20260131T115000Z"),
        ("2026-01-31T12:00:00,123456789", "2026-01-31T11:50:00,123456000"),
        ("2026-03-01T00:00:00Z", "2026-02-28T23:50:00Z"),
    ],
)
def test_lookback_keeps_the_notation(cursor, bound):
    """Separators, digits of a fraction and the zone stay as the provider wrote them."""
    assert time_bound(cursor, TEN_MINUTES, None) == bound


@pytest.mark.parametrize(
    ("notation", "cursor", "bound"),
    [
        ("iso", "2026-01-31T12:00:00.999+02:00", "2026-01-31T10:00:00Z"),
        ("iso", "2026-01-31 12:00:00", "2026-01-31T12:00:00"),
        ("unix", "1970-01-02T00:00:00.9Z", 86400),
        ("unix", "1969-12-31T23:59:59.5Z", -1),
        ("unix_ms", "1970-01-01T00:00:01.2349Z", 1234),
        ("unix", "1970-01-01T00:00:07", 7),
        ("date", "2026-01-31T23:00:00-05:00", "2026-01-31"),
        ("date", "2026-01-31T01:00:00+02:00", "2026-01-30"),
        ("date", "2026-01-31", "2026-01-31"),
        ("%d.%m.%Y %H:%M:%S.%f", "2026-01-31T12:00:00.25+02:00", "31.01.2026 10:00:00.250000"),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00+0000"),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-01-31T12:00:00", "2026-01-31T12:00:00"),
        ("%Y%m%d%%", "0031-01-02", "00310102%"),
    ],
)
def test_format_writes_the_bound(notation, cursor, bound):
    """A format cuts off what it cannot say, writes UTC, and leaves a time without a zone so."""
    assert time_bound(cursor, NONE, TimeNotation(notation)) == bound


@pytest.mark.parametrize(
    ("read", "cursor", "bound"),
    [
        (["unix"], 1769860800, 1769860199),
        (["unix_ms"], "1769860800000", "1769860199999"),
        (["rfc2822"], "Sat, 31 Jan 2026 12:00:00 GMT", "Sat, 31 Jan 2026 11:49:59 +0000"),
        (["unix", "%d/%m/%Y %H:%M"], "31/01/2026 12:00", "31/01/2026 11:49"),
        ([], "2026-01-31T12:00:00.25Z", "2026-01-31T11:50:00.24Z"),
        ([], "2026-01-31T12:00:00.1234567+02:00", "2026-01-31T11:50:00.1234550+02:00"),
        ([], "2026-01-31T12:00", "2026-01-31T11:49"),
        ([], "2026-01-31T12", "2026-01-31T10"),
        ([], "2026-01-31", "2026-01-29"),
    ],
)
def test_exclusive_bound_is_one_unit_earlier_in_its_own_notation(read, cursor, bound):
    """The unit is that of the last digit; what was text stays text."""
    scale = Scale(type=CursorType.TIME, notations=tuple(map(TimeNotation, read)))
    times = TimeBound(scale=scale, exclusive=True)

    assert times.of_cursor(cursor, TEN_MINUTES) == bound


def test_lookback_in_a_zone_goes_by_what_passes():
    """Two hours before 03:30 in the night on which clocks are set forward it is 00:30."""
    scale = Scale(type=CursorType.TIME, zone=ZoneInfo("Europe/Berlin"))
    times = TimeBound(scale=scale)

    assert times.of_cursor("2026-03-29 03:30:00", timedelta(hours=2)) == "2026-03-29 00:30:00"


def test_without_lookback_and_format_the_value_goes_back_as_received():
    """Nothing is rewritten where nothing is asked for, not even an odd notation."""
    assert time_bound("2026-W05-6T12", NONE, None) == "2026-W05-6T12"


def test_lookback_of_an_unknown_notation_says_what_to_do():
    """A week date cannot be kept to, and nothing is guessed."""
    with pytest.raises(ValueError) as caught:
        time_bound("2026-W05-6", TEN_MINUTES, None)

    assert str(caught.value) == (
        "the cursor is written in a way that 'lookback' cannot keep to; add 'format'"
    )


def test_lookback_stops_at_the_first_day():
    """Before the year 1 there is nothing to be read."""
    assert time_bound("0001-01-01T00:05:00Z", TEN_MINUTES, None) == "0001-01-01T00:00:00Z"
    early = time_bound("0001-01-01T00:05:00+10:00", NONE, TimeNotation("iso"))
    assert early == "0001-01-01T00:00:00Z"


ZONES = st.sampled_from(["", "Z", "+02:00", "-0330", "+14", "-12:00"])
FORMS = st.sampled_from(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y%m%dT%H%M%S"])
MOMENTS = st.datetimes(*map(datetime.fromisoformat, ("1900-01-01", "2200-01-01")))
SPANS = st.timedeltas(NONE, timedelta(days=4000))


@st.composite
def written_times(draw):
    """Write a time in one of the notations of ISO 8601."""
    form = draw(FORMS)
    text = draw(MOMENTS).strftime(form)
    if form == "%Y-%m-%d":
        return text
    if form.endswith("%S"):
        text += draw(st.sampled_from(["", ".1", ".25", ",123456", ".1234567"]))
    return text + draw(ZONES)


@given(cursor=written_times(), lookback=SPANS)
def test_kept_notation_is_never_too_late_and_never_a_day_too_early(cursor, lookback):
    """The bound means the cursor less the lookback, cut to the cursor's own precision."""
    bound = time_bound(cursor, lookback, None)

    meant = TIMES.parse(cursor) - lookback
    assert timedelta() <= meant - TIMES.parse(bound) < timedelta(days=1)
    assert re.sub(r"\d", "0", bound) == re.sub(r"\d", "0", cursor)


@given(cursor=written_times(), lookback=SPANS, notation=st.sampled_from(["iso", "unix", "unix_ms"]))
def test_named_notations_are_never_too_late(cursor, lookback, notation):
    """A named format loses less than a second, and always towards the past."""
    bound = time_bound(cursor, lookback, TimeNotation(notation))
    if notation == "iso":
        sent = TIMES.parse(bound)
    else:
        sent = datetime(1970, 1, 1, tzinfo=UTC) + bound * (
            timedelta(seconds=1) if notation == "unix" else timedelta(milliseconds=1)
        )

    meant = TIMES.parse(cursor) - lookback
    assert timedelta() <= meant - sent < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("cursor", "lookback", "bound"),
    [
        (1700000000, 600, 1699999400),
        (5, 10, -5),
        (5, 0.5, 4),
        (10**30, 1, 10**30 - 1),
        (2.5, 1, 1.5),
        ("1503435956.000247", 60, "1503435896.000247"),
        ("1503435956.000247", 0.0001, "1503435956.000147"),
        ("000123", 100, "000023"),
        ("1000", 1, "999"),
        ("0.5", 0.25, "0.2"),
        ("100000000000000000000000000000001", 1, "100000000000000000000000000000000"),
    ],
)
def test_numbers_become_smaller_and_stay_what_they_are(cursor, lookback, bound):
    """A number stays a number, and text keeps its digits after the point and its width."""
    found = number_bound(cursor, lookback)

    assert (found, type(found)) == (bound, type(bound))


@pytest.mark.parametrize(
    ("cursor", "bound"),
    [(5, 4), ("000100", "000099"), ("12.50", "12.49"), (0.5, 0.49999999999999994)],
)
def test_exclusive_number_is_one_unit_less(cursor, bound):
    """Of its last digit."""
    found = number_bound(cursor, 0, exclusive=True)

    assert (found, type(found)) == (bound, type(bound))


@given(
    cursor=st.integers(-(10**40), 10**40)
    | st.decimals(-(10**9), 10**9, places=4, allow_nan=False).map(str),
    lookback=st.integers(0, 10**9) | st.floats(0, 10**9),
)
def test_numbers_are_never_too_great(cursor, lookback):
    """The bound is the difference, cut to the cursor's digits towards the past."""
    bound = number_bound(cursor, lookback)

    meant = Fraction(str(cursor)) - Fraction(str(lookback))
    assert 0 <= meant - Fraction(str(bound)) <= 1  # of digits that cannot be said
