"""A daemon in this process: what systemd is told in which order, and commands that ask it."""

import asyncio
import hashlib
import hmac
import json
import os
import re
import signal
import socket
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from integrationd.cli.main import cli, run_command
from integrationd.cli.remote import RemoteActions
from integrationd.daemon.app import run_daemon
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings
from integrationd.errors import SettingsError, UsageError
from integrationd.model.switches import Switch
from integrationd.ports.actions import SwitchWish
from tests.support.rawhttp import exchange, head, post, problem_of

SETTINGS = """\
listen: 127.0.0.1:%d
egress: {allow: [127.0.0.0/8]}
drain: 2s
"""
SHOP = """\
integration: shop
http: {base_url: "http://127.0.0.1:%d", paginate: {type: none}, retries: 0}
streams:
  orders: {get: /orders, records: body, key: id, schedule: 1s}
"""
HOOK = """\
integration: sender
secrets: {key: {env: INTEGRATIOND_SECRET_KEY}}
streams:
  pushed: {key: id}
webhooks:
  events:
    verify:
      type: hmac
      keys: ["{{ secrets.key }}"]
      signature: {from: header.x-signature, encoding: hex}
    dedup: body.id
    event: body.type
"""


@pytest.fixture
def paths(tmp_path, monkeypatch):
    """Give two directories and a socket that systemd would listen on."""
    (tmp_path / "config" / "integrations").mkdir(parents=True)
    with socket.socket(socket.AF_INET) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "config" / "integrationd.yaml").write_text(SETTINGS % port)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "300000000")
    monkeypatch.setenv("INTEGRATIOND_SECRET_KEY", "k")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    return Paths(tmp_path / "config", tmp_path / "state")


def write(paths, name, text):
    """Write one integration."""
    (paths.config / "integrations" / f"{name}.yaml").write_text(text)


def forget(path):
    """Remove what an earlier daemon of the same test was told through."""
    Path(path).unlink(missing_ok=True)


@asynccontextmanager
async def running(paths):
    """Run the daemon until the block ends; yields its port and what systemd heard."""
    heard = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        forget(os.environ["NOTIFY_SOCKET"])
        sock.bind(os.environ["NOTIFY_SOCKET"])
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        loop.add_reader(sock, lambda: heard.append(sock.recv(4096).decode()))
        settings = load_settings(paths)
        daemon = asyncio.create_task(run_daemon(paths, settings), name="daemon")
        try:
            await until(lambda: daemon.done() or any(text.startswith("READY") for text in heard))
            yield settings.listen.port, heard
        finally:
            if not daemon.done():
                os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(daemon, 10)
            await asyncio.sleep(0)
            loop.remove_reader(sock)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)


async def until(holds, patience_s=10):
    """Wait until something holds."""
    async with asyncio.timeout(patience_s):
        while not holds():  # noqa: ASYNC110 - what is waited for is outside
            await asyncio.sleep(0.01)


async def command(paths, *words):
    """Run a command on a thread of its own."""
    places = ["--config", str(paths.config), "--state", str(paths.state)]
    return await asyncio.to_thread(
        run_command,
        lambda: cli.main([*places, *words], prog_name="integrationd", standalone_mode=False),
    )


def address_of(paths, name, endpoint):
    """Ask the daemon where a sender posts to; a command sets signals, a thread cannot."""
    return asyncio.run(RemoteActions(paths.control).webhook_url(name, endpoint))


async def throw(paths, name, switch, *, on):
    """Switch something through the daemon; a command sets signals, a thread cannot."""
    wish = SwitchWish(integration=name, switch=switch, on=on)
    await asyncio.to_thread(lambda: asyncio.run(RemoteActions(paths.control).throw(wish)))


def status_of(paths):
    """Ask the daemon how everything stands."""
    return asyncio.run(RemoteActions(paths.control).status())


async def test_systemd_is_told_every_step_in_order(paths):
    """Ready after the first load, each reload with its time, and that we stop; no word more."""
    write(paths, "sender", HOOK)
    async with running(paths) as (_, heard):
        await command(paths, "reload")
        await until(lambda: len(heard) >= 6)
    steps = [re.sub(r"USEC=\d+", "USEC=N", text) for text in heard]

    good = "STATUS=1 integrations, 0 problems in files"
    assert steps == [
        good,
        f"READY=1\n{good}",
        "WATCHDOG=1",
        "RELOADING=1\nMONOTONIC_USEC=N",
        good,
        f"READY=1\n{good}",
        "STOPPING=1",
    ]


