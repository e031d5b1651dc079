"""Logins over the control socket, from both ends."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from integrationd.cli.remote import RemoteActions
from integrationd.errors import SettingsError, StoreError, UsageError
from integrationd.model.secret import Secret
from integrationd.ports.consent import LoginWish
from integrationd.web.control import build_control
from integrationd.web.listener import listening_on_socket
from tests.support.rawhttp import exchange, post, problem_of

CANARY = "canary-77ac"
PATH = "/api/v1/integrations/acme/login"


@dataclass
class Asked:
    """Actions that keep what they were asked for, and answer or fail as they are told to."""

    lines: list = field(default_factory=list)
    failure: Exception | None = None
    wishes: list = field(default_factory=list)
    secrets: None = None
    calls: None = None

    async def login(self, wish):
        """Answer with lines, then fail."""
        self.wishes.append(wish)
        for line in self.lines:
            yield line
        if self.failure is not None:
            raise self.failure


@asynccontextmanager
async def control(asked, tmp_path):
    """Serve the routes; yields the socket."""
    path = tmp_path / "c.sock"
    async with listening_on_socket(build_control(asked), str(path)):
        yield path


async def ask(path, wish):
    """Ask as the command does, from another thread, as it blocks."""

    async def read():
        return [line async for line in RemoteActions(path).login(wish)]

    return await asyncio.to_thread(asyncio.run, read())


async def test_wish_arrives_whole_and_lines_come_back(tmp_path):
    """What the command says is what the daemon is asked."""
    asked = Asked([{"event": "open"}, {"event": "finished"}])
    wish = LoginWish(integration="acme", tenant="north", port=4711, answer=Secret(CANARY))
    async with control(asked, tmp_path) as path:
        lines = await ask(path, wish)

    assert (lines, asked.wishes) == (asked.lines, [wish])


@pytest.mark.parametrize(
    ("failure", "lines", "becomes"),
    [
        (UsageError("no integration 'acme'"), [], UsageError),
        (SettingsError("no master key"), [], SettingsError),
        (StoreError("the disk is full"), [], StoreError),
        (StoreError("the disk is full"), [{"event": "code"}], StoreError),
    ],
    ids=["usage", "settings", "store", "in-its-midst"],
)
async def test_failures_keep_their_class_and_words(failure, lines, becomes, tmp_path):
    """Before the first line and after it."""
    async with control(Asked(lines, failure), tmp_path) as path:
        with pytest.raises(becomes) as caught:
            await ask(path, LoginWish(integration="acme"))

    assert str(caught.value) == str(failure)


@pytest.mark.parametrize(
    "body", [CANARY, f'{{"answer": 1, "x": "{CANARY}"}}', '{"code": "' + CANARY + '"}', "\xff"]
)
async def test_body_that_is_none_is_not_repeated(body, tmp_path):
    """It may be a code in the wrong place."""
    asked = Asked()
    async with control(asked, tmp_path) as path:
        answer = await exchange(str(path), post(PATH, body.encode("latin-1")))

    detail = 'the body is not {"tenant": TEXT, "port": NUMBER, "answer": TEXT}'
    assert answer.problem == problem_of(422, "Unprocessable Entity", detail)
    assert asked.wishes == []
