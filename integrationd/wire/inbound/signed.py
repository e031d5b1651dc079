"""The bytes that a sender signed, made again of what came."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

from integrationd.config.decode import INVALID, Invalid, Site
from integrationd.config.nodes import Fields, Position
from integrationd.errors import ExpressionError, SignatureError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.transform.expression import Expression
from integrationd.transform.scopes import Scope
from integrationd.transform.template import Template
from integrationd.wire import signable, texts
from integrationd.wire.inbound.values import (
    INBOUND,
    form_pairs,
    inbound_root,
    is_form,
    read_json,
    values_of,
)
from integrationd.wire.messages import Call
from integrationd.wire.places import Place, Root

_BODY: Final = re.compile(r"\{\{ *body *\}\}")
_NAMED: Final = Scope(("name", "value"))
_NOWHERE: Final = Position("", 1, 1)
_CACHE_MAX: Final = 1024
_FIELDS_MAX: Final = 1000
_HOLDING: Final[Mapping[Root, tuple[tuple[str, ...], str]]] = {
    Root.HEADER: (("headers",), ""),
    Root.QUERY: (("url", "query"), "query"),
    Root.JSON: (("body", "json"), "json"),
    Root.FORM: (("body", "form"), "form"),
}
"""By the root of a place the parts of a call, and the fields, in which it stands."""


class FieldsOf(StrEnum):
    """Whose fields are signed."""

    FORM = "form"
    QUERY = "query"
    JSON = "json"


class Missing(StrEnum):
    """What is done about a field that is not there."""

    SKIP = "skip"
    EMPTY = "empty"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedFields:
    """Fields of a form, a query or a JSON body, one behind the other."""

    fields: FieldsOf
    """Whose: ``form``, ``query`` or ``json``."""
    at: str = ""
    """In JSON, the object that has them: ``notificationItems.0.NotificationRequestItem``."""
    names: tuple[str, ...] = ()
    """Which, in this order (in JSON ``amount.value`` too). Without it all, sorted by their names,
    and of the same name by their values."""
    exclude: tuple[str, ...] = ()
    """Which not, where ``names`` does not say which: the signature's own."""
    unique: bool = False
    """Whether a field that stands there twice with the same value counts once."""
    write: Annotated[Template, _NAMED]
    """How one is written, ``"{{ name }}={{ value }}"``."""
    join: str = ""
    """Stands between them."""
    missing: Missing = Missing.REFUSE
    """What of ``names`` is not there: ``skip`` leaves it out, ``empty`` takes an empty text for
    it, ``refuse`` refuses the call."""
    when: Annotated[Expression | None, INBOUND] = None
    """Only where this holds, ``body.Type == 'Notification'``."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse what goes with JSON alone, and names that are both there and left out."""
        valid = True
        if self.at and self.fields is not FieldsOf.JSON:
            message = f"{site.name} has 'at', which goes with 'fields: json'"
            valid = site.refuse(node.key_position("at"), "E114", message) is None
        if self.fields is FieldsOf.JSON and not self.names:
            message = f"{site.name} has no 'names', which fields of JSON need: their order"
            valid = site.refuse(node.position, "E102", message) is None
        if self.names and self.exclude:
            message = f"{site.name} has both 'names' and 'exclude'; give one of them"
            valid = site.refuse(node.key_position("exclude"), "E114", message) is None
        return None if valid else INVALID

    def build(self, call: Call) -> bytes:
        """Return the bytes.

        Raises:
            SignatureError: A field is missing, or there are too many.
        """
        if self.when is not None and not holds(self.when, call):
            return b""
        pairs = list(self._pairs(call))
        if len(pairs) > _FIELDS_MAX:
            raise SignatureError(f"more than {_FIELDS_MAX} fields are signed")
        written = [
            render(self.write, {"name": name, "value": value}, "signed") for name, value in pairs
        ]
        return self.join.encode().join(written)

    def _pairs(self, call: Call) -> Iterator[tuple[str, str]]:
        if self.fields is FieldsOf.JSON:
            found = _pick(read_json(call), self.at)
            pairs = [(name, text) for name in self.names for text in _text_at(found, name)]
        elif self.fields is FieldsOf.FORM:
            pairs = form_pairs(call)
        else:
            pairs = [(name, reveal(value)) for name, value in call.query]
        if self.unique:
            pairs = list(dict.fromkeys(pairs))
        if not self.names:
            yield from sorted(pair for pair in pairs if pair[0] not in self.exclude)
            return
        for name in self.names:
            values = [value for key, value in pairs if key == name]
            if not values and self.missing is Missing.REFUSE:
                raise SignatureError(f"{self.fields}.{name} is missing, which is signed")
            if not values and self.missing is Missing.EMPTY:
                values = [""]
            yield from ((name, value) for value in values)


SignedPart: TypeAlias = SignedFields | Template
Signed: TypeAlias = tuple[SignedPart, ...] | SignedFields | Template
"""A template, fields, or a list of these; what they give is joined."""


def parts_of(signed: Signed | None) -> tuple[SignedPart, ...]:
    """Return the parts in their order; of nothing that was said the body alone."""
    if signed is None:
        return (_whole_body(),)
    return signed if isinstance(signed, tuple) else (signed,)


