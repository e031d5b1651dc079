"""What lies in the directories right now: files, what is wrong with some, what is passed over."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from integrationd.bundles import names
from integrationd.bundles.reading import Contents, UnfitError, read_contents, read_stamp
from integrationd.config.nodes import Position
from integrationd.config.problems import Problem
from integrationd.spec.source import Layer, SourceFile

DEPTH_MAX: Final = 8
FILES_MAX: Final = 10_000
"""Of one directory and all below it."""


@dataclass(frozen=True, slots=True)
class Root:
    """One directory whose files are read, with all that is below it."""

    path: Path
    shown: str
    """What its files' names begin with when people are told them."""
    layer: Layer = Layer.CONFIGURED


class Ignored(NamedTuple):
    """A file that is not read, on purpose."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """One file of a scan."""

    source: SourceFile
    path: str
    """In the file system."""
    quiet: bool
    """It was not written just now, so that it cannot be half of a file."""


@dataclass(slots=True, kw_only=True)
class Scan:
    """What one look at the directories gave."""

    files: dict[str, Found] = field(default_factory=dict)
    """By the path as people are told it."""
    ignored: list[Ignored] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    """Of directories; a file's own problem is in its source."""
    unlisted: list[str] = field(default_factory=list)
    """Directories that are there and could not be listed; what lay in them is unknown."""
    directories: set[str] = field(default_factory=set)
    """Real paths of all directories that were listed."""


class Scanner:
    """Looks at directories again and again, and reads only what may have changed."""

    def __init__(self, roots: Sequence[Root]) -> None:
        self._roots = tuple(roots)
        self._known: dict[str, tuple[Contents, Found]] = {}

    def scan(self) -> Scan:
        """Look at every directory; never raises for what lies there."""
        scan = Scan()
        known: dict[str, tuple[Contents, Found]] = {}
        for root in self._roots:
            self._scan_root(root, scan, known)
        self._known = known
        return scan

    def _scan_root(self, root: Root, scan: Scan, known: dict[str, tuple[Contents, Found]]) -> None:
        walk = _walk(os.fspath(root.path), root.shown, scan)
        for count, (path, shown) in enumerate(walk):
            if count == FILES_MAX:
                message = f"more than {FILES_MAX} files, expected fewer; the rest is not read"
                scan.problems.append(Problem(Position(root.shown, 1, 1), "E106", message))
                return
            found = self._find(path, shown, root.layer, known)
            if found is not None:
                scan.files[shown] = found

    def _find(
        self, path: str, shown: str, layer: Layer, known: dict[str, tuple[Contents, Found]]
    ) -> Found | None:
        refused = names.why_refused(os.path.basename(path))  # noqa: PTH119 - any name at all
        if refused is not None:
            return Found(_unfit(shown, layer, refused), path, quiet=True)
        try:
            stamp = read_stamp(path)
            if stamp is None:
                return None
            before = self._known.get(path)
            if before is not None and before[0].quiet and before[0].stamp == stamp:
                known[path] = before
                return before[1]
            contents = read_contents(path)
        except UnfitError as unfit:
            return Found(_unfit(shown, layer, unfit.message, unfit.code), path, quiet=True)
        if contents is None:
            return None
        found = Found(SourceFile(shown, contents.data, layer), path, contents.quiet)
        known[path] = (contents, found)
        return found


def read_one(path: Path, shown: str, layer: Layer) -> SourceFile:
    """Read one file that a person named, whatever its ending; a missing one is a problem too."""
    try:
        contents = read_contents(os.fspath(path)) if read_stamp(os.fspath(path)) else None
    except UnfitError as unfit:
        return _unfit(shown, layer, unfit.message, unfit.code)
    if contents is None:
        return _unfit(shown, layer, "there is no such file")
    return SourceFile(shown, contents.data, layer)


def _unfit(shown: str, layer: Layer, message: str, code: str = "E113") -> SourceFile:
    return SourceFile(shown, b"", layer, Problem(Position(shown, 1, 1), code, message))


def _walk(path: str, shown: str, scan: Scan, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the files of a directory and of those below it, by real and by shown path."""
    try:
        with os.scandir(path) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        scan.directories.add(os.path.realpath(path))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        message = f"the directory cannot be listed: {(error.strerror or 'unknown').lower()}"
        scan.problems.append(Problem(Position(shown, 1, 1), "E113", message))
        scan.unlisted.append(f"{shown}/")
        return
    for entry in entries:
        name = f"{shown}/{names.show_name(entry.name)}"
        reason = _why_passed_over(entry, depth)
        if reason is not None:
            scan.ignored.append(Ignored(name, reason))
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, name, scan, depth + 1)
        else:
            yield entry.path, name


def _why_passed_over(entry: os.DirEntry[str], depth: int) -> str | None:
    if entry.is_dir(follow_symlinks=False):
        if depth + 1 >= DEPTH_MAX:
            return f"more than {DEPTH_MAX} directories inside each other"
        return "a hidden directory" if entry.name.startswith(".") else None
    reason = names.why_ignored(entry.name)
    if reason is not None or not entry.is_symlink():
        return reason
    if os.path.realpath(entry.path) == os.devnull:
        return f"a link to {os.devnull}, which switches it off"
    return "a link to a directory" if os.path.isdir(entry.path) else None  # noqa: PTH112


def find_config_roots(config_dir: Path) -> tuple[Root, ...]:
    """Return the directories of a configuration, whether they exist or not."""
    return tuple(Root(config_dir / name, name) for name in names.DIRECTORIES)


def find_shipped_roots(shipped: Mapping[str, Path]) -> tuple[Root, ...]:
    """Return the directories of the package, by the name that they have there."""
    return tuple(
        Root(path, f"shipped/{name}", Layer.SHIPPED) for name, path in sorted(shipped.items())
    )


def find_misplaced(config_dir: Path) -> list[Ignored]:
    """Return files that lie beside the directories instead of in one, where nothing reads them."""
    try:
        found = sorted(os.listdir(config_dir))  # noqa: PTH208
    except OSError:
        return []
    return [
        Ignored(names.show_name(name), "not in one of the directories")
        for name in found
        if name not in names.SETTINGS_NAMES
        and names.why_ignored(name) is None
        and (config_dir / name).is_file()
    ]
