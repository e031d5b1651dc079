"""Small secret files, read with care."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

BYTES_MAX: Final = 65_536
"""Of one secret; keys and certificates are far below."""


class UnusableError(Exception):
    """A place holds something that is no secret, or may not be looked at; says what."""


def read_file(path: Path, *, private: bool = False) -> str | None:
    """Read a secret's file, without one newline at its end; None where there is none.

    The last step of the path is not followed where it is a link, and a pipe does not hold us up.

    Args:
        path: Links on the way were resolved before they were checked.
        private: Refuse one that others may read, or that somebody else may have written.

    Raises:
        UnusableError: It is no regular file, is not text, is too large, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise UnusableError(f"{path} is not a regular file")
            if private:
                _refuse_open(path, found)
            # A regular file gives all that is asked for at once.
            data = os.read(descriptor, BYTES_MAX + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        raise UnusableError(f"{path} cannot be read: {reason}") from None
    if len(data) > BYTES_MAX:
        raise UnusableError(f"{path} is larger than 64 kB")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise UnusableError(f"{path} is not UTF-8 text") from None
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


def _refuse_open(path: Path, found: os.stat_result) -> None:
    if found.st_mode & stat.S_IROTH:
        raise UnusableError(f"everybody can read {path}; run: chmod o= {path}")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UnusableError(f"others can write {path}; run: chmod go-w {path}")
    if found.st_uid not in {0, os.geteuid()}:
        raise UnusableError(f"{path} belongs to another user; run: chown root {path}")
