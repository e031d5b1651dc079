"""A whole copy of an embedded database, made while it lies still or is in use."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from integrationd.errors import StoreError


def copy_database(source: Path, target: Path) -> None:
    """Copy a database with what its write-ahead log holds, check the copy and sync it to the disk.

    The copy is one file that only its owner may read. Where anything fails there is none.

    Raises:
        StoreError: There is a file of that name already, or it cannot be written or read back.
    """
    try:
        # SQLite would let everybody read it, and would write over what is there.
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"{target}: the copy cannot be made ({error.strerror})") from error
    try:
        _copy(source, target)
        for path in (target, target.parent):
            _sync(path)
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            target.unlink()
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreError(f"{target}: the copy cannot be made ({reason})") from error


def _copy(source: Path, target: Path) -> None:
    with (
        contextlib.closing(
            sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
        ) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        # So that it is one file, which may be moved.
        new.execute("PRAGMA journal_mode=DELETE").fetchall()
        [(found,)] = new.execute("PRAGMA quick_check(1)").fetchall()
        if found != "ok":
            raise sqlite3.DatabaseError(f"what was copied is damaged: {found}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
