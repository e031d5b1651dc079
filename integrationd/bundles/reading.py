"""One file from the disk, whatever lies there: a pipe, a device, a loop of links, a huge file."""

from __future__ import annotations

import errno
import os
import stat
import time
from dataclasses import dataclass
from typing import Final

from integrationd.config.yaml import BYTES_MAX

WRITABLE_BY_ANYBODY: Final = 0o002
_RACY_NS: Final = 2_000_000_000
"""Longer than the steps in which any file system in use counts time, so that a file that is older
when it is read cannot change again without its times telling."""
_KINDS: Final = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
_REASONS: Final = {
    errno.EACCES: "permission denied; let the daemon's user read it",
    errno.EPERM: "permission denied; let the daemon's user read it",
    errno.ELOOP: "the links go in a circle; remove one of them",
}


class UnfitError(Exception):
    """A file that is there and cannot be taken; the text says why and what to do."""

    def __init__(self, message: str, *, code: str = "E113") -> None:
        """Keep the code that the file's problem gets."""
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class Stamp:
    """By what a file is known not to have changed, without reading it."""

    device: int
    inode: int
    modified_ns: int
    changed_ns: int
    size: int
    mode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        """Take it from what the system says."""
        return cls(
            found.st_dev,
            found.st_ino,
            found.st_mtime_ns,
            found.st_ctime_ns,
            found.st_size,
            found.st_mode,
        )


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file held."""

    data: bytes
    stamp: Stamp
    quiet: bool
    """It was last written so long before that the same stamp means the same contents."""


def read_stamp(path: str) -> Stamp | None:
    """Return a file's stamp, links followed; None where there is nothing at all.

    Raises:
        UnfitError: It is no regular file, or one that must not be taken.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - the fast way, for thousands of files
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            raise UnfitError(_explain(error)) from None
        target = _read_link(path)
        if target is None:
            return None
        raise UnfitError(
            f"the file is a link to {target!r}, which does not exist; mend or remove the link"
        ) from None
    _refuse_unfit(found)
    return Stamp.of(found)


def read_contents(path: str) -> Contents | None:
    """Read a whole file of at most :data:`BYTES_MAX` bytes; None where it has just gone.

    Raises:
        UnfitError: It cannot be read, is no regular file, or one that must not be taken.
    """
    now_ns = time.time_ns()
    try:
        # A pipe without a writer would block for ever, a terminal would become ours.
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnfitError(_explain(error)) from None
    try:
        found = os.fstat(file)
        _refuse_unfit(found)
        data = _read_all(file)
    except OSError as error:
        raise UnfitError(_explain(error)) from None
    finally:
        os.close(file)
    changed_ns = max(found.st_mtime_ns, found.st_ctime_ns)
    return Contents(data, Stamp.of(found), now_ns - changed_ns > _RACY_NS)


def _read_link(path: str) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115
    except OSError:
        return None


def _read_all(file: int) -> bytes:
    parts: list[bytes] = []
    left = BYTES_MAX + 1
    while left > 0 and (part := os.read(file, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _refuse_unfit(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(found.st_mode)), "something else")
        raise UnfitError(f"the file is {kind}, expected a regular file; remove it")
    if found.st_mode & WRITABLE_BY_ANYBODY:
        mode = stat.S_IMODE(found.st_mode)
        raise UnfitError(
            f"the file has the mode {mode:04o}, so that anybody may write it; run chmod o-w on it"
        )
    if found.st_size > BYTES_MAX:
        raise UnfitError(
            f"the file has {found.st_size} bytes, expected at most {BYTES_MAX}; split it",
            code="E106",
        )


def _explain(error: OSError) -> str:
    reason = _REASONS.get(error.errno or 0, (error.strerror or "unknown reason").lower())
    return f"the file cannot be read: {reason}"
