"""``runs revert`` and ``runs show`` on a real store, without a daemon and through one."""

import json
import re
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integrationd.cli.main import cli, run_command
from integrationd.cli.remote import is_running
from tests.support.syncing import SETTINGS

SHOP = """\
integration: shop
http: {base_url: "http://127.0.0.1:%d", paginate: {type: none}, retries: 0}
streams:
  orders: {get: /orders, records: body, key: id}
"""
FIRST = [{"id": 1, "n": "a"}, {"id": 2, "n": "b"}, {"id": 3, "n": "c"}]
SECOND = [{"id": 1, "n": "A"}, {"id": 3, "n": "c"}, {"id": 4, "n": "d"}]
RUN = re.compile(r"run_[0-9A-Z]{26}")


class Shop:
    """Serves what ``rows`` is."""

    def __init__(self):
        shop, self.rows = self, FIRST

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(shop.rows).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)


@pytest.fixture
def shop():
    """Serve the shop."""
    shop = Shop()
    with shop.server:
        thread = threading.Thread(target=shop.server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield shop
        shop.server.shutdown()
        thread.join()


@pytest.fixture
def run(tmp_path, shop, capsys):
    """Read both states of the shop; return what runs a command there."""
    files = tmp_path / "config" / "integrations"
    files.mkdir(parents=True)
    (tmp_path / "config" / "integrationd.yaml").write_text(SETTINGS)
    (files / "shop.yaml").write_text(SHOP % shop.server.server_address[1])
    places = ["--config", str(tmp_path / "config"), "--state", str(tmp_path / "state")]

    def execute(*words):
        code = run_command(
            lambda: cli.main([*places, *words], prog_name="integrationd", standalone_mode=False)
        )
        return (code, *capsys.readouterr())

    execute("sync", "shop")
    shop.rows = SECOND
    execute("sync", "shop")
    return execute


@pytest.fixture(params=["offline", "daemon"])
def acting(request, run, tmp_path):
    """Run the commands without a daemon, and beside one that has the lock."""
    if request.param == "offline":
        yield run
        return
    places = ["--config", str(tmp_path / "config"), "--state", str(tmp_path / "state")]
    command = [sys.executable, "-m", "integrationd", *places, "run"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as daemon:
        while not is_running(tmp_path / "state" / "control.sock"):
            assert daemon.poll() is None
            time.sleep(0.05)
        yield run
        daemon.terminate()


def last_run(run):
    """Return the newest run's id."""
    return json.loads(run("runs", "list", "--limit", "1", "--json")[1])["id"]


def living(run):
    """Return the living records' data."""
    return [
        json.loads(line)["data"]
        for line in run("records", "shop/orders", "--living")[1].splitlines()
    ]


def test_run_is_undone_shown_and_brought_back(acting):
    """A dry run changes nothing, the undoing everything, and undoing that brings it all back."""
    read = last_run(acting)

    looked = acting("runs", "revert", read, "--dry-run")
    unchanged = living(acting)
    done = acting("runs", "revert", read)
    undone = living(acting)
    undoing = last_run(acting)
    shown = json.loads(acting("runs", "show", read, "--json")[1])
    back = acting("runs", "revert", undoing, "--json")

    counts = "1 removed, 1 restored, 1 brought back"
    assert looked == (
        0,
        f"shop/orders: {read} would be undone: {counts}\n",
        f"shop/orders: looking what undoing {read} would do\n",
    )
    assert unchanged == SECOND
    assert done == (
        0,
        (
            f"shop/orders: {read} undone by {undoing}: {counts}\n"
            "the next reading takes over again what the provider says; mend the file before it\n"
            f"to take this back: integrationd runs revert {undoing}\n"
        ),
        f"shop/orders: undoing {read}\n",
    )
    assert undone == FIRST
    assert shown["reverted_by"] == [undoing]
    assert [change["op"] for change in shown["changes"]] == ["changed", "added", "deleted"]
    assert {change["since"]["run"] for change in shown["changes"]} == {undoing}
    assert back[0] == 0
    events = [json.loads(line)["event"] for line in back[1].splitlines()]
    assert events == ["started", "progress", "finished"]
    assert living(acting) == SECOND


def test_records_changed_since_are_named_and_exit_1(acting, shop):
    """What something else changed stays, is named with that run, and the command says 1."""
    read = last_run(acting)
    shop.rows = [{"id": 1, "n": "new"}, *SECOND[1:]]
    acting("sync", "shop")
    later = last_run(acting)

    code, out, err = acting("runs", "revert", read)

    assert code == 1
    assert "1 removed, 1 brought back, 1 changed since and left alone\n" in out
    assert re.fullmatch(
        rf"shop/orders: undoing {read}\nshop/orders: shop\.orders 1 was changed since by {later} "
        r"at \S+Z; left alone\n",
        err,
    )
    assert living(acting) == [{"id": 1, "n": "new"}, FIRST[1], FIRST[2]]


def test_unknown_run_exits_2(acting):
    """The message says where the runs are."""
    message = "integrationd: no run 'run_x'; see: integrationd runs list\n"

    assert acting("runs", "revert", "run_x") == (2, "", message)


def test_run_is_shown_for_people(run):
    """Counts, cost, and its changes field by field, no more than wanted."""
    code, out, err = run("runs", "show", last_run(run), "--changes", "2")

    lines = RUN.sub("RUN", re.sub(r"\d{4}-\S+Z", "T", out)).splitlines()
    assert (code, err) == (0, "")
    assert lines == [
        "RUN: shop/orders (default), full, by manual",
        "  done, T to T",
        "  3 read, 1 added, 1 changed, 1 unchanged, 1 deleted",
        "  1 pages, 1 requests, 0 retries, 0 ms waited",
        "  ~ shop.orders 1",
        "      n: 'a' to 'A'",
        "  + shop.orders 4",
        "      id: 4",
        "      n: 'd'",
        "  … and more, see --changes",
    ]
