"""The last good files of each integration, on disk, so that they outlive a restart."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from integrationd.model.json import Json
from integrationd.spec.source import digest_of

_VERSION: Final = 2
_DIGEST: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class LastGood:
    """What an integration was made of when it was last good."""

    path: str
    """Of its own file."""
    files: Mapping[str, str]
    """Digests by path, its own file's among them."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the file holds."""

    integrations: Mapping[str, LastGood]
    contents: Mapping[str, bytes]
    """By digest; those that are not what their digest says are left out."""


_NOTHING: Final = _Kept({}, {})


class GoodFiles:
    """``good.json``: which files each integration was last good with, and what they held.

    One file, replaced as a whole, so that a crash at any moment leaves the old one or the new one,
    and a thousand integrations wait for the disk once.
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "good.json"
        self._kept: _Kept | None = None
        self.remark = ""

    def read(self) -> Mapping[str, LastGood]:
        """Return the list by name, an empty one where it cannot be used: see ``remark``."""
        return self._read().integrations

    def read_content(self, digest: str) -> bytes | None:
        """Return kept contents; None where they are gone or damaged."""
        return self._read().contents.get(digest)

    def _read(self) -> _Kept:
        if self._kept is None:
            self._kept = _NOTHING
            try:
                self._kept = _parse(self._path.read_bytes())
            except FileNotFoundError:
                pass
            except (OSError, ValueError) as wrong:
                reason = wrong.strerror if isinstance(wrong, OSError) else "it is damaged"
                self.remark = f"{self._path}: the list of last good files is not used: {reason}"
        return self._kept

    def write(self, wanted: Mapping[str, LastGood], contents: Mapping[str, bytes]) -> str:
        """Make the file say ``wanted``; contents that are not yet kept come from ``contents``.

        Returns:
            What is wrong where it could not be written, else an empty text.
        """
        before = self._read()
        known = {**before.contents, **contents}
        digests = {digest for good in wanted.values() for digest in good.files.values()}
        # Of what runs the contents are those that are in memory anyway.
        kept = _Kept(dict(wanted), {digest: known[digest] for digest in digests & known.keys()})
        if kept != before or self.remark or not self._path.exists():
            try:
                _write_atomically(self._path, _print(kept))
            except OSError as wrong:
                return f"{self._path}: the last good files cannot be kept: {wrong.strerror}"
        self._kept, self.remark = kept, ""
        return ""


def _write_atomically(path: Path, data: bytes) -> None:
    """Write a whole file or none, and have it on the disk before returning."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True)
    fresh = path.with_name(f"{path.name}.new")
    # Nobody else's to read: a file may hold what should have been a secret.
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _print(kept: _Kept) -> bytes:
    integrations = {
        name: {"path": good.path, "files": dict(good.files)}
        for name, good in kept.integrations.items()
    }
    # Any bytes at all come back as they were; a file is good as text, but which one is not said.
    contents = {
        digest: data.decode(errors="surrogateescape") for digest, data in kept.contents.items()
    }
    listed = {"version": _VERSION, "integrations": integrations, "contents": contents}
    return json.dumps(listed, sort_keys=True).encode()


def _parse(data: bytes) -> _Kept:
    """Parse the file; raises ValueError for anything that was not printed by us."""
    try:
        listed = json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(listed, dict) or listed.get("version") != _VERSION:
        raise ValueError("another version")
    integrations, contents = listed.get("integrations"), listed.get("contents")
    if not isinstance(integrations, dict) or not isinstance(contents, dict):
        raise ValueError("no integrations")  # noqa: TRY004 - one failure for the caller
    return _Kept(
        {name: _parse_good(entry) for name, entry in integrations.items()},
        _parse_contents(contents),
    )


def _parse_contents(contents: Mapping[str, Json]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for digest, text in contents.items():
        if isinstance(text, str):
            data = text.encode(errors="surrogateescape")
            if digest_of(data) == digest:
                found[digest] = data
    return found


def _parse_good(entry: Json) -> LastGood:
    path = entry.get("path") if isinstance(entry, dict) else None
    files = entry.get("files") if isinstance(entry, dict) else None
    if not isinstance(path, str) or not isinstance(files, dict):
        raise ValueError("not an entry")  # noqa: TRY004 - one failure for the caller
    if not all(isinstance(digest, str) and _DIGEST.fullmatch(digest) for digest in files.values()):
        raise ValueError("not a digest")
    return LastGood(path, files)
