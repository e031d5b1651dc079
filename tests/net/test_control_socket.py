"""The control socket, from both ends: what it answers, and what a command makes of it."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from integrationd.cli.remote import RemoteActions, is_running
from integrationd.errors import (
    HistoryError,
    IntegrationError,
    SettingsError,
    StoreError,
    UsageError,
)
from integrationd.model.switches import Switch
from integrationd.ports.actions import RevertWish, SwitchWish, SyncWish
from integrationd.web.control import build_control
from integrationd.web.listener import listening_on_socket
from tests.support.rawhttp import exchange, head, post, problem_of

LINES = [
    {"event": "started", "integration": "shop", "stream": "orders"},
    {"event": "page", "page": 1},
    {"event": "finished", "status": "done"},
]
SYNC = "/api/v1/integrations/shop/sync"
REVERT = "/api/v1/runs/run_1/revert"
PROBLEM = "Service Unavailable"


@dataclass
class Scripted:
    """Actions that answer as they are told to."""

    lines: list = field(default_factory=lambda: list(LINES))
    before: Exception | None = None
    """Raised before anything happens."""
    after: Exception | None = None
    """Raised when all lines were told."""
    pause_s: float = 0
    wishes: list = field(default_factory=list)
    secrets: None = None
    calls: None = None
    told: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def sync(self, wish):
        """Tell the lines."""
        self.wishes.append(wish)
        if self.before is not None:
            raise self.before
        for line in self.lines:
            await asyncio.sleep(self.pause_s)
            yield line
            self.told += 1
        if self.after is not None:
            raise self.after

    async def revert(self, wish):
        """Tell the same lines."""
        async for line in self.sync(wish):
            yield line

    async def preview(self, wish):
        """Tell the same lines, and note when nobody listens any more."""
        try:
            async for line in self.sync(wish):
                yield line
        finally:
            self.ended.set()

    async def _answer(self, value):
        if self.before is not None:
            raise self.before
        return value

    async def throw(self, wish):
        """Note what is switched."""
        self.wishes.append(wish)
        return await self._answer({"integration": wish.integration, "changed": True})

    async def reload(self):
        """Answer what was taken."""
        return await self._answer({"taken": True, "integrations": 1, "problems": [], "kept": []})

    async def status(self):
        """Answer how things stand."""
        return await self._answer({"daemon": {"pid": 1}, "name": "\u00e4"})

    async def webhook_url(self, integration, endpoint):
        """Answer with both names."""
        return await self._answer({"url": f"u/{integration}/{endpoint}", "path": "/x"})


@asynccontextmanager
async def control(actions, tmp_path):
    """Serve actions on a socket; yields its path."""
    path = tmp_path / "control.sock"
    async with listening_on_socket(build_control(actions), str(path)):
        yield path


def lines_of(reply):
    """Read the lines of a chunked answer."""
    text, rest = b"", reply.body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        text, rest = text + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return [json.loads(line) for line in text.splitlines()]


async def ask(path, call):
    """Run a command's side on a thread of its own: it blocks."""
    return await asyncio.to_thread(lambda: asyncio.run(call(RemoteActions(path))))


async def all_lines(actions, wish):
    """Read a run to its end."""
    lines = actions.revert(wish) if isinstance(wish, RevertWish) else actions.sync(wish)
    return [line async for line in lines]


async def test_sync_tells_each_thing_in_a_line(tmp_path):
    """NDJSON, and the wish as it was said."""
    actions = Scripted()
    body = b'{"streams": ["orders"], "full": true, "confirmed": true}'
    async with control(actions, tmp_path) as path:
        reply = await exchange(str(path), post(SYNC, body))

    assert (reply.status, reply.headers["content-type"]) == (200, "application/x-ndjson")
    assert lines_of(reply) == LINES
    assert actions.wishes == [
        SyncWish(integration="shop", streams=("orders",), full=True, confirmed=True)
    ]


async def test_sync_without_a_body_reads_all_that_is_enabled(tmp_path):
    """Everything has its default."""
    actions = Scripted(lines=[])
    async with control(actions, tmp_path) as path:
        reply = await exchange(str(path), post(SYNC, b""))

    assert (reply.status, lines_of(reply)) == (200, [])
    assert actions.wishes == [SyncWish(integration="shop")]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{", "Input data was truncated"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"streams": "orders"}', "Expected `array`, got `str` - at `$.streams`"),
        (b'{"ful": true}', "Object contains unknown field `ful`"),
        (b'{"full": 1}', "Expected `bool`, got `int` - at `$.full`"),
    ],
)
async def test_wish_that_cannot_be_read_is_unprocessable(tmp_path, body, detail):
    """What is wrong with it is said, and nothing is read."""
    actions = Scripted()
    async with control(actions, tmp_path) as path:
        reply = await exchange(str(path), post(SYNC, body))

    status, kind, told = reply.problem
    assert (status, kind, told["detail"]) == (422, "application/problem+json", detail)
    assert actions.wishes == []


