"""``--input`` asked of a daemon that runs, over its control socket."""

import asyncio

import pytest

from integrationd.cli.remote import RemoteActions
from integrationd.errors import UsageError
from integrationd.ports.actions import SyncWish
from tests.net.test_daemon_in_motion import paths, running, write
from tests.support.shops import serving

__all__ = ["paths"]

SHOP = """\
integration: shop
http: {base_url: "http://127.0.0.1:%d", paginate: none, retries: 0}
streams:
  orders: {input: {id: {type: integer}}, get: /orders, query: {only: "{{ input.id }}"}, key: id}
"""


def ask(control, **texts):
    """Read one stream through the daemon; returns what it tells."""

    async def call():
        wish = SyncWish(integration="shop", streams=("orders",), texts=texts)
        return [line async for line in RemoteActions(control).sync(wish)]

    return asyncio.run(call())


async def test_daemon_narrows_a_run_and_tells_what_does_not_fit(paths):
    """The values are read by the daemon, as it has the files."""
    answers = {"/orders": b'[{"id": 1}, {"id": 2}]', "/orders?only=2": b'[{"id": 2, "new": true}]'}
    with serving(answers) as port:
        write(paths, "shop", SHOP % port)
        async with running(paths):
            await asyncio.to_thread(ask, paths.control)
            started, _, finished = await asyncio.to_thread(ask, paths.control, id="2")
            with pytest.raises(UsageError) as told:
                await asyncio.to_thread(ask, paths.control, id="x", ix="1")

    assert (started["mode"], started["resumed"]) == ("input", False)
    assert (finished["status"], finished["counts"]["changed"]) == ("done", 1)
    assert finished["counts"]["deleted"] == 0
    assert str(told.value) == (
        "shop/orders: unknown input 'ix'; known here: id\n"
        "shop/orders: input.id is 'x', expected a whole number"
    )
