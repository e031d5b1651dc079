"""The encrypted store as its administrator meets it: a running daemon, a terminal, and SIGKILL."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pty
import select
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from integrationd.daemon.system import SystemClock, SystemRandomness
from integrationd.model.secret import Secret
from integrationd.store.sqlstore import SqlStore
from integrationd.vault.master import parse_master_key
from integrationd.vault.opening import open_vault
from integrationd.vault.sealed import SealedVault

pytestmark = pytest.mark.acceptance

TOKEN = "canary-5e2f71c8"
KEY = base64.b64encode(bytes(range(32))).decode()
ACME = """\
integration: acme
secrets: {token: {}}
http:
  base_url: "http://127.0.0.1:%d"
  auth: {type: bearer, token: "{{ secrets.token }}"}
  paginate: {type: none}
streams:
  orders: {get: /orders, records: body, key: id, schedule: 1h}
"""
MANY = 1000


class Shop(BaseHTTPRequestHandler):
    """Gives two orders to who has the token."""

    def do_GET(self):
        known = self.headers["authorization"] == f"Bearer {TOKEN}"
        body = b'[{"id": 1}, {"id": 2}]' if known else b"{}"
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """Serve the shop."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def wait_for(process: subprocess.Popen[str], event: str, **fields: object) -> dict[str, object]:
    """Read the daemon's log until an event comes."""
    assert process.stdout is not None
    for text in process.stdout:
        line = json.loads(text)
        if line["event"] == event and fields.items() <= line.items():
            return line
    raise AssertionError(event)


def pipe(installation, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command with something on its stdin."""
    return subprocess.run(
        installation.command(*words),
        env=installation.environment(),
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def status_of(installation) -> str:
    """Return the word for the one integration."""
    return json.loads(installation.run("status", "--json").stdout)["integrations"][0]["status"]


def test_running_daemon_hears_of_a_secret_at_once(installation, port, tmp_path):
    """The reading that failed for want of it begins again by itself, and the status clears.

    The master key is a systemd credential that only the daemon has; the command needs none.
    """
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "integrationd.master-key").write_text(KEY)
    installation.write("integrations/acme.yaml", ACME % port)
    installation.env["CREDENTIALS_DIRECTORY"] = str(tmp_path / "credentials")
    daemon = installation.start("run")
    wait_for(daemon, "run.finished", status="failed")
    del installation.env["CREDENTIALS_DIRECTORY"]
    before = status_of(installation)

    done = pipe(installation, f"{TOKEN}\n", "secret", "set", "acme", "token")
    changed = wait_for(daemon, "secret.changed")
    finished = wait_for(daemon, "run.finished")

    assert (done.returncode, done.stdout, done.stderr) == (0, "kept: secret token of acme\n", "")
    assert (changed["name"], changed["change"]) == ("token", "set")
    assert (finished["status"], finished["added"]) == ("done", 2)
    assert (before, status_of(installation)) == ("error", "active")
    assert installation.run("check", "--env").returncode == 0
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(timeout=30) == 0


def test_wrong_master_key_refuses_to_start(installation, port):
    """The daemon exits 78 before it listens, and systemd is told not to try again."""
    installation.write("integrations/acme.yaml", ACME % port)
    installation.env["INTEGRATIOND_MASTER_KEY"] = KEY
    pipe(installation, TOKEN, "secret", "set", "acme", "token")
    installation.env["INTEGRATIOND_MASTER_KEY"] = base64.b64encode(bytes(range(1, 33))).decode()

    refused = installation.run("run")

    assert refused.returncode == 78
    assert "the secrets in the database were sealed with" in refused.stderr
    assert not (installation.state / "control.sock").exists()


def test_secret_is_asked_for_without_echo(installation, port):
    """On a terminal nothing of what is typed shows."""
    installation.write("integrations/acme.yaml", ACME % port)
    installation.env["INTEGRATIOND_MASTER_KEY"] = KEY
    child, terminal = pty.fork()
    if child == 0:
        command = installation.command("secret", "set", "acme", "token")
        os.execve(command[0], command, installation.environment())

    shown = read_until(terminal, "token of acme: ")
    os.write(terminal, f"{TOKEN}\n".encode())
    shown += read_until(terminal, "kept: secret token of acme")
    _, status = os.waitpid(child, 0)
    os.close(terminal)

    assert os.waitstatus_to_exitcode(status) == 0
    assert TOKEN not in shown
    assert installation.run("sync", "acme").returncode == 0


def read_until(terminal: int, text: str) -> str:
    """Read what a terminal shows until it shows a text."""
    shown = ""
    end_s = time.monotonic() + 30
    while text not in shown:
        assert time.monotonic() < end_s, shown
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096).decode()
    return shown


async def on_vault(database: Path, work) -> None:
    """Do something with the encrypted store of an installation that nothing runs on."""
    async with SqlStore(database) as store:
        master = parse_master_key(KEY, "here")
        vault = await open_vault(store.secrets, master, SystemClock(), SystemRandomness())
        assert isinstance(vault, SealedVault)
        await work(vault, store)


def keys_in_use(database: Path) -> int:
    """Count the keys under which something is sealed: two in the midst of a rotation."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        return conn.execute("SELECT count(DISTINCT key_id) FROM secrets").fetchone()[0]


def test_rotation_survives_sigkill_at_any_moment(installation):
    """After each of three kills in its midst every secret opens; the last one completes it."""
    installation.env["INTEGRATIOND_MASTER_KEY"] = KEY
    installation.state.mkdir(mode=0o700)
    values = {f"n{number}": Secret(f"value {number}") for number in range(MANY)}

    async def fill(vault, _store):
        await asyncio.gather(*(vault.put("default", "acme", *item) for item in values.items()))

    async def read(vault, _store):
        assert await vault.look("default", "acme", list(values)) == values

    asyncio.run(on_vault(installation.database, fill))
    parted = []
    for number in range(3):
        process = installation.start("secret", "rotate")
        while keys_in_use(installation.database) == 1 and process.poll() is None:
            time.sleep(0.002)
        time.sleep(number * 0.01)
        process.kill()
        process.wait()
        parted.append(keys_in_use(installation.database))
        asyncio.run(on_vault(installation.database, read))
        installation.run("secret", "rotate")
    done = installation.run("secret", "rotate", "--json")

    async def settled(_vault, store):
        [key] = await store.secrets.ring(None)
        rows = await store.secrets.list_secrets(None)
        assert {row.key_id for row in rows} == {key.id}

    assert 2 in parted, parted
    assert (done.returncode, json.loads(done.stdout)["left"]) == (0, 0)
    asyncio.run(on_vault(installation.database, settled))
    asyncio.run(on_vault(installation.database, read))
