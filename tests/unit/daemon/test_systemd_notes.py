"""What systemd is told: one datagram for each message, byte for byte."""

import os
import re
import socket
import time
from contextlib import contextmanager

import pytest

from integrationd.daemon.notify import Notifier


@contextmanager
def systemd(address):
    """Listen as systemd does; yields what reads one datagram."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(address)
        sock.settimeout(5)
        yield lambda: sock.recv(4096)


@pytest.fixture(params=["path", "abstract"])
def address(request, tmp_path):
    """Give a socket's address, and as it stands in the environment."""
    if request.param == "path":
        return str(tmp_path / "notify"), str(tmp_path / "notify")
    name = f"integrationd-test-{os.getpid()}"
    return f"\0{name}", f"@{name}"


@pytest.mark.parametrize(
    ("say", "datagram"),
    [
        (lambda to: to.ready("3 integrations"), b"READY=1\nSTATUS=3 integrations"),
        (lambda to: to.status("\u00e4"), "STATUS=\u00e4".encode()),
        (lambda to: to.stopping(), b"STOPPING=1"),
        (lambda to: to.alive(), b"WATCHDOG=1"),
    ],
    ids=["ready", "status", "stopping", "alive"],
)
def test_message_is_one_datagram(address, say, datagram):
    """On a path and in the abstract namespace alike."""
    bound, named = address
    with systemd(bound) as receive:
        say(Notifier({"NOTIFY_SOCKET": named}))

        assert receive() == datagram


def test_reloading_carries_the_time_in_the_same_datagram(address):
    """Without the monotonic time systemd ends a unit of type notify-reload."""
    bound, named = address
    with systemd(bound) as receive:
        before_us = time.monotonic_ns() // 1000
        Notifier({"NOTIFY_SOCKET": named}).reloading()
        found = re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=(\d+)", receive())

    assert before_us <= int(found[1]) <= time.monotonic_ns() // 1000


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/gone/notify"}])
def test_without_systemd_nothing_is_said_and_nothing_breaks(environ):
    """A terminal has no socket, and a systemd that went away is no reason to stop."""
    notifier = Notifier(environ)

    notifier.ready("x")
    notifier.reloading()
    notifier.stopping()
    notifier.alive()

    assert notifier.watchdog_s is None


@pytest.mark.parametrize(
    ("environ", "watchdog_s"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": str(os.getpid())}, 1.5),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "\u00b2"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_watchdog_is_ours_where_the_environment_says_so(environ, watchdog_s):
    """Another process's watchdog is not fed, and a time that is none is none."""
    assert Notifier(environ).watchdog_s == watchdog_s
