"""``doctor``: each thing that can be wrong with an installation is found, with what to do."""

import fcntl
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

import integrationd
from integrationd.cli.main import cli, run_command
from integrationd.cli.remote import is_running
from integrationd.daemon.doctor import places, running
from integrationd.daemon.doctor.examine import Asked, examine
from integrationd.daemon.doctor.finding import Finding, Level
from integrationd.daemon.doctor.machine import Machine
from integrationd.daemon.paths import Paths
from integrationd.store import SqlStore
from tests.support.syncing import SETTINGS

SCHEMA1 = Path(__file__).parents[1] / "contract" / "store" / "schema1.sql"
HOOK = """\
integration: sender
secrets: {key: {env: INTEGRATIOND_SECRET_DOCTOR}}
streams:
  pushed: {key: id}
webhooks:
  events:
    verify:
      type: hmac
      keys: ["{{ secrets.key }}"]
      signature: {from: header.x-signature, encoding: hex}
"""


@pytest.fixture
def paths(tmp_path):
    """Give an installation that is in order."""
    (tmp_path / "config" / "integrations").mkdir(parents=True, mode=0o755)
    (tmp_path / "config" / "integrationd.yaml").write_text(SETTINGS)
    (tmp_path / "state").mkdir(mode=0o700)
    return Paths(tmp_path / "config", tmp_path / "state")


@pytest.fixture
def kernel(tmp_path):
    """Give a machine on which all is well, to be changed by tests."""
    proc = tmp_path / "proc"
    (proc / "sys" / "fs" / "inotify").mkdir(parents=True)
    (proc / "self").mkdir()
    (proc / "locks").write_text("")
    (proc / "self" / "mountinfo").write_text("22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n")
    (proc / "sys" / "fs" / "inotify" / "max_user_watches").write_text("65536\n")
    (proc / "sys" / "fs" / "inotify" / "max_user_instances").write_text("128\n")
    return Machine(
        proc=proc, run=tmp_path / "run", unit_dirs=(tmp_path / "units",), timedatectl="-"
    )


async def look(paths, kernel, **asked):
    """Return what is not ok, by what it is about."""
    found = [finding async for finding in examine(paths, Asked(**asked), kernel)]
    return [
        (one.level.value, one.about, one.told, one.advice)
        for one in found
        if one.level is not Level.OK
    ]


STOPPED = (
    "warn",
    "daemon",
    "it does not run",
    "start it: systemctl start integrationd, or integrationd run",
)


async def test_installation_in_order_lacks_its_daemon_only(paths, kernel):
    """Before the first start nothing is bad."""
    assert await look(paths, kernel) == [STOPPED]


async def test_directories_that_are_missing_are_told(tmp_path, kernel):
    """The one of files is needed, the other one is made."""
    paths = Paths(tmp_path / "c", tmp_path / "s")

    config, state, daemon = await look(paths, kernel)

    assert config == (
        "bad",
        "config directory",
        f"{tmp_path}/c does not exist",
        "create it, or say where it is with --config",
    )
    assert state[:2] == ("warn", "state directory")
    assert daemon == STOPPED


async def test_files_that_everybody_may_write_are_bad(paths, kernel):
    """Whoever writes them decides what is called, and with which secrets."""
    open_one = paths.config / "integrations" / "a.yaml"
    open_one.write_text("integration: a\n")
    open_one.chmod(0o666)

    [found] = [one for one in await look(paths, kernel) if one[1] == "config directory"]

    told = f"everybody may write {open_one}, and so decide what the daemon calls"
    assert found == ("bad", "config directory", told, f"run: chmod -R o-w {paths.config}")


async def test_data_that_others_may_read_is_told(paths, kernel):
    """With the mode, and the command."""
    paths.state.chmod(0o755)

    [found, _] = await look(paths, kernel)

    told = f"others may look into {paths.state}, its mode is 0755"
    assert found == ("warn", "state directory", told, f"run: chmod 700 {paths.state}")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
async def test_file_of_another_owner_is_bad(paths, kernel):
    """A command that root ran without the daemon leaves files that the daemon cannot open."""
    (paths.state / "lock").write_text("")
    os.chown(paths.state / "lock", 12345, 12345)

    [found, _] = await look(paths, kernel)

    told = f"{paths.state}/lock do not belong to root, as the directory does"
    advice = f"run: chown -R --reference={paths.state} {paths.state}"
    assert found == ("bad", "state directory", told, advice)


