"""Secrets over the control socket, from both ends."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from integrationd.cli.remote import RemoteActions
from integrationd.errors import SettingsError, UsageError
from integrationd.model.secret import Secret
from integrationd.web.control import build_control
from integrationd.web.listener import listening_on_socket
from tests.support.rawhttp import exchange, post, problem_of

CANARY = "canary-31bd"
ONE = "/api/v1/integrations/acme/secrets/token"


@dataclass
class Asked:
    """Secret actions that keep what they were asked, and answer or fail as they are told to."""

    failure: Exception | None = None
    calls: list = field(default_factory=list)

    def _answer(self, *call):
        self.calls.append(call)
        if self.failure is not None:
            raise self.failure
        return call[0]

    async def show(self, integration=None):
        """Answer a list."""
        return [self._answer("show", integration)]

    async def put(self, integration, name, value):
        """Answer a word."""
        return self._answer("put", integration, name, value)

    async def remove(self, integration, name):
        """Answer a word."""
        return self._answer("remove", integration, name)

    async def rotate(self, master_key=None):
        """Answer a word."""
        return self._answer("rotate", master_key)


@dataclass
class Actions:
    """Actions of which only the secrets are asked."""

    secrets: Asked
    calls: None = None
    """Nobody calls an operation here."""


@asynccontextmanager
async def control(asked, tmp_path):
    """Serve on a socket; yields its path."""
    path = tmp_path / "control.sock"
    async with listening_on_socket(build_control(Actions(asked)), str(path)):
        yield path


async def ask(asked, tmp_path, call):
    """Let a command ask over the socket; it blocks, so it has a thread of its own."""
    async with control(asked, tmp_path) as path:
        secrets = RemoteActions(path).secrets
        return await asyncio.to_thread(lambda: asyncio.run(call(secrets)))


@pytest.mark.parametrize(
    ("call", "heard", "answer"),
    [
        (lambda s: s.show(), ("show", None), ["show"]),
        (lambda s: s.show("a/b"), ("show", "a/b"), ["show"]),
        (
            lambda s: s.put("acme", "t/k", Secret("é\n")),
            ("put", "acme", "t/k", Secret("é\n")),
            "put",
        ),
        (lambda s: s.remove("acme", "oauth2.token"), ("remove", "acme", "oauth2.token"), "remove"),
        (lambda s: s.rotate(), ("rotate", None), "rotate"),
        (lambda s: s.rotate(Secret("k")), ("rotate", Secret("k")), "rotate"),
    ],
)
async def test_what_is_asked_arrives_and_the_answer_comes_back(tmp_path, call, heard, answer):
    """Names and values arrive exactly, whatever stands in them."""
    asked = Asked()

    assert await ask(asked, tmp_path, call) == answer
    assert asked.calls == [heard]


@pytest.mark.parametrize("failure", [UsageError("no such secret"), SettingsError("no key")])
async def test_failure_comes_back_as_what_it_was(tmp_path, failure):
    """So that the command exits as it would without a daemon."""
    with pytest.raises(type(failure)) as caught:
        await ask(Asked(failure), tmp_path, lambda s: s.put("acme", "token", Secret(CANARY)))

    assert str(caught.value) == str(failure)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'"canary-31bd"',
        b'{"value": ""}',
        b'{"value": ["canary-31bd"]}',
        b'{"canary-31bd": "x"}',
        b'{"value": "canary-31bd", "canary-31bd": 1}',
        b'{"value": "canary-31bd\xff"}',
    ],
)
async def test_body_that_cannot_be_read_is_not_repeated(tmp_path, body):
    """What is expected is told, and nothing of what came."""
    asked = Asked()
    async with control(asked, tmp_path) as path:
        put = await exchange(str(path), post(ONE, body, method="PUT"))

    detail = 'the body is not {"value": TEXT} with a text that is not empty'
    assert put.problem == problem_of(422, "Unprocessable Entity", detail)
    assert asked.calls == []


async def test_wish_to_rotate_that_cannot_be_read_is_not_repeated(tmp_path):
    """A key in a wrong place is not shown either."""
    asked = Asked()
    async with control(asked, tmp_path) as path:
        reply = await exchange(
            str(path), post("/api/v1/secrets/rotate", b'{"master_key": ["canary-31bd"]}')
        )

    detail = 'the body is neither {} nor {"master_key": TEXT}'
    assert reply.problem == problem_of(422, "Unprocessable Entity", detail)
    assert asked.calls == []
