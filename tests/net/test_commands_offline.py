"""Commands without a daemon, on real files, over a real store."""

import asyncio
import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from integrationd.daemon.lock import locked
from integrationd.model.runs import COUNT_NAMES
from integrationd.store.sqlstore import SqlStore
from tests.support.shops import configure, execute, serving

GONE = "GET /items answered 404; there is no such thing, or the path or http.base_url is wrong"
SHOP = """\
integration: shop
http: {base_url: "http://127.0.0.1:%d", paginate: {type: none}, retries: 0}
streams:
  orders: {get: /orders, records: body, key: id}
  items: {get: /items, records: body, key: id, enabled: false}
"""
HOOK = """\
integration: sender
secrets: {key: {env: INTEGRATIOND_SECRET_KEY}}
streams:
  pushed: {key: id}
webhooks:
  events:
    verify:
      type: hmac
      keys: ["{{ secrets.key }}"]
      signature: {from: header.x-signature, encoding: hex}
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Serve the shop; gives its port."""
    with serving({"/orders": b'[{"id": 1, "name": "=x"}, {"id": 2}]'}) as number:
        yield number


@pytest.fixture
def run(tmp_path, port, capsys):
    """Return what runs a command in fresh directories: exit code, stdout, stderr."""
    configure(tmp_path, shop=SHOP % port)
    return lambda *words: (execute(tmp_path, *words), *capsys.readouterr())


@pytest.fixture(scope="module")
def synced(tmp_path_factory, port):
    """Give directories in which one stream was read and another one failed."""
    root = configure(tmp_path_factory.mktemp("synced"), shop=SHOP % port)
    assert (execute(root, "sync", "shop"), execute(root, "sync", "shop/items")) == (0, 1)
    return root


@pytest.fixture
def look(synced, capsys):
    """Return what runs a command there."""
    capsys.readouterr()
    return lambda *words: (execute(synced, *words), *capsys.readouterr())


def rows_of(text):
    """Read NDJSON."""
    return [json.loads(line) for line in text.splitlines()]


def test_sync_reads_what_is_enabled_and_says_how_it_ended(run):
    """The outcome on stdout, talk on stderr, and 0 where all went well."""
    assert run("sync", "shop") == (
        0,
        "shop/orders: done, 2 read (2 added)\n",
        "shop/orders: reading (full)\n",
    )


def test_sync_that_failed_exits_1(run):
    """The run is over and its reason is told as an outcome."""
    assert run("sync", "shop/items") == (
        1,
        f"shop/items: failed, 0 read: {GONE}\n",
        "shop/items: reading (full)\n",
    )


def test_preview_tells_what_would_change(run):
    """Record by record on stdout, the sums on stderr; then there is still nothing."""
    code, out, err = run("preview", "shop/orders")

    assert (code, out) == (0, '+ 1 {"id":1,"name":"=x"}\n+ 2 {"id":2}\n')
    assert err == (
        "shop/orders: would add 2, change 0, delete 0 and quarantine 0; 0 stay as they are\n"
        "shop/orders: no cursor; nothing was written\n"
    )
    assert run("runs", "list")[:2] == (0, "")


def test_preview_as_json_is_lines(run):
    """With ``--limit`` some of the records, and always how it ended."""
    code, out, err = run("preview", "shop/orders", "--json", "--limit", "1")

    added, end = rows_of(out)
    assert (code, err) == (0, "")
    assert added == {"event": "added", "external_id": "1", "data": {"id": 1, "name": "=x"}}
    assert (end["event"], end["counts"]["added"]) == ("finished", 2)


def test_preview_that_failed_exits_1(run):
    """With the reason that a run would have."""
    code, out, err = run("preview", "shop/items")

    assert (code, out) == (1, "")
    assert err == f"shop/items: failed: {GONE}\n"


def test_preview_is_of_one_stream(run):
    """An integration alone is not enough, and one that is not there has a nearest name."""
    assert run("preview", "shop") == (
        2,
        "",
        "integrationd: 'shop' names no stream; write NAME/STREAM, as in shop/orders\n",
    )
    assert run("preview", "shop/ordres")[::2] == (
        2,
        "integrationd: integration 'shop' has no stream 'ordres'; did you mean 'orders'?\n",
    )


