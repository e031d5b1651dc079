"""Lists as streams: records, key, paging, parents and what they are asked with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from integrationd.config.hiding import names_secret
from integrationd.importers.draft import Draft, Piece
from integrationd.importers.guessing import squeeze, to_singular
from integrationd.importers.literals import to_expression
from integrationd.importers.naming import distinct, to_word
from integrationd.importers.openapi.calls import Call, Parameter
from integrationd.importers.openapi.examples import add_case
from integrationd.importers.openapi.fields import find_incremental, write_mapping
from integrationd.importers.openapi.lists import Listing, find_id
from integrationd.importers.openapi.operations import fill_path, find_decoder
from integrationd.importers.openapi.paging import find_paging
from integrationd.importers.openapi.parameters import Encoding, write_value
from integrationd.importers.openapi.servers import own_server
from integrationd.importers.openapi.shapes import Shapes
from integrationd.model.json import Json

_HOLE: Final = re.compile(r"\{[^{}]+\}")
_EXTENSION: Final = re.compile(r"\.(?:json|xml)$")
_PLAIN: Final = (
    *("type", "enum", "description", "format", "pattern", "minLength", "maxLength"),
    *("minimum", "maximum", "items", "minItems", "maxItems"),
)


@dataclass(slots=True)
class _Made:
    """One stream, and how its values are called by the streams below it."""

    piece: Piece
    listing: Listing
    holes: list[str]
    """The variables of its path's holes, in their order: ``each.course_id``."""
    carried: dict[str, str] = field(default_factory=dict)


class Streams:
    """Makes the streams of a document, parents before their children."""

    def __init__(self, draft: Draft, shapes: Shapes, calls: list[Call]) -> None:
        self._draft = draft
        self._shapes = shapes
        self._made: dict[str, _Made] = {}
        self._common = _common_parts([call.path for call in calls])
        self._holes = {_squeezed(call.path): call for call in calls}

    def add_all(self, listings: Iterable[Listing]) -> None:
        """Add lists, those with short paths first."""
        for listing in sorted(listings, key=lambda each: each.call.path.count("/")):
            self._add(listing)

    def _add(self, listing: Listing) -> None:
        call = listing.call
        name = distinct(self._name(call), self._draft.streams)
        piece = Piece(
            name=name,
            said={},
            origin=f"{call.title}, line {call.spot.position.line}",
            position=call.spot.position,
            lost=call.lost,
        )
        made = _Made(piece, listing, [])
        call.note(f"is read as the stream {name!r}: {listing.why}")
        path = self._write_path(made)
        piece.said[call.method] = f"{own_server(call, self._draft)}{path}"
        self._write_request(made)
        if listing.steps:
            piece.said["records"] = listing.records
        member = self._write_key(made)
        self._write_mapping(made)
        self._draft.streams[name] = piece
        add_case(self._draft, listing, piece, member)
        self._made[_squeezed(call.path)] = made

    def _name(self, call: Call) -> str:
        parts = [part for part in call.path.strip("/").split("/") if part]
        kept = [part for part in parts[self._common :] if "{" not in part] or parts[-1:]
        words = [part.partition(".")[0] for part in kept]
        return to_word("_".join(words), "stream")

    def _write_path(self, made: _Made) -> str:
        """Fill the holes of the path: by parents where a list has them, else by configuration."""
        call = made.listing.call
        values: dict[str, str] = {}
        parameters = {each.name: each for each in call.named("path")}
        for at in reversed(range(len(call.holes))):
            if self._for_each(made, at):
                break
        for hole in call.holes[len(made.holes) :]:
            made.holes.append(self._ask(call, parameters[hole], hole))
        for hole, variable in zip(call.holes, made.holes, strict=True):
            values[hole] = f"{{{{ {variable} }}}}"
        return fill_path(call.path, values)

    def _for_each(self, made: _Made, at: int) -> bool:
        """Say that a hole is filled by the records of the list before it; tells whether it is."""
        call = made.listing.call
        hole = call.holes[at]
        before = _before(call.path, at)
        parent = self._made.get(_squeezed(before))
        if parent is None:
            return False
        resource = before.rstrip("/").rpartition("/")[2]
        member = find_id(parent.listing.item, self._shapes, hole, resource)
        if member is None:
            return False
        word = to_word(hole)
        taken = {each.removeprefix("each.") for each in parent.holes}
        if word in taken or squeeze(word) in ("id", "uuid"):
            word = distinct(to_word(f"{to_singular(resource)}_{word}"), taken)
        value = to_expression([member])
        made.piece.said["for_each"] = {
            "stream": parent.piece.name,
            "value": value,
            "as": word,
            "carry": {word: value},
        }
        made.piece.parent = parent.piece.name
        made.holes = [*parent.holes, f"each.{word}"]
        # What the parent was given by its own parents goes down with its records.
        carry = made.piece.said["for_each"]["carry"]
        carry.update({name: name for name in parent.carried if name != word})
        made.carried = dict.fromkeys([*parent.carried, word], "")
        why = f"for each record of {parent.piece.name!r}, by its {member!r}"
        call.note(f"is read {why}")
        return True

    def _ask(self, call: Call, parameter: Parameter, name: str) -> str:
        """Have a value supplied by the configuration; return its variable."""
        schema = self._shapes.schema(parameter.schema, 1) or {}
        made: dict[str, Json] = {key: schema[key] for key in _PLAIN if key in schema}
        fixed = self._shapes.read(parameter.schema).facts
        if "default" in fixed and not isinstance(fixed["default"], dict | list):
            made["default"] = fixed["default"]
        about = parameter.spot.text("description")
        if about and parameter.spot is not call.spot:
            made["description"] = " ".join(about.split())[:160]
        word = to_word(name)
        if names_secret(name):
            self._draft.secrets.setdefault(word, {})
            call.note(f"{call.title} needs {name!r}, which is the secret {word!r}")
            return f"secrets.{word}"
        known = self._draft.config.get(word)
        if known is None:
            self._draft.config[word] = made
        call.note(f"needs {name!r}, which is supplied as 'config.{word}'")
        return f"config.{word}"

    def _write_request(self, made: _Made) -> None:
        call, piece = made.listing.call, made.piece
        paging = find_paging(made.listing, self._shapes)
        piece.said["paginate"] = paging.said
        call.note(f"is walked as {_kind(paging.said)}: {paging.why}")
        query = {each.name: each for each in call.named("query")}
        used = set(paging.used)
        incremental = find_incremental(made.listing, self._shapes, query)
        if incremental is not None:
            piece.said["incremental"], name, why = incremental
            used.add(name)
            call.note(why)
        encoding = Encoding()
        for place, key in (("query", "query"), ("header", "headers")):
            asked = self._required(call, call.named(place), used, encoding)
            piece.said.update({key: asked} if asked else {})
        if encoding.said:
            piece.said["encode"] = encoding.said
        if (decoder := find_decoder(call)) is not None:
            piece.said["decode"] = decoder
        idle = [name for name, each in query.items() if name not in used and not each.is_required]
        if idle:
            piece.remarks.append(f"also takes {', '.join(idle)}")
            call.note(f"is asked without {', '.join(idle)}")

    def _required(
        self, call: Call, parameters: list[Parameter], used: set[str], encoding: Encoding
    ) -> dict[str, Any]:
        asked: dict[str, Any] = {}
        for each in parameters:
            if each.is_required and each.name not in used:
                variable = self._ask(call, each, each.name)
                asked[each.name] = write_value(call, each, variable, self._shapes, encoding)
        return asked

    def _write_key(self, made: _Made) -> str | None:
        """Say what makes a record itself; return the member, if it is one."""
        listing, call = made.listing, made.listing.call
        below = self._holes.get(f"{_squeezed(call.path)}/{{}}")
        hole = below.holes[-1] if below is not None and below.holes else ""
        resource = (call.path.rstrip("/").rpartition("/")[2]).partition(".")[0]
        member = find_id(listing.item, self._shapes, hole, resource)
        if member is None:
            made.piece.said["key"] = "sha256(to_string(@))"
            call.note("no member looks like an id; a digest of the record is its key")
            return None
        own = to_expression([member])
        made.piece.said["key"] = [*made.carried, own] if made.carried else own
        why = f"as {below.path} has it" if below is not None else "by its name"
        call.note(f"the key is {member!r}, {why}")
        return member

    def _write_mapping(self, made: _Made) -> None:
        name = f"{to_word(self._draft.name)}.{made.piece.name}"
        mapping = write_mapping(name, made.listing, self._shapes, made.carried)
        if mapping is not None:
            made.piece.said["mapping"] = name
            self._draft.mappings[made.piece.name] = mapping


