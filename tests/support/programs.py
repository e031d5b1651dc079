"""Programs that tests start and talk to over the loopback."""

from __future__ import annotations

import socket
import subprocess
import time

PATIENCE_S = 60


def wait_for(port: int, process: subprocess.Popen, name: str) -> None:
    """Wait until a program takes connections; fail where it ends or does not."""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        assert process.poll() is None, f"{name} ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    message = f"{name} does not answer"
    raise AssertionError(message)
