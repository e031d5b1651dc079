"""The daemon as its administrator meets it: files come and go, and it keeps on syncing."""

import hashlib
import hmac
import itertools
import json
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.daemons import Running
from tests.support.syncing import page_server

pytestmark = pytest.mark.acceptance

BAD = Path(__file__).parents[1] / "bad"
INTEGRATION = """\
integration: shop
http:
  base_url: "http://127.0.0.1:{port}"
  query: {{limit: 100}}
  paginate: {{type: cursor, next: body.next_cursor, into: query.cursor}}
streams:
  customers: {{get: /records, records: body.data, key: id, schedule: 1s}}
"""
HOOK = """\
integration: sender
secrets: {signing_key: {env: INTEGRATIOND_SECRET_KEY}}
streams:
  orders: {key: id}
webhooks:
  events:
    verify:
      type: hmac
      keys: ["{{ secrets.signing_key }}"]
      signature: {from: header.x-signature, encoding: hex, prefix: "sha256="}
    dedup: body.id
    event: body.type
"""


@pytest.fixture
def source() -> Iterator[int]:
    """Run an API of 500 records; gives its port."""
    with page_server(500) as port:
        yield port


@pytest.fixture
def daemon(installation) -> Callable[[], Running]:
    """Give what starts the daemon."""
    return lambda: Running(installation)


def test_dropped_file_syncs_and_removed_file_stops(installation, daemon, source):
    """A file that appears is taken up within a second, and one that goes stops its stream."""
    running, taken_s = daemon(), []
    for name in ("shop", "second", "third"):  # a busy machine may need more than one
        text = INTEGRATION.format(port=source).replace("shop", name)
        dropped_s = time.monotonic()
        path = installation.write(f"integrations/{name}.yaml", text)
        running.wait("bundle.swapped", added=[name])
        taken_s.append(time.monotonic() - dropped_s)
        if taken_s[-1] < 1:
            break
    first = running.wait("run.finished", integration=name)
    path.unlink()
    running.wait("bundle.swapped", removed=[name])

    assert min(taken_s) < 1
    assert (first["status"], first["added"]) == ("done", 500)
    assert len(installation.rows(f"{name}/customers")) == 500
    assert running.stop() == 0


def test_bad_edit_keeps_the_last_good_version_over_a_restart(installation, daemon, source):
    """A broken edit changes nothing, neither now nor after a restart, until it is mended."""
    good = INTEGRATION.format(port=source)
    installation.write("integrations/shop.yaml", good)
    running = daemon()
    running.wait("run.finished")
    installation.write("integrations/shop.yaml", good.replace("key: id", "kee: id"))
    refused = running.wait("file.refused", code="E101")
    running.wait("run.finished", status="done")
    assert running.stop() == 0

    again = daemon()
    again.wait("run.finished", status="done")
    kept = json.loads(installation.run("status", "--json").stdout)["files"]["kept"]
    installation.write("integrations/shop.yaml", good)
    again.wait("bundle.swapped", errors=0)
    mended = json.loads(installation.run("status", "--json").stdout)["files"]

    assert refused["keeps"] == ["shop"]
    assert kept == ["shop"]
    assert (mended["ok"], mended["kept"]) == (True, [])
    assert again.stop() == 0


def test_reload_tells_whether_the_files_were_taken(installation, daemon, source):
    """``reload --wait`` exits 0 where all is good and 78 where a file was refused."""
    good = INTEGRATION.format(port=source)
    installation.write("integrations/shop.yaml", good)
    running = daemon()

    taken = installation.run("reload", "--wait")
    installation.write("integrations/shop.yaml", "integration: shop\nstrems: {}\n")
    refused = installation.run("reload", "--wait")

    assert (taken.returncode, taken.stdout) == (0, "taken: 1 integrations run\n")
    assert (refused.returncode, refused.stdout) == (
        78,
        "refused in part: 1 integrations run; on their last good files: shop\n",
    )
    assert refused.stderr == (
        "integrations/shop.yaml:2:1: E101: unknown field 'strems'; did you mean 'streams'?\n"
    )
    assert running.stop() == 0


def test_every_bad_file_in_the_directory_delays_no_tick(installation, daemon, source):
    """Beside one bad file for each error code, a stream due each second is read each second."""
    installation.write("integrations/shop.yaml", INTEGRATION.format(port=source))
    running = daemon()
    running.wait("run.finished")
    for case in sorted(BAD.iterdir()):
        if case.suffix == ".yaml":
            shutil.copy(case, installation.config / "integrations" / case.name)
        elif case.is_dir():
            shutil.copytree(case, installation.config / "specs" / case.name)
    running.wait("file.refused", code="E101")
    starts = []
    for _ in range(10):
        running.wait("run.finished", integration="shop", status="done")
        starts.append(time.monotonic())

    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert max(gaps) < 1.9, gaps
    assert not [line for line in running.lines if line["event"] == "run.skipped"]
    assert running.stop() == 0