@pytest.mark.parametrize(
    "request_bytes",
    [
        post(SYNC, b"{}"),
        post(REVERT, b"{}"),
        post("/api/v1/reload", b""),
        head("GET", "/api/v1/status"),
        head("GET", "/api/v1/integrations/shop/webhooks/events"),
    ],
    ids=["sync", "revert", "reload", "status", "webhook"],
)
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            UsageError("no integration 'shpo'; did you mean 'shop'?"),
            problem_of(404, "Not Found", "no integration 'shpo'; did you mean 'shop'?"),
        ),
        (
            StoreError("x.db: the disk is full"),
            problem_of(503, PROBLEM, "x.db: the disk is full"),
        ),
        (
            SettingsError("integration 'shop' has errors in its files"),
            problem_of(409, "Conflict", "integration 'shop' has errors in its files"),
        ),
        (HistoryError("run run_1 is too old"), problem_of(410, "Gone", "run run_1 is too old")),
        (
            IntegrationError("the daemon is stopping"),
            problem_of(503, PROBLEM, "the daemon is stopping"),
        ),
    ],
    ids=["usage", "store", "settings", "history", "stopping"],
)
async def test_every_error_is_a_problem(tmp_path, request_bytes, error, expected):
    """Unknown names are 404 with the nearest one, what cannot be done now is 503."""
    async with control(Scripted(before=error), tmp_path) as path:
        reply = await exchange(str(path), request_bytes)

    assert reply.problem == expected


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (head("GET", "/api/v2/x"), problem_of(404, "Not Found", "Not Found")),
        (head("GET", SYNC), problem_of(405, "Method Not Allowed", "Method Not Allowed")),
    ],
)
async def test_unknown_routes_are_problems_too(tmp_path, request_bytes, expected):
    """A newer command that asks an older daemon gets an answer that it can print."""
    async with control(Scripted(), tmp_path) as path:
        reply = await exchange(str(path), request_bytes)

    assert reply.problem == expected


async def test_failure_inside_a_run_is_its_last_line(tmp_path):
    """The answer has begun, so the error comes as a line."""
    async with control(Scripted(after=StoreError("the disk is full")), tmp_path) as path:
        reply = await exchange(str(path), post(SYNC, b"{}"))

    assert lines_of(reply) == [*LINES, {"event": "failed", "error": "the disk is full"}]


async def test_client_that_goes_away_leaves_the_daemon_alone(tmp_path, caplog):
    """The lines are told to nobody, nothing is logged, and the next one is served."""
    actions = Scripted(lines=LINES * 20, pause_s=0.01)
    async with control(actions, tmp_path) as path:
        _, writer = await asyncio.open_unix_connection(str(path))
        writer.write(post(SYNC, b"{}"))
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.1)
        reply = await exchange(str(path), head("GET", "/api/v1/status"))

    assert reply.status == 200
    assert [record.getMessage() for record in caplog.records] == []
    assert len(actions.wishes) == 1


async def test_command_hears_every_line(tmp_path):
    """What the daemon tells arrives as it was told, whatever the names are."""
    actions = Scripted()
    wish = SyncWish(integration="a/b c?d", streams=("x",), full=True, confirmed=True)
    async with control(actions, tmp_path) as path:
        assert await asyncio.to_thread(is_running, path)
        heard = await ask(path, lambda remote: all_lines(remote, wish))

    assert heard == LINES
    assert actions.wishes == [wish]


@pytest.mark.parametrize("switch", list(Switch))
@pytest.mark.parametrize("on", [True, False])
async def test_switches_arrive_as_they_were_meant(tmp_path, switch, on):
    """By name, and a pause for everything as well."""
    wishes = [SwitchWish(integration="shop", switch=switch, on=on)]
    wishes += [SwitchWish(integration=None, switch=switch, on=on)] * (switch is Switch.PAUSED)
    actions = Scripted()

    async def throw_all(remote):
        return [await remote.throw(wish) for wish in wishes]

    async with control(actions, tmp_path) as path:
        told = await ask(path, throw_all)

    assert actions.wishes == wishes
    assert [answer["integration"] for answer in told] == [wish.integration for wish in wishes]


