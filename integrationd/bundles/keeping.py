"""The last good files of each integration, on disk, so that they outlive a restart."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from integrationd.model.json import Json
from integrationd.spec.source import digest_of

_VERSION: Final = 1
_DIGEST: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class LastGood:
    """What an integration was made of when it was last good."""

    path: str
    """Of its own file."""
    files: Mapping[str, str]
    """Digests by path, its own file's among them."""


class GoodFiles:
    """``good.json`` says which files, ``good/DIGEST`` holds their contents.

    Contents are written before the list that names them and removed after it, so that a crash at
    any moment leaves a list whose contents are there.
    """

    def __init__(self, state_dir: Path) -> None:
        self._list_path = state_dir / "good.json"
        self._contents_dir = state_dir / "good"
        self._stored: dict[str, LastGood] | None = None
        self._written = False
        self.remark = ""

    def read(self) -> Mapping[str, LastGood]:
        """Return the list by name, an empty one where it cannot be used: see ``remark``."""
        if self._stored is None:
            self._stored = {}
            try:
                self._stored = _parse_list(self._list_path.read_bytes())
            except FileNotFoundError:
                pass
            except (OSError, ValueError) as wrong:
                reason = wrong.strerror if isinstance(wrong, OSError) else "it is damaged"
                self.remark = (
                    f"{self._list_path}: the list of last good files is not used: {reason}"
                )
        return self._stored

    def read_content(self, digest: str) -> bytes | None:
        """Return kept contents; None where they are gone or damaged."""
        try:
            data = (self._contents_dir / digest).read_bytes()
        except OSError:
            return None
        return data if digest_of(data) == digest else None

    def write(self, wanted: Mapping[str, LastGood], contents: Mapping[str, bytes]) -> str:
        """Make the list say ``wanted``; contents that are not yet kept come from ``contents``.

        Returns:
            What is wrong where it could not be written, else an empty text.
        """
        if self._written and wanted == self._stored:
            return ""
        digests = {digest for good in wanted.values() for digest in good.files.values()}
        try:
            self._contents_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            for digest in sorted(digests & contents.keys()):
                if self.read_content(digest) is None:
                    _write_atomically(self._contents_dir / digest, contents[digest])
            if wanted != self._stored or not self._list_path.exists():
                _write_atomically(self._list_path, _print_list(wanted))
        except OSError as wrong:
            return f"{self._list_path}: the last good files cannot be kept: {wrong.strerror}"
        self._stored, self._written, self.remark = dict(wanted), True, ""
        self._prune(digests)
        return ""

    def _prune(self, digests: Iterable[str]) -> None:
        keep = set(digests)
        with suppress(OSError):
            for path in self._contents_dir.iterdir():
                if path.name not in keep:
                    path.unlink()


def _write_atomically(path: Path, data: bytes) -> None:
    """Write a whole file or none, and have it on the disk before returning."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _print_list(wanted: Mapping[str, LastGood]) -> bytes:
    integrations = {
        name: {"path": good.path, "files": dict(good.files)} for name, good in wanted.items()
    }
    listed = {"version": _VERSION, "integrations": integrations}
    return json.dumps(listed, indent=1, sort_keys=True).encode()


def _parse_list(data: bytes) -> dict[str, LastGood]:
    """Parse the list; raises ValueError for anything that was not printed by us."""
    try:
        listed = json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(listed, dict) or listed.get("version") != _VERSION:
        raise ValueError("another version")
    integrations = listed.get("integrations")
    if not isinstance(integrations, dict):
        raise ValueError("no integrations")  # noqa: TRY004 - one failure for the caller
    return {name: _parse_good(entry) for name, entry in integrations.items()}


def _parse_good(entry: Json) -> LastGood:
    path = entry.get("path") if isinstance(entry, dict) else None
    files = entry.get("files") if isinstance(entry, dict) else None
    if not isinstance(path, str) or not isinstance(files, dict):
        raise ValueError("not an entry")  # noqa: TRY004 - one failure for the caller
    if not all(isinstance(digest, str) and _DIGEST.fullmatch(digest) for digest in files.values()):
        raise ValueError("not a digest")
    return LastGood(path, files)