def test_health_and_metrics_are_served(installation, daemon):
    """Without any file the daemon is ready, and says so."""
    running = daemon()

    assert running.get("/livez") == (200, "ok\n")
    assert running.get("/readyz") == (200, "ok\n")
    status, metrics = running.get("/metrics")
    assert status == 200
    assert "integrationd_" in metrics
    assert running.get("/hooks/unknown")[0] == 404
    assert running.get("/")[0] == 404
    assert running.stop() == 0


def test_control_socket_is_its_owners_alone(installation, daemon):
    """Nobody else may open the socket or the state directory."""
    running = daemon()

    socket_mode = stat.S_IMODE((installation.state / "control.sock").stat().st_mode)
    assert socket_mode == 0o600
    assert stat.S_IMODE(installation.state.stat().st_mode) == 0o700
    assert running.stop() == 0


def test_second_daemon_is_refused(installation, daemon):
    """One state directory has one daemon; the second says which process it is."""
    running = daemon()
    second = installation.run("run")

    assert second.returncode == 1
    assert re.fullmatch(
        rf"integrationd: process {running.process.pid} uses \S+ already\n", second.stderr
    )
    assert running.stop() == 0


def test_wrong_settings_exit_78(installation):
    """The settings' own problems are all told, and the daemon does not start."""
    installation.write("integrationd.yaml", "lissten: 1\nlimits: {body: ten}\n")

    refused = installation.run("run")

    assert refused.returncode == 78
    assert refused.stderr.count("E1") == 2


def test_webhook_is_stored_before_it_is_answered(installation, daemon):
    """A signed call is stored, its duplicate is known, and a forged one is refused."""
    installation.env["INTEGRATIOND_SECRET_KEY"] = "k3y"
    installation.write("integrations/sender.yaml", HOOK)
    running = daemon()
    url = installation.run("webhook", "url", "sender/events").stdout.strip()
    path = "/" + url.split("/", 3)[3]
    body = b'{"id": "e1", "type": "order.paid"}'
    signed = "sha256=" + hmac.new(b"k3y", body, hashlib.sha256).hexdigest()

    first = running.post(path, body, x_signature=signed)
    second = running.post(path, body, x_signature=signed)
    forged = running.post(path, body, x_signature=signed.replace("sha256=", "sha256=0")[:-1])
    unsigned = running.post(path, body)
    huge = running.post(path, b"x" * 1_000_001, x_signature=signed)
    events = installation.lines("events", "list")

    assert re.fullmatch(r"/hooks/[0-9a-f]{48}", path)
    assert [first[0], second[0], forged[0], unsigned[0], huge[0]] == [200, 200, 401, 401, 413]
    assert json.loads(first[1])["id"] == json.loads(second[1])["id"]
    assert [(e["event"], e["dedup"], e["duplicates"]) for e in events] == [("order.paid", "e1", 1)]
    assert installation.run("webhook", "url", "sender/events").stdout.strip() == url
    assert running.stop() == 0


def test_missing_secret_closes_the_endpoint_and_is_told(installation, daemon):
    """Without its key an endpoint answers 503, never 2xx or 4xx, and ``status`` says why."""
    installation.write("integrations/sender.yaml", HOOK)
    running = daemon()
    url = installation.run("webhook", "url", "sender/events").stdout.strip()

    status, _ = running.post("/" + url.split("/", 3)[3], b"{}", x_signature="sha256=00")
    shown = json.loads(installation.run("status", "--json").stdout)["integrations"][0]

    assert status == 503
    assert shown["status"] == "error"
    assert "signing_key" in shown["last_error"]
    assert running.stop() == 0


def test_run_under_way_is_drained_at_the_end(installation, daemon):
    """SIGTERM lets a reading finish; its rows are there and the exit code is 0."""
    with page_server(2000, latency_ms=60) as port:
        spec = INTEGRATION.format(port=port).replace("schedule: 1s", "schedule: 1h")
        installation.write("integrations/shop.yaml", spec)
        running = daemon()
        time.sleep(1.3)
        code = running.stop()

    finished = [line for line in running.lines if line["event"] == "run.finished"]
    assert code == 0
    assert [line["status"] for line in finished] == ["done"]
    assert len(installation.rows("shop/customers")) == 2000


def test_check_needs_neither_http_nor_the_database(installation):
    """``check`` imports neither aiohttp nor SQLAlchemy, and exits 78 where a file has errors."""
    installation.write("integrations/a.yaml", "integration: a\nstrems: {}\n")
    program = (
        "import sys, runpy\n"
        "sys.argv[0] = 'integrationd'\n"
        "try: runpy.run_module('integrationd', run_name='__main__')\n"
        "finally: print(sorted({'aiohttp', 'sqlalchemy', 'apscheduler'} & set(sys.modules)))\n"
    )
    command = installation.command("check")
    done = subprocess.run(
        [command[0], "-c", program, *command[3:]],
        env=installation.environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 78
    assert done.stdout.splitlines() == [
        "integrations/a.yaml:2:1: E101: unknown field 'strems'; did you mean 'streams'?",
        "[]",
    ]
