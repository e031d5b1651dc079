"""Runs that cannot be undone, or not now, and undoing what was undone already."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from integrationd.daemon.actions import LocalActions
from integrationd.daemon.broadcast import Broadcast
from integrationd.daemon.composition import compose
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings
from integrationd.errors import UsageError
from integrationd.model.runs import Mode, Trigger
from integrationd.ports.actions import RevertWish
from integrationd.ports.store import RunStart, StreamKey
from integrationd.store.sqlstore import SqlStore
from tests.support.shops import configure, execute, serving

SHOP = """\
integration: shop
http: {base_url: "http://127.0.0.1:%d", paginate: {type: none}, retries: 0}
streams:
  orders: {get: /orders, records: body, key: id}
operations:
  ask: {get: /orders}
probe: {get: /orders}
"""
KEY = StreamKey("shop", "orders")


@pytest.fixture(scope="module")
def port():
    """Serve the shop; gives its port."""
    with serving({"/orders": b'[{"id": 1}]'}) as number:
        yield number


@pytest.fixture
def run(tmp_path, port, capsys):
    """Read the shop; return what runs a command there: exit code, stdout, stderr."""
    configure(tmp_path, shop=SHOP % port)
    assert execute(tmp_path, "sync", "shop") == 0
    capsys.readouterr()
    return lambda *words: (execute(tmp_path, *words), *capsys.readouterr())


def last_run(run):
    """Return the newest run's id."""
    return json.loads(run("runs", "list", "--limit", "1", "--json")[1])["id"]


async def begin(store):
    """Let another process begin a run, and keep its claim."""
    now = datetime.now(UTC)
    where = ("default", "stream", "shop/orders")
    lease = await store.claim(*where, holder="other:boot", now=now, ttl=timedelta(minutes=1))
    start = RunStart(
        id="run_other", key=KEY, trigger=Trigger.MANUAL, mode=Mode.FULL, started_at=now
    )
    await store.begin_run("default", start, lease)
    return lease


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_call_is_refused(run, more):
    """It wrote nothing here; what it did elsewhere is not ours to undo."""
    assert run("call", "shop", "ask")[0] == 0
    called = last_run(run)

    assert run("runs", "revert", called, *more) == (
        2,
        "",
        (
            f"integrationd: run {called} is a call of shop/ask, which wrote no records; what the "
            "provider has done only the provider can undo\n"
        ),
    )


def test_a_probe_is_refused(run):
    """It wrote nothing at all."""
    assert run("check", "--connect")[0] == 0
    [probe] = [
        row["id"]
        for row in map(json.loads, run("runs", "list")[1].splitlines())
        if row["mode"] == "probe"
    ]

    assert run("runs", "revert", probe) == (
        2,
        "",
        (
            f"integrationd: run {probe} is a probe of shop, which wrote no records; there is "
            "nothing to undo\n"
        ),
    )


def test_a_run_of_another_process_is_skipped_until_it_ends(run, tmp_path):
    """While its claim holds; one that died is ended by the undoing, as by any other run."""

    async def hold():
        async with SqlStore(tmp_path / "state" / "integrationd.db") as store:
            return await begin(store)

    async def let_go(lease):
        async with SqlStore(tmp_path / "state" / "integrationd.db") as store:
            await store.release("default", lease)

    lease = asyncio.run(hold())
    held = run("runs", "revert", "run_other")
    asyncio.run(let_go(lease))
    freed = run("runs", "revert", "run_other")

    assert held == (
        1,
        "",
        (
            "shop/orders: undoing run_other\n"
            "shop/orders: skipped, run run_other has not ended yet, so it cannot be undone; wait "
            "for its end; another process has the stream\n"
        ),
    )
    assert freed[0] == 0
    assert "nothing to undo" in freed[1]


async def test_a_run_under_way_here_is_refused(tmp_path):
    """Nobody waits without a word for a reading of hours."""
    paths = Paths(configure(tmp_path, shop=SHOP % 1) / "config", tmp_path / "state")
    (tmp_path / "state").mkdir()
    async with compose(paths, load_settings(paths), Broadcast()) as parts:
        await parts.load()
        await begin(parts.store)
        reading = asyncio.create_task(asyncio.sleep(60))
        parts.conductor.running["shop", "orders"] = reading
        with pytest.raises(UsageError) as refused:
            _ = [line async for line in LocalActions(parts).revert(RevertWish(run="run_other"))]
        parts.conductor.running.clear()
        reading.cancel()

    assert str(refused.value) == (
        "run run_other of shop/orders has not ended yet, so it cannot be undone; wait for its end"
    )


def test_undoing_twice_and_undoing_that(run):
    """The second time says that it was done earlier; undoing an undoing brings all back, once."""
    read = last_run(run)
    first = run("runs", "revert", read)
    undoing = last_run(run)
    second = run("runs", "revert", read)
    back = run("runs", "revert", undoing)
    again = run("runs", "revert", undoing)

    assert [told[0] for told in (first, second, back, again)] == [0, 0, 0, 0]
    assert ": 1 removed\n" in first[1]
    assert second[1].endswith(": 1 undone earlier\n")
    assert ": 1 brought back\n" in back[1]
    assert again[1].endswith(": 1 undone earlier\n")
