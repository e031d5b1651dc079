"""Streams that a list discovers, by the installed command against a server on loopback."""

from __future__ import annotations

import json
import signal

import pytest

from tests.support.daemons import Running
from tests.support.postgres import schema_url
from tests.support.tables import SPEC, tables

pytestmark = [pytest.mark.acceptance]

POSTGRES = pytest.param("postgres", marks=pytest.mark.needs("postgres"))
SETTINGS = "listen: 127.0.0.1:0\negress: {allow: [127.0.0.0/8]}\n"


@pytest.fixture(params=["sqlite", POSTGRES])
def crm(request, installation):
    """Provide an installation that reads tables, and the tables, on both databases."""
    with tables(t1="Contacts", t2="Open Deals") as served:
        if request.param == "sqlite":
            yield installation, served
            return
        with schema_url() as url:
            installation.write("integrationd.yaml", f"{SETTINGS}database: {json.dumps(url)}\n")
            yield installation, served


def write(installation, served, schedule="1d"):
    """Write the integration."""
    installation.write("integrations/crm.yaml", SPEC % (served.url, schedule))


def streams(installation):
    """Return what is told of each stream: whether it is enabled, and its object."""
    told = json.loads(installation.run("status", "--json").stdout)
    (integration,) = told["integrations"]
    return {
        stream["name"]: (stream["enabled"], stream["object"] and stream["object"]["listed"])
        for stream in integration["streams"]
    }


def test_stream_is_known_by_its_name_though_no_list_was_read(crm):
    """The first command that names it has the list read first; its steps are made for it."""
    installation, served = crm
    write(installation, served)

    before = installation.run("explain", "crm/contacts")
    counts = installation.sync("crm/contacts")
    unknown = installation.run("sync", "crm/contcats")

    assert (before.returncode, before.stderr) == (
        2,
        (
            "integrationd: integration 'crm' has no stream 'contacts'; known here: tables; there "
            "are also those that crm/tables lists\n"
        ),
    )
    assert (counts["added"], counts["requests"]) == (2, 2)
    assert served.asked == ["/tables", "/schema/t1", "/rows/t1?fields=id%2Ct1_field"]
    assert installation.rows("crm/contacts")["t1-1"] == {"id": "t1-1", "table": "t1"}
    assert (unknown.returncode, unknown.stderr) == (
        2,
        (
            "integrationd: integration 'crm' has no stream 'contcats'; did you mean 'contacts'?; "
            "there are also those that crm/tables lists\n"
        ),
    )


def test_all_streams_are_read_after_their_list(crm):
    """By one command, in one go; what is switched off by name is left out."""
    installation, served = crm
    served.names["t3"] = "Log"
    write(installation, served)
    told = installation.lines("sync", "crm")
    ended = [line["stream"] for line in told if line["event"] == "finished"]

    assert ended == ["tables", "contacts", "open_deals"]
    assert streams(installation) == {
        "tables": (True, None),
        "contacts": (True, True),
        "open_deals": (True, True),
        "log": (False, True),
    }


def test_commands_know_discovered_streams(crm):
    """Preview, explain, runs and records go by their names, with a daemon or without."""
    installation, served = crm
    write(installation, served)
    installation.sync("crm")

    explained = installation.run("explain", "crm/contacts")
    asked = json.loads(installation.run("explain", "crm/contacts", "--json").stdout)
    previewed = installation.lines("preview", "crm/open_deals")
    runs = installation.lines("runs", "list", "crm/contacts")

    assert explained.stdout.splitlines()[:6] == [
        "before it, once a run, schema:",
        f"GET {served.url}/schema/t1",
        "accept: application/json",
        "",
        f"GET {served.url}/rows/t1?fields=SCHEMA",
        "accept: application/json",
    ]
    assert [step["name"] for step in asked["steps"]] == ["schema"]
    assert (previewed[-1]["status"], previewed[-1]["counts"]["unchanged"]) == ("done", 2)
    assert [run["stream"] for run in runs] == ["contacts"]


