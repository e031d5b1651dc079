"""One process at a time writes a state directory."""

import os
import stat
import subprocess
import sys

import pytest

from integrationd.daemon.lock import HeldError, locked
from integrationd.errors import StoreError

HOLD = """\
import sys, time
from pathlib import Path
from integrationd.daemon.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_holder_writes_its_number(tmp_path):
    """The file says who holds it, for whoever comes second and for ``reload``."""
    path = tmp_path / "state" / "lock"
    path.parent.mkdir()
    path.write_text("9999999999\n")

    with locked(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_state_directory_is_made_for_its_owner_alone(tmp_path):
    """Where it is missing it is made, with its parents; neither it nor the lock is others'."""
    path = tmp_path / "a" / "state" / "lock"

    with locked(path):
        modes = [stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path)]

    assert modes == [0o700, 0o600]


def test_second_holder_is_told_who_holds_it(tmp_path):
    """A lock of another process is refused at once, and kill -9 frees it."""
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(HeldError) as caught, locked(path):
            pass
        holder.kill()
        holder.wait()
        with locked(path):
            told = path.read_text()

    assert str(caught.value) == f"process {holder.pid} uses {tmp_path} already"
    assert told == f"{os.getpid()}\n"


def test_lock_is_free_after_its_block(tmp_path):
    """Also where the block failed."""
    path = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), locked(path):
        _ = 1 / 0

    with locked(path):
        pass


def test_holder_that_has_not_written_yet_is_another_one(tmp_path):
    """Between taking the lock and writing the number there is nothing to read."""
    path = tmp_path / "lock"
    with locked(path):
        path.write_text("")
        with pytest.raises(HeldError) as caught, locked(path):
            pass

    assert str(caught.value) == f"process another one uses {tmp_path} already"


def test_state_directory_that_cannot_be_used_is_a_fault_of_the_store(tmp_path):
    """A file in its place is said, and which option gives another place."""
    (tmp_path / "state").write_text("x")

    with pytest.raises(StoreError) as caught, locked(tmp_path / "state" / "lock"):
        pass

    where = tmp_path / "state"
    assert str(caught.value) == f"state directory {where}: File exists; give another with --state"
