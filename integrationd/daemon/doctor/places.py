"""Directories, files and the disk below them."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from integrationd.daemon.doctor.finding import Finding
from integrationd.daemon.paths import Paths

FREE_MIN_BYTES: Final = 100 * 1000 * 1000
"""Below it, the database will soon refuse to write."""
NETWORK_SYSTEMS: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "afs", "fuse.sshfs"})
"""File systems on which SQLite's write-ahead log does not work: it needs shared memory.

Source:
    SQLite, "Write-Ahead Logging", section 1.
"""
_SHOWN = 3
_SOCKET_PATH_MAX: Final = 107
"""Of ``sockaddr_un``, without the NUL."""


def examine_config(config: Path) -> Iterator[Finding]:
    """Look at the directory of files."""
    about = "config directory"
    if not config.is_dir():
        advice = "create it, or say where it is with --config"
        yield Finding.bad(about, f"{config} does not exist", advice)
        return
    if not os.access(config, os.R_OK | os.X_OK):
        yield Finding.bad(about, f"{config} cannot be read by {_me()}", _as_owner(config))
        return
    open_ones = [path for path in _tree(config) if _mode(path) & stat.S_IWOTH]
    if open_ones:
        told = f"everybody may write {_listed(open_ones)}, and so decide what the daemon calls"
        yield Finding.bad(about, told, f"run: chmod -R o-w {config}")
    else:
        yield Finding.ok(about, str(config))


def examine_state(paths: Paths) -> Iterator[Finding]:
    """Look at the directory of data."""
    about, state = "state directory", paths.state
    if not state.is_dir():
        advice = "start the daemon, which makes it, or say where it is with --state"
        yield Finding.warn(about, f"{state} does not exist yet", advice)
        return
    if not os.access(state, os.R_OK | os.W_OK | os.X_OK):
        yield Finding.bad(about, f"{state} cannot be written by {_me()}", _as_owner(state))
        return
    yield from _examine_owner(about, state)
    if _mode(state) & 0o077:
        told = f"others may look into {state}, its mode is {_mode(state):04o}"
        yield Finding.warn(about, told, f"run: chmod 700 {state}")
    else:
        yield Finding.ok(about, str(state))
    if len(os.fsencode(paths.control)) > _SOCKET_PATH_MAX:
        told = f"{paths.control} is too long a path for a socket, at most {_SOCKET_PATH_MAX} bytes"
        yield Finding.bad("control socket", told, "choose a shorter state directory")


def _examine_owner(about: str, state: Path) -> Iterator[Finding]:
    owner = state.stat().st_uid
    strange = [path for path in _tree(state) if path.lstat().st_uid != owner]
    if strange:
        told = f"{_listed(strange)} do not belong to {_user(owner)}, as the directory does"
        yield Finding.bad(about, told, f"run: chown -R --reference={state} {state}")


def examine_disk(paths: Paths, mounts: Path) -> Iterator[Finding]:
    """Look at what the database needs and what there is.

    Args:
        paths: Where it lies.
        mounts: The kernel's list of file systems, ``/proc/self/mountinfo``.
    """
    place = next(path for path in (paths.state, *paths.state.parents) if path.exists())
    free = shutil.disk_usage(place).free
    used = sum(
        path.stat().st_size
        for path in paths.state.glob(f"{paths.database.name}*")
        if path.is_file()
    )
    told = f"{_size(free)} free, the database takes {_size(used)}"
    if free < FREE_MIN_BYTES:
        yield Finding.bad("disk", told, "free some space: nothing can be stored soon")
    elif free < used:
        advice = "free some space: an upgrade copies the database first"
        yield Finding.warn("disk", told, advice)
    else:
        yield Finding.ok("disk", told)
    system = _file_system(place.resolve(), mounts)
    if system in NETWORK_SYSTEMS:
        told = f"{paths.state} lies on {system}, where SQLite's write-ahead log does not work"
        yield Finding.bad("disk", told, "choose a state directory on a local disk")


def _file_system(place: Path, mounts: Path) -> str:
    """Return the kind of file system of the mount that is nearest to a path; empty if unknown."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    found, kind = -1, ""
    for line in lines:
        before, dash, after = line.partition(" - ")
        if dash and place.is_relative_to(point := Path(before.split()[4])):
            depth = len(point.parts)
            # Of two at the same place the later one covers the other.
            if depth >= found:
                found, kind = depth, after.split()[0]
    return kind


def examine_secret_dirs(dirs: tuple[str, ...]) -> Iterator[Finding]:
    """Look at the directories that references to secrets may name; they need not exist."""
    for path in map(Path, dirs):
        loose = [each for each in _tree(path) if each.is_file() and _mode(each) & 0o077]
        if loose:
            told = f"others may read {_listed(loose)}"
            yield Finding.warn("secret files", told, f"run: chmod -R go-rwx {path}")


def _tree(top: Path) -> Iterator[Path]:
    """Yield a directory and what lies in it, two levels down, where it can be looked at."""
    yield top
    for path in sorted((*top.glob("*"), *top.glob("*/*"))):
        if not path.is_symlink():
            yield path


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def _listed(paths: list[Path]) -> str:
    shown = ", ".join(str(path) for path in paths[:_SHOWN])
    return shown if len(paths) <= _SHOWN else f"{shown} and {len(paths) - _SHOWN} more"


def _as_owner(path: Path) -> str:
    return f"run this as its owner: sudo -u {_user(path.stat().st_uid)} integrationd doctor"


def _me() -> str:
    return _user(os.geteuid())


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"'#{uid}'"


def _size(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1000:.0f} kB"
