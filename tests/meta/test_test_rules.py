"""The rules of ``tests/conftest.py`` catch what they are for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.meta.repository import ROOT, TESTS, python_files

CASES = """
import asyncio, contextlib, socket, pytest

def reach(*, family=socket.AF_INET, host="192.0.2.1", act="connect"):
    with socket.socket(family, socket.SOCK_DGRAM) as sock, contextlib.suppress(Exception):
        if act == "sendto":
            sock.sendto(b"x", (host, 9))
        else:
            getattr(sock, act)((host, 0 if act == "bind" else 9))

def test_connect(): reach()
def test_connect_v6(): reach(family=socket.AF_INET6, host="2001:db8::1")
def test_send(): reach(act="sendto")
def test_bind_anywhere(): reach(act="bind", host="0.0.0.0")
def test_look_up():
    with contextlib.suppress(Exception):
        socket.getaddrinfo("example.org", 80)
async def test_connect_in_a_loop():
    with contextlib.suppress(Exception):
        await asyncio.open_connection("192.0.2.1", 80)
async def test_task_left():
    test_task_left.kept = asyncio.create_task(asyncio.sleep(60))
@pytest.mark.needs("nothing-that-is-here")
def test_needs(): pass

def test_fine_loopback(): reach(host="127.0.0.1"), reach(family=socket.AF_INET6, host="::1")
def test_fine_unix(tmp_path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "s"))
async def test_fine_loop():
    server = await asyncio.start_server(lambda r, w: w.close(), "localhost", 0)
    host, port = server.sockets[0].getsockname()[:2]
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()
async def test_fine_task():
    await asyncio.create_task(asyncio.sleep(0))
"""
REFUSED = {
    "test_connect",
    "test_connect_v6",
    "test_send",
    "test_bind_anywhere",
    "test_look_up",
    "test_connect_in_a_loop",
    "test_task_left",
}
FINE = {"test_fine_loopback", "test_fine_unix", "test_fine_loop", "test_fine_task"}


def outcomes(directory: Path, **environment: str) -> dict[str, set[str]]:
    """Run the cases under our rules; their names by outcome."""
    shutil.copy(TESTS / "conftest.py", directory)
    (directory / "test_cases.py").write_text(CASES)
    (directory / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nmarkers = needs\nfilterwarnings = error\n"
        "asyncio_default_fixture_loop_scope = function\n"
    )
    command = [sys.executable, "-m", "pytest", "-rA", "-vv", "--tb=line", "-p", "no:cacheprovider"]
    own = {key: value for key, value in os.environ.items() if "INTEGRATIOND_TEST" not in key}
    done = subprocess.run(
        command, cwd=directory, env=own | environment, capture_output=True, text=True, check=False
    )
    found: dict[str, set[str]] = {}
    for name, outcome in re.findall(r"^test_cases\.py::(\w+) ([A-Z]+)", done.stdout, re.MULTILINE):
        found.setdefault(outcome, set()).add(name)
    return found


def test_every_needed_program_is_brought_by_ci():
    """The programs that tests need are those that ``.ci/run`` brings, and the other way round."""
    needed = {
        name
        for path in python_files(TESTS)
        if path not in (Path(__file__), TESTS / "conftest.py")
        for name in re.findall(r"""mark\.needs\(["']([\w-]+)["']\)""", path.read_text("utf-8"))
    }
    exported = re.findall(r"export INTEGRATIOND_TEST_(\w+)=", (ROOT / ".ci" / "run").read_text())
    brought = {name.lower().replace("_", "-") for name in exported}

    assert needed == brought - {"kills", "profile", "strict"}


@pytest.mark.parametrize(
    ("environment", "needing"),
    [
        pytest.param({}, "SKIPPED", id="elsewhere"),
        pytest.param({"INTEGRATIOND_TEST_STRICT": "1"}, "ERROR", id="strict"),
        pytest.param({"INTEGRATIOND_TEST_NOTHING_THAT_IS_HERE": "1"}, "PASSED", id="given"),
    ],
)
def test_rules_are_kept(tmp_path, environment, needing):
    """Leaving the machine or a task behind fails, and a needed program is skipped or demanded."""
    found = outcomes(tmp_path, **environment)

    assert "test_needs" in found[needing]
    told = found.get("FAILED", set()) | found["ERROR"]
    assert told - {"test_needs"} == REFUSED
    assert found["PASSED"] >= FINE