def build(
    signed: Signed | None, call: Call, variables: Mapping[str, Json], timestamp: str | None
) -> bytes:
    """Return the signed bytes.

    Args:
        signed: What is signed; None is the body.
        call: What came.
        variables: ``config``, and ``key`` where the secret is part of the text.
        timestamp: As it was written.

    Raises:
        SignatureError: Something that is signed is missing, or the body is no form though it is
            signed as one.
    """
    made = bytearray()
    for part in parts_of(signed):
        if isinstance(part, SignedFields):
            if part.fields is FieldsOf.FORM and not covers(signed, "body"):
                _refuse_other_body(call)
            made += part.build(call)
            continue
        for piece in _cut(part.text) or (part,):
            if piece is None:
                made += call.body  # as it came: of any size, and whatever its bytes are
            else:
                names = {str(path[0]) for path in piece.paths}
                known = {**variables, **values_of(call, names, timestamp)}
                made += render(piece, known, "signed")
    return bytes(made)


def _refuse_other_body(call: Call) -> None:
    """Refuse a body that is no form: none of its bytes would be among what is signed.

    Where the URL stands before the fields, whoever saw one call could write these into the URL,
    and then send any body of another kind under the same signature.
    """
    if call.body and not is_form(call):
        raise SignatureError(
            "the body is no form (header.content-type), of which fields are signed"
        )


def render(template: Template, variables: Mapping[str, Json], what: str) -> bytes:
    """Return what a template gives, as bytes.

    Raises:
        SignatureError: The call lacks something that it names.
    """
    try:
        return signable.as_bytes(reveal(template.render_text(variables) or ""))
    except ExpressionError as wrong:
        raise SignatureError(f"{what} cannot be made of this call: {wrong}") from None
    except UnicodeEncodeError:
        raise SignatureError(f"{what} cannot be made of this call: it is no Unicode") from None


def holds(when: Expression, call: Call) -> bool:
    """Tell whether a condition holds for a call."""
    try:
        return when.search(dict(inbound_root(call))) is True
    except ExpressionError:
        return False


def covers(signed: Signed | None, name: str) -> bool:
    """Tell whether a part of the call is among what is signed, as far as a file shows it."""
    return any(
        str(path[0]) == name
        for part in parts_of(signed)
        if isinstance(part, Template)
        for path in part.paths
    )


def covers_place(signed: Signed | None, place: Place) -> bool:
    """Tell whether what stands at a place is among what is signed, as far as a file shows it."""
    names, fields = _HOLDING[place.root]
    return any(covers(signed, name) for name in names) or any(
        isinstance(part, SignedFields) and part.fields == fields for part in parts_of(signed)
    )


def check_time(signed: Signed | None, places: tuple[Place, ...], node: Fields, site: Site) -> bool:
    """Tell whether the time that a file names is signed, and the other way round; refuse it else.

    Args:
        signed: What is signed; None is the body.
        places: Where the time stands; none where the file names no time.
        node: The verifier's own.
        site: Its.
    """
    if covers(signed, "timestamp"):
        if places:
            return True
        message = f"{site.path}.signed uses 'timestamp', but there is no 'timestamp'"
        return site.refuse(node.position, "E102", message) is None
    open_place = next((place for place in places if not covers_place(signed, place)), None)
    if open_place is None:
        return True
    message = (
        f"{site.path}.timestamp stands in {open_place}, which is not signed, so that an old call "
        "passes with a new time; use 'timestamp' in 'signed' as the sender does, or leave it out"
    )
    return site.refuse(node.entries["timestamp"].position, "E102", message) is None


def covers_body(signed: Signed | None) -> bool:
    """Tell whether the body as a whole is signed, itself or as all fields of a form."""
    return covers(signed, "body") or any(
        isinstance(part, SignedFields) and part.fields is FieldsOf.FORM and not part.names
        for part in parts_of(signed)
    )


@functools.lru_cache(_CACHE_MAX)
def _cut(text: str) -> tuple[Template | None, ...]:
    """Cut a template at each ``{{ body }}``, which stands as None; empty where that cannot be."""
    if "{%" in text or "{#" in text or not _BODY.search(text):
        return ()
    pieces: list[Template | None] = []
    try:
        for index, piece in enumerate(_BODY.split(text)):
            pieces += [None] if index else []
            pieces += [Template.parse(piece, _NOWHERE)] if piece else []
    except ExpressionError:
        return ()  # it was part of a text in quotes
    return tuple(pieces)


@functools.cache
def _whole_body() -> Template:
    return Template.parse("{{ body }}", _NOWHERE)


def _pick(value: Json, path: str) -> Json:
    for part in filter(None, path.split(".")):
        if isinstance(value, list) and part.isascii() and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def _text_at(value: Json, path: str) -> list[str]:
    """Return the text of a single value there; none where there is none, or not a single one."""
    found = value[path] if isinstance(value, dict) and path in value else _pick(value, path)
    if found is None or isinstance(found, dict | list):
        return []
    return [reveal(texts.to_text(found) or "")]
