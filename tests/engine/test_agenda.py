"""When each stream is due first: a restart neither repeats nor forgets a reading."""

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.engine.agenda import NEW_SPREAD_MAX, SPREAD_MAX, appointments
from integrationd.model.runs import Counts, RunStatus
from integrationd.ports.store import RunRow, StreamKey, StreamRow
from tests.support.worlds import bundle_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERY_S = st.sampled_from([30, 60, 600, 3600, 86400])
AGO_S = st.integers(-400_000, 400_000)
"""How long ago the last run began; below zero after a clock was set back."""
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
    rows = {} if row is None else {row.key: row}
    (appointment,) = appointments(bundle_with(every_s), rows, NOW)
    assert appointment.every == timedelta(seconds=every_s)
    return appointment.first_delay.total_seconds()


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

    delays_s = [item.first_delay.total_seconds() for item in appointments(bundle, rows, NOW)]
    again_s = [item.first_delay.total_seconds() for item in appointments(bundle, rows, NOW)]

    assert again_s == delays_s
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

    found = [(item.key, item.every) for item in appointments(bundle, {}, NOW)]

    assert found == [(StreamKey("shop", "timed"), timedelta(minutes=30))]
