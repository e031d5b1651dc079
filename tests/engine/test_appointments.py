"""When each stream is due first: a restart neither repeats nor forgets a reading."""

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.engine.appointments import (
    NEW_SPREAD_MAX,
    SET_BACK_MAX,
    SKEW_MAX,
    SPREAD_MAX,
    Past,
    appointments,
    calendars,
)
from integrationd.model.runs import Counts, RunStatus
from integrationd.ports.slots import Opening, Slot
from integrationd.ports.store import RunRow, StreamKey, StreamRow
from integrationd.transform.zones import Zone
from tests.support.worlds import bundle_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERY_S = st.sampled_from([30, 60, 600, 3600, 86400])
AGO_S = st.integers(-400_000, 400_000)
"""How long ago the last run began; below zero after a clock was set back."""
UTC_ZONE = Zone("UTC")
BUNDLE = """\
integration: shop
http: {base_url: "https://api.test", paginate: {type: none}}
streams:
  orders: {get: /orders, key: id, schedule: %ss}
"""


@cache
def bundle_with(every_s):
    """Build a bundle of one stream."""
    return bundle_of(shop=BUNDLE % every_s)


def row_of(*, ago_s, status="done", walking=False, stream="orders"):
    """Return what is stored of a stream whose last run began so long ago."""
    run = RunRow(
        id="run_1",
        tenant="default",
        integration="shop",
        stream=stream,
        trigger="schedule",
        mode="full",
        status=status,
        resumed=False,
        started_at=NOW - timedelta(seconds=ago_s),
        ended_at=None,
        counts=Counts(),
        error="",
        kind="",
    )
    return StreamRow(
        tenant="default",
        key=StreamKey("shop", stream),
        records=0,
        quarantined=0,
        cursor=None,
        walking=walking,
        last_run=run,
        last_done_at=None,
        errors=0,
    )


def delay_of(every_s, row):
    """Return the first delay of the one stream, in seconds."""
    past = Past(rows={} if row is None else {row.key: row})
    (appointment,) = appointments(bundle_with(every_s), past, NOW, zone=UTC_ZONE)
    assert appointment.following(appointment.first) == (
        appointment.first + timedelta(seconds=every_s)
    )
    return (appointment.first - NOW).total_seconds()


@given(every_s=EVERY_S)
def test_new_stream_begins_within_a_second(every_s):
    """Somebody is waiting to see it work."""
    delay_s = delay_of(every_s, None)

    assert 0 <= delay_s <= min(every_s / 10, NEW_SPREAD_MAX.total_seconds())


@given(every_s=EVERY_S, late_s=st.integers(0, 400_000), status=st.sampled_from(["done", "failed"]))
def test_overdue_stream_begins_within_the_spread(every_s, late_s, status):
    """What missed its time is due at once, however long ago that was."""
    delay_s = delay_of(every_s, row_of(ago_s=every_s + late_s, status=status))

    assert 0 <= delay_s <= min(every_s / 10, SPREAD_MAX.total_seconds())


@given(every_s=EVERY_S, ago_s=AGO_S, status=st.sampled_from(list(RunStatus)))
def test_walk_that_broke_off_goes_on_within_the_spread(every_s, ago_s, status):
    """An unfinished walk does not wait for its next time, wherever the clock stands."""
    delay_s = delay_of(every_s, row_of(ago_s=ago_s, status=status, walking=True))

    assert 0 <= delay_s <= min(every_s / 10, SPREAD_MAX.total_seconds())


@given(every_s=EVERY_S, ago_s=AGO_S, status=st.sampled_from(["running", "stopped"]))
def test_run_that_died_before_its_first_page_is_begun_again(every_s, ago_s, status):
    """Killed or stopped without a page, nothing is unfinished, but it was not read either."""
    delay_s = delay_of(every_s, row_of(ago_s=ago_s, status=status))

    assert 0 <= delay_s <= min(every_s / 10, SPREAD_MAX.total_seconds())


@given(every_s=EVERY_S, ago_s=AGO_S, status=st.sampled_from(["done", "failed"]))
def test_delay_is_never_longer_than_the_interval(every_s, ago_s, status):
    """Also where the clock was set back behind the last run."""
    assert 0 <= delay_of(every_s, row_of(ago_s=ago_s, status=status)) <= every_s


