"""The instants of schedules: weekdays, months, and the nights on which clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, given
from hypothesis import strategies as st

from integrationd.spec import slots
from integrationd.spec.slots import Beat, Calendar, Jitter, due_after, latest_due, shortest_gap

BERLIN = "Europe/Berlin"
ZONES = [
    BERLIN,
    "America/New_York",
    "America/Santiago",  # midnight is skipped and repeated
    "Australia/Lord_Howe",  # by half an hour
    "Asia/Kathmandu",  # five hours and three quarters
    "Africa/Cairo",
    "Pacific/Apia",  # skipped a whole day in 2011
    "UTC",
]
MOMENTS = st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
FIXED = st.builds(
    "{} {} * * *".format,
    st.lists(st.integers(0, 59), min_size=1, max_size=3).map(
        lambda found: ",".join(map(str, found))
    ),
    st.lists(st.integers(0, 23), min_size=1, max_size=3).map(
        lambda found: ",".join(map(str, found))
    ),
)
CRONS = FIXED | st.sampled_from(
    ["*/15 * * * *", "30 * * * *", "*/20 1,2,3 * * *", "0 0 1 * *", "5 4 * * 0", "0 0 L * 1-5"]
)
EVERY = st.timedeltas(timedelta(seconds=1), timedelta(days=40))


def calendar(cron="30 2 * * *", *, zone=BERLIN, jitter=None):
    """Build the slots of one expression."""
    return Calendar((cron,), zone, jitter)


def walk(slots, moment, count):
    """Return the next slots after a moment."""
    found = []
    for _ in range(count):
        moment = slots.after(moment)
        found.append(moment)
    return found


def local(slots, zone=BERLIN):
    """Show instants as the wall clock does, with the offset in hours."""
    return [slot.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M %z")[:-2] for slot in slots]


def utc(text):
    """Read an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_time_that_spring_skips_comes_at_the_end_of_the_gap():
    """On 29 March 2026 Berlin has no 02:30; that night's slot is 03:00."""
    found = walk(calendar(), utc("2026-03-27 12:00"), 4)

    assert local(found) == [
        "03-28 02:30 +01",
        "03-29 03:00 +02",
        "03-30 02:30 +02",
        "03-31 02:30 +02",
    ]


def test_time_that_autumn_repeats_comes_once():
    """On 25 October 2026 Berlin has 02:30 twice; the slot is the first one."""
    found = walk(calendar(), utc("2026-10-23 12:00"), 4)

    assert local(found) == [
        "10-24 02:30 +02",
        "10-25 02:30 +02",
        "10-26 02:30 +01",
        "10-27 02:30 +01",
    ]


@pytest.mark.parametrize("minute", [0, 20, 40])
def test_second_of_two_equal_hours_leads_on_and_not_back(minute):
    """From within the repeated hour the next slot is the next day's."""
    assert local(walk(calendar(), utc(f"2026-10-25 01:{minute:02}"), 1)) == ["10-26 02:30 +01"]


def test_quarters_run_through_both_of_two_equal_hours():
    """What goes by real time misses nothing in autumn."""
    found = walk(calendar("*/15 * * * *"), utc("2026-10-24 23:59"), 9)

    assert [slot.strftime("%H:%M") for slot in found] == [
        "00:00", "00:15", "00:30", "00:45", "01:00", "01:15", "01:30", "01:45", "02:00",
    ]  # fmt: skip


def test_quarters_of_spring_go_on_after_the_gap():
    """What goes by real time has no slot in an hour that there is not, and none twice."""
    found = walk(calendar("*/15 * * * *"), utc("2026-03-29 00:44"), 3)

    assert local(found) == ["03-29 01:45 +01", "03-29 03:00 +02", "03-29 03:15 +02"]


def test_several_times_in_one_gap_are_one_slot():
    """02:00, 02:30 and 03:00 are the same instant on the night that skips them."""
    slots = Calendar(("0 2 * * *", "30 2 * * *", "0 3 * * *"), BERLIN)

    assert local(walk(slots, utc("2026-03-29 00:30"), 2)) == ["03-29 03:00 +02", "03-30 02:00 +02"]


@pytest.mark.parametrize("sunday", ["0", "7", "SUN", "sun"])
def test_sunday_is_sunday(sunday):
    """Zero and seven are Sunday; APScheduler's own cron takes zero for Monday."""
    found = walk(calendar(f"0 6 * * {sunday}", zone="UTC"), utc("2026-03-04 00:00"), 2)

    assert [slot.strftime("%a %d") for slot in found] == ["Sun 08", "Sun 15"]


def test_thirty_first_waits_for_a_month_that_has_one():
    """Short months have no slot, as in cron."""
    found = walk(calendar("0 0 31 * *", zone="UTC"), utc("2026-01-31 00:00"), 3)

    assert [slot.date() for slot in found] == [
        date(2026, 3, 31),
        date(2026, 5, 31),
        date(2026, 7, 31),
    ]


@given(cron=FIXED, zone=st.sampled_from(ZONES), moment=MOMENTS)
def test_fixed_times_are_what_the_zone_itself_says(cron, zone, moment):
    """Worked out anew: each day's times, first of two, or the first instant after a gap."""
    assert calendar(cron, zone=zone).after(moment) == next_by_days(cron, ZoneInfo(zone), moment)


def next_by_days(cron, zone, moment):
    """Find the next slot by trying the times of each day, with nothing of cronsim's."""
    minutes, hours, *_ = ([int(one) for one in field.split(",")] for field in cron.split()[:2])
    today = moment.astimezone(zone).date()
    for number in range(-2, 5):
        day = today + timedelta(days=number)
        found = sorted(
            first_instant(datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone))
            for hour in hours
            for minute in minutes
        )
        for slot in found:
            if slot > moment:
                return slot
    raise AssertionError


