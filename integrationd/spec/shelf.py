"""What files define, by kind and name, while a bundle is built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from integrationd.config.nodes import Fields, Node, Scalar
from integrationd.config.problems import Problem, Problems, nearest
from integrationd.spec.documents import (
    CasesDocument,
    Document,
    EntityDocument,
    MappingDocument,
    ProviderDocument,
)
from integrationd.spec.source import Layer, SourceFile

Claim: TypeAlias = tuple[str, str]
"""Kind and name of the thing that a file defines."""

KINDS: Final = ("provider", "integration", "mapping", "entity", "cases")


@dataclass(frozen=True, slots=True)
class ReadFile:
    """One file after reading; it depends on nothing but its bytes, so it can be kept by digest."""

    source: SourceFile
    digest: str
    claim: Claim | None
    """What it defines or, where it has errors, would define; None where that cannot be told."""
    document: Document | None
    """None where it has errors."""
    problems: tuple[Problem, ...]

    @property
    def has_errors(self) -> bool:
        """Whether anything but advice was found."""
        return any(problem.is_error for problem in self.problems)


def find_claim(node: Node | None) -> Claim | None:
    """Find what a file defines in its first key, whatever else is wrong with it."""
    if not isinstance(node, Fields) or not node.entries:
        return None
    kind, named = next(iter(node.entries.items()))
    name = named.value if isinstance(named, Scalar) else None
    if kind == "cases":
        return kind, node.position.file  # several files may be about one system
    return (kind, name) if kind in KINDS and isinstance(name, str) else None


@dataclass(frozen=True, slots=True)
class Held:
    """What holding a provider against all other files gave: the same for all that only use it."""

    problems: tuple[Problem, ...]
    mappings: frozenset[str]
    """The names of all mappings that it uses, whether there are such or not."""


@dataclass(slots=True)
class Shelf:
    """Everything that the files define.

    Of things with the same name that of the higher layer stands, even if it has errors: a broken
    file of the administrator's never brings a shipped one back. Two in one layer stand for
    neither, so that a copied file never changes what is running.
    """

    problems: Problems
    owners: dict[Claim, ReadFile] = field(default_factory=dict)
    firsts: dict[Claim, ReadFile] = field(default_factory=dict)
    """Of each layer's files the first that defines a thing, or would."""
    layers: dict[Claim, Layer] = field(default_factory=dict)
    broken: set[Claim] = field(default_factory=set)
    """What would be there if its file had no errors."""
    digests: dict[str, str] = field(default_factory=dict)
    """Of every file, by path."""
    held: dict[str, Held] = field(default_factory=dict)
    """For each provider without errors in its own file, once it was checked."""

    def add(self, read: ReadFile) -> None:
        """Put one file's thing in its place; files come from the lowest layer to the highest."""
        claim, layer = read.claim, read.source.layer
        self.digests[read.source.path] = read.digest
        if claim is None:
            return
        if self.layers.get(claim) == layer:
            self._tell_twice(claim, read)
            return
        self.layers[claim] = layer
        self.firsts[claim] = read
        if read.document is None:
            self.owners.pop(claim, None)
            self.broken.add(claim)
        else:
            self.owners[claim] = read
            self.broken.discard(claim)

    def _tell_twice(self, claim: Claim, read: ReadFile) -> None:
        """Let neither of two files stand, also where one of them has errors of its own."""
        self.broken.add(claim)
        first = self.firsts[claim]
        at, other = (read, first) if read.document is not None else (first, read)
        if at.document is None:
            return
        place = other.source.path if other.document is None else other.document.name.position
        message = (
            f"{claim[0]} {claim[1]!r} is already defined at {place}; rename or remove one of them"
        )
        self.problems.add(at.document.name.position, "E304", message)

    def provider(self, name: str) -> tuple[ProviderDocument, str] | None:
        """Return a provider and the path of its file; None where there is none without errors."""
        found = self._get("provider", name)
        if found is None:
            return None
        assert isinstance(found.document, ProviderDocument)
        return found.document, found.source.path

    def mapping(self, name: str) -> tuple[MappingDocument, str] | None:
        """Return a mapping and the path of its file; None where there is none without errors."""
        found = self._get("mapping", name)
        if found is None:
            return None
        assert isinstance(found.document, MappingDocument)
        return found.document, found.source.path

    def entity(self, name: str) -> tuple[EntityDocument, str] | None:
        """Return an entity and the path of its file; None where there is none without errors."""
        found = self._get("entity", name)
        if found is None:
            return None
        assert isinstance(found.document, EntityDocument)
        return found.document, found.source.path

    def is_broken(self, kind: str, name: str) -> bool:
        """Tell whether there is a file for a thing, with errors."""
        return (kind, name) in self.broken

    def providers(self) -> Iterator[tuple[str, ProviderDocument]]:
        """Yield the providers without errors in their own files."""
        for (kind, name), read in self.owners.items():
            document = read.document
            if (kind, name) not in self.broken and isinstance(document, ProviderDocument):
                yield name, document

    def mappings(self) -> Iterator[MappingDocument]:
        """Yield the mappings without errors in their own files."""
        for claim, read in self.owners.items():
            if claim not in self.broken and isinstance(read.document, MappingDocument):
                yield read.document

    def integrations(self) -> Iterator[tuple[str, ReadFile]]:
        """Yield the integrations whose own files say at least what they use."""
        for (kind, name), read in self.owners.items():
            if (kind, name) not in self.broken and kind == "integration":
                yield name, read

    def cases(self) -> Iterator[CasesDocument]:
        """Yield the files of cases without errors."""
        for claim, read in self.owners.items():
            if claim not in self.broken and isinstance(read.document, CasesDocument):
                yield read.document

    def path_of(self, kind: str, name: str) -> str | None:
        """Return the file of a thing, None where it is in no file without errors."""
        found = self._get(kind, name)
        return None if found is None else found.source.path

    def _get(self, kind: str, name: str) -> ReadFile | None:
        return None if (kind, name) in self.broken else self.owners.get((kind, name))

    def explain_missing(self, kind: str, name: str) -> str:
        """Say why a thing is not there, to end a sentence that names it."""
        if (kind, name) in self.broken:
            return "whose file has errors; mend them first"
        known = [known for known_kind, known in self.owners if known_kind == kind]
        return f"which is in no file{nearest(name, known)}"
