"""Rules for every test: loopback only, no async task left behind, needed programs skipped visibly.

``@pytest.mark.needs("rabbitmq")`` runs a test where ``INTEGRATIOND_TEST_RABBITMQ`` is set or a
program of that name is installed, and skips it elsewhere; with ``INTEGRATIOND_TEST_STRICT=1`` a
skip is a failure, so that ``.ci/run`` cannot leave one out unseen.
"""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
import os
import shutil
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None, max_examples=100)
settings.register_profile("ci", deadline=None, max_examples=400, print_blob=True)
settings.load_profile(os.environ.get("INTEGRATIOND_TEST_PROFILE", "default"))

STRICT = os.environ.get("INTEGRATIOND_TEST_STRICT") == "1"
ADDRESSED = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg")
"""Audit events whose arguments are a socket and an address."""
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
"""Where programs are looked for: beside our own Python first."""
REFUSED: list[str] = []
"""What the test that runs now tried to reach: code that swallows the error is found as well."""


def is_local(host: object) -> bool:
    """Tell whether a host is this machine's own loopback, without asking anybody."""
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def refuse_the_outside(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse sockets and look-ups that leave the machine; an audit hook sees every way."""
    if event in ADDRESSED:
        sock, address = arguments
        if sock.family not in (socket.AF_INET, socket.AF_INET6) or address is None:
            return
        host = address[0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        if isinstance(host, str | bytes) and is_address(host):
            return  # nothing is asked of anybody; connecting is judged by itself
    else:
        return
    if not is_local(host):
        REFUSED.append(f"{event} {host!r}")
        message = f"{event} {host!r}: tests reach nothing but the loopback"
        raise RuntimeError(message)


def is_address(host: str | bytes) -> bool:
    """Tell whether a host is an address and not a name."""
    try:
        ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host)
    except ValueError:
        return False
    return True


sys.addaudithook(refuse_the_outside)
# Without this, asking for the current loop makes one on Python 3.11 that nobody closes, and
# pytest-asyncio and looptime both ask before each test.
asyncio.set_event_loop(None)


@pytest.fixture(autouse=True)
def _loopback_only():
    """Fail a test that tried to leave the machine, whatever became of the error."""
    REFUSED.clear()
    yield
    assert REFUSED == []


@pytest.fixture
async def no_task_left():
    """Fail a test that leaves an async task behind; set up first, so it looks last."""
    yield
    await asyncio.sleep(0)  # what was cancelled a moment ago ends in the loop's next turn
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert sorted(task.get_name() for task in left) == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, and watch over the tasks of every async test."""
    # Each file goes to one process: a long one that comes last leaves the others with nothing.
    items.sort(key=lambda item: item.get_closest_marker("acceptance") is None)
    for item in items:
        if inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.fixturenames.insert(0, "no_task_left")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose program is not here."""
    for mark in item.iter_markers("needs"):
        (name,) = mark.args
        variable = f"INTEGRATIOND_TEST_{name.upper().replace('-', '_')}"
        if not os.environ.get(variable) and shutil.which(name, path=PATH) is None:
            pytest.skip(f"needs {name}: set {variable}, as .ci/run does")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """Turn the skip of a test that needs a program into a failure, where all programs are there."""
    report = yield
    if STRICT and report.skipped and item.get_closest_marker("needs") is not None:
        report.outcome = "failed"
        report.longrepr = f"skipped although INTEGRATIOND_TEST_STRICT=1: {report.longrepr}"
    return report
