"""How everything stands, as JSON: every field of ``status``."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.engine.consents import ConsentState
from integrationd.engine.rows import counts_json, format_time, run_json
from integrationd.engine.status import Standing, integrations_status
from integrationd.model.runs import COUNT_NAMES, Counts
from integrationd.model.switches import Switch, Switches
from integrationd.ports.store import RunRow, StreamKey, StreamRow
from tests.support.worlds import bundle_of

AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
SPEC = """\
integration: shop
category: shop
tenant: north
secrets: {signing: {env: INTEGRATIOND_SECRET_SIGNING}}
http: {base_url: "https://api.test", paginate: {type: none}}
streams:
  orders: {get: /orders, key: id, schedule: 30m}
  items: {get: /items, key: id, enabled: false}
  pushed: {key: id}
webhooks:
  events:
    verify:
      type: hmac
      keys: ["{{ secrets.signing }}"]
      signature: {from: header.x-signature, encoding: hex}
"""
ZERO = dict.fromkeys(COUNT_NAMES, 0)


def run_of(**said):
    """Build a line of the history."""
    fields = {
        "id": "run_1",
        "tenant": "north",
        "integration": "shop",
        "stream": "orders",
        "trigger": "schedule",
        "mode": "full",
        "status": "done",
        "resumed": False,
        "started_at": AT,
        "ended_at": AT + timedelta(seconds=2),
        "counts": Counts(read=3, added=2),
        "error": "",
        "kind": "",
        **said,
    }
    return RunRow(**fields)


def row_of(stream="orders", **said):
    """Build what is stored of a stream."""
    fields = {
        "tenant": "north",
        "key": StreamKey("shop", stream),
        "records": 3,
        "quarantined": 1,
        "cursor": "c",
        "walking": True,
        "last_run": run_of(),
        "last_done_at": AT,
        "errors": 0,
        **said,
    }
    return StreamRow(**fields)


def status_of(*rows, missing="", **known):
    """Describe the one integration."""
    found = integrations_status(
        bundle_of(shop=SPEC.replace('["k"]', "[\"{{ 'k' }}\"]")),
        Standing(
            rows={row.key: row for row in rows},
            missing={"shop": missing} if missing else {},
            **known,
        ),
    )
    (only,) = found
    return only


@pytest.mark.parametrize(
    ("switch", "status", "paused"),
    [(Switch.PAUSED, "error", True), (Switch.DISABLED, "inactive", False)],
)
def test_what_is_switched_off_is_told(switch, status, paused):
    """A disabled integration is inactive whatever happened before; a pause stands beside it."""
    off = Switches(frozenset({("north", "shop", switch)}))

    shown = status_of(row_of(errors=1), switches=off)
    elsewhere = status_of(row_of(), switches=Switches(frozenset({("south", "shop", switch)})))

    assert (shown["status"], shown["paused"]) == (status, paused)
    assert (elsewhere["status"], elsewhere["paused"]) == ("active", False)


def test_integration_that_was_never_read_is_told_in_full():
    """All fields are there, also where nothing is known yet."""

    def stream(name, schedule, *, enabled=True):
        return {
            "name": name,
            "entity": f"shop.{name}",
            "schedule": schedule,
            "enabled": enabled,
            "next_run_at": None,
            "records": 0,
            "quarantined": 0,
            "held": 0,
            "stale": 0,
            "refused": "",
            "cursor": None,
            "unfinished": False,
            "last_run": None,
            "object": None,
            "listing": None,
        }

    assert status_of() == {
        "name": "shop",
        "tenant": "north",
        "provider": None,
        "category": "shop",
        "status": "testing",
        "paused": False,
        "last_sync_at": None,
        "error_count": 0,
        "last_error": "",
        "consent": None,
        "last_probe": None,
        "streams": [
            stream("orders", "30m"),
            stream("items", "manual", enabled=False),
            stream("pushed", "webhook"),
        ],
        "webhooks": [{"name": "events", "events": 0}],
    }


def test_stream_that_was_read_shows_its_last_run():
    """Records, progress and the run itself, times to the thousandth in UTC."""
    times = {StreamKey("shop", "orders"): LATER, StreamKey("other", "orders"): AT}
    shown = status_of(row_of(), events={"shop/events": 7, "other/events": 9}, next_runs=times)

    assert shown["streams"][0] == {
        "name": "orders",
        "entity": "shop.orders",
        "schedule": "30m",
        "enabled": True,
        "next_run_at": format_time(LATER),
        "records": 3,
        "quarantined": 1,
        "held": 0,
        "stale": 0,
        "refused": "",
        "cursor": "c",
        "unfinished": True,
        "last_run": {
            "id": "run_1",
            "tenant": "north",
            "integration": "shop",
            "stream": "orders",
            "trigger": "schedule",
            "mode": "full",
            "status": "done",
            "resumed": False,
            "started_at": "2026-03-01T12:00:00.123Z",
            "ended_at": "2026-03-01T12:00:02.123Z",
            "counts": {**ZERO, "read": 3, "added": 2},
            "error": "",
            "kind": "",
        },
        "object": None,
        "listing": None,
    }
    assert (shown["status"], shown["last_sync_at"]) == ("active", "2026-03-01T12:00:00.123Z")
    assert shown["webhooks"] == [{"name": "events", "events": 7}]


@pytest.mark.parametrize(
    ("rows", "missing", "expected"),
    [
        pytest.param([], "", ("testing", 0, ""), id="new"),
        pytest.param([row_of(last_done_at=None)], "", ("testing", 0, ""), id="not done yet"),
        pytest.param([row_of()], "", ("active", 0, ""), id="done"),
        pytest.param([], "needs secret 'k'", ("error", 0, "needs secret 'k'"), id="secret"),
        pytest.param(
            [row_of(), row_of("items", errors=2, last_run=run_of(status="failed", error="down"))],
            "",
            ("error", 2, "down"),
            id="one stream fails",
        ),
        pytest.param(
            [
                row_of(errors=1, last_run=run_of(error="old")),
                row_of("items", errors=2, last_run=run_of(error="new", started_at=LATER)),
            ],
            "",
            ("error", 3, "new"),
            id="the newest failure is told",
        ),
        pytest.param([row_of(errors=1, last_run=None)], "", ("error", 1, ""), id="run is pruned"),
        pytest.param(
            [row_of(errors=1, last_run=run_of(error="down"))],
            "needs secret 'k'",
            ("error", 1, "needs secret 'k'"),
            id="the secret comes first",
        ),
    ],
)
def test_status_word_and_last_error(rows, missing, expected):
    """Testing until something was read, then active, and error until the next success."""
    shown = status_of(*rows, missing=missing)

    assert (shown["status"], shown["error_count"], shown["last_error"]) == expected


@pytest.mark.parametrize(
    ("kind", "given_at", "expected"),
    [
        pytest.param("auth", LATER, ("active", 0, ""), id="consent since"),
        pytest.param("auth", AT, ("error", 1, "no"), id="consent before"),
        pytest.param("temporary", LATER, ("error", 1, "no"), id="another failure"),
        pytest.param("auth", None, ("error", 1, "no"), id="no consent"),
    ],
)
def test_consent_mends_what_failed_for_want_of_it(kind, given_at, expected):
    """A failure that a person has answered since by logging in does not stand any more."""
    state = ConsentState(given_at=given_at, remark="r")
    failed = row_of(errors=1, last_run=run_of(error="no", kind=kind), last_done_at=AT)

    shown = status_of(failed, consents={"shop": state})

    assert (shown["status"], shown["error_count"], shown["last_error"]) == expected
    assert shown["consent"] == {
        "given_at": None if given_at is None else format_time(given_at),
        "problem": "",
        "remark": "r",
    }


RENAMED = (
    "the key of shop/orders changed from 'no' to 'id'; what is stored has other names now, so "
    "nothing is read until a person agrees to read it all anew; run: "
    "integrationd sync shop/orders --full --confirm"
)


def test_stream_whose_key_changed_says_what_to_run():
    """It is told with the stream, and the integration stands in error until somebody agrees."""
    identity = json.dumps({"entity": "shop.orders", "key": ["no"]})

    shown = status_of(row_of(identity=identity, held=4, stale=2))

    stream = shown["streams"][0]
    assert (stream["refused"], stream["held"], stream["stale"]) == (RENAMED, 4, 2)
    assert (shown["status"], shown["last_error"]) == ("error", RENAMED)


def test_last_sync_is_the_latest_of_all_streams():
    """One stream that is behind does not hide the others."""
    shown = status_of(row_of(last_done_at=LATER), row_of("items", last_done_at=AT))

    assert shown["last_sync_at"] == "2026-03-01T13:00:00.123Z"


def test_integrations_are_told_by_name():
    """In the order of their names, each alone."""
    names = ("beta", "alpha")
    bundle = bundle_of(**{name: SPEC.replace("ion: shop", f"ion: {name}") for name in names})

    assert [each["name"] for each in integrations_status(bundle, Standing())] == ["alpha", "beta"]


def test_run_under_way_has_no_end():
    """What is not known is null."""
    assert run_json(run_of(ended_at=None, status="running"))["ended_at"] is None


def test_counts_have_every_number():
    """Also those that are zero."""
    assert counts_json(Counts()) == ZERO


@given(moment=st.datetimes(timezones=st.just(UTC)))
def test_times_sort_as_text(moment):
    """RFC 3339 in UTC, to the thousandth, always as long."""
    text = format_time(moment)

    assert len(text) == 24
    assert datetime.fromisoformat(text) == moment.replace(
        microsecond=moment.microsecond // 1000 * 1000
    )
