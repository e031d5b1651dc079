"""What ``check`` tells: every problem of some files, found as the daemon finds them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from integrationd.bundles.names import SETTINGS_NAMES
from integrationd.bundles.scan import (
    Ignored,
    Root,
    Scan,
    Scanner,
    find_config_roots,
    find_misplaced,
    find_shipped_roots,
    read_one,
)
from integrationd.config.nodes import Position
from integrationd.config.problems import Problem
from integrationd.model.json import Json
from integrationd.spec.build import build_bundle
from integrationd.spec.documents import Integration
from integrationd.spec.read import read_file
from integrationd.spec.read_settings import read_settings
from integrationd.spec.settings import Settings
from integrationd.spec.shelf import ReadFile
from integrationd.spec.source import Layer, SourceFile


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What was looked at and what is wrong with it."""

    problems: tuple[Problem, ...]
    """In the order of files and lines, each once."""
    files: int
    """How many."""
    ignored: tuple[Ignored, ...]
    integrations: tuple[str, ...]
    """Names of those that would run."""
    built: tuple[Integration, ...] = field(default=(), repr=False)
    """The same in whole."""


@dataclass(slots=True)
class _Asked:
    """The files that are checked, and those beside them that they refer to."""

    sources: dict[str, SourceFile] = field(default_factory=dict)
    """By the path that people are told."""
    places: dict[str, Path] = field(default_factory=dict)
    """Where each lies, by the same."""
    shown: set[str] = field(default_factory=set)
    """Of which problems are told."""
    real: set[str] = field(default_factory=set)
    """Real paths of what is there already; no file is read twice."""
    settings: list[SourceFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)

    def ask(self, path: Path) -> None:
        """Take a file or directory that a person named, under the name that was used."""
        shown = os.fspath(path)
        if path.is_dir():
            self.take(Scanner((Root(path, shown.rstrip("/"), Layer.GIVEN),)).scan(), tells=True)
        else:
            self._add(shown, read_one(path, shown, Layer.GIVEN), tells=True)

    def take(self, scan: Scan, *, tells: bool) -> None:
        """Take all files of a scan; what is wrong with them is told only where it was asked for."""
        for found in scan.files.values():
            self._add(found.path, found.source, tells=tells)
        if tells:
            self.problems += scan.problems
            self.ignored += scan.ignored

    def _add(self, path: str, source: SourceFile, *, tells: bool) -> None:
        real = os.path.realpath(path)
        if real in self.real:
            return
        self.real.add(real)
        if os.path.basename(path) in SETTINGS_NAMES:  # noqa: PTH119 - any name at all
            self.settings.append(source)
            return
        self.sources[source.path] = source
        self.places[source.path] = Path(path)
        if tells:
            self.shown.add(source.path)


def check_paths(
    config_dir: Path, paths: Sequence[Path] = (), *, shipped: Mapping[str, Path]
) -> CheckReport:
    """Check files with neither network nor secrets; never raises for what lies in them.

    Args:
        config_dir: The configuration; what the named files refer to is looked up there as well.
        paths: Files and directories; the whole configuration where there are none. A named file
            stands before one of the same name in the configuration, so that it can be checked
            before it is put in place.
        shipped: Directories of the package by name.
    """
    gathered = gather(config_dir, paths, shipped=shipped)
    asked, bundle = gathered.asked, build_bundle(gathered.reads, gathered.settings)
    problems = {problem for problem in bundle.problems if problem.position.file in asked.shown}
    if not paths:
        problems.update(map(_tell_misplaced, find_misplaced(config_dir)))
    built = tuple(
        integration
        for _, integration in sorted(bundle.integrations.items())
        if integration.path in asked.shown
    )
    return CheckReport(
        problems=tuple(sorted({*asked.problems, *problems})),
        files=len(asked.shown) + len(asked.settings),
        ignored=tuple(sorted(asked.ignored)),
        integrations=tuple(integration.name for integration in built),
        built=built,
    )


@dataclass(frozen=True, slots=True)
class Gathered:
    """Files that a person named, with all that they may refer to."""

    reads: tuple[ReadFile, ...]
    settings: Settings
    asked: _Asked

    @property
    def shown(self) -> frozenset[str]:
        """Return the files that were asked for, by the path that people are told."""
        return frozenset(self.asked.shown)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong with directories and with the settings."""
        return tuple(self.asked.problems)

    def find(self, shown: str) -> Path | None:
        """Return where a file lies that people are told by another path."""
        return self.asked.places.get(shown)


def gather(config_dir: Path, paths: Sequence[Path], *, shipped: Mapping[str, Path]) -> Gathered:
    """Read the named files, or those of the configuration, and those that they may refer to.

    The arguments are those of :func:`check_paths`.
    """
    asked = _Asked()
    for path in paths:
        asked.ask(path)
    asked.take(Scanner(find_config_roots(config_dir)).scan(), tells=not paths)
    asked.take(Scanner(find_shipped_roots(shipped)).scan(), tells=False)
    settings = _read_settings(find_settings(config_dir), asked, tells=not paths)
    return Gathered(tuple(map(read_file, asked.sources.values())), settings, asked)


def problem_json(problem: Problem) -> Json:
    """Return a problem as editors read it."""
    return {
        "file": problem.position.file,
        "line": problem.position.line,
        "column": problem.position.column,
        "code": problem.code,
        "message": problem.message,
    }


def _read_settings(path: Path, asked: _Asked, *, tells: bool) -> Settings:
    """Read the settings that were named, else those in place."""
    in_place = read_one(path, path.name, Layer.CONFIGURED) if path.exists() else None
    if tells and in_place is not None:
        asked.settings.append(in_place)
    settings = None
    for source in asked.settings:
        settings, problems = _read_one_settings(source)
        asked.problems += problems
    if settings is None and in_place is not None:
        settings, _ = _read_one_settings(in_place)
    return settings or Settings()


def _read_one_settings(source: SourceFile) -> tuple[Settings, tuple[Problem, ...]]:
    if source.problem is not None:
        return Settings(), (source.problem,)
    return read_settings(source.data, source.path)


def _tell_misplaced(ignored: Ignored) -> Problem:
    message = "the file is not read here; move it into one of the directories, such as integrations"
    return Problem(Position(ignored.path, 1, 1), "W503", message)


def find_settings(config_dir: Path) -> Path:
    """Return where the daemon's own settings are, or would be."""
    found = (config_dir / name for name in SETTINGS_NAMES)
    return next((path for path in found if path.exists()), config_dir / SETTINGS_NAMES[0])
