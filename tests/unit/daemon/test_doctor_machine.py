"""The machine around the daemon, as the doctor sees it."""

from datetime import UTC, datetime, timedelta

import pytest

from integrationd.daemon.doctor import machine
from integrationd.daemon.doctor.finding import Finding, Level
from integrationd.daemon.doctor.machine import Machine


@pytest.fixture
def kernel(tmp_path):
    """Give a machine on which all is well, to be changed by tests."""
    limits = tmp_path / "proc" / "sys" / "fs" / "inotify"
    limits.mkdir(parents=True)
    (limits / "max_user_watches").write_text("65536\n")
    (limits / "max_user_instances").write_text("128\n")
    units = (tmp_path / "units",)
    return Machine(proc=tmp_path / "proc", run=tmp_path / "run", unit_dirs=units, timedatectl="-")


def clock(kernel, now, latest=None):
    """Return what is said of the clock."""
    [found] = machine.examine_clock(kernel, now, latest)
    return found


NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


def test_clock_that_is_behind_is_bad(kernel):
    """Before this program was written, or before what it has stored; a minute may be."""
    minute = timedelta(minutes=1)

    assert clock(kernel, NOW, NOW + minute).level is Level.OK
    assert clock(kernel, datetime(1970, 1, 1, tzinfo=UTC)).told == "it says 1970-01-01 00:00 UTC"
    assert clock(kernel, NOW, NOW + 2 * minute) == Finding.bad(
        "clock",
        "it says 2027-03-01 12:00 UTC, but a run began at 2027-03-01 12:02",
        "set it, for example with: timedatectl set-ntp true",
    )


@pytest.mark.parametrize(
    ("said", "level"), [("yes", Level.OK), ("no", Level.WARN), ("?", Level.OK)]
)
def test_clock_that_nobody_keeps_right_is_told(tmp_path, said, level):
    """As systemd says it; where it says nothing, nothing is guessed."""
    program = tmp_path / "timedatectl"
    program.write_text(f"#!/bin/sh\necho {said}\n")
    program.chmod(0o755)

    assert clock(Machine(timedatectl=str(program)), NOW).level is level


def test_unit_is_missed_where_there_is_systemd(kernel):
    """And nowhere else."""
    [without] = machine.examine_systemd(kernel)
    (kernel.run / "systemd" / "system").mkdir(parents=True)
    [missed] = machine.examine_systemd(kernel)
    (kernel.unit_dirs[0]).mkdir()
    (kernel.unit_dirs[0] / "integrationd.service").write_text("[Unit]\n")
    [there] = machine.examine_systemd(kernel)

    assert [without.level, missed.level, there.level] == [Level.OK, Level.WARN, Level.OK]
    assert there.told == str(kernel.unit_dirs[0] / "integrationd.service")


def test_few_watches_are_told(kernel):
    """With the name to be raised; a kernel without inotify is told as well."""
    limits = kernel.proc / "sys" / "fs" / "inotify"
    (limits / "max_user_watches").write_text("8\n")
    [few] = machine.examine_inotify(kernel)
    (limits / "max_user_instances").unlink()
    [none] = machine.examine_inotify(kernel)

    assert few.told == "fs.inotify.max_user_watches is 8, expected at least 256"
    assert none.told == "the kernel has none"
