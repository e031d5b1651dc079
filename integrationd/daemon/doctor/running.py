"""Whether a daemon runs, as the lock and the socket tell it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import integrationd
from integrationd.daemon.doctor.finding import Finding
from integrationd.daemon.paths import Paths
from integrationd.model.json import Json
from integrationd.spec.settings import Listen


def examine_daemon(paths: Paths, proc: Path, status: Json) -> Iterator[Finding]:
    """Compare who holds the lock with who answers.

    Args:
        paths: Where both lie.
        proc: The kernel's, usually ``/proc``.
        status: What the daemon answered; None where nobody did.
    """
    if status is not None:
        daemon = status["daemon"]
        told = f"process {daemon['pid']}, version {daemon['version']}, since {daemon['started_at']}"
        if daemon["version"] == integrationd.__version__:
            yield Finding.ok("daemon", told)
        else:
            advice = f"restart it: this command is of version {integrationd.__version__}"
            yield Finding.warn("daemon", told, advice)
    elif is_locked(paths.lock, proc):
        told = f"process {_holder(paths.lock)} holds {paths.lock} and does not answer"
        advice = "if that is no command at work, look at its log, then restart the daemon"
        yield Finding.warn("daemon", told, advice)
    else:
        advice = "start it: systemctl start integrationd, or integrationd run"
        yield Finding.warn("daemon", "it does not run", advice)


def is_locked(lock: Path, proc: Path) -> bool:
    """Tell whether a process holds a lock, without touching it.

    Source:
        proc(5), ``/proc/locks``.
    """
    try:
        inode = lock.stat().st_ino
        lines = (proc / "locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    return any(f":{inode} " in line and " FLOCK " in line for line in lines)


def _holder(lock: Path) -> str:
    try:
        return lock.read_text(encoding="utf-8", errors="replace").strip() or "another one"
    except OSError:
        return "another one"


def examine_listener(listen: Listen, status: Json) -> Iterator[Finding]:
    """Look whether the daemon could have its port, where it does not run."""
    where = f"{listen.host}:{listen.port}"
    if status is not None or not listen.port:
        return
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((listen.host, listen.port))
        except OSError as wrong:
            advice = "end what has it, or choose another one: listen in integrationd.yaml"
            yield Finding.bad("listener", f"{where} cannot be used: {wrong.strerror}", advice)
        else:
            yield Finding.ok("listener", f"{where} is free")