def test_sync_of_what_another_process_reads_exits_1(run, tmp_path):
    """Nothing was read, and that is said."""
    run("webhook", "url", "shop/none")

    async def claim():
        now, ttl = datetime.now(UTC), timedelta(minutes=1)
        async with SqlStore(tmp_path / "state" / "integrationd.db") as store:
            where = ("default", "stream", "shop/orders")
            assert await store.claim(*where, holder="other:boot", now=now, ttl=ttl)

    asyncio.run(claim())

    assert run("sync", "shop") == (
        1,
        "",
        "shop/orders: skipped, another process reads this stream\n",
    )


def test_sync_as_json_tells_each_thing(run):
    """Every line is an object; the last one carries the counts."""
    code, out, err = run("sync", "shop/orders", "--json", "--full")

    lines = rows_of(out)
    assert (code, err) == (0, "")
    assert [line["event"] for line in lines] == ["started", "page", "finished"]
    assert list(lines[-1]["counts"]) == list(COUNT_NAMES)


def test_records_are_listed_by_their_ids(look):
    """Each line has what the REST API will have."""
    code, out, _ = look("records", "shop/orders", "--json")

    first, second = rows_of(out)
    assert code == 0
    assert list(first) == ["external_id", "id", "entity", "data", "deleted", "seq", "changed_at"]
    assert (first["external_id"], first["entity"], first["deleted"]) == ("1", "shop.orders", None)
    assert (first["data"], second["data"]) == ({"id": 1, "name": "=x"}, {"id": 2})
    assert first["id"] < second["id"]


def test_records_are_printed_in_each_form(look):
    """As a table, as CSV, and no more than wanted."""
    table = look("records", "shop/orders", "--format", "table", "--living")[1].splitlines()
    _, out, _ = look("records", "shop/orders", "--format", "csv", "--limit", "1")

    assert table[0].split() == ["EXTERNAL_ID", "ENTITY", "DATA", "DELETED", "CHANGED_AT"]
    assert [line.split()[0] for line in table[1:]] == ["1", "2"]
    columns, row = csv.reader(io.StringIO(out))
    assert columns == ["external_id", "entity", "data", "deleted", "changed_at"]
    assert row[:4] == ["1", "shop.orders", '{"id":1,"name":"=x"}', ""]


def test_runs_are_listed_newest_first_and_shown_whole(look):
    """One stream's or all, and each by its id."""
    every = rows_of(look("runs", "list")[1])
    orders = rows_of(look("runs", "list", "shop/orders", "--limit", "5")[1])
    code, shown, _ = look("runs", "show", every[0]["id"], "--json")

    assert [(row["stream"], row["status"]) for row in every] == [
        ("items", "failed"),
        ("orders", "done"),
    ]
    assert [row["stream"] for row in orders] == ["orders"]
    assert code == 0
    assert json.loads(shown).items() >= every[0].items()


def test_status_tells_how_everything_stands(look):
    """For people and as JSON."""
    code, out, _ = look("status")
    shown = json.loads(look("status", "--json")[1])

    assert code == 0
    assert re.sub(r"\d{4}-\S+Z", "T", out).splitlines() == [
        "daemon: not running",
        "files: good",
        "shop: error",
        f"  last error: {GONE}",
        "  orders [manual]: 2 records, last run done at T",
        "  items [off]: 0 records, last run failed at T",
    ]
    assert shown["integrations"][0]["last_sync_at"]


def test_webhook_address_is_printed_alone(run, tmp_path):
    """So that a script can take it; as JSON the path stands beside it."""
    (tmp_path / "config" / "integrations" / "sender.yaml").write_text(HOOK)

    code, out, err = run("webhook", "url", "sender/events")
    told = json.loads(run("webhook", "url", "sender/events", "--json")[1])

    assert (code, err) == (0, "")
    assert told == {"url": out.strip(), "path": "/hooks/" + out.strip().rsplit("/", 1)[1]}


def test_events_of_nobody_are_none(look):
    """A list of nothing is no error."""
    assert look("events", "list") == (0, "", "")
    assert look("events", "list", "shop", "--format", "csv") == (
        0,
        "id,integration,endpoint,event,dedup,status,received_at\n",
        "",
    )


