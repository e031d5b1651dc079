"""Examples of answers as cases, so that what was guessed is tried without an account."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from integrationd.errors import MappingError
from integrationd.importers.draft import Draft, Piece
from integrationd.importers.hidden import is_secret_name, looks_secret
from integrationd.importers.openapi.calls import Call, is_json
from integrationd.importers.openapi.document import Spot
from integrationd.importers.openapi.lists import Listing
from integrationd.importers.openapi.parameters import count
from integrationd.model.json import Json
from integrationd.spec.documents import MappingDocument
from integrationd.spec.read import read_file
from integrationd.spec.source import SourceFile

_RECORDS_MAX: Final = 3
_VALUES_MAX: Final = 400
_RULES: Final = frozenset({"pattern", "minLength", "maxLength", "minimum", "maximum"})
_STEP: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([A-Za-z_]\w*)')
_LINKS: Final = "[?rel=='next']"


def add_case(draft: Draft, listing: Listing, piece: Piece, member: str | None) -> None:
    """Add a case for a list whose answer has an example, where one can be made of it.

    Args:
        draft: The provider.
        listing: The list.
        piece: The stream that it became.
        member: What makes a record itself; nothing where that is a digest.
    """
    if piece.parent is not None or member is None or _wants_more(draft, piece):
        return
    body = _read_example(listing.call)
    records = _find(body, listing.steps)
    if not isinstance(records, list) or count(body) > _VALUES_MAX:
        return
    kept = [each for each in records if isinstance(each, dict)][:_RECORDS_MAX]
    keys = [each.get(member) for each in kept]
    if not kept or None in keys or len({str(key) for key in keys}) < len(keys):
        return
    why = _why_not(draft, piece, kept)
    if why:
        listing.call.note(f"its example does not fit its own schema: {why}; no case is made of it")
        return
    whole = _put(copy.deepcopy(body), listing.steps, kept)
    exchanges = list(_exchanges(piece, whole, listing.steps, len(kept)))
    draft.cases.append(
        {
            "name": f"the example of {listing.call.title}",
            "stream": piece.name,
            "exchanges": _Scrubber().scrub(exchanges, ""),
            "expect": {"records": len(kept)},
        }
    )


def _wants_more(draft: Draft, piece: Piece) -> bool:
    """Tell whether a stream wants values that nobody can make up, as they have a pattern."""
    text = json.dumps(piece.said)
    return any(
        f"config.{name} " in text and _RULES & schema.keys()
        for name, schema in draft.config.items()
    )


def _read_example(call: Call) -> Json:
    answer = call.answer()
    if answer is None:
        return None
    found = answer.get("content")
    for kind, media in found.entries() if found is not None else ():
        if is_json(kind):
            return _parse(_example_in(media))
    old = answer.value("examples")
    return _parse(old.get("application/json")) if isinstance(old, dict) else None


def _example_in(media: Spot) -> Json:
    if media.has("example"):
        return media.value("example")
    several = media.get("examples")
    for _, each in several.entries() if several is not None else ():
        return each.value("value")
    schema = media.get("schema")
    return None if schema is None else schema.value("example")


def _parse(value: Json) -> Json:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def _find(value: Json, steps: tuple[str, ...]) -> Json:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _put(value: Json, steps: tuple[str, ...], inner: Json) -> Json:
    """Return a value with another one at the end of a way through its members."""
    if not steps:
        return inner
    holder = dict(value) if isinstance(value, dict) else {}
    return {**holder, steps[0]: _put(holder.get(steps[0]), steps[1:], inner)}


def _why_not(draft: Draft, piece: Piece, records: list[Json]) -> str:
    """Return why a record cannot be mapped; nothing where all can."""
    text = draft.print_mapping_of(piece.name)
    found = read_file(SourceFile("mappings/it.yaml", text.encode())).document if text else None
    if not isinstance(found, MappingDocument):
        return ""
    for record in records:
        try:
            found.mapping.apply(record, variables={"config": {}, "each": {}})
        except MappingError as why:
            return re.sub(r"\s+is .*", "", str(why))
    return ""


def _exchanges(
    piece: Piece, body: Json, steps: tuple[str, ...], records: int
) -> Iterator[dict[str, Json]]:
    """Yield what is asked and answered: the example as the only page, if need be one more."""
    paging = piece.said["paginate"]
    said: dict[str, Any] = paging if isinstance(paging, dict) else {"type": "none"}
    asked = {"method": "GET"}
    response: dict[str, Json] = {"body": body}
    total = str(said.get("total", ""))
    if "has_more" in said:
        response["body"] = _put(body, _steps(said["has_more"]), inner=False)
    elif said["type"] in ("cursor", "next_url"):
        response["body"] = _end(body, str(said["next"]))
    elif "total_pages" in said:
        response["body"] = _put(body, _steps(said["total_pages"]), 1)
    elif total.startswith("body"):
        response["body"] = _put(body, _steps(total), records)
    elif total:
        response["headers"] = {_steps(total)[0]: str(records)}
    yield {"request": asked, "response": response}
    ends = {"has_more", "total_pages", "total"} & said.keys()
    if said["type"] in ("page", "offset") and not ends:
        yield {"request": asked, "response": {"body": _put(body, steps, [])}}


def _end(body: Json, expression: str) -> Json:
    """Return a body without what leads to the next page."""
    if _LINKS in expression:
        steps = _steps(expression.partition(_LINKS)[0])
        links = _find(body, steps)
        listed = links if isinstance(links, list) else []
        kept = [link for link in listed if not isinstance(link, dict) or link.get("rel") != "next"]
        return _put(body, steps, kept)
    return _put(body, _steps(expression), None)


def _steps(expression: str) -> tuple[str, ...]:
    """Return the members that an expression leads through, without its root."""
    found = [quoted or word for quoted, word in _STEP.findall(expression)]
    return tuple(found[1:])


class _Scrubber:
    """Puts made-up values in the place of what is or looks like a secret."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def scrub(self, value: Json, name: str) -> Json:
        match value:
            case dict():
                return {key: self.scrub(item, key) for key, item in value.items()}
            case list():
                return [self.scrub(item, name) for item in value]
            case str() if value and (is_secret_name(name) or looks_secret(value)):
                return self._known.setdefault(value, f"made-up-{len(self._known) + 1}")
            case _:
                return value
