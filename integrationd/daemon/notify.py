"""Telling systemd how we are: one datagram for each message."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress


class Notifier:
    """Speaks to ``$NOTIFY_SOCKET``; says nothing where there is none.

    Source:
        sd_notify(3); a leading ``@`` names an abstract socket.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Take what systemd put into the environment."""
        self._address = environ.get("NOTIFY_SOCKET", "")
        own = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        text = environ.get("WATCHDOG_USEC", "")
        limit_us = int(text) if own and text.isdecimal() else 0
        self.watchdog_s = limit_us / 1_000_000 if limit_us else None
        """How long systemd waits for a sign of life; None where it does not."""

    def ready(self, status: str) -> None:
        """Say that the first load is over."""
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, status: str) -> None:
        """Say how things stand."""
        self._send(f"STATUS={status}")

    def reloading(self) -> None:
        """Say that files are read again; both lines have to be in one datagram."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that we are going."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        # A systemd that does not listen is no reason to stop working.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(message.encode(), address)
