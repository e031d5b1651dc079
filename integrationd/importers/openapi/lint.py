"""What is wrong with a document itself: names that nothing reads, parts that are missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from integrationd.config.nodes import Fields, Items, Scalar
from integrationd.config.problems import find_nearest
from integrationd.importers.openapi.document import REF, Document, Spot
from integrationd.importers.openapi.kinds import NAMES, OPEN, REQUIRED, VERSION_2, VERSION_3, Kinds

_DEPTH_MAX: Final = 80
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch"})
_BESIDE: Final = frozenset({REF, "description", "summary", "title", "example"})
_PATH: Final = re.compile(r"/")


def tell_faults(document: Document) -> None:
    """Tell all that is wrong with a document, as notes; what is lost by it is told elsewhere."""
    kinds = VERSION_2 if document.is_old else VERSION_3
    _Reader(document, kinds).read(document.top, "Document", 0)
    for pointer, operation in _repeated(document):
        message = f"{operation.pointer}: has the operationId of {pointer}"
        document.report.note(operation.place("operationId"), message)
    paths = document.top.get("paths")
    if paths is None:
        if not document.top.has("webhooks"):
            document.report.note(document.top.position, "#: there is no 'paths', so no calls")
        return
    for path, item in paths.entries():
        if _PATH.match(path) is None:
            message = f"{item.pointer}: a path begins with '/'; it is taken as '/{path}'"
            document.report.note(paths.place(path), message)


class _Reader:
    """Walks a document by the kinds of its objects."""

    def __init__(self, document: Document, kinds: Kinds) -> None:
        self._document = document
        self._kinds = kinds

    def read(self, spot: Spot, kind: str, depth: int) -> None:
        """Look at one object, and at all in it."""
        node = spot.node
        if not isinstance(node, Fields):
            is_switch = isinstance(node, Scalar) and isinstance(node.value, bool)
            if kind != "Schema" or not is_switch:
                what = f"{spot.pointer}: expected an object, {self._name(kind)}"
                self._document.report.note(spot.position, what)
        elif REF in node.entries:
            self._tell_beside(spot, node)
        elif depth <= _DEPTH_MAX:
            self._read_fields(spot, node, kind, depth)

    def _tell_beside(self, spot: Spot, node: Fields) -> None:
        """Tell what stands beside a reference, where the version reads nothing of it."""
        beside = [
            name for name in node.entries if name not in _BESIDE and not name.startswith("x-")
        ]
        if beside and not self._document.has_siblings:
            what = f"{', '.join(map(repr, beside))} beside '$ref' is not read in this version"
            self._document.report.note(spot.place(beside[0]), f"{spot.pointer}: {what}")

    def _read_fields(self, spot: Spot, node: Fields, kind: str, depth: int) -> None:
        known = self._kinds[kind]
        for name in node.entries:
            if name not in known:
                self._tell_unknown(spot, kind, name)
            elif known[name] and (inside := spot.raw(name)) is not None:
                self._read_inside(inside, known[name], depth + 1)
        for name in REQUIRED.get(kind, ()):
            if name not in node.entries:
                message = f"{spot.pointer}: {self._name(kind)} has no {name!r}"
                self._document.report.note(spot.position, message)

    def _read_inside(self, spot: Spot, kind: str, depth: int) -> None:
        word = kind.strip("[]{}")
        node = spot.node
        if kind.startswith("[") and isinstance(node, Items):
            for at in range(len(node.items)):
                self.read(Spot(self._document, node.items[at], f"{spot.pointer}/{at}"), word, depth)
        elif kind.startswith("{") and isinstance(node, Fields):
            for name in node.entries:
                inside = spot.raw(name)
                if inside is not None and not name.startswith("x-"):
                    self.read(inside, word, depth)
        elif kind[0] not in "[{":
            if not isinstance(node, Scalar):
                self.read(spot, word, depth)
        else:
            what = "a list" if kind.startswith("[") else "an object of names"
            self._document.report.note(spot.position, f"{spot.pointer}: expected {what}")

    def _tell_unknown(self, spot: Spot, kind: str, name: str) -> None:
        if name.startswith("x-") or (kind in OPEN and self._document.has_siblings):
            return
        message = f"{spot.pointer}: {name!r} is no field of {self._name(kind)}; nothing reads it"
        near = find_nearest(name, self._kinds[kind])
        if near is not None:
            message += f"; was {near!r} meant?"
        else:
            homes = [each for each, known in self._kinds.items() if name in known]
            if homes:
                message += f"; it is one of {', '.join(map(self._name, homes[:3]))}"
        self._document.report.note(spot.place(name), message)

    def _name(self, kind: str) -> str:
        word = NAMES.get(kind, kind.lower())
        article = "an" if word[0] in "aeio" else "a"
        return word if " " in word or kind in NAMES else f"{article} {word}"


def _repeated(document: Document) -> Iterator[tuple[str, Spot]]:
    """Yield the operations whose id another one has, with that one's place."""
    seen: dict[str, str] = {}
    paths = document.top.get("paths")
    for _, item in paths.entries() if paths is not None else ():
        for method, operation in item.entries():
            given = operation.text("operationId") if method in _METHODS else ""
            if not given:
                continue
            if given in seen:
                yield seen[given], operation
            seen.setdefault(given, operation.pointer)