async def test_not_everything_can_be_disabled(tmp_path):
    """There is no such route."""
    async with control(Scripted(), tmp_path) as path:
        reply = await exchange(str(path), post("/api/v1/disable", b""))

    assert reply.status == 404


async def test_undoing_is_told_line_by_line(tmp_path):
    """The run and the wish arrive, and what the daemon tells comes back."""
    actions = Scripted()
    wish = RevertWish(run="run/1", dry_run=True)
    async with control(actions, tmp_path) as path:
        heard = await ask(path, lambda remote: all_lines(remote, wish))

    assert heard == LINES
    assert actions.wishes == [wish]


async def test_undoing_that_cannot_be_read_is_unprocessable(tmp_path):
    """A misspelt dry run must not become a real one."""
    async with control(actions := Scripted(), tmp_path) as path:
        reply = await exchange(str(path), post(REVERT, b'{"dryrun": true}'))

    assert reply.problem[0] == 422
    assert reply.problem[2]["detail"] == "Object contains unknown field `dryrun`"
    assert actions.wishes == []


async def test_command_gets_the_answers(tmp_path):
    """Status, reload and the address of a webhook are handed through."""
    async with control(Scripted(), tmp_path) as path:
        status = await ask(path, lambda remote: remote.status())
        taken = await ask(path, lambda remote: remote.reload())
        url = await ask(path, lambda remote: remote.webhook_url("shop", "a/b"))

    assert status == {"daemon": {"pid": 1}, "name": "\u00e4"}
    assert taken == {"taken": True, "integrations": 1, "problems": [], "kept": []}
    assert url == {"url": "u/shop/a/b", "path": "/x"}


@pytest.mark.parametrize(
    ("actions", "kind", "message"),
    [
        (Scripted(before=UsageError("no integration 'x'")), UsageError, "no integration 'x'"),
        (Scripted(before=SettingsError("errors in files")), SettingsError, "errors in files"),
        (Scripted(before=HistoryError("too old")), HistoryError, "too old"),
        (Scripted(before=StoreError("disk full")), StoreError, "disk full"),
        (Scripted(after=StoreError("disk full")), StoreError, "disk full"),
        (
            Scripted(before=KeyError("canary")),
            IntegrationError,
            "the daemon answered 500; see its log",
        ),
    ],
    ids=["unknown", "bad files", "too old", "refused", "broke off", "fault"],
)
async def test_command_fails_as_the_daemon_says(tmp_path, actions, kind, message):
    """The class decides the exit code, the text is printed; a fault of ours shows nothing."""
    async with control(actions, tmp_path) as path:
        with pytest.raises(IntegrationError) as caught:
            await ask(path, lambda remote: all_lines(remote, SyncWish(integration="x")))

    assert (type(caught.value), str(caught.value)) == (kind, message)


async def test_wish_that_the_daemon_cannot_read_is_wrong_usage(tmp_path):
    """An older daemon says what it does not know."""
    async with control(Scripted(), tmp_path) as path:
        wish = SyncWish(integration="x", streams=(1,))
        with pytest.raises(UsageError) as caught:
            await ask(path, lambda remote: all_lines(remote, wish))

    assert str(caught.value) == "Expected `str`, got `int` - at `$.streams[0]`"


async def test_nobody_is_running_where_nobody_listens(tmp_path):
    """No file, a plain file, and a socket whose daemon is dead are all nobody."""
    path = tmp_path / "control.sock"
    assert not is_running(path)
    path.write_text("x")
    assert not is_running(path)
    assert not is_running(tmp_path / ("x" * 200))
    with pytest.raises(IntegrationError) as caught:
        await ask(path, lambda remote: remote.status())

    assert str(caught.value) == f"the daemon does not answer on {path}: Connection refused"


CUT = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n16\r\n{"event": "started"}\r\n'


@pytest.mark.parametrize("cut", [CUT, CUT + b'40\r\n{"even'], ids=["between", "inside"])
async def test_daemon_that_dies_under_a_run_is_told(tmp_path, cut):
    """What was heard before is kept, and the end is an error, never a success."""
    path, heard = tmp_path / "control.sock", []

    async def die(reader, writer):
        await reader.readuntil(b"}")
        writer.write(cut)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def listen(remote):
        async for line in remote.sync(SyncWish(integration="shop")):
            heard.append(line)  # noqa: PERF401 - what came before the end is looked at

    async with await asyncio.start_unix_server(die, path):
        with pytest.raises(IntegrationError) as caught:
            await ask(path, listen)

    assert heard == [{"event": "started"}]
    assert str(caught.value) == "the daemon went away before the end; what it had stored is kept"