async def test_commands_ask_the_daemon_that_runs(paths, capsys):
    """Reload, status and a webhook's address come from it, and events are there to be seen."""
    write(paths, "sender", HOOK)
    async with running(paths) as (port, _):
        capsys.readouterr()
        codes = [await command(paths, "status"), await command(paths, "reload", "--wait")]
        told = capsys.readouterr().out.splitlines()
        url = await asyncio.to_thread(address_of, paths, "sender", "events")
        body = b'{"id": "e1", "type": "paid"}'
        signed = f"X-Signature: {hmac.new(b'k', body, hashlib.sha256).hexdigest()}"
        posted = await exchange(port, post(url["path"], body, signed))
        ready = await exchange(port, head("GET", "/readyz"))
        capsys.readouterr()
        codes.append(await command(paths, "events", "list", "sender", "--json"))
        (event,) = map(json.loads, capsys.readouterr().out.splitlines())
        write(paths, "sender", HOOK.replace("streams:", "strems:"))
        refused = await command(paths, "reload", "--wait", "--json")
        # The daemon logs to the same place, before and after.
        printed = f"\n{capsys.readouterr().out}".partition("\n{\n")[2]
        shown, _ = json.JSONDecoder().raw_decode("{\n" + printed)

    assert codes == [0, 0, 0]
    assert (ready.status, posted.status) == (200, 200)
    assert any(line.startswith(f"daemon: running, process {os.getpid()}, since") for line in told)
    assert "taken: 1 integrations run" in told
    assert {name: event[name] for name in ("id", "event", "dedup", "status", "duplicates")} == {
        "id": posted.json["id"],
        "event": "paid",
        "dedup": "e1",
        "status": "stored",
        "duplicates": 0,
    }
    assert refused == 78
    assert (shown["taken"], shown["kept"]) == (False, ["sender"])


async def test_streams_come_and_go_with_their_files(paths, serving):
    """A stream is read by its schedule while its file is there."""
    asked = []

    async def meet(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]")

    async with serving(meet) as source:
        write(paths, "shop", SHOP % source)
        async with running(paths):
            await until(lambda: asked)
            (paths.config / "integrations" / "shop.yaml").unlink()
            assert await command(paths, "reload", "--wait") == 0
            before = len(asked)
            await asyncio.sleep(1.1)
            after = len(asked)

    assert after == before


async def test_pause_stops_schedules_and_stores_webhooks_over_a_restart(paths, serving):
    """Nothing is read until it goes on, whichever process runs; a sender notices nothing."""
    asked = []

    async def meet(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]")

    async with serving(meet) as source:
        write(paths, "shop", SHOP % source)
        write(paths, "sender", HOOK)
        async with running(paths):
            await until(lambda: asked)
            await throw(paths, None, Switch.PAUSED, on=True)
        counts = [len(asked)]
        async with running(paths) as (port, _):
            url = await asyncio.to_thread(address_of, paths, "sender", "events")
            body = b'{"id": "e1", "type": "paid"}'
            signed = f"X-Signature: {hmac.new(b'k', body, hashlib.sha256).hexdigest()}"
            posted = await exchange(port, post(url["path"], body, signed))
            await asyncio.sleep(1.5)
            counts.append(len(asked))
            status = await asyncio.to_thread(status_of, paths)
            await throw(paths, None, Switch.PAUSED, on=False)
            await until(lambda: len(asked) > counts[1])

    assert counts[1] == counts[0]
    assert posted.status == 200
    assert status["paused"]
    assert [stream["next_run_at"] for stream in status["integrations"][1]["streams"]] == [None]


async def test_disabled_integration_is_inactive_and_still_hears(paths):
    """``sync`` is refused with what to do, and what the sender posts is stored."""
    write(paths, "sender", HOOK + 'http: {base_url: "http://127.0.0.1:1"}\n')
    async with running(paths) as (port, _):
        await throw(paths, "sender", Switch.DISABLED, on=True)
        url = await asyncio.to_thread(address_of, paths, "sender", "events")
        body = b'{"id": "e1", "type": "paid"}'
        signed = f"X-Signature: {hmac.new(b'k', body, hashlib.sha256).hexdigest()}"
        posted = await exchange(port, post(url["path"], body, signed))
        status = await asyncio.to_thread(status_of, paths)
        with pytest.raises(UsageError) as caught:
            await throw(paths, "nobody", Switch.DISABLED, on=True)

    assert posted.status == 200
    assert [each["status"] for each in status["integrations"]] == ["inactive"]
    assert str(caught.value) == "no integration 'nobody'; known here: sender; nothing was switched"


async def test_listener_closes_its_endpoints_before_it_goes(paths, serving):
    """While a run is drained, probes and senders are told that we stop."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def meet(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        begun.set()
        await go_on.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]")

    async with serving(meet) as source:
        write(paths, "shop", SHOP % source)
        write(paths, "sender", HOOK)
        async with running(paths) as (port, heard):
            await begun.wait()
            url = await asyncio.to_thread(address_of, paths, "sender", "events")
            os.kill(os.getpid(), signal.SIGTERM)
            await until(lambda: "STOPPING=1" in heard)
            ready = await exchange(port, head("GET", "/readyz"))
            hook = await exchange(port, post(url["path"], b"{}"))
            live = await exchange(port, head("GET", "/livez"))
            go_on.set()

    stopping = "not ready: starting or stopping"
    assert ready.problem == problem_of(503, "Service Unavailable", stopping)
    assert hook.problem == problem_of(503, "Service Unavailable", "the daemon is stopping")
    assert live.status == 200


async def test_daemon_that_cannot_listen_ends_at_once(paths):
    """The address is taken: the reason comes before anything is said to be ready."""
    taken = load_settings(paths).listen
    with socket.create_server((taken.host, taken.port)), pytest.raises(SettingsError) as caught:
        await run_daemon(paths, load_settings(paths))

    assert str(caught.value) == (
        f"listen: 127.0.0.1:{taken.port} cannot be used: Address already in use; "
        "choose another in the settings"
    )
    assert not paths.control.exists()
