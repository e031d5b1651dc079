"""A provider while it is put together: printed, held against our own reader, and cut to its limits.

What the reader refuses is taken out and told, so that whatever is written can be loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from integrationd.config.nodes import Position
from integrationd.config.printing import print_yaml
from integrationd.config.problems import Problem
from integrationd.importers.printing import Entry, print_comment, print_mapping, print_provider
from integrationd.importers.report import Finding, Imported, Report
from integrationd.model.json import Json
from integrationd.spec.read import read_file
from integrationd.spec.source import SourceFile

BYTES_MAX: Final = 1_000_000
NODES_MAX: Final = 19_000
"""A little less than what our own reader takes in one file."""


@dataclass(slots=True, kw_only=True)
class Piece:
    """One stream, or one operation, and what is to be told of it."""

    name: str
    said: dict[str, Any]
    origin: str
    """Where it came from, ``GET /items, line 12``."""
    position: Position
    remarks: list[str] = field(default_factory=list)
    lost: list[Finding] = field(default_factory=list)
    parent: str | None = None
    """The stream without which this one cannot be."""

    def entry(self) -> Entry:
        """Return it as it is printed."""
        lost = tuple(sorted(set(self.lost)))
        return Entry(self.name, self.said, self.origin, lost, tuple(self.remarks))


@dataclass(slots=True, kw_only=True)
class MappingDraft:
    """One mapping."""

    name: str
    fields: dict[str, Json]
    about: list[str]


@dataclass(slots=True, kw_only=True)
class Draft:
    """One provider."""

    name: str
    report: Report
    position: Position
    """Of the whole, for what belongs to no piece."""
    about: list[str]
    """The comment at the beginning."""
    head: dict[str, Any] = field(default_factory=dict)
    """Title, docs and notes."""
    config: dict[str, Json] = field(default_factory=dict)
    secrets: dict[str, Json] = field(default_factory=dict)
    http: dict[str, Any] = field(default_factory=dict)
    probe: dict[str, Any] = field(default_factory=dict)
    streams: dict[str, Piece] = field(default_factory=dict)
    operations: dict[str, Piece] = field(default_factory=dict)
    mappings: dict[str, MappingDraft] = field(default_factory=dict)
    """By the stream that uses it."""
    cases: list[dict[str, Json]] = field(default_factory=list)
    """Readings of its streams."""

    @property
    def path(self) -> str:
        """Return where the provider's file goes."""
        return f"specs/{self.name}.yaml"

    def finish(self) -> Imported:
        """Print all files, without what our own reader refuses."""
        self._cut()
        self._drop_mappings()
        text = self.print()
        while problems := find_problems(self.path, text):
            if not self._drop(text, problems):
                first = problems[0]
                line = f"the file has an error in line {first.position.line}: {first.message}"
                self.report.lose(self.position, line)
                break
            text = self.print()
        files = {self.path: text}
        for mapping in self.mappings.values():
            files[f"mappings/{mapping.name}.yaml"] = _print_mapping(mapping)
        files.update(self._print_cases())
        return Imported(
            files=files,
            findings=self.report.lines(),
            streams=tuple(self.streams),
            operations=tuple(self.operations),
        )

    def print_mapping_of(self, stream: str) -> str:
        """Print the mapping of a stream; nothing where it has none."""
        return _print_mapping(self.mappings[stream]) if stream in self.mappings else ""

    def _print_cases(self) -> dict[str, str]:
        """Print the cases of the streams that are there."""
        path = f"cases/{self.name}.yaml"
        kept = [case for case in self.cases if case["stream"] in self.streams]
        auth = self.http.get("auth")
        if kept and isinstance(auth, dict) and ("authorize" in auth or "device" in auth):
            self.report.note(self.position, "#: no cases are made, as they would want a consent")
            return {}
        said = {"cases": self.name, "streams": kept}
        about = ["Made of the examples of the same document. Run: integrationd test"]
        text = print_comment(about) + print_yaml(said)
        return {path: text} if kept and not find_problems(path, text) else {}

    def print(self) -> str:
        """Print the provider's file."""
        head: dict[str, Any] = {"provider": self.name, **self.head}
        for key, named in (("config", self.config), ("secrets", self.secrets)):
            used = {name: said for name, said in named.items() if self._uses(f"{key}.{name}")}
            head.update({key: used} if used else {})
        head["http"] = self.http
        head.update({"probe": self.probe} if self.probe else {})
        streams = [piece.entry() for piece in self.streams.values()]
        operations = [piece.entry() for piece in self.operations.values()]
        return print_provider(head, streams, self.about, operations)

    def _uses(self, variable: str) -> bool:
        pieces = [*self.streams.values(), *self.operations.values()]
        wanted = re.compile(rf"\b{re.escape(variable)}\b")
        said = [self.http, self.probe, *(piece.said for piece in pieces)]
        return any(wanted.search(text) for text in _texts(said))

    def _cut(self) -> None:
        """Leave out operations, the last ones first, until the file is no larger than we read."""
        nodes = _count([self.http, self.config, *(each.said for each in self.streams.values())])
        kept: dict[str, Piece] = {}
        for name, piece in self.operations.items():
            nodes += _count(piece.said) + 1
            if nodes > NODES_MAX:
                message = f"{piece.origin}: left out, as one file holds at most {NODES_MAX} values"
                self.report.lose(piece.position, message)
            else:
                kept[name] = piece
        self.operations = kept

    def _drop_mappings(self) -> None:
        for stream, mapping in list(self.mappings.items()):
            path = f"mappings/{mapping.name}.yaml"
            problems = find_problems(path, _print_mapping(mapping))
            if problems:
                piece = self.streams[stream]
                message = f"{piece.origin}: its mapping is left out: {problems[0].message}"
                self.report.lose(piece.position, message)
                self._drop_mapping(stream)

    def _drop_mapping(self, stream: str) -> None:
        self.mappings.pop(stream, None)
        if stream in self.streams:
            self.streams[stream].said.pop("mapping", None)

    def _drop(self, text: str, problems: list[Problem]) -> bool:
        """Take out what our own reader refuses; tells whether there was anything."""
        dropped = False
        for problem in problems:
            found = _find_piece(text, problem.position.line)
            if found is None:
                continue
            section, name = found
            pieces = self.streams if section == "streams" else self.operations
            if name in pieces:
                dropped = True
                self._drop_piece(section, name, problem.message)
        return dropped

    def _drop_piece(self, section: str, name: str, why: str) -> None:
        pieces = self.streams if section == "streams" else self.operations
        piece = pieces.pop(name)
        self.report.lose(piece.position, f"{piece.origin}: {name!r} is left out: {why}")
        if section == "streams":
            self._drop_mapping(name)
            for child in [each.name for each in pieces.values() if each.parent == name]:
                self._drop_piece(section, child, f"it needs {name!r}")


def find_problems(path: str, text: str) -> list[Problem]:
    """Return what our own reader says against a file."""
    found = read_file(SourceFile(path, text.encode()))
    return [problem for problem in found.problems if problem.is_error]


def _print_mapping(mapping: MappingDraft) -> str:
    return print_mapping({"mapping": mapping.name, "fields": mapping.fields}, mapping.about)


def _find_piece(text: str, line: int) -> tuple[str, str] | None:
    """Return the section and the name of what stands in a line of a file of ours."""
    name = ""
    for each in reversed(text.splitlines()[:line]):
        named = re.fullmatch(r"  ([a-z][a-z0-9_]*):.*", each)
        if named and not name:
            name = named.group(1)
        section = re.match(r"([a-z]+):", each)
        if section:
            known = section.group(1) in ("streams", "operations")
            return (section.group(1), name) if known and name else None
    return None


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _count(value: Json) -> int:
    """Return how many values our reader counts, names included."""
    if isinstance(value, dict):
        return 1 + sum(1 + _count(item) for item in value.values())
    return 1 + sum(map(_count, value)) if isinstance(value, list) else 1
