"""A preview through the control socket, from both ends."""

import asyncio

from integrationd.ports.actions import SyncWish
from tests.net.test_control_socket import LINES, Scripted, ask, control
from tests.support.rawhttp import exchange, post, problem_of


async def test_preview_is_told_line_by_line(tmp_path):
    """The command hears the lines, and the daemon which stream it is about."""
    actions = Scripted()
    wish = SyncWish(integration="shop", streams=("orders",), full=True)
    async with control(actions, tmp_path) as path:

        async def call(remote):
            return [line async for line in remote.preview(wish)]

        assert await ask(path, call) == LINES

    assert actions.wishes == [wish]


async def test_preview_that_cannot_be_read_is_unprocessable(tmp_path):
    """A typo changes nothing."""
    path_of = "/api/v1/integrations/shop/streams/orders/preview"
    async with control(Scripted(), tmp_path) as path:
        reply = await exchange(str(path), post(path_of, b'{"fulll": true}'))

    detail = "Object contains unknown field `fulll`"
    assert reply.problem == problem_of(422, "Unprocessable Entity", detail)


async def test_preview_of_nobody_ends(tmp_path):
    """Once whoever asked has gone, nothing goes on being read for them."""
    actions = Scripted(lines=[{"event": "added", "data": "x" * 100_000}] * 1000, pause_s=0.001)
    ask_for = post("/api/v1/integrations/shop/streams/orders/preview", b"")
    async with control(actions, tmp_path) as path:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(ask_for)
        await reader.readline()
        writer.close()
        await writer.wait_closed()
        await asyncio.wait_for(actions.ended.wait(), 20)

    assert actions.told < 1000


async def test_what_narrows_a_run_goes_through_the_socket(tmp_path):
    """As it was typed, for a reading and for a preview; what does not fit is told as it is."""
    actions = Scripted()
    wish = SyncWish(integration="shop", streams=("orders",), texts={"id": "42"})
    async with control(actions, tmp_path) as path:

        async def call(remote):
            heard = [line async for line in remote.preview(wish)]
            return heard, [line async for line in remote.sync(wish)]

        assert await ask(path, call) == (LINES, LINES)

    assert actions.wishes == [wish, wish]