def test_list_that_changes_is_taken_up_by_a_running_daemon(crm):
    """New streams are read, those of what is gone are not, and records stay."""
    installation, served = crm
    write(installation, served, schedule="1s")
    daemon = Running(installation)
    daemon.wait("streams.discovered", streams=2)
    served.wait(lambda path: path.startswith("/rows/t2"))
    daemon.wait("run.finished", stream="open_deals")

    served.names = {"t1": "People", "t9": "Fresh"}
    told = daemon.wait("streams.discovered")
    daemon.wait("run.finished", stream="fresh")
    refused = installation.run("sync", "crm/open_deals")
    shown = installation.run("status")

    assert (told["added"], told["gone"]) == (["fresh"], ["open_deals"])
    assert streams(installation) == {
        "tables": (True, None),
        "contacts": (True, True),
        "open_deals": (False, False),
        "fresh": (True, True),
    }
    assert sorted(installation.rows("crm/open_deals")) == ["t2-1", "t2-2"]
    assert (refused.returncode, refused.stderr) == (
        78,
        (
            "integrationd: stream crm/open_deals is not read, as crm/tables does not list it any "
            "more\n"
        ),
    )
    assert "  open_deals [not listed by tables]: 2 records" in shown.stdout
    assert daemon.stop() == 0


def test_last_known_list_goes_on_while_it_cannot_be_read(crm):
    """Also after a kill and a restart: streams are there before the list is asked for."""
    installation, served = crm
    write(installation, served)
    first = Running(installation)
    first.wait("run.finished", stream="contacts")
    first.wait("run.finished", stream="open_deals")
    first.process.send_signal(signal.SIGKILL)
    first.process.wait(timeout=30)

    served.failing = True
    asked = len(served.rows_asked())
    second = Running(installation)
    failed = installation.run("sync", "crm/tables")
    counts = installation.sync("crm/contacts")

    assert failed.returncode == 1
    assert (counts["unchanged"], len(served.rows_asked())) == (2, asked + 1)
    assert streams(installation) == {
        "tables": (True, None),
        "contacts": (True, True),
        "open_deals": (True, True),
    }
    assert second.of("streams.discovered") == []
    assert second.stop() == 0


def test_list_that_cannot_be_read_first_is_told(crm):
    """It is not known then whether there is such a stream."""
    installation, served = crm
    served.failing = True
    write(installation, served)
    done = installation.run("sync", "crm/contacts")

    assert (done.returncode, done.stderr) == (
        2,
        (
            "integrationd: integration 'crm' has no stream 'contacts'; known here: tables; there "
            "are also those that crm/tables lists, which could not be read: GET /tables answered "
            "503\n"
        ),
    )


def test_more_objects_than_allowed_are_told(crm):
    """In the log and in the status, with what to do."""
    installation, served = crm
    served.names = {f"t{number}": f"Table {number}" for number in range(7)}
    write(installation, served)
    daemon = Running(installation)
    advised = daemon.wait("discovery.advised")
    shown = installation.run("status")

    assert (advised["stream"], advised["advice"]) == (
        "tables",
        (
            "2 more objects are listed than 'discover.max' allows; they have no stream; leave out "
            "some with 'where', or raise it"
        ),
    )
    assert advised["advice"] in shown.stdout
    assert len(streams(installation)) == 6
    assert daemon.stop() == 0


def test_no_moment_of_a_kill_loses_or_doubles_a_stream(installation):
    """Killed when a list was read and nothing of it taken up yet, the next start goes on."""
    with tables(t1="Contacts", t2="Open Deals") as served:
        write(installation, served)
        for number, point in enumerate(("page.committed", "run.read", "run.settled")):
            served.names = {f"t{number}{at}": f"Table {number}{at}" for at in (1, 2)}
            installation.env = {"INTEGRATIOND_FAILPOINT": f"{point}:1"}
            died = installation.run("sync", "crm/tables")
            installation.env = {}
            assert died.returncode == -signal.SIGKILL, (point, died.stderr)
            installation.sync("crm/tables")  # goes on where it broke off, and deletes nothing
            installation.sync("crm/tables")
            listed = [name for name, (_, is_listed) in streams(installation).items() if is_listed]
            assert listed == [f"table_{number}1", f"table_{number}2"], point


def test_stream_whose_name_a_file_takes_is_told(crm):
    """In the log, in the status and at the end of the list's reading; the file's own is read."""
    installation, served = crm
    write(installation, served)
    daemon = Running(installation)
    daemon.wait("streams.discovered")
    taken = "  contacts: {get: /rows/t1, records: body.rows, key: id}\n"
    installation.write("integrations/crm.yaml", SPEC % (served.url, "1d") + taken)
    told = (
        "object t1 has the stream 'contacts', a name that a file gives to something of its own by "
        "now, so the object is not read; call that otherwise"
    )
    daemon.wait("discovery.advised", stream="tables", advice=told)
    assert told in installation.run("status").stdout
    ended = installation.run("sync", "crm/tables")
    assert f"crm/tables: done, 2 read (2 unchanged)\n  {told}\n" in ended.stdout
    assert streams(installation)["contacts"] == (True, None)
    assert daemon.stop() == 0
