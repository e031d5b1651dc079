"""What a probe does to the status of its integration."""

from datetime import UTC, datetime, timedelta

import pytest

from integrationd.engine.rows import run_json
from integrationd.engine.status import Standing, integrations_status
from integrationd.model.runs import Counts
from integrationd.ports.calls import PROBE
from integrationd.ports.store import RunRow, StreamKey, StreamRow
from tests.support.worlds import bundle_of

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SPEC = """\
integration: shop
http: {base_url: "https://api.test", paginate: {type: none}}
probe: {get: /me}
streams: {orders: {get: /orders, key: id}}
"""


def row(stream, *, at=AT, error="", done_at=None):
    """Build what is stored of a stream, or of the probe, whose last run began at a time."""
    run = RunRow(
        id="run_1",
        tenant="default",
        integration="shop",
        stream=stream,
        trigger="manual",
        mode="probe" if stream == PROBE else "full",
        status="failed" if error else "done",
        resumed=False,
        started_at=at,
        ended_at=at,
        counts=Counts(),
        error=error,
        kind="auth" if error else "",
    )
    return StreamRow(
        tenant="default",
        key=StreamKey("shop", stream),
        records=0,
        quarantined=0,
        cursor=None,
        walking=False,
        last_run=run,
        last_done_at=done_at if error else at,
        errors=1 if error else 0,
    )


def status_of(*rows, missing=""):
    """Describe the integration."""
    standing = Standing(
        rows={item.key: item for item in rows},
        missing={"shop": missing} if missing else {},
    )
    (only,) = integrations_status(bundle_of(shop=SPEC), standing)
    return only["status"], only["last_error"]


BEFORE, AFTER = AT - timedelta(minutes=1), AT + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ((), ("testing", "")),
        ((row(PROBE),), ("active", "")),
        ((row(PROBE, error="answered 401"),), ("error", "answered 401")),
        ((row(PROBE, error="answered 401", done_at=BEFORE),), ("error", "answered 401")),
        ((row("orders"),), ("active", "")),
        ((row(PROBE, error="gone"), row("orders", at=BEFORE)), ("error", "gone")),
        ((row(PROBE, error="gone"), row("orders", at=AFTER)), ("active", "")),
        ((row(PROBE, at=AFTER), row("orders", error="no list")), ("error", "no list")),
        ((row(PROBE, error="gone"), row("orders", error="no list")), ("error", "no list")),
    ],
    ids=[
        "never probed",
        "probed",
        "refused",
        "refused after a good one",
        "never probed but read",
        "refused since it was read",
        "read since it was refused",
        "a reading fails on",
        "both fail",
    ],
)
def test_status_goes_by_the_last_probe_and_the_readings(rows, status):
    """A done probe makes it active, a failed one is an error until something succeeds."""
    assert status_of(*rows) == status


def test_missing_secret_comes_before_what_a_probe_said():
    """Nothing works until it is there."""
    assert status_of(row(PROBE), missing="needs secret 'key'") == ("error", "needs secret 'key'")


def test_last_probe_is_told_whole():
    """As a run of the history."""
    probe = row(PROBE)
    (only,) = integrations_status(bundle_of(shop=SPEC), Standing(rows={probe.key: probe}))

    assert only["last_probe"] == run_json(probe.last_run)
    assert only["last_sync_at"] is None
