"""What a schema may not say here: looked for keyword by keyword, told at its place.

References lead to another place in the same schema, and never back: then a schema stands for a
finite one, of which the size is known, and no record takes long. Misspelt keywords, which JSON
Schema passes over, are told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from integrationd.config.nodes import Fields, Items, Node, Position, Scalar
from integrationd.config.problems import nearest, shorten
from integrationd.config.sites import Site
from integrationd.transform.schema.engine import FORMATS, explain_pattern

CODE: Final = "E116"
SIZE_MAX: Final = 5000
"""How many schemas one may stand for, when each reference is written out."""
_ONE: Final = frozenset(
    {"additionalProperties", "items", "contains", "not", "if", "then", "else", "propertyNames"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
_SEVERAL: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
_PLAIN: Final = frozenset(
    {"type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "format"}
    | {"exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems", "default"}
    | {"uniqueItems", "maxContains", "minContains", "maxProperties", "minProperties", "required"}
    | {"dependentRequired", "title", "description", "examples", "deprecated", "readOnly", "$ref"}
    | {"writeOnly", "contentEncoding", "contentMediaType", "contentSchema", "$comment", "$schema"}
)
_KNOWN: Final = _ONE | _SEVERAL | _NAMED | _PLAIN
_LEFT_OUT: Final = frozenset(
    {"$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$vocabulary", "$recursiveRef"}
)
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


@dataclass(slots=True)
class Walk:
    """One walk over a schema that the schema of schemas takes."""

    refers: bool = True
    """Whether it may refer to places in itself."""
    places: dict[str, Site] = field(default_factory=dict)
    """Where each schema in it stands, by JSON pointer."""
    parts: dict[str, list[str]] = field(default_factory=dict)
    """The pointers of all that is run with each, references followed."""
    references: list[tuple[str, Scalar]] = field(default_factory=list)

    def tell_flaws(self, root: Node, site: Site) -> None:
        """Tell everything that may not be said."""
        waiting: list[tuple[str, Node, Site]] = [("", root, site)]
        while waiting:
            pointer, node, place = waiting.pop()
            self.places[pointer] = place
            inner = self.parts[pointer] = []
            if not isinstance(node, Fields):
                continue
            _tell_words(node, place)
            self._note_reference(node, pointer, place)
            for keyword, step, child, at in _children(node, place):
                below = f"{pointer}/{_escape(keyword)}{step}"
                waiting.append((below, child, at))
                if keyword != "$defs":
                    inner.append(below)
        self._follow(root, site)

    def _note_reference(self, node: Fields, pointer: str, site: Site) -> None:
        reference = node.get("$ref")
        if not isinstance(reference, Scalar):
            return
        if not self.refers:
            message = f"{site.name} refers to {shorten(reference.value)}; write it out here"
            site.refuse(reference.position, CODE, message)
            return
        self.references.append((pointer, reference))

    def _follow(self, root: Node, site: Site) -> None:
        """Lead every reference to its place, and measure what the whole stands for."""
        for pointer, reference in self.references:
            text = str(reference.value)
            target = unquote(text[1:])
            if not text.startswith("#") or target not in self.places:
                message = (
                    f"{self.places[pointer].name} refers to {shorten(text)}, expected a schema "
                    "inside this one such as '#/$defs/name'; nothing is fetched"
                )
                site.refuse(reference.position, CODE, message)
            else:
                self.parts[pointer].append(target)
        told, pointer = self._measure()
        if told:
            places = {place: reference.position for place, reference in self.references}
            site.refuse(places.get(pointer, root.position), CODE, f"{site.name} {told}")

    def _measure(self) -> tuple[str, str]:
        """Return what is wrong with the size and where; nothing where it is bounded and small."""
        sizes: dict[str, int] = {}
        open_: set[str] = set()
        waiting = [""]
        while waiting:
            pointer = waiting[-1]
            missing = [part for part in self.parts[pointer] if part not in sizes]
            if pointer in sizes or not missing:
                waiting.pop()
                open_.discard(pointer)
                sizes[pointer] = 1 + sum(sizes[part] for part in self.parts[pointer])
                if sizes[pointer] > SIZE_MAX:
                    told = f"stands for more than {SIZE_MAX:,} schemas, all references written out"
                    return told, ""
                continue
            open_.add(pointer)
            if any(part in open_ for part in missing):
                told = "refers to itself here, so that nobody can say how deep a record may go"
                return told, pointer
            waiting.extend(missing)
        return "", ""


def _children(node: Fields, site: Site) -> Iterator[tuple[str, str, Node, Site]]:
    """Yield the schemas directly inside one: keyword, the rest of the pointer, node, place."""
    for keyword, child in node.entries.items():
        at = site.key(keyword)
        if keyword in _ONE:
            yield keyword, "", child, at
        elif keyword in _SEVERAL and isinstance(child, Items):
            for index, item in enumerate(child.items):
                yield keyword, f"/{index}", item, at.item(index)
        elif keyword in _NAMED and isinstance(child, Fields):
            for name, item in child.entries.items():
                yield keyword, f"/{_escape(name)}", item, at.key(name)


def _tell_words(node: Fields, site: Site) -> None:
    for key, child in node.entries.items():
        if key in _LEFT_OUT:
            message = f"{site.name} has {key!r}, which is left out here; refer by '#/$defs/name'"
            site.refuse(node.key_position(key), CODE, message)
        elif key not in _KNOWN and not key.startswith("x-"):
            hint = nearest(key, _KNOWN) or "; one of your own begins with x-"
            message = f"{site.name} has {shorten(key)}, no word of JSON Schema{hint}"
            site.refuse(node.key_position(key), CODE, message)
        elif key in _TELLERS:
            _TELLERS[key](child, site)


def _tell_pattern(node: Node, site: Site) -> None:
    _tell_regex(str(_value(node)), node.position, site)


def _tell_patterns(node: Node, site: Site) -> None:
    if isinstance(node, Fields):
        for pattern in node.entries:
            _tell_regex(pattern, node.key_position(pattern), site)


def _tell_regex(pattern: str, position: Position, site: Site) -> None:
    flaw = explain_pattern(pattern)
    if flaw:
        message = f"{site.name} has the pattern {shorten(pattern)}, {flaw}"
        site.refuse(position, CODE, message)


def _tell_format(node: Node, site: Site) -> None:
    name = str(_value(node))
    if name not in FORMATS:
        hint = nearest(name, FORMATS)
        message = f"{site.name} has the format {shorten(name)}, which is not known{hint}"
        site.refuse(node.position, CODE, message)


def _tell_draft(node: Node, site: Site) -> None:
    if _value(node) != _DRAFT:
        message = (
            f"{site.name} has the $schema {shorten(_value(node))}, expected {_DRAFT!r} or none"
        )
        site.refuse(node.position, CODE, message)


_TELLERS: Final[Mapping[str, Callable[[Node, Site], None]]] = {
    "pattern": _tell_pattern,
    "patternProperties": _tell_patterns,
    "format": _tell_format,
    "$schema": _tell_draft,
}


def _value(node: Node) -> object:
    return node.value if isinstance(node, Scalar) else None


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
