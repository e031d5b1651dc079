"""What ``sync`` and ``status`` say to a person."""

import sys

import pytest

from integrationd.cli.status import lines
from integrationd.cli.sync import Progress
from integrationd.model.runs import COUNT_NAMES

ZERO = dict.fromkeys(COUNT_NAMES, 0)
WHERE = {"integration": "shop", "stream": "orders"}


def finished(status="done", error="", **counts):
    """Build the line of a run that ended."""
    return {
        "event": "finished",
        **WHERE,
        "status": status,
        "error": error,
        "counts": {**ZERO, **counts},
    }


@pytest.mark.parametrize(
    ("line", "out", "err"),
    [
        (finished(), "shop/orders: done, 0 read\n", ""),
        (
            finished(read=9, added=1, changed=2, unchanged=3, deleted=4, filtered=5, quarantined=6),
            (
                "shop/orders: done, 9 read (1 added, 2 changed, 3 unchanged, 4 deleted, "
                "5 filtered, 6 quarantined)\n"
            ),
            "",
        ),
        (
            finished(read=2, added=2, cleaned=5, dropped=1),
            "shop/orders: done, 2 read (2 added); 5 values cleaned, 1 dropped as unfit\n",
            "",
        ),
        (
            finished(read=2, held=60),
            (
                "shop/orders: done, 2 read; 60 deletions wait for a person; to let them go: "
                "integrationd sync shop/orders --full --confirm\n"
            ),
            "",
        ),
        (
            finished("failed", "GET /x answered 503 after 4 tries", read=1, added=1),
            "shop/orders: failed, 1 read (1 added): GET /x answered 503 after 4 tries\n",
            "",
        ),
        (
            {"event": "started", **WHERE, "mode": "full", "resumed": False},
            "",
            "shop/orders: reading (full)\n",
        ),
        (
            {"event": "started", **WHERE, "mode": "incremental", "resumed": True},
            "",
            "shop/orders: reading (what changed, going on where the last one broke off)\n",
        ),
        (
            {"event": "skipped", **WHERE, "error": "another process reads this stream"},
            "",
            "shop/orders: skipped, another process reads this stream\n",
        ),
        ({"event": "page", **WHERE, "counts": {**ZERO, "read": 5}, "total": None}, "", ""),
    ],
)
def test_outcome_is_data_and_the_rest_is_talk(capsys, line, out, err):
    """The outcome stands on stdout; without a terminal no line moves."""
    Progress().show(line)

    assert capsys.readouterr() == (out, err)


@pytest.mark.parametrize(("total", "of"), [(500, " of 500"), (None, "")])
def test_line_on_a_terminal_moves(capsys, monkeypatch, total, of):
    """It is written over itself, not for each page, and cleared before the outcome."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress()
    page = {"event": "page", **WHERE, "counts": {**ZERO, "read": 5}, "total": total}
    for line in ({"event": "started", **WHERE, "mode": "full", "resumed": False}, page, page, page):
        progress.show(line)
    moving = capsys.readouterr().err.removeprefix("shop/orders: reading (full)\n")
    progress.show(finished(read=15))

    assert moving.startswith(f"\r\x1b[Kshop/orders: 5{of} records, ")
    assert moving.endswith("/s")
    assert moving.count("\r") == 1
    assert capsys.readouterr() == ("shop/orders: done, 15 read\n", "\r\x1b[K")


def stream(name="orders", **said):
    """Build one stream of a status."""
    return {
        "name": name,
        "schedule": "30m",
        "enabled": True,
        "next_run_at": None,
        "records": 3,
        "quarantined": 0,
        "held": 0,
        "stale": 0,
        "refused": "",
        "unfinished": False,
        "last_run": None,
        "object": None,
        "listing": None,
        **said,
    }


def integration(**said):
    """Build one integration of a status."""
    return {
        "name": "shop",
        "provider": None,
        "status": "active",
        "paused": False,
        "last_error": "",
        "streams": [],
        "webhooks": [],
        **said,
    }


def status(*integrations, daemon=None, paused=False, **files):
    """Build a whole status."""
    files = {"ok": True, "problems": [], "kept": [], **files}
    told = list(integrations)
    return {"paused": paused, "daemon": daemon, "files": files, "integrations": told}


def test_status_tells_when_a_stream_is_read_next():
    """The time as it is in JSON."""
    shop = integration(streams=[stream(next_run_at="2026-03-01T14:00:00.000Z")])

    assert lines(status(shop))[-1] == "  orders [30m]: 3 records, next at 2026-03-01T14:00:00.000Z"


def test_status_tells_what_is_paused():
    """Everything at the top, with the way back, and each integration beside its state."""
    assert lines(status(integration(paused=True), paused=True)) == [
        "daemon: not running",
        "everything is paused; go on with: integrationd resume",
        "files: good",
        "shop: active, paused",
    ]


def test_status_of_nothing_is_two_lines():
    """No daemon, no files: that is good too."""
    assert lines(status()) == ["daemon: not running", "files: good"]


def test_status_names_the_daemon_and_what_is_wrong_with_files():
    """Problems as ``check`` prints them, and who runs on old files."""
    daemon = {"version": "1", "pid": 17, "started_at": "2026-03-01T12:00:00.000Z"}

    assert lines(status(daemon=daemon, ok=False, problems=["a.yaml:1:1: E101: x"], kept=["a"])) == [
        "daemon: running, process 17, since 2026-03-01T12:00:00.000Z",
        "files: with errors",
        "  a.yaml:1:1: E101: x",
        "  on their last good files: a",
    ]


def test_status_tells_each_integration_with_its_streams():
    """What a person may want to change stands beside each stream."""
    run = {
        "status": "done",
        "started_at": "S",
        "ended_at": "E",
        "counts": ZERO,
    }
    going = {**run, "status": "running", "ended_at": None}
    shown = lines(
        status(
            integration(
                provider="koha",
                status="error",
                last_error="GET /x answered 503",
                streams=[
                    stream(quarantined=2, held=60, stale=1, last_run=run),
                    stream("items", last_run=going, unfinished=True),
                    stream("off", enabled=False, refused="the key changed"),
                    stream("pushed", schedule="webhook"),
                ],
                webhooks=[{"name": "events", "events": 7}],
            )
        )
    )

    assert shown[2:] == [
        "shop (koha): error",
        "  last error: GET /x answered 503",
        (
            "  orders [30m]: 3 records, 2 quarantined, 1 stale until the next full reading, "
            "last run done at E"
        ),
        (
            "    60 deletions wait for a person; to let them go: "
            "integrationd sync shop/orders --full --confirm"
        ),
        "  items [30m]: 3 records, last run running at S, unfinished, the next run goes on",
        "  off [off]: 3 records",
        "    the key changed",
        "  pushed [webhook]: 3 records",
        "  webhook events: 7 events",
    ]
