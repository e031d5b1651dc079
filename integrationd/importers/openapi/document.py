"""An OpenAPI document as places that can be walked: references followed, each with its pointer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from integrationd.config.nodes import Fields, Items, Node, Position, Scalar, to_json
from integrationd.config.problems import Problems, shorten
from integrationd.config.yaml import FOREIGN, parse_yaml
from integrationd.errors import IntegrationError
from integrationd.importers.report import Report
from integrationd.model.json import Json

REF: Final = "$ref"
_CHAIN_MAX: Final = 50
_DEPTH_MAX: Final = 60
_PAIR: Final = re.compile(
    rb"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
)
"""A sign beyond the first plane as JSON escapes it, which YAML cannot read."""
_EXPECTED: Final = "expected an OpenAPI document, which begins with 'openapi' or 'swagger'"


class DocumentError(IntegrationError):
    """A document that cannot be read at all."""


@dataclass(slots=True)
class Document:
    """The whole tree, and where findings are told."""

    root: Fields
    report: Report
    told: set[str] = field(default_factory=set)
    """References that were told already."""

    @property
    def version(self) -> str:
        """Return ``2.0``, ``3.0.3``, ``3.1.0``."""
        for key in ("swagger", "openapi"):
            found = self.root.get(key)
            if isinstance(found, Scalar):
                return found.written or str(found.value)
        return ""

    @property
    def is_old(self) -> bool:
        """Tell whether it is of version 2."""
        return self.version.startswith("2")

    @property
    def has_siblings(self) -> bool:
        """Tell whether what stands beside a reference counts, as it does since 3.1."""
        return not self.version.startswith(("2", "3.0"))

    @property
    def top(self) -> Spot:
        """Return the place of the whole."""
        return Spot(self, self.root, "#")

    def follow(self, spot: Spot, *, is_schema: bool = False) -> Spot | None:
        """Return what a place stands for; None where its reference leads nowhere, which is told.

        Args:
            spot: The place.
            is_schema: Whether it is a value of which the rest may do without.
        """
        siblings: dict[str, Node] = {}
        for _ in range(_CHAIN_MAX):
            node = spot.node
            reference = node.get(REF) if isinstance(node, Fields) else None
            if not isinstance(node, Fields) or not isinstance(reference, Scalar):
                return spot if not siblings else self._lay(spot, siblings)
            if self.has_siblings:
                beside = {key: each for key, each in node.entries.items() if key != REF}
                siblings = {**beside, **siblings}
            found = self._look_up(str(reference.value), spot, is_schema=is_schema)
            if found is None:
                return None
            spot = found
        self._tell_once(spot, f"{spot.pointer}: the reference leads back to itself")
        return None

    def _lay(self, spot: Spot, siblings: dict[str, Node]) -> Spot:
        if not isinstance(spot.node, Fields):
            return spot
        node = Fields(
            {**spot.node.entries, **siblings}, spot.node.position, spot.node.key_positions
        )
        return Spot(self, node, f"{spot.pointer}?{','.join(siblings)}")

    def _look_up(self, reference: str, spot: Spot, *, is_schema: bool) -> Spot | None:
        if not reference.startswith("#"):
            what = "is in another document, which is not fetched; put all into one"
            message = f"{spot.pointer}: {shorten(reference)} {what}"
            self._tell_once(spot, message, is_loss=not is_schema)
            return None
        here: Node | None = self.root
        for step in reference.removeprefix("#").split("/")[1:]:
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(here, Items):
                here = here.items[int(name)] if _fits(name, here) else None
            else:
                here = here.get(name) if isinstance(here, Fields) else None
        if here is None:
            message = f"{spot.pointer}: refers to {shorten(reference)}, which is not there"
            self._tell_once(spot, message, is_loss=not is_schema)
            return None
        return Spot(self, here, reference)

    def _tell_once(self, spot: Spot, message: str, *, is_loss: bool = True) -> None:
        if message not in self.told:
            self.told.add(message)
            tell = self.report.lose if is_loss else self.report.note
            tell(spot.position, message)


@dataclass(frozen=True, slots=True)
class Spot:
    """One place in the document."""

    document: Document = field(repr=False)
    node: Node = field(repr=False)
    pointer: str
    """A JSON pointer, ``#/paths/~1items/get``."""

    @property
    def position(self) -> Position:
        """Return where it begins."""
        return self.node.position

    def place(self, key: str) -> Position:
        """Return where a member's name stands."""
        return self.node.key_position(key) if isinstance(self.node, Fields) else self.position

    def raw(self, key: str) -> Spot | None:
        """Return a member as it stands."""
        found = self.node.get(key) if isinstance(self.node, Fields) else None
        return None if found is None else self._inside(key, found)

    def get(self, key: str) -> Spot | None:
        """Return a member, its reference followed."""
        found = self.raw(key)
        return None if found is None else self.document.follow(found)

    def text(self, key: str) -> str:
        """Return a member that is text, or nothing."""
        found = self.value(key)
        return found if isinstance(found, str) else ""

    def flag(self, key: str) -> bool:
        """Tell whether a switch is on."""
        return self.value(key) is True

    def value(self, key: str) -> Json:
        """Return a member's plain value."""
        found = self.node.get(key) if isinstance(self.node, Fields) else None
        return None if found is None else to_json(found)

    def has(self, key: str) -> bool:
        """Tell whether there is such a member."""
        return isinstance(self.node, Fields) and key in self.node.entries

    def items(self, *, is_schema: bool = False) -> Iterator[Spot]:
        """Yield the items of a list, references followed; what leads nowhere is left out."""
        nodes = self.node.items if isinstance(self.node, Items) else ()
        for at, node in enumerate(nodes):
            found = self.document.follow(self._inside(str(at), node), is_schema=is_schema)
            if found is not None:
                yield found

    def entries(self) -> Iterator[tuple[str, Spot]]:
        """Yield the members of an object, references followed, without those of vendors."""
        nodes = self.node.entries if isinstance(self.node, Fields) else {}
        for key, node in nodes.items():
            found = None if key.startswith("x-") else self.document.follow(self._inside(key, node))
            if found is not None:
                yield key, found

    def members(self) -> Iterator[tuple[str, Spot]]:
        """Yield the members of an object of schemas; what leads nowhere may be any value."""
        for key, node in self.node.entries.items() if isinstance(self.node, Fields) else ():
            inside = self._inside(key, node)
            yield key, self.document.follow(inside, is_schema=True) or inside

    def _inside(self, key: str, node: Node) -> Spot:
        escaped = key.replace("~", "~0").replace("/", "~1")
        return Spot(self.document, node, f"{self.pointer}/{escaped}")


def read_document(data: bytes, *, file: str, report: Report) -> Document:
    """Read a document in YAML or JSON.

    Raises:
        DocumentError: It is none.
    """
    problems = Problems()
    is_json = data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    readable = _PAIR.sub(_join_pair, data) if is_json else data
    root = parse_yaml(readable, file=file, problems=problems, bounds=FOREIGN)
    if not isinstance(root, Fields):
        told = "; ".join(str(problem) for problem in problems.found)
        raise DocumentError(told or f"{file}: {_EXPECTED}")
    document = Document(root, report)
    if re.fullmatch(r"2\.\d+|3\.\d+(\.\d+)?.*", document.version) is None:
        found = f", found version {shorten(document.version)}" if document.version else ""
        raise DocumentError(f"{file}: {_EXPECTED}, of version 2.0 or 3.x{found}")
    for problem in problems.found:
        report.note(problem.position, problem.message)
    return document


def _join_pair(found: re.Match[bytes]) -> bytes:
    before, high, low = found.groups()
    sign = chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    return bytes(before) + sign.encode()


def _fits(name: str, items: Items) -> bool:
    return re.fullmatch("[0-9]{1,6}", name) is not None and int(name) < len(items.items)
