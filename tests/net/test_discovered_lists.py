"""Lists whose objects become streams, in a process put together: what is swapped in, and when."""

import asyncio
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest

from integrationd.daemon.actions import LocalActions
from integrationd.daemon.broadcast import Broadcast
from integrationd.daemon.composition import compose
from integrationd.daemon.paths import Paths
from integrationd.daemon.standing import offline_status
from integrationd.errors import SettingsError, StoreError
from integrationd.ports.actions import RevertWish, SyncWish
from integrationd.signals import BundleSwapped, StreamsDiscovered
from integrationd.spec.settings import Egress, Listen, Networks, Settings
from tests.support.fakes import Ear
from tests.support.tables import SPEC, tables

SETTINGS = Settings(
    egress=Egress(allow=(Networks(ip_network("127.0.0.0/8")),)), listen=Listen("127.0.0.1", 8471)
)


@pytest.fixture
def served():
    """Serve two tables."""
    with tables(t1="Contacts", t2="Deals") as served:
        yield served


@pytest.fixture
def paths(tmp_path, served):
    """Give the two directories, with the integration."""
    (tmp_path / "config" / "integrations").mkdir(parents=True)
    (tmp_path / "config" / "integrations" / "crm.yaml").write_text(SPEC % (served.url, "1d"))
    (tmp_path / "state").mkdir()
    return Paths(tmp_path / "config", tmp_path / "state")


@asynccontextmanager
async def composed(paths):
    """Put the parts together and load the files; yields them and what was told."""
    ear = Ear()
    async with compose(paths, SETTINGS, Broadcast(ear)) as parts:
        await parts.load()
        yield parts, ear


async def sync(parts, *streams, full=False, confirmed=False):
    """Read streams; returns how they ended."""
    wish = SyncWish(integration="crm", streams=streams, full=full, confirmed=confirmed)
    lines = [line async for line in LocalActions(parts).sync(wish)]
    return {line["stream"]: line["status"] for line in lines if line["event"] == "finished"}


def listed(parts):
    """Return the streams that are discovered, and whether their objects are still listed."""
    objects = parts.conductor.bundle.integrations["crm"].objects
    return {name: found.listed for name, found in objects.items()}


async def test_list_is_swapped_in_after_its_reading(paths, served):
    """Once for each change: files are not loaded anew, and nothing is told of what stays."""
    async with composed(paths) as (parts, ear):
        before = listed(parts)
        await sync(parts, "tables")
        bundle = parts.conductor.bundle
        await sync(parts, "tables")
        same = parts.conductor.bundle is bundle
        served.names = {"t2": "Deals"}
        await sync(parts, "tables")
        after = listed(parts)

    assert (before, same, after) == ({}, True, {"contacts": False, "deals": True})
    assert [(told.added, told.gone) for told in ear.of(StreamsDiscovered)] == [
        (("contacts", "deals"), ()),
        ((), ("contacts",)),
    ]
    assert len(ear.of(BundleSwapped)) == 1


async def test_reload_keeps_what_was_discovered(paths, served):
    """Changed files are laid under what the list held last; the provider is not asked for it."""
    async with composed(paths) as (parts, _):
        await sync(parts, "tables")
        asked = len(served.asked)
        file = paths.config / "integrations" / "crm.yaml"
        file.write_text(file.read_text().replace("schedule: 1h", "schedule: 2h"))
        await parts.load()
        stream = parts.conductor.bundle.integrations["crm"].streams["deals"]

    assert (str(stream.schedule), len(served.asked)) == ("2h", asked)


async def test_what_another_process_has_read_is_taken_up(paths):
    """Two daemons on one database: the one that did not read the list hears of it."""
    async with composed(paths) as (one, _), composed(paths) as (other, ear):
        await sync(one, "tables")
        before = listed(other)
        await other.relist("crm")
        after = listed(other)
        await other.relist("nothing")

    assert (before, after) == ({}, {"contacts": True, "deals": True})
    assert ear.of(StreamsDiscovered) == []  # whoever reads it tells it


async def test_list_that_cannot_be_taken_up_waits(paths):
    """The reading is done all the same, and the next one makes up for it."""
    away = True

    @asynccontextmanager
    async def prepare(_bundle):
        if away:
            raise StoreError("away")
        yield lambda: None

    async with composed(paths) as (parts, _):
        parts.prepare = prepare
        ended = await sync(parts, "tables")
        before = listed(parts)
        away = False
        await sync(parts, "tables")
        after = listed(parts)

    assert (ended, before) == ({"tables": "done"}, {})
    assert after == {"contacts": True, "deals": True}


async def test_list_that_shrinks_by_very_much_waits_for_a_person(paths, served):
    """Its streams go on until somebody agrees."""
    file = paths.config / "integrations" / "crm.yaml"
    file.write_text(file.read_text().replace("max: 5", "max: 100"))
    served.names = {f"t{number:02d}": f"Table {number:02d}" for number in range(60)}
    async with composed(paths) as (parts, _):
        await sync(parts, "tables")
        served.names = {"t00": "Table 00"}
        await sync(parts, "tables")
        held = sum(listed(parts).values())
        await sync(parts, "tables", full=True, confirmed=True)
        agreed = sum(listed(parts).values())

    assert (held, agreed) == (60, 1)


async def test_undone_reading_of_a_list_takes_its_streams_away(paths):
    """What wrote the records of the list wrote its streams."""
    async with composed(paths) as (parts, _):
        await sync(parts, "tables")
        (run,) = [row.id async for row in parts.store.runs(None)]
        actions = LocalActions(parts)
        told = [line async for line in actions.revert(RevertWish(run=run, dry_run=False))]

    assert told[-1]["status"] == "done"
    assert listed(parts) == {"contacts": False, "deals": False}


async def test_stream_of_a_gone_object_is_refused_and_kept_in_the_status(paths, served):
    """With its records, on a line of its own; the same without a daemon."""
    async with composed(paths) as (parts, _):
        await sync(parts)
        served.names = {"t2": "Deals"}
        await sync(parts, "tables")
        with pytest.raises(SettingsError) as caught:
            await sync(parts, "contacts")
        running = (await LocalActions(parts).status())["integrations"]
    looked = (await offline_status(paths))["integrations"]

    assert str(caught.value) == (
        "stream crm/contacts is not read, as crm/tables does not list it any more"
    )
    shown = {one["name"]: (one["records"], one["object"]) for one in running[0]["streams"]}
    assert shown["contacts"] == (2, {"list": "tables", "key": "t1", "listed": False})
    assert running[0]["streams"][0]["listing"] == {
        "streams": 1,
        "gone": 1,
        "remarks": ["'discover.streams' names what no object is called: log"],
    }
    assert [one["object"] for one in looked[0]["streams"]] == [
        one["object"] for one in running[0]["streams"]
    ]


async def test_list_and_its_streams_are_read_beside_each_other(paths, served):
    """A list that changes while one of its streams is read does not disturb that reading."""
    async with composed(paths) as (parts, _):
        await sync(parts, "tables")
        served.names = {"t1": "Contacts", "t9": "Fresh"}
        ended = await asyncio.gather(
            sync(parts, "deals"), sync(parts, "contacts"), sync(parts, "tables")
        )

    assert [list(one.values()) for one in ended] == [["done"]] * 3
    assert listed(parts) == {"contacts": True, "deals": False, "fresh": True}
