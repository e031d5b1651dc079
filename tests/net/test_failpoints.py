"""A process that is killed at a named point, and the next one that goes on."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integrationd.daemon.failpoints import read_failpoints
from integrationd.engine.failpoints import POINTS, UNARMED
from integrationd.errors import SettingsError
from tests.support.syncing import SETTINGS

SHOP = """\
integration: shop
http:
  base_url: "http://127.0.0.1:%d"
  paginate: {type: cursor, next: body.next, into: query.after}
streams:
  orders: {get: /orders, records: body.data, key: id}
"""
PAGES = {
    "/orders": b'{"data": [{"id": 1}], "next": "a"}',
    "/orders?after=a": b'{"data": [{"id": 2}], "next": null}',
}


class Shop(BaseHTTPRequestHandler):
    """Answers two pages."""

    def do_GET(self):
        body = PAGES[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def run(tmp_path) -> Iterator:
    """Return what runs a command as a process of its own, with a failpoint."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        files = tmp_path / "config" / "integrations"
        files.mkdir(parents=True)
        (tmp_path / "config" / "integrationd.yaml").write_text(SETTINGS)
        (files / "shop.yaml").write_text(SHOP % server.server_address[1])
        command = [sys.executable, "-m", "integrationd", "--config", str(tmp_path / "config")]
        command += ["--state", str(tmp_path / "state")]

        def execute(*words, failpoint=""):
            environ = {**os.environ, "INTEGRATIOND_FAILPOINT": failpoint}
            done = subprocess.run(
                [*command, *words], env=environ, capture_output=True, text=True, check=False
            )
            return done.returncode, done.stdout

        yield execute
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("failpoint", "stored"),
    [("page.fetched:2", 1), ("page.committed:1", 1), ("page.committed:2", 2), ("run.swept:1", 2)],
)
def test_process_that_is_killed_leaves_whole_pages_and_the_next_one_goes_on(run, failpoint, stored):
    """What was committed is there, and another run ends with everything."""
    died, _ = run("sync", "shop", failpoint=failpoint)
    left = run("records", "shop/orders")[1].splitlines()
    again, _ = run("sync", "shop")
    rows = run("records", "shop/orders")[1].splitlines()

    assert (died, len(left)) == (-signal.SIGKILL, stored)
    assert (again, len(rows)) == (0, 2)


def test_nothing_is_armed_without_the_flag():
    """And an empty flag is none."""
    assert read_failpoints({}) is UNARMED
    assert read_failpoints({"INTEGRATIOND_FAILPOINT": ""}) is UNARMED


@pytest.mark.parametrize("said", ["page", "page.fetched:x", ":1"])
def test_point_that_is_not_known_is_told(said):
    """A test that arms nothing would prove nothing."""
    with pytest.raises(SettingsError) as caught:
        read_failpoints({"INTEGRATIOND_FAILPOINT": said})

    listed = ", ".join(POINTS)
    assert str(caught.value) == (
        f"INTEGRATIOND_FAILPOINT is {said!r}, expected POINT:N with one of {listed}"
    )