def test_state_directory_too_deep_for_a_socket_is_bad(tmp_path):
    """The kernel takes 107 bytes."""
    paths = Paths(tmp_path, tmp_path / ("x" * 90))
    paths.state.mkdir(mode=0o700)

    [_, found] = places.examine_state(paths)

    told = f"{paths.control} is too long a path for a socket, at most 107 bytes"
    assert found == Finding.bad("control socket", told, "choose a shorter state directory")


def test_network_file_system_is_bad(paths, kernel):
    """Where the state directory lies counts, not what is mounted elsewhere or below."""
    mounts = kernel.proc / "self" / "mountinfo"
    elsewhere = "30 22 0:40 / /srv/files rw - nfs4 server:/ rw\n"
    mounts.write_text(mounts.read_text() + elsewhere)
    before = [one.level for one in places.examine_disk(paths, mounts)]
    with mounts.open("a") as more:
        more.write(f"31 22 0:41 / {paths.state} rw shared:1 - cifs //server/x rw\n")

    [_, found] = places.examine_disk(paths, mounts)

    assert before == [Level.OK]
    told = f"{paths.state} lies on cifs, where SQLite's write-ahead log does not work"
    assert found == Finding.bad("disk", told, "choose a state directory on a local disk")


def test_loose_secret_files_are_told(tmp_path):
    """Only their owner may read them; a directory that is not there is none."""
    (tmp_path / "secrets").mkdir()
    good, loose = tmp_path / "secrets" / "good", tmp_path / "secrets" / "loose"
    good.touch(mode=0o600)
    loose.touch(mode=0o644)

    found = list(places.examine_secret_dirs((str(tmp_path / "secrets"), str(tmp_path / "none"))))

    advice = f"run: chmod -R go-rwx {tmp_path}/secrets"
    assert found == [Finding.warn("secret files", f"others may read {loose}", advice)]


async def test_settings_that_cannot_be_used_are_told_one_by_one(paths, kernel):
    """And the rest is looked at all the same."""
    paths.settings.write_text("limits: {runs: 0}\nlog: {level: loud}\n")

    found = await look(paths, kernel)

    assert [(level, about) for level, about, *_ in found] == [
        ("bad", "settings"),
        ("bad", "settings"),
        ("warn", "daemon"),
    ]
    assert found[0][2].startswith(f"{paths.settings}:1:16: E111: limits.runs is 0")


async def test_files_with_errors_are_counted(paths, kernel):
    """What is wrong with each is for ``check`` to say."""
    (paths.config / "integrations" / "a.yaml").write_text("integration: a\nstrems: {}\n")

    [found, _] = await look(paths, kernel)

    told = "0 integrations, 1 errors, 0 warnings"
    assert found == ("bad", "files", told, "see each of them with: integrationd check")


async def test_database_of_an_older_schema_names_the_cure(paths, kernel):
    """As every other command does."""
    with closing(sqlite3.connect(paths.database)) as conn:
        conn.executescript(SCHEMA1.read_text(encoding="utf-8"))

    [found, _] = await look(paths, kernel)

    assert found[:2] == ("bad", "database")
    assert found[2].startswith(f"{paths.database}: the database has schema 1, this version needs ")
    assert found[3] == "run: integrationd db upgrade"


async def test_file_that_is_no_database_is_bad(paths, kernel):
    """With what to do about it."""
    paths.database.write_text("not a database, but long enough to look at " * 20)

    [found, _] = await look(paths, kernel)

    assert found[:2] == ("bad", "database")
    assert "this is not a database" in found[2]


async def test_missing_secret_is_bad(paths, kernel, monkeypatch):
    """Its integration cannot work; one that only the daemon can see is there."""
    monkeypatch.delenv("INTEGRATIOND_SECRET_DOCTOR", raising=False)
    (paths.config / "integrations" / "sender.yaml").write_text(HOOK)

    [found, _] = await look(paths, kernel)
    monkeypatch.setenv("INTEGRATIOND_SECRET_DOCTOR", "x")
    after = await look(paths, kernel)

    assert found[:2] == ("bad", "secrets")
    assert found[2].startswith("integration sender needs secret 'key'")
    assert found[3] == "supply it, for example with: integrationd secret set sender NAME"
    assert after == [STOPPED]