@given(every_s=EVERY_S, data=st.data())
def test_stream_that_was_read_waits_for_what_is_left(every_s, data):
    """A restart does not read again what was read a moment ago."""
    ago_s = data.draw(st.integers(0, every_s * 9 // 10 - 30 if every_s > 60 else 0))
    soon_s = min(every_s / 10, SPREAD_MAX.total_seconds())

    assert delay_of(every_s, row_of(ago_s=ago_s)) == pytest.approx(every_s - ago_s)
    assert every_s - ago_s >= soon_s


def test_overdue_streams_do_not_begin_all_at_once():
    """Each has its own moment in the spread, the same at every start."""
    streams = "\n".join(f"  s{number}: {{get: /x, key: id, schedule: 1h}}" for number in range(200))
    text = BUNDLE.partition("streams:")[0] + f"streams:\n{streams}\n"
    bundle = bundle_of(shop=text)
    rows = {
        StreamKey("shop", f"s{number}"): row_of(ago_s=9999, stream=f"s{number}")
        for number in range(200)
    }

    found, again = (
        [item.first for item in appointments(bundle, Past(rows=rows), NOW, zone=UTC_ZONE)]
        for _ in range(2)
    )
    delays_s = [(first - NOW).total_seconds() for first in found]

    assert again == found
    thirds = [sum(low <= delay < low + 10 for delay in delays_s) for low in (0, 10, 20)]
    assert sum(thirds) == 200
    assert min(thirds) > 40


def test_streams_without_an_interval_are_not_on_the_agenda():
    """Neither manual, nor disabled, nor push-only streams are read by themselves."""
    bundle = bundle_of(
        shop="""\
integration: shop
http: {base_url: "https://api.test", paginate: {type: none}}
streams:
  timed: {get: /a, key: id, schedule: 30m}
  silent: {get: /b, key: id}
  manual: {get: /c, key: id, schedule: manual}
  off: {get: /d, key: id, schedule: 30m, enabled: false}
  pushed: {key: id}
"""
    )

    found = [item.key for item in appointments(bundle, Past(), NOW, zone=UTC_ZONE)]

    assert found == [StreamKey("shop", "timed")]
    assert calendars(bundle, UTC_ZONE, NOW) == {}


NIGHTLY = """\
integration: shop
tenant: north
http: {base_url: "https://api.test", paginate: {type: none}}
streams:
  orders: {get: /orders, key: id, schedule: {at: "02:00"%s}}
"""
ORDERS = StreamKey("shop", "orders")


def at(text):
    """Read an instant."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def nightly(slot, row=None, *, now=NOW, words=""):
    """Return the appointment of a nightly stream whose last slot is known."""
    past = Past(rows={} if row is None else {row.key: row}, slots={ORDERS: slot})
    (found,) = appointments(bundle_of(shop=NIGHTLY % words), past, now, zone=Zone("Europe/Berlin"))
    return found


def is_soon(appointment):
    """Tell whether a stream is due at once, within its spread."""
    return timedelta(0) <= appointment.first - NOW <= SPREAD_MAX


def test_calendar_that_missed_nothing_waits_for_its_next_slot():
    """The zone is that of the settings where the schedule names none."""
    assert nightly(at("03-01 01:00")).first == at("03-02 01:00")
    assert nightly(at("03-01 03:00"), words=", timezone: UTC").first == at("03-02 02:00")


def test_calendar_that_missed_slots_is_due_at_once():
    """However many it missed."""
    assert is_soon(nightly(at("02-28 01:00")))
    assert is_soon(nightly(at("01-03 01:00")))


def test_slot_that_a_person_did_is_not_missed():
    """What was asked for after the slot has read what the slot would have."""
    hours_s = 3600

    assert nightly(at("02-28 01:00"), row_of(ago_s=2 * hours_s)).first == at("03-02 01:00")
    assert nightly(at("02-28 01:00"), row_of(ago_s=11 * hours_s)).first == at("03-02 01:00")
    assert is_soon(nightly(at("02-28 01:00"), row_of(ago_s=11 * hours_s + 1)))


@pytest.mark.parametrize(
    "broken", [{"status": "running"}, {"status": "stopped"}, {"walking": True}]
)
def test_calendar_that_broke_off_goes_on_at_once(broken):
    """The slot was taken, but not read."""
    row = row_of(ago_s=11 * 3600, **broken)
    found = nightly(at("03-01 01:00"), row)

    assert is_soon(found)
    assert found.goes_on == row.last_run.id


def test_jitter_moves_the_first_time_and_not_the_slot():
    """A slot is missed only when its own moment is past."""
    found = nightly(at("03-01 01:00"), words=", jitter: 1h")
    (due,) = {found.first}

    assert at("03-02 01:00") < due < at("03-02 02:00")
    early = nightly(at("03-01 01:00"), now=due - timedelta(seconds=1), words=", jitter: 1h")
    assert early.first == due
    assert found.slot(due).at == at("03-02 01:00")
    assert found.slot(due - timedelta(seconds=1)).at == at("03-01 01:00")


def test_calendars_are_noted_with_their_zone():
    """So that a schedule that means other times is another one."""
    berlin = Zone("Europe/Berlin")

    def noted(words, now="03-02 12:00"):
        return calendars(bundle_of(shop=NIGHTLY % words), berlin, at(now))["north"][ORDERS]

    assert noted("") == Opening(schedule="0 2 * * * Europe/Berlin", had=at("03-02 01:00"))
    assert noted(", timezone: UTC").schedule == "0 2 * * * UTC"
    assert noted(", jitter: 5m") == noted("")
    assert noted(", jitter: 12h", now="03-02 01:00").had == at("03-01 01:00")


def test_slot_of_a_calendar_is_taken_by_itself_or_a_later_one():
    """One far ahead came of a clock that was wrong, and does not keep the stream waiting."""
    now = at("03-02 07:00")
    found = nightly(at("03-01 01:00"))

    assert found.slot(now) == Slot(
        at=at("03-02 01:00"), since=at("03-02 01:00"), until=now + SET_BACK_MAX
    )


@pytest.mark.parametrize(("every_s", "skew"), [(3600, timedelta(minutes=6)), (30, SKEW_MAX)])
def test_slot_of_an_interval_is_taken_by_one_that_lies_nearer_than_the_interval(every_s, skew):
    """Nearly an interval ago is another slot, an instant ago the same; the future is a mistake."""
    (found,) = appointments(bundle_with(every_s), Past(), NOW, zone=UTC_ZONE)
    now = found.first + timedelta(seconds=1)

    assert found.slot(now) == Slot(
        at=found.first, since=found.first - timedelta(seconds=every_s) * 0.9, until=now + skew
    )


def test_closed_integrations_have_no_appointments():
    """What is not to be read now is not on the timer."""
    found = appointments(bundle_with(60), Past(), NOW, zone=UTC_ZONE, closed={"shop"})

    assert list(found) == []
