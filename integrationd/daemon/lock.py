"""The lock that the one process holds which may write the state directory."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from integrationd.errors import IntegrationError, StoreError


class HeldError(IntegrationError):
    """Another process holds the lock."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock; the kernel frees it when the process ends, however it ends.

    Raises:
        HeldError: Another process holds it; the message says which.
        StoreError: The state directory cannot be used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as wrong:
        message = f"state directory {path.parent}: {wrong.strerror}; give another with --state"
        raise StoreError(message) from wrong
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            pid = os.read(descriptor, 20).decode(errors="replace").strip() or "another one"
            raise HeldError(f"process {pid} uses {path.parent} already") from held
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
