"""The directories as a bundle that always runs: what is good now, else what last was."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from integrationd.bundles.keeping import GoodFiles, LastGood
from integrationd.bundles.scan import (
    Found,
    Ignored,
    Scan,
    Scanner,
    find_config_roots,
    find_shipped_roots,
)
from integrationd.config.problems import Problem
from integrationd.spec.build import build_bundle
from integrationd.spec.bundle import Bundle
from integrationd.spec.documents import Integration
from integrationd.spec.memo import Memo
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.shelf import Claim, ReadFile
from integrationd.spec.source import Layer, SourceFile, digest_of

SETTLE_S: Final = 0.25
"""Between two reads that must be equal: a file that is being written is not taken half-way."""
_ROUNDS: Final = 4
"""After so many reads what still changes waits for the next load, and the rest goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What one load gave."""

    bundle: Bundle
    ignored: tuple[Ignored, ...] = ()
    unsettled: tuple[str, ...] = ()
    """Files that kept changing while they were read; the next load looks again."""
    remarks: tuple[str, ...] = ()
    """What is wrong with the kept copies of last good files; nothing stops because of it."""

    @property
    def kept(self) -> frozenset[str]:
        """Return the names of integrations that run on their last good files."""
        return frozenset(self.bundle.kept)

    def kept_because_of(self, problem: Problem) -> tuple[str, ...]:
        """Return which of them the file of a problem belongs to."""
        return tuple(
            name
            for name in sorted(self.bundle.kept)
            if problem.position.file in self.bundle.integrations[name].files
        )


class Library:
    """Reads the directories again and again; all methods block and may be called from threads."""

    def __init__(
        self,
        *,
        config_dir: Path,
        state_dir: Path,
        settings: Settings,
        shipped: Mapping[str, Path],
        read_only: bool = False,
        settle_s: float = SETTLE_S,
    ) -> None:
        """Remember where to look; nothing is read yet.

        Args:
            config_dir: Has ``specs``, ``integrations`` and so on; none of it needs to exist.
            state_dir: Where last good files are kept.
            settings: The daemon's own.
            shipped: Directories of the package by name.
            read_only: Keep nothing; last good files are used as they are.
            settle_s: Between two reads that must be equal.
        """
        self._config_dir = config_dir
        self._settings = settings
        self._scanner = Scanner((*find_shipped_roots(shipped), *find_config_roots(config_dir)))
        self._good = GoodFiles(state_dir)
        self._read_only = read_only
        self._settle_s = settle_s
        self._lock = threading.Lock()
        self._put_back = False
        self._taken: dict[str, SourceFile] = {}
        self._read: dict[str, ReadFile] = {}
        self._memo = Memo()
        self._claims: dict[str, Claim] = {}
        self._kept: dict[str, Integration] = {}
        self._directories: tuple[Path, ...] = (config_dir,)

    @property
    def directories(self) -> tuple[Path, ...]:
        """Return every directory in which something may change, as of the last look."""
        return self._directories

    def is_stale(self) -> bool:
        """Tell whether the disk holds anything else than what was taken, or that was put back."""
        with self._lock:
            found = {name: found.source for name, found in self._look().files.items()}
            return self._put_back or found != self._taken

    def put_back(self) -> None:
        """Say that what was loaded last could not be taken up: it is stale until the next load."""
        with self._lock:
            self._put_back = True

    def load(self) -> Loaded:
        """Read what changed and build the bundle; never raises for what lies in a file.

        An integration that is refused now and was good before goes on with the files it was last
        good with. One whose file is gone, is gone.
        """
        with self._lock:
            self._put_back = False
            scan, unsettled = self._settle()
            reads = self._read_taken()
            bundle = build_bundle(reads.values(), self._settings, self._memo)
            stored = self._good.read()
            bundle = dataclasses.replace(bundle, refused=_find_refused(bundle, stored, scan))
            kept, remarks = self._keep(bundle, stored)
            wanted = _find_good({**bundle.integrations, **kept}, stored, bundle.refused)
            remarks.insert(0, self._good.remark)
            remarks.append("" if self._read_only else self._write(wanted))
            problems = (*bundle.problems, *scan.problems)
            return Loaded(
                bundle=dataclasses.replace(
                    bundle,
                    integrations={**bundle.integrations, **kept},
                    kept=frozenset(kept),
                    problems=tuple(sorted(set(problems))),
                ),
                ignored=tuple(scan.ignored),
                unsettled=tuple(sorted(unsettled)),
                remarks=tuple(text for text in remarks if text),
            )

    def _look(self) -> Scan:
        scan = self._scanner.scan()
        self._directories = (self._config_dir, *map(Path, sorted(scan.directories)))
        for place in scan.unlisted:
            # What cannot be seen has not been removed.
            for path, source in self._taken.items():
                if path.startswith(place) and path not in scan.files:
                    scan.files[path] = Found(source, path, quiet=True)
        return scan

    def _settle(self) -> tuple[Scan, set[str]]:
        """Take each change that two reads agree on, or that is too old to be half-written."""
        waiting: dict[str, SourceFile | None] = {}
        for turn in range(_ROUNDS):
            scan = self._look()
            waiting = self._take(scan, waiting)
            if not waiting or turn == _ROUNDS - 1:
                break
            time.sleep(self._settle_s)
        return scan, set(waiting)

    def _take(
        self, scan: Scan, waiting: Mapping[str, SourceFile | None]
    ) -> dict[str, SourceFile | None]:
        still: dict[str, SourceFile | None] = {}
        for path in scan.files.keys() | self._taken.keys():
            found = scan.files.get(path)
            source = None if found is None else found.source
            if source == self._taken.get(path):
                continue
            quiet = found is not None and found.quiet
            if not quiet and not (path in waiting and waiting[path] == source):
                still[path] = source
            elif source is None:
                del self._taken[path]
            else:
                self._taken[path] = source
        return still

    def _read_taken(self) -> dict[str, ReadFile]:
        """Read the files that changed; the others stay as they were read."""
        reads: dict[str, ReadFile] = {}
        for path, source in self._taken.items():
            before = self._read.get(path)
            read = before if before is not None and before.source == source else read_file(source)
            reads[path] = self._with_claim(read)
        self._read = reads
        return reads

    def _with_claim(self, read: ReadFile) -> ReadFile:
        """Let a file that cannot be understood stand for what it was when it could be."""
        path = read.source.path
        if read.claim is None and path not in self._claims:
            self._claims.update(self._find_old_claim(path))
        if read.claim is None:
            return dataclasses.replace(read, claim=self._claims.get(path))
        self._claims[path] = read.claim
        return read

    def _find_old_claim(self, path: str) -> dict[str, Claim]:
        for name, good in self._good.read().items():
            if good.path == path:
                return {path: ("integration", name)}
            data = self._good.read_content(good.files[path]) if path in good.files else None
            read = None if data is None else read_file(SourceFile(path, data))
            if read is not None and read.claim is not None:
                return {path: read.claim}
        return {}

    def _keep(
        self, bundle: Bundle, stored: Mapping[str, LastGood]
    ) -> tuple[dict[str, Integration], list[str]]:
        """Build refused integrations from their last good files, where there are any."""
        kept: dict[str, Integration] = {}
        remarks: list[str] = []
        for name in sorted(bundle.refused):
            good = stored.get(name)
            if good is None:
                continue
            integration = self._kept.get(name)
            if integration is None or integration.files != good.files:
                integration = self._rebuild(name, good)
            if integration is None:
                remarks.append(f"the last good files of integration {name} can no longer be used")
            else:
                kept[name] = integration
        self._kept = kept
        return kept, remarks

    def _rebuild(self, name: str, good: LastGood) -> Integration | None:
        reads: list[ReadFile] = []
        for path, digest in good.files.items():
            data = self._good.read_content(digest)
            if data is None:
                return None
            layer = Layer.SHIPPED if path.startswith("shipped/") else Layer.CONFIGURED
            reads.append(read_file(SourceFile(path, data, layer)))
        return build_bundle(reads, self._settings).integrations.get(name)

    def _write(self, wanted: Mapping[str, LastGood]) -> str:
        contents = {digest_of(source.data): source.data for source in self._taken.values()}
        return self._good.write(wanted, contents)


def _find_refused(bundle: Bundle, stored: Mapping[str, LastGood], scan: Scan) -> frozenset[str]:
    """Count among the refused what lies where nothing can be seen."""
    unseen = {
        name
        for name, good in stored.items()
        if name not in bundle.integrations and good.path.startswith(tuple(scan.unlisted))
    }
    return frozenset({*bundle.refused, *unseen})


def _find_good(
    integrations: Mapping[str, Integration],
    stored: Mapping[str, LastGood],
    refused: Iterable[str],
) -> dict[str, LastGood]:
    """Say what is worth keeping: what runs, and what cannot be used today but is still there."""
    waiting = {name: stored[name] for name in refused if name in stored}
    running = {
        name: LastGood(integration.path, dict(integration.files))
        for name, integration in integrations.items()
    }
    return {**waiting, **running}
