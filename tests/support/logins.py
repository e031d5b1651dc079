"""``auth login`` as a process, and files for the server that it logs in at."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass

from tests.support.browsers import Browser

SPEC = """\
integration: acme
secrets: {{client_secret: {{env: INTEGRATIOND_SECRET_CS}}}}
http:
  base_url: "http://127.0.0.1:{port}/api"
  auth:
    type: oauth2
    token_url: "http://127.0.0.1:{port}/token"
    scopes: [openid, offline_access]
{grant}
  paginate: none
streams:
  orders: {{get: /orders, key: id, schedule: 24h}}
"""
NATIVE = """\
    grant: authorization_code
    client_id: native
    authorize: {url: "http://127.0.0.1:PORT/auth", query: {prompt: consent}}
"""
FIXED = """\
    grant: authorization_code
    client_id: fixed
    client_secret: "{{ secrets.client_secret }}"
    authorize:
      url: "http://127.0.0.1:PORT/auth"
      query: {prompt: consent}
      redirect: "http://localhost:REDIRECT/done/here"
"""
TELEVISION = """\
    grant: device_code
    client_id: television
    device: {url: "http://127.0.0.1:PORT/device/auth"}
"""


@dataclass(frozen=True)
class Server:
    """The server, as a test sees it."""

    port: int
    redirect: int
    """Of the client ``fixed``."""

    def call(self, path: str) -> object:
        """Make one call."""
        return json.loads(Browser().open(f"http://127.0.0.1:{self.port}{path}").text)

    def spec(self, grant: str, **changes: str) -> str:
        """Return an integration's file."""
        text = SPEC.format(port=self.port, grant=grant.rstrip())
        text = text.replace("PORT", str(self.port)).replace("REDIRECT", str(self.redirect))
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        return text


@dataclass
class Started:
    """A login under way."""

    process: subprocess.Popen[str]
    address: str

    def end(self) -> tuple[int, str, str]:
        """Wait for its end: exit code, the rest of stdout, stderr."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


def start(installation, *words: str, stdin=subprocess.DEVNULL) -> Started:
    """Begin a login and read the address that it prints."""
    process = subprocess.Popen(
        installation.command("auth", "login", "acme", *words),
        env=installation.environment(),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As on a terminal; what a shell starts in the background hears no Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    installation.started.append(process)
    assert process.stdout is not None
    return Started(process, process.stdout.readline().strip())


def read_until(terminal: int, text: str) -> str:
    """Read what a terminal shows until it shows a text."""
    shown = ""
    end_s = time.monotonic() + 60
    while text not in shown.replace("\r\n", "\n"):
        assert time.monotonic() < end_s, shown
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096).decode()
    return shown