def settle_probe(draft: Draft) -> None:
    """Take the first list that needs nothing for the request that tries the credentials."""
    for piece in draft.streams.values():
        path = str(piece.said.get("get", ""))
        if piece.parent is None and "config." not in path and path.startswith("/"):
            query = dict(piece.said.get("query", {}))
            size = piece.said["paginate"].get("size") if piece.said["paginate"] != "none" else None
            if size is not None:
                query[str(size["into"]).partition(".")[2]] = 1
            draft.probe = {"get": path, **({"query": query} if query else {})}
            if "headers" in piece.said:
                draft.probe["headers"] = piece.said["headers"]
            if "encode" in piece.said and query:
                draft.probe["encode"] = piece.said["encode"]
            return


def is_same_path(one: str, other: str) -> bool:
    """Tell whether two paths differ in the names of their holes alone."""
    return _squeezed(one) == _squeezed(other)


def _squeezed(path: str) -> str:
    return _EXTENSION.sub("", _HOLE.sub("{}", path).rstrip("/"))


def _before(path: str, at: int) -> str:
    """Return what stands before a hole of a path."""
    found = list(_HOLE.finditer(path))[at]
    return path[: found.start()].rstrip("/")


def _common_parts(paths: list[str]) -> int:
    """Return how many parts all paths begin with, such as ``/v1``; at least one is left of each."""
    split = [[part for part in path.strip("/").split("/") if part] for path in paths]
    most = min((len(parts) - 1 for parts in split), default=0)
    count = 0
    while count < most and len({parts[count] for parts in split}) == 1:
        if not re.fullmatch(r"v?\d[\w.-]*|api|rest|.*\.json|\{.*\}", split[0][count]):
            break
        count += 1
    return count


def _kind(said: Any) -> str:  # noqa: ANN401 - a word or an object
    return str(said if isinstance(said, str) else said["type"])
