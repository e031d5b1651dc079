"""What only a server does to a store: connections that are lost, and other processes beside it."""

import asyncio
import secrets

import psycopg
import pytest

from integrationd.store import SqlStore, tables
from tests.support.postgres import server_url

pytestmark = pytest.mark.needs("postgres")


def end_sessions(name):
    """Let the server end every session of that name, as a restart does."""
    with psycopg.connect(server_url(), autocommit=True) as conn:
        ended = conn.execute(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where application_name = %s",
            (name,),
        ).fetchone()
    return ended[0]


async def test_what_was_lost_before_the_commit_is_done_again(place, make_desk):
    """After the server has ended all sessions the next write and the next read just work."""
    name = f"lost_{secrets.token_hex(4)}"
    async with SqlStore(f"{place}&application_name={name}") as store:
        desk = make_desk(store)
        await desk.sync("run_1", desk.put("a"))

        assert list(await desk.alive()) == ["a"]

        ended = end_sessions(name)

        assert ended >= 2
        assert (await desk.sync("run_2", desk.put("b"))).added == 1
        assert list(await desk.alive()) == ["a", "b"]


async def test_two_processes_make_the_tables_once(place):
    """Whoever comes second finds them."""
    stores = [SqlStore(place) for _ in range(2)]

    await asyncio.gather(*(store.__aenter__() for store in stores))
    await asyncio.gather(*(store.ping() for store in stores))

    await asyncio.gather(*(store.__aexit__(None, None, None) for store in stores))


async def test_an_event_that_two_processes_get_is_stored_once(place, make_desk):
    """One of them stores it, the other one learns its id."""
    async with SqlStore(place) as one, SqlStore(place) as other:
        desks = [make_desk(one), make_desk(other)]

        accepted = await asyncio.gather(
            *(
                desk.store.accept_event(desk.event(f"d{dedup}", number=100 * at + dedup))
                for dedup in range(40)
                for at, desk in enumerate(desks)
            )
        )

        assert sum(item.duplicate for item in accepted) == 40
        assert len({item.id for item in accepted}) == 40
        assert await desks[0].rows(tables.events, "duplicates") == [(1,)] * 40


async def test_an_id_with_a_nul_comes_back_in_its_place(place, make_desk):
    """What PostgreSQL cannot keep is kept all the same, in the order of bytes."""
    async with SqlStore(place) as store:
        desk = make_desk(store)
        names = ["b", "b\0", "b\0c", "b\1", "ba", "\u00e4", "B"]

        await desk.sync("run_1", *(desk.put(name, of=name) for name in names))

        assert list(await desk.alive()) == sorted(names)
        assert (
            await desk.sync("run_2", *(desk.put(name, of=name) for name in names))
        ).unchanged == 7