def test_command_beside_another_one_is_told(look, synced):
    """Without a daemon one command works at a time; to look is always possible."""
    with locked(synced / "state" / "lock"):
        code, out, err = look("sync", "shop")
        looked = look("records", "shop/orders")[0]

    assert (code, out, looked) == (1, "", 0)
    assert re.fullmatch(rf"integrationd: process \d+ uses {synced}/state already\n", err)


def test_reload_without_a_daemon_says_how_to_start_one(run, tmp_path):
    """Nothing is signalled, whatever an old lock says."""
    socket = f"{tmp_path}/state/control.sock"
    message = f"no daemon answers on {socket}; start it with: integrationd run"

    assert run("reload") == (1, "", f"integrationd: {message}\n")


def test_wrong_settings_exit_78_everywhere(run, tmp_path):
    """Whoever needs the settings says what is wrong with them."""
    settings = tmp_path / "config" / "integrationd.yaml"
    settings.write_text("limits: {runs: 0}\n")
    message = f"integrationd: {settings}:1:16: E111: limits.runs is 0, "
    message += "expected at least 1 and at most 10000\n"

    for words in (("sync", "shop"), ("status",), ("run",)):
        assert run(*words) == (78, "", message)


def test_store_that_is_not_there_exits_69(run, tmp_path):
    """To look at nothing is an error with its place."""
    database = f"{tmp_path}/state/integrationd.db"
    message = f"no database at {database}; start the daemon or run: integrationd sync"

    assert run("records", "shop/orders") == (69, "", f"integrationd: {message}\n")


def test_check_tells_problems_and_exits_78(run, tmp_path):
    """Problems on stdout, the sum on stderr, what was left out where it is asked for."""
    files = tmp_path / "config" / "integrations"
    good = run("check")
    (files / "bad.yaml").write_text("integration: bad\nstrems: {}\n")
    (files / "shop.yaml~").write_text("x")
    code, out, err = run("check", "--verbose")
    shown = json.loads(run("check", "--json")[1])

    problem = "unknown field 'strems'; did you mean 'streams'?"
    assert (good[0], good[1]) == (0, "")
    assert re.fullmatch(r"\d+ files, 0 errors, 0 warnings\n", good[2])
    assert (code, out) == (78, f"integrations/bad.yaml:2:1: E101: {problem}\n")
    assert re.search(r"^\S*shop\.yaml~: left out: .+$", err, re.MULTILINE)
    assert re.fullmatch(r"\d+ files, 1 errors, 0 warnings", err.splitlines()[-1])
    assert [(item["code"], item["line"], item["column"]) for item in shown] == [("E101", 2, 1)]


def test_switches_are_thrown_without_a_daemon(tmp_path, port, capsys):
    """They are kept in the store: sync is refused, a pause does not keep a person from reading."""
    root = configure(tmp_path, shop=SHOP % port)
    codes = [
        execute(root, *words.split())
        for words in ("pause shop", "sync shop", "disable shop", "sync shop", "status --json")
    ]
    out, err = capsys.readouterr()
    shown = json.loads(out[out.index("{") :])
    (shop,) = shown["integrations"]

    assert codes == [0, 0, 0, 78, 0]
    assert err.splitlines()[-1] == (
        "integrationd: integration 'shop' is disabled; first: integrationd enable shop"
    )
    assert (shown["paused"], shop["paused"], shop["status"]) == (False, True, "inactive")


def test_switch_of_an_integration_without_a_file_can_be_thrown_back(tmp_path, port, capsys):
    """Its file may come again; until then only what is off can be switched on."""
    root = configure(tmp_path, shop=SHOP % port)
    codes = [execute(root, "disable", "shop")]
    (root / "config" / "integrations" / "shop.yaml").unlink()
    codes += [execute(root, *words.split()) for words in ("pause shop", "enable shop --json")]
    out, err = capsys.readouterr()

    assert codes == [0, 2, 0]
    assert err.splitlines()[-1] == "integrationd: no integration 'shop'; nothing was switched"
    assert json.loads(out[out.index("{") :]) == {
        "integration": "shop",
        "changed": True,
        "paused": False,
        "disabled": False,
        "all_paused": False,
    }
