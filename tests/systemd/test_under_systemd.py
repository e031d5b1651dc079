"""The unit under a real systemd: it starts, reloads, is watched, restarts and stops.

Each test looks at one fact of one scenario, which is played once in a machine that
``systemd-nspawn`` boots (scenario.py). Needs root, as booting one does.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.systemd.machine import SYSTEM_PYTHON, CannotBootError, play
from tests.systemd.scenario import TOKEN, TRIES

pytestmark = [pytest.mark.acceptance, pytest.mark.needs("systemd-nspawn")]

UNIT = "integrationd.service"


@pytest.fixture(scope="module")
def told():
    """Play the scenario once."""
    version = "import sys; print(*sys.version_info[:2])"
    system = subprocess.check_output([SYSTEM_PYTHON, "-c", version], text=True)
    if os.getuid() != 0 or system.split() != [str(part) for part in sys.version_info[:2]]:
        pytest.skip("booting a machine needs root, and the system's Python of this version")
    try:
        return play()
    except CannotBootError as cannot:
        pytest.skip(str(cannot))


def test_it_starts_as_nobody(told):
    """Ready after the first load, with what it found as its status; without any right."""
    assert told["start"]["code"] == 0
    assert told["started"]["SubState"] == "running"
    assert told["started"]["StatusText"] == "1 integrations, 0 problems in files"
    assert "0" not in told["process"]["Uid"].split()
    facts = {key: told["process"][key] for key in ("CapEff", "NoNewPrivs", "Seccomp")}
    assert facts == {"CapEff": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}


def test_it_works_in_its_sandbox(told):
    """A sync with a systemd credential reads, and stores in the state directory."""
    lines = [json.loads(line) for line in told["sync"]["out"].splitlines()]
    records = [json.loads(line) for line in told["records"]["out"].splitlines()]

    assert (told["sync"]["code"], lines[-1]["status"]) == (0, "done")
    assert [record["data"] for record in records] == [{"id": 1}, {"id": 2}]


def test_the_system_is_read_only_for_it(told):
    """Not even root could write in its mounts; home directories are not there."""
    assert "Read-only file system" in told["etc"]["err"]
    assert told["home"]["out"] == ""


def test_its_own_files_are_not_its_to_change(told):
    """It reads its configuration, and cannot write there."""
    assert "Permission denied" in told["own_files"]["err"]


def test_the_secret_is_in_its_credential_alone(told):
    """Neither its environment nor the journal has it."""
    assert TOKEN not in told["environ"]
    assert TOKEN not in told["journal"]["out"]


def test_reload_takes_a_good_file(told):
    """``systemctl reload`` waits until it is taken."""
    assert told["reload"]["code"] == 0
    assert told["reloaded"]["SubState"] == "running"
    assert told["reloaded"]["StatusText"] == "2 integrations, 0 problems in files"


def test_refused_reload_is_seen(told):
    """``systemctl reload`` fails, and what ran goes on, its last good version included."""
    assert told["refused"]["code"] != 0
    assert told["kept"]["SubState"] == "running"
    assert told["kept"]["StatusText"] == "2 integrations, 1 problems in files"
    assert told["kept"]["MainPID"] == told["started"]["MainPID"]


def test_hanging_loop_is_killed_by_the_watchdog(told):
    """A loop that turns no more sends no sign of life; systemd ends it and starts it anew."""
    messages = [line["MESSAGE"] for line in journal(told) if isinstance(line.get("MESSAGE"), str)]

    assert told["watchdog"]["SubState"] == "running"
    assert told["watchdog"]["NRestarts"] == "1"
    assert any(message.startswith(f"{UNIT}: Watchdog timeout") for message in messages)


def test_killed_daemon_is_back_with_all_it_had(told):
    """After SIGKILL it is started anew, and nothing that was stored is gone."""
    assert told["killed"]["SubState"] == "running"
    assert told["killed"]["NRestarts"] == "2"
    assert told["again"]["out"] == told["records"]["out"]


def test_a_database_that_is_away_is_waited_for(told):
    """However often the start fails it is not given up, and works as soon as it can."""
    assert int(told["away"]["NRestarts"]) >= 2 + TRIES
    assert told["away"]["ExecMainStatus"] in ("0", "69")
    assert told["back"]["SubState"] == "running"
    assert told["back"]["StatusText"] == "1 integrations, 0 problems in files"


def test_stop_is_clean(told):
    """It ends by itself, with success."""
    assert told["stop"]["code"] == 0
    assert (told["stopped"]["ActiveState"], told["stopped"]["Result"]) == ("inactive", "success")


def test_wrong_settings_are_not_tried_again(told):
    """Exit 78: starting again would not help, so systemd does not."""
    assert told["misconfigured"]["code"] != 0
    assert told["given_up"]["ActiveState"] == "failed"
    assert told["given_up"]["ExecMainStatus"] == "78"
    assert told["given_up"]["NRestarts"] == "0"


def test_lines_have_their_level(told):
    """The journal can filter by it: a refused file is an error, the start is news."""
    levels = {
        event: {line["PRIORITY"] for line in journal(told) if event in str(line.get("MESSAGE"))}
        for event in ("file.refused", "daemon.started")
    }

    assert levels == {"file.refused": {"3"}, "daemon.started": {"6"}}


def journal(told):
    """Return the lines of the unit."""
    return [json.loads(line) for line in told["journal"]["out"].splitlines()]