async def test_run_of_the_future_is_noticed(paths, kernel):
    """The newest time in the database is what the clock is compared with."""
    async with SqlStore(paths.database):
        pass
    with closing(sqlite3.connect(paths.database)) as conn:
        counts = [
            row[1] for row in conn.execute("PRAGMA table_info(runs)") if row[3] and not row[5]
        ]
        values = ", ".join("99999999999999" if name == "started_at" else "0" for name in counts)
        conn.execute(f"INSERT INTO runs ({', '.join(counts)}) VALUES ({values})")
        conn.execute(
            "INSERT INTO streams (tenant, integration, stream, living, errors, last_run) "
            "VALUES ('t', 'i', 's', 0, 0, 1)"
        )
        conn.commit()

    [found, _] = await look(paths, kernel)

    assert found[:2] == ("bad", "clock")


async def test_lock_that_is_held_in_silence_is_told(paths):
    """By the kernel's own list, so that nobody who starts is disturbed; a free lock is none."""
    proc = Path("/proc")
    with paths.lock.open("w") as held:
        held.write("4711\n")
        held.flush()
        [free] = running.examine_daemon(paths, proc, None)
        fcntl.flock(held, fcntl.LOCK_EX)
        [found] = running.examine_daemon(paths, proc, None)

    assert (free.level.value, "daemon", free.told, free.advice) == STOPPED
    assert found.told == f"process 4711 holds {paths.lock} and does not answer"


def test_daemon_of_another_version_is_to_be_restarted(paths):
    """After an upgrade the old one still runs."""
    daemon = {"pid": 7, "version": "0.0.1", "started_at": "T"}
    [found] = running.examine_daemon(paths, Path("/proc"), {"daemon": daemon})

    assert found == Finding.warn(
        "daemon",
        "process 7, version 0.0.1, since T",
        f"restart it: this command is of version {integrationd.__version__}",
    )


def test_port_of_another_program_is_bad():
    """Only where our daemon does not run: then it has the port itself."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        listen = running.Listen(*other.getsockname())
        [found] = running.examine_listener(listen, None)
        ours = list(running.examine_listener(listen, {"daemon": {}}))

    assert found.told == f"127.0.0.1:{listen.port} cannot be used: Address already in use"
    assert ours == []


@pytest.fixture
def execute(paths, capsys):
    """Return what runs the command: exit code, stdout, stderr."""
    options = ["--config", str(paths.config), "--state", str(paths.state)]

    def execute(*words):
        code = run_command(
            lambda: cli.main([*options, *words], prog_name="integrationd", standalone_mode=False)
        )
        return (code, *capsys.readouterr())

    return execute


def test_command_prints_each_finding_and_exits_by_the_worst(execute, paths):
    """A line for each, what to do below it; as JSON for programs; 1 where something is bad."""
    good = execute("doctor")
    (paths.config / "integrations" / "a.yaml").write_text("integration: a\nstrems: {}\n")
    bad = execute("doctor")
    told = json.loads(execute("doctor", "--json")[1])

    assert (good[0], bad[0]) == (0, 1)
    assert f"ok    state directory: {paths.state}\n" in good[1]
    line = "bad   files: 0 integrations, 1 errors, 0 warnings\n"
    assert f"{line}      see each of them with: integrationd check\n" in bad[1]
    assert re.fullmatch(r"1 bad, \d to be looked at\n", bad[2])
    assert told["ok"] is False
    assert {tuple(one) for one in told["findings"]} == {("about", "level", "told", "advice")}


def test_running_daemon_is_found_by_its_answer(execute, paths):
    """With its process and since when."""
    options = ["--config", str(paths.config), "--state", str(paths.state)]
    command = [sys.executable, "-m", "integrationd", *options, "run"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as daemon:
        while not is_running(paths.control):
            assert daemon.poll() is None
            time.sleep(0.05)
        code, out, _ = execute("doctor")
        daemon.terminate()

    assert code == 0
    version = re.escape(integrationd.__version__)
    assert re.search(
        rf"^ok    daemon: process {daemon.pid}, version {version}, ", out, re.MULTILINE
    )
    assert re.search(
        rf"^ok    database: {re.escape(str(paths.database))}: 0 records", out, re.MULTILINE
    )