def first_instant(wanted):
    """Return the instant of a wall time; the end of the gap where there is none."""
    while wanted.astimezone(UTC).astimezone(wanted.tzinfo).replace(tzinfo=None) != (
        wanted.replace(tzinfo=None)
    ):
        wanted = wanted + timedelta(minutes=1)
    return wanted.astimezone(UTC)


@given(
    crons=st.lists(CRONS, min_size=1, max_size=2).map(tuple),
    zone=st.sampled_from(ZONES),
    moment=MOMENTS,
    share=st.floats(0, 0.999),
)
def test_no_slot_lies_between_a_moment_and_the_next(crons, zone, moment, share):
    """From anywhere in between the next slot is the same, and the latest one is too."""
    slots = Calendar(crons, zone)

    following = slots.after(moment)
    between = moment + (following - moment) * share

    assume(between < following)  # a share of a microsecond is rounded up
    assert following > moment
    assert slots.after(between) == following
    assert slots.latest(following) == following
    before = slots.latest(between)
    assert before <= between
    assert before == slots.latest(moment)
    assert slots.after(before) == following


@given(every=EVERY, anchor=MOMENTS, moment=MOMENTS)
def test_beat_keeps_its_distance_on_both_sides_of_the_anchor(every, anchor, moment):
    """A moment lies between two slots, a whole number of distances from the anchor."""
    beat = Beat(every, anchor)

    latest, following = beat.latest(moment), beat.after(moment)

    assert latest <= moment < following
    assert following - latest == every
    assert (latest - anchor) % every == timedelta(0)


@given(data=st.data(), moment=MOMENTS, most=st.timedeltas(timedelta(seconds=1), timedelta(days=3)))
def test_each_slot_comes_due_once_however_much_jitter_there_is(data, moment, most):
    """Slots come due in their order, each before the next one; nothing is due in between."""
    jitter = Jitter(most, "acme/orders")
    zones = st.sampled_from(ZONES)
    slots = data.draw(
        st.builds(Calendar, st.tuples(CRONS), zones, st.just(jitter))
        | st.builds(Beat, EVERY, MOMENTS, st.just(jitter))
    )
    last = slots.latest(moment - timedelta(days=60)) or moment - timedelta(days=60)
    seen = []
    for _ in range(4):
        due = due_after(slots, moment)
        slot = latest_due(slots, due)
        seen.append(slot)
        assert due > moment
        assert slot <= due < slots.after(slot)
        assert due - slot <= most
        assert latest_due(slots, due - timedelta(milliseconds=1)) != slot
        moment = due

    assert last < seen[0]
    assert [slots.after(slot) for slot in seen[:-1]] == seen[1:]


def test_jitter_is_the_same_in_every_process_and_another_for_every_stream():
    """Two daemons agree on the moment; two streams do not crowd it."""
    moment = utc("2026-03-01 12:00")

    def delay(seed):
        slots = calendar("0 2 * * *", zone="UTC", jitter=Jitter(timedelta(minutes=5), seed))
        return (due_after(slots, moment) - utc("2026-03-02 02:00")).total_seconds()

    delays = [delay(f"acme/s{number}") for number in range(300)]

    assert delay("acme/orders") == pytest.approx(62.7, abs=0.01)
    assert 0 <= min(delays) < 15
    assert 285 < max(delays) < 300
    assert [sum(low <= one < low + 100 for one in delays) > 70 for low in (0, 100, 200)] == [
        True
    ] * 3


def test_anchor_of_a_beat_has_no_jitter():
    """The first time was chosen; the others vary."""
    anchor = utc("2026-03-01 12:00")
    beat = Beat(timedelta(hours=1), anchor, Jitter(timedelta(minutes=30), "acme/orders"))

    assert latest_due(beat, anchor) == anchor
    assert due_after(beat, anchor - timedelta(seconds=1)) == anchor
    assert due_after(beat, anchor) > anchor + timedelta(hours=1)


def test_calendar_ends_with_the_years():
    """Leap days are found far behind; after the last year that there is nothing comes."""
    leap = calendar("0 0 29 2 *", zone="UTC")

    assert leap.latest(utc("2103-01-01 00:00")) == utc("2096-02-29 00:00")
    assert leap.after(utc("9999-01-01 00:00")) is None
    assert due_after(leap, utc("9999-01-01 00:00")) is None


@pytest.mark.parametrize(
    ("crons", "minutes"),
    [
        (("*/15 * * * *",), 15),
        (("0 2 * * *",), 24 * 60),
        (("0,1 3 * * *",), 1),
        (("0 2 * * *", "5 2 * * *"), 5),
        (("50 23 * * *", "0 0 * * *"), 10),
    ],
)
def test_shortest_gap_is_found(crons, minutes):
    """What two slots of one schedule lie apart at least."""
    assert shortest_gap(crons, among=50) == timedelta(minutes=minutes)


def test_streams_with_one_schedule_walk_it_once(monkeypatch):
    """A thousand streams asked at one moment; each with the jitter of its own."""
    walked = []

    def counted(*args):
        walked.append(args)
        return CronSim(*args)

    monkeypatch.setattr(slots, "CronSim", counted)
    moment = utc("2024-05-06 07:08:09")
    every = [
        calendar("17 3 * * *", jitter=Jitter(timedelta(minutes=5), str(number)))
        for number in range(1000)
    ]
    found = {(due_after(each, moment), latest_due(each, moment)) for each in every}

    assert len(found) > 900
    assert len(walked) < 20
