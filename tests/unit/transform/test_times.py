"""How providers write times: each notation is read, written, and told when it is another one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.transform.patterns import parse_pattern
from integrationd.transform.times import UNITS, TimeNotation, find_notation, settle, wall_time

NOON = datetime(2025, 6, 3, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("notation", "value", "expected"),
    [
        ("iso", "2025-06-03t12:00:00z", NOON),
        ("iso", "2025-06-03T14:00:00+0200", NOON),
        ("iso", "2025-06-03 12:00:00 +0000", NOON),
        ("iso", "2025-06-03T12:00:00", NOON.replace(tzinfo=None)),
        ("date", "2025-06-03", datetime.fromisoformat("2025-06-03")),
        ("unix", 1748952000, NOON),
        ("unix", " 1748952000 ", NOON),
        ("unix", 1748952000.25, NOON + timedelta(milliseconds=250)),
        ("unix", "-1.5", datetime(1969, 12, 31, 23, 59, 58, 500000, tzinfo=UTC)),
        ("unix_ms", "1748952000001", NOON + timedelta(milliseconds=1)),
        ("unix_us", 1748952000000001, NOON + timedelta(microseconds=1)),
        ("rfc2822", "Tue, 03 Jun 2025 14:00:00 +0200", NOON),
        ("rfc2822", "3 Jun 2025 12:00 GMT", NOON),
        ("http_date", "Tue, 03 Jun 2025 12:00:00 GMT", NOON),
        ("dotnet", "/Date(1748952000000)/", NOON),
        ("dotnet", r"\/Date(1748952000000+0200)\/", NOON),
        ("%d/%m/%Y %H:%M", "03/06/2025 12:00", NOON.replace(tzinfo=None)),
        ("%d/%m/%y", "3/6/25", datetime.fromisoformat("2025-06-03")),
        ("%b %d, %Y %I:%M %p", "jun 03, 2025 12:00 PM", NOON.replace(tzinfo=None)),
        ("%A, %d %B %Y %I:%M%p", "Tuesday, 03 June 2025 12:00am", datetime(2025, 6, 3)),  # noqa: DTZ001
        ("%Y-%m-%d %H:%M:%S UTC", "2025-06-03 12:00:00 UTC", NOON),
        ("%Y%m%d%H%M%S.%f%z", "20250603140000.0000001+02:00", NOON),
        ("at %s s", "at 1748952000 s", NOON),
    ],
)
def test_times_are_read(notation, value, expected):
    """As a provider writes them; without a zone where it names none."""
    found = TimeNotation(notation).read(value)

    assert (found, found.tzinfo is None) == (expected, expected.tzinfo is None)


@pytest.mark.parametrize(
    ("notation", "values"),
    [
        ("unix", [True, None, "soon", "1_0", "٣", float("inf"), 10**20, "1e400", [1], {}]),
        ("date", ["2025-06-03T12:00:00", "2025-02-30", 20250603]),
        ("rfc2822", ["2025-06-03", "Tue, 33 Jun 2025 14:00:00 +0200", 5]),
        ("dotnet", ["/Date()/", "/Date(1748952000000)", 1748952000000]),
        ("%d/%m/%Y", ["03-06-2025", "31/06/2025", "3/6/25", " 03/06/2025"]),
        ("%I:%M %p %d.%m.%Y", ["13:00 PM 03.06.2025", "12:00 XM 03.06.2025"]),
    ],
)
def test_other_notations_are_refused(notation, values):
    """Nothing is guessed, and the message shows how it should look, never what came."""
    expected = TimeNotation(notation).said()
    for value in values:
        with pytest.raises(ValueError) as caught:
            TimeNotation(notation).read(value)
        assert str(caught.value) == f"expected {expected}"


def test_message_names_every_notation():
    """Of several, all are shown by an example."""
    with pytest.raises(ValueError) as caught:
        find_notation("soon", (TimeNotation("unix"), TimeNotation("%d/%m/%Y")))

    assert str(caught.value) == "expected a time such as 1769860800 or 31/01/2026"


@pytest.mark.parametrize(
    ("notation", "expected"),
    [
        ("http_date", "Tue, 03 Jun 2025 12:00:00 GMT"),
        ("rfc2822", "Tue, 03 Jun 2025 12:00:00 +0000"),
        ("dotnet", "/Date(1748952000000+0000)/"),
        ("unix_us", 1748952000000000),
        ("modified_on:gt:%Y-%m-%d", "modified_on:gt:2025-06-03"),
        ("since=%s", "since=1748952000"),
        ("%a %b %d %I:%M:%S %p %y", "Tue Jun 03 12:00:00 PM 25"),
    ],
)
def test_times_are_written(notation, expected):
    """Names are English wherever the daemon runs, and text around the words stays."""
    assert TimeNotation(notation).write(NOON) == expected


@pytest.mark.parametrize(
    ("notation", "expected"),
    [
        ("%Y-%m-%d %H:%M", "2025-06-03 14:00"),
        ("%Y-%m-%dT%H:%M:%SZ", "2025-06-03T12:00:00Z"),
        ("%Y-%m-%d %H:%M %z", "2025-06-03 12:00 +0000"),
        ("iso", "2025-06-03T12:00:00Z"),
        ("rfc2822", "Tue, 03 Jun 2025 12:00:00 +0000"),
        ("unix", 1748952000),
    ],
)
def test_zone_is_that_of_notations_without_one(notation, expected):
    """What names its zone, or counts, is the same everywhere."""
    assert TimeNotation(notation).write(NOON, BERLIN) == expected


def test_day_is_that_of_the_zone():
    """Shortly before midnight in UTC it is the next day in Berlin."""
    late = NOON.replace(hour=23)

    assert TimeNotation("date").write(late, BERLIN) == "2025-06-04"
    assert TimeNotation("date").write(late) == "2025-06-03"


def test_hour_that_comes_twice_is_written_an_hour_earlier():
    """Clocks show 02:30 twice in the night to October 26; the one sent is never too late."""
    for utc_hour in (0, 1):
        moment = datetime(2025, 10, 26, utc_hour, 30, tzinfo=UTC)
        assert wall_time(moment, BERLIN).isoformat() == "2025-10-26T01:30:00"
    assert wall_time(NOON, BERLIN).isoformat() == "2025-06-03T14:00:00"


def test_days_of_a_long_night_are_told_apart():
    """One unit before a day is the day before, also where that has 25 hours."""
    moment = datetime(2025, 10, 26, 22, 30, tzinfo=UTC)

    assert TimeNotation("date").write(moment, BERLIN, earlier=True) == "2025-10-25"


def test_time_before_the_first_year_is_refused():
    """What a zone makes of the first day may be none."""
    with pytest.raises(ValueError) as caught:
        settle(datetime.fromisoformat("0001-01-01"), BERLIN)

    assert str(caught.value) == "expected a time between the years 1 and 9999"


@pytest.mark.parametrize(
    "text",
    ["%Y", "%d.%m", "%Q-%Y-%m-%d", "%Y-%m-%d %I", "%Y-%m-%d %p", "%Y\n%m%d", "%", "often"],
)
def test_pattern_names_a_day(text):
    """A word that is not known, or an hour of twelve without its half, makes it none."""
    assert parse_pattern(text) is None


MOMENTS = st.datetimes(datetime.fromisoformat("1970-01-02"), datetime.fromisoformat("2060-01-01"))
NOTATIONS = st.sampled_from(
    [*UNITS, "%d/%m/%Y %H:%M", "%y%m%d%H%M%S.%f", "%b %d, %Y %I %p", "x%s", "%d %B %Y %H%z"]
)


@given(moment=MOMENTS, notation=NOTATIONS, earlier=st.booleans())
def test_what_is_written_is_read_again(moment, notation, earlier):
    """Cut to the notation's unit, towards the past; one unit less where that is asked for."""
    notation, moment = TimeNotation(notation), moment.replace(tzinfo=UTC)
    found = notation.read(notation.write(moment, earlier=earlier))
    lost = moment - (found if found.tzinfo else found.replace(tzinfo=UTC))

    unit = notation.unit
    assert earlier * unit <= lost < unit + earlier * unit


@given(moment=MOMENTS, notation=NOTATIONS, zone=st.timezones())
def test_zone_never_makes_a_time_later(moment, notation, zone):
    """What a zone's clocks show, read there as the later of two, is not after the time itself."""
    notation, moment = TimeNotation(notation), moment.replace(tzinfo=UTC)
    found = notation.read(notation.write(moment, zone))
    for fold in (0, 1):
        assert settle(found.replace(fold=fold), zone) <= moment
