"""The parts of a daemon put together: what is told of files, and what people's wishes give."""

import asyncio
import os
import re
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network

import pytest

import integrationd
from integrationd.daemon.actions import LocalActions
from integrationd.daemon.broadcast import Broadcast
from integrationd.daemon.composition import compose
from integrationd.daemon.lock import HeldError, locked
from integrationd.daemon.offline import offline
from integrationd.daemon.paths import Paths
from integrationd.daemon.standing import offline_status
from integrationd.errors import StoreError, UsageError
from integrationd.ports.actions import SyncWish
from integrationd.signals import BundleSwapped, FileAdvised, FileRefused, RunFinished, SecretMissed
from integrationd.spec.settings import Egress, Listen, Networks, PublicUrl, Settings
from tests.support.fakes import Ear

SETTINGS = Settings(
    egress=Egress(allow=(Networks(ip_network("127.0.0.0/8")),)), listen=Listen("127.0.0.1", 8471)
)
SHOP = """\
integration: shop
http: {base_url: "http://127.0.0.1:%d", paginate: {type: none}, retries: 0}
streams:
  orders: {get: /orders, records: body, key: id}
  items: {get: /items, records: body, key: id}
  pushed: {key: id}
"""
HOOK = """\
integration: sender
secrets: {signing: {env: INTEGRATIOND_SECRET_TEST_NONE}}
streams:
  orders: {key: id}
webhooks:
  events:
    verify:
      type: hmac
      keys: ["{{ secrets.signing }}"]
      signature: {from: header.x-signature, encoding: hex}
"""


@pytest.fixture
def paths(tmp_path):
    """Give two directories, the one for files with its folder."""
    (tmp_path / "config" / "integrations").mkdir(parents=True)
    return Paths(tmp_path / "config", tmp_path / "state")


def write(paths, name, text):
    """Write one integration."""
    (paths.config / "integrations" / f"{name}.yaml").write_text(text)


@asynccontextmanager
async def composed(paths, settings=SETTINGS):
    """Put the parts together; yields them and what was told."""
    ear = Ear()
    paths.state.mkdir(exist_ok=True)
    async with compose(paths, settings, Broadcast(ear)) as parts:
        yield parts, ear


@pytest.fixture
async def shop_port(serving):
    """Run an API with two orders whose items cannot be read; gives its port."""

    async def meet(reader, writer):
        line = await reader.readuntil(b"\r\n\r\n")
        body, status = (b'[{"id": 1}, {"id": 2}]', b"200 OK")
        if b"/items" in line:
            body, status = b"{}", b"404 Not Found"
        writer.write(b"HTTP/1.1 %s\r\nConnection: close\r\n" % status)
        writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    async with serving(meet) as port:
        yield port


async def test_load_tells_what_came_changed_and_went(paths):
    """One line for each load, with the names."""
    write(paths, "a", SHOP.replace("shop", "alpha") % 1)
    async with composed(paths) as (parts, ear):
        await parts.load()
        write(paths, "a", SHOP.replace("shop", "alpha") % 2)
        write(paths, "b", SHOP.replace("shop", "beta") % 1)
        await parts.load()
        (paths.config / "integrations" / "a.yaml").unlink()
        await parts.load()
        await parts.load()

    swaps = [(s.added, s.changed, s.removed, s.integrations) for s in ear.of(BundleSwapped)]
    assert swaps == [
        (("alpha",), (), (), 1),
        (("beta",), ("alpha",), (), 2),
        ((), (), ("alpha",), 1),
        ((), (), (), 1),
    ]


async def test_problem_is_told_once_until_it_is_gone(paths):
    """A file that stays bad is not told at each load, and one that is bad again is."""
    good = SHOP % 1
    bad = good.replace("streams:", "strems:")
    async with composed(paths) as (parts, ear):
        for text in (good, bad, bad, good, bad):
            write(paths, "shop", text)
            await parts.load()
        keeps = sorted(parts.loaded.kept)

    told = FileRefused(
        problem="integrations/shop.yaml:3:1: E101: unknown field 'strems'; did you mean 'streams'?",
        code="E101",
        keeps=("shop",),
    )
    assert ear.of(FileRefused) == [told, told]
    assert [swap.errors for swap in ear.of(BundleSwapped)] == [0, 1, 1, 0, 1]
    assert keeps == ["shop"]


async def test_advice_is_told_and_the_file_runs(paths):
    """A warning is no error: the integration is taken up."""
    text = SHOP.replace(", paginate: {type: none}", "") % 1
    write(paths, "shop", text)
    async with composed(paths) as (parts, ear):
        loaded = await parts.load()
        await parts.load()

    assert sorted(loaded.bundle.integrations) == ["shop"]
    assert [signal.code for signal in ear.of(FileAdvised)] == ["W501", "W501"]
    assert ear.of(FileRefused) == []
    assert [swap.warnings for swap in ear.of(BundleSwapped)] == [2, 2]


