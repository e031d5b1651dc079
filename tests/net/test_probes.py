"""Health, metrics, and the address where the listener stands."""

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from integrationd.errors import SettingsError, StoreError
from integrationd.spec.settings import Listen, Settings
from integrationd.web.hooks import Hooks
from integrationd.web.listener import Health, build_listener, listening, listening_on_socket
from tests.support.fakes import script
from tests.support.rawhttp import exchange, head, problem_of
from tests.support.worlds import stage


@dataclass
class Pulse:
    """A store that commits, refuses or hangs."""

    error: Exception | None = None
    takes_s: float = 0

    async def ping(self):
        """Commit something small."""
        await asyncio.sleep(self.takes_s)
        if self.error is not None:
            raise self.error


@asynccontextmanager
async def probed(pulse, *, ready=True):
    """Open a listener over a store; yields its port and its health."""
    async with stage(script()[0]) as on:
        health = Health(store=pulse, ready=ready, patience_s=0.1)
        hooks = Hooks(world=on.world, settings=Settings())
        app = build_listener(hooks=hooks, health=health, metrics=lambda: b"up 1\n")
        async with listening(app, Listen("127.0.0.1", 0)) as where:
            assert where.host == "127.0.0.1"
            yield where.port, health


async def test_ready_when_files_were_loaded_and_the_store_commits():
    """Both probes and the metrics answer, in plain text."""
    async with probed(Pulse()) as (port, _):
        replies = [await exchange(port, head("GET", p)) for p in ("/livez", "/readyz", "/metrics")]

    assert [(reply.status, reply.body) for reply in replies] == [
        (200, b"ok\n"),
        (200, b"ok\n"),
        (200, b"up 1\n"),
    ]
    assert {reply.headers["content-type"] for reply in replies} == {"text/plain; charset=utf-8"}
    assert {reply.headers["server"] for reply in replies} == {"integrationd"}


@pytest.mark.parametrize(
    ("pulse", "ready", "detail"),
    [
        pytest.param(Pulse(), False, "not ready: starting or stopping", id="not loaded"),
        pytest.param(
            Pulse(StoreError("x.db: the disk is full")),
            True,
            "not ready: the store does not commit: x.db: the disk is full",
            id="disk full",
        ),
        pytest.param(
            Pulse(takes_s=9),
            True,
            "not ready: the store does not commit: no answer",
            id="hanging",
        ),
    ],
)
async def test_not_ready_is_said_with_its_reason(pulse, ready, detail):
    """503 while it starts, stops or cannot store; the process lives all the same."""
    async with probed(pulse, ready=ready) as (port, _):
        refused, live = await asyncio.gather(
            exchange(port, head("GET", "/readyz")), exchange(port, head("GET", "/livez"))
        )

    assert refused.problem == problem_of(503, "Service Unavailable", detail)
    assert live.status == 200


async def test_readiness_comes_and_goes():
    """The same probe answers by what is true now."""
    pulse = Pulse()
    async with probed(pulse) as (port, health):
        codes = []
        for error, ready in ((None, True), (StoreError("x"), True), (None, True), (None, False)):
            pulse.error, health.ready = error, ready
            codes.append((await exchange(port, head("GET", "/readyz"))).status)

    assert codes == [200, 503, 200, 503]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_probes_are_read_and_not_written(path):
    """Another method is told which ones there are."""
    async with probed(Pulse()) as (port, _):
        posted = await exchange(port, head("POST", path, "Content-Length: 0"))
        headed = await exchange(port, head("HEAD", path))

    assert posted.problem == problem_of(405, "Method Not Allowed", "Method Not Allowed")
    assert posted.headers["allow"] == "GET,HEAD"
    assert headed.status == 200


async def test_address_that_is_taken_is_a_matter_of_settings():
    """The message names the address and what to change."""
    async with probed(Pulse()) as (port, _), stage(script()[0]) as on:
        hooks = Hooks(world=on.world, settings=Settings())
        app = build_listener(hooks=hooks, health=Health(store=Pulse()), metrics=lambda: b"")
        with pytest.raises(SettingsError) as caught:
            async with listening(app, Listen("127.0.0.1", port)):
                pass

    assert str(caught.value) == (
        f"listen: 127.0.0.1:{port} cannot be used: Address already in use; "
        "choose another in the settings"
    )


async def test_socket_whose_path_is_too_long_is_a_matter_of_settings(tmp_path):
    """A path in a deep directory does not fit into a socket's address."""
    async with stage(script()[0]) as on:
        hooks = Hooks(world=on.world, settings=Settings())
        app = build_listener(hooks=hooks, health=Health(store=Pulse()), metrics=lambda: b"")
        path = str(tmp_path / ("x" * 120))
        with pytest.raises(SettingsError) as caught:
            async with listening_on_socket(app, path):
                pass

    assert str(caught.value) == (
        f"control socket {path} cannot be used: AF_UNIX path too long; "
        "choose another state directory"
    )


async def test_socket_in_the_file_system_answers(tmp_path):
    """The same application stands on a path."""
    path = str(tmp_path / "control.sock")
    async with stage(script()[0]) as on:
        hooks = Hooks(world=on.world, settings=Settings())
        app = build_listener(hooks=hooks, health=Health(store=Pulse()), metrics=lambda: b"")
        async with listening_on_socket(app, path):
            reply = await exchange(path, head("GET", "/livez"))
        with (
            socket.socket(socket.AF_UNIX) as sock,
            pytest.raises(OSError, match=r"refused|No such"),
        ):
            sock.connect(path)

    assert reply.status == 200