async def test_missing_secret_is_told_once_until_it_is_there(paths, monkeypatch):
    """The integration is loaded all the same; ``missing`` says what it needs."""
    write(paths, "sender", HOOK)
    async with composed(paths) as (parts, ear):
        await parts.load()
        await parts.load()
        missing = dict(parts.missing)
        monkeypatch.setenv("INTEGRATIOND_SECRET_TEST_NONE", "k")
        await parts.load()
        found = dict(parts.missing)

    assert list(missing) == ["sender"]
    assert ear.of(SecretMissed) == [SecretMissed(integration="sender", message=missing["sender"])]
    assert "INTEGRATIOND_SECRET_TEST_NONE" in missing["sender"]
    assert found == {}


async def test_sync_tells_each_stream_from_start_to_end(paths, shop_port):
    """Started, pages and finished for one stream after the other; one that fails stops none."""
    write(paths, "shop", SHOP % shop_port)
    async with composed(paths) as (parts, _):
        await parts.load()
        lines = [line async for line in LocalActions(parts).sync(SyncWish(integration="shop"))]

    told = [(line["event"], line["stream"], line.get("status")) for line in lines]
    assert told == [
        ("started", "orders", None),
        ("page", "orders", None),
        ("finished", "orders", "done"),
        ("started", "items", None),
        ("finished", "items", "failed"),
    ]
    started, page, done, _, failed = lines
    assert {line["run"] for line in (started, page, done)} == {done["run"]}
    assert (started["mode"], started["resumed"]) == ("full", False)
    assert (page["page"], page["counts"]["added"]) == (1, 2)
    assert (done["counts"]["added"], done["error"], done["kind"]) == (2, "", "")
    assert (failed["error"], failed["kind"]) == (
        "GET /items answered 404; there is no such thing, or the path or http.base_url is wrong",
        "permanent",
    )


async def test_sync_of_a_stream_that_another_process_reads_is_skipped(paths):
    """Whoever holds the claim goes on; who asked is told so."""
    write(paths, "shop", SHOP % 1)
    async with composed(paths) as (parts, _):
        await parts.load()
        now, ttl = parts.world.clock.now(), timedelta(minutes=1)
        await parts.store.claim(
            "default", "stream", "shop/orders", holder="other:boot", now=now, ttl=ttl
        )
        wish = SyncWish(integration="shop", streams=("orders",))
        lines = [line async for line in LocalActions(parts).sync(wish)]

    assert lines == [
        {
            "event": "skipped",
            "integration": "shop",
            "stream": "orders",
            "error": "another process reads this stream",
        }
    ]


async def test_run_goes_on_without_the_one_who_asked(paths, shop_port):
    """Who stops listening in the middle stops nothing."""
    write(paths, "shop", SHOP % shop_port)
    async with composed(paths) as (parts, ear):
        await parts.load()
        lines = LocalActions(parts).sync(SyncWish(integration="shop", streams=("orders",)))
        first = await anext(lines)
        await lines.aclose()
        await parts.conductor.drain(10)

    assert first["event"] == "started"
    assert [signal.status for signal in ear.of(RunFinished)] == ["done"]


async def test_wish_for_what_is_not_there_is_wrong_usage(paths):
    """Said with the nearest name, before anything is read."""
    write(paths, "shop", SHOP % 1)
    write(paths, "sender", HOOK)
    told = []
    async with composed(paths) as (parts, ear):
        await parts.load()
        actions = LocalActions(parts)
        for wish in (
            actions.sync(SyncWish(integration="shpo")).__anext__(),
            actions.sync(SyncWish(integration="shop", streams=("order",))).__anext__(),
            actions.sync(SyncWish(integration="sender")).__anext__(),
            actions.webhook_url("sendr", "events"),
            actions.webhook_url("sender", "event"),
        ):
            with pytest.raises(UsageError) as caught:
                await wish
            told.append(str(caught.value))

    assert told == [
        "no integration 'shpo'; did you mean 'shop'?",
        "integration 'shop' has no stream 'order'; did you mean 'orders'?",
        "integration 'sender' has no stream that is read",
        "no integration 'sendr'; did you mean 'sender'?",
        "integration 'sender' has no webhook 'event'; did you mean 'events'?",
    ]
    assert ear.of(RunFinished) == []


async def test_address_of_an_endpoint_is_random_and_kept(paths):
    """The same one each time, also after a restart; the path alone is what a proxy needs."""
    write(paths, "sender", HOOK)
    settings = Settings(public_url=PublicUrl("https://hooks.test/in"))
    told = []
    for _ in range(2):
        async with composed(paths, settings) as (parts, _):
            await parts.load()
            told += [await LocalActions(parts).webhook_url("sender", "events") for _ in range(2)]

    assert told == [told[0]] * 4
    assert re.fullmatch(r"https://hooks\.test/in/hooks/[0-9a-f]{48}", told[0]["url"])
    assert told[0]["url"].endswith(told[0]["path"])


async def test_reload_tells_what_was_taken_and_what_belongs_to_it_is_taken_up(paths):
    """One load prepares and takes up after the other, and what is taken up is that bundle's."""
    write(paths, "shop", SHOP % 1)
    steps = []

    @asynccontextmanager
    async def prepare(bundle):
        steps.append("begin")
        await asyncio.sleep(0.01)
        yield lambda: steps.append(parts.loaded.bundle is bundle)
        steps.append("end")

    async with composed(paths) as (parts, _):
        parts.prepare = prepare
        actions = LocalActions(parts)
        good, _ = await asyncio.gather(actions.reload(), actions.reload())
        write(paths, "shop", "integration: shop\nstrems: {}\n")
        bad = await actions.reload()

    assert good == {"taken": True, "integrations": 1, "problems": [], "kept": []}
    assert bad == {
        "taken": False,
        "integrations": 1,
        "problems": [
            "integrations/shop.yaml:2:1: E101: unknown field 'strems'; did you mean 'streams'?"
        ],
        "kept": ["shop"],
    }
    assert steps == ["begin", True, "end"] * 3


async def test_files_that_the_store_does_not_let_in_wait(paths):
    """What ran goes on whole, nothing is told of the new files, and the next load takes them up."""
    write(paths, "shop", SHOP % 1)
    store_is_there = False

    @asynccontextmanager
    async def prepare(_bundle):
        if not store_is_there:
            raise StoreError("away")
        yield lambda: None

    async with composed(paths) as (parts, ear):
        first = await parts.load()
        write(paths, "shop", SHOP.replace("shop", "stall") % 1)
        parts.prepare = prepare
        with pytest.raises(StoreError):
            await parts.load()
        runs = parts.loaded, parts.conductor.bundle
        waits = parts.library.is_stale()
        store_is_there = True
        await parts.load()

    swaps = [(swap.added, swap.removed) for swap in ear.of(BundleSwapped)]
    assert runs == (first, first.bundle)
    assert waits
    assert swaps == [(("shop",), ()), (("stall",), ("shop",))]
    assert not parts.library.is_stale()


async def test_status_is_the_same_with_and_without_a_daemon(paths, shop_port):
    """But for the daemon itself, what stands in the store and the files is told alike."""
    write(paths, "shop", SHOP % shop_port)
    async with composed(paths) as (parts, _):
        await parts.load()
        async for _ in LocalActions(parts).sync(SyncWish(integration="shop", streams=("orders",))):
            pass
        running = await LocalActions(parts).status()
    without = await offline_status(paths)

    assert running["daemon"]["pid"] == os.getpid()
    assert running["daemon"]["version"] == integrationd.__version__
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z", running["daemon"]["started_at"])
    assert without["daemon"] is None
    assert running["files"] == without["files"] == {"ok": True, "problems": [], "kept": []}
    assert running["integrations"] == without["integrations"]
    assert running["integrations"][0]["streams"][0]["records"] == 2


async def test_status_without_anything_stored(paths):
    """Before the first run there is no database, and to look makes none."""
    write(paths, "sender", HOOK)
    told = await offline_status(paths)

    (sender,) = told["integrations"]
    assert (sender["status"], sender["streams"][0]["records"]) == ("error", 0)
    assert "signing" in sender["last_error"]
    assert not paths.state.exists()


async def test_status_of_a_database_that_cannot_be_read(paths):
    """What is there but broken is said."""
    paths.state.mkdir()
    paths.database.write_bytes(b"not a database, but long enough to be looked at" * 50)

    with pytest.raises(StoreError) as caught:
        await offline_status(paths)

    assert str(paths.database) in str(caught.value)


async def test_command_without_a_daemon_takes_the_lock(paths):
    """It works on the same parts, and beside another holder it does nothing."""
    (paths.config / "integrationd.yaml").write_text("public_url: https://hooks.test\n")
    write(paths, "sender", HOOK)
    async with offline(paths) as actions:
        told = await actions.webhook_url("sender", "events")
        with pytest.raises(HeldError), locked(paths.lock):
            pass
    with locked(paths.lock), pytest.raises(HeldError):
        async with offline(paths):
            pass

    assert told["url"].startswith("https://hooks.test/hooks/")


async def test_claims_of_a_dead_process_are_free_at_the_next_start(paths):
    """Whoever died holds nothing."""
    for _ in range(2):
        async with composed(paths) as (parts, _):
            now, ttl = parts.world.clock.now(), timedelta(hours=1)
            lease = await parts.store.claim(
                "default", "stream", "shop/orders", holder=parts.world.holder, now=now, ttl=ttl
            )
            assert lease is not None
    assert re.fullmatch(r"local:[0-9A-Z]{26}", parts.world.holder)
