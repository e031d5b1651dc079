"""An inbound call as expressions and templates see it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import parse_qsl

from integrationd.errors import PageShapeError, SignatureError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.transform.scopes import Roots, Scope
from integrationd.wire import decoding, signable
from integrationd.wire.messages import Call

INBOUND: Final = Roots(("method", "url", "path", "query", "headers", "form", "body"))
"""The roots of an expression over an inbound call."""
_PARTS: Final = ("method", "url", "path", "query", "headers", "form", "json", "body")
OVER_A_CALL: Final = Scope(("config", *_PARTS, "timestamp"))
"""What the template of signed bytes may use; ``body`` is the bytes, ``json`` what they hold."""
WITH_KEY: Final = Scope((*OVER_A_CALL.names, "key"))
"""The same where the secret is part of the text."""
COMPARED: Final = Scope((*OVER_A_CALL.names, "secrets"))
"""What a text that something is compared with may use."""
FIELDS_MAX: Final = 1000
"""Most fields of a form that are looked at; more is no webhook but an attack."""
_FORM: Final = "application/x-www-form-urlencoded"


def inbound_root(call: Call) -> Mapping[str, Json]:
    """Return the root of expressions over an inbound call; a body that is no JSON is null.

    Of a parameter or field that stands more than once the first counts, as for a signature's place.
    """
    return {
        "method": call.method,
        "url": call.url,
        "path": call.path,
        "query": _first_of_each([(name, reveal(value)) for name, value in call.query]),
        "headers": dict(call.headers),
        "form": _read_form(call),
        "body": read_json(call),
    }


def read_json(call: Call) -> Json:
    """Return what a body holds as JSON; null where it is none."""
    try:
        return decoding.decode_bytes(call.body)
    except PageShapeError:
        return None


def is_form(call: Call) -> bool:
    """Tell whether a call says that its body is a form; its kind is written in either case."""
    return call.headers.get("content-type", "").lower().startswith(_FORM)


def form_pairs(call: Call) -> list[tuple[str, str]]:
    """Return the fields of a form, as often as they stand there; none where it is no form.

    Bytes that are no UTF-8 are kept, so that what is made of them is made of what came.

    Raises:
        SignatureError: There are too many: a form without any would be another one.
    """
    if not is_form(call):
        return []
    text = signable.as_text(call.body)
    try:
        return parse_qsl(
            text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="surrogateescape"
        )
    except ValueError:
        raise SignatureError(f"the form has more than {FIELDS_MAX} fields") from None


def values_of(call: Call, names: Collection[str], timestamp: str | None) -> dict[str, Json]:
    """Return what a template reads of a call, by the names that it uses."""
    found: dict[str, Json] = {}
    if "timestamp" in names and timestamp is not None:
        found["timestamp"] = timestamp
    if "json" in names:
        found["json"] = read_json(call)
    if "body" in names:
        found["body"] = signable.as_text(call.body)
    if "form" in names:
        found["form"] = _first_of_each(form_pairs(call))
    if "query" in names:
        found["query"] = _first_of_each([(name, reveal(value)) for name, value in call.query])
    if "headers" in names:
        found["headers"] = dict(call.headers)
    return {"method": call.method, "url": call.url, "path": call.path, **found}


def _first_of_each(pairs: list[tuple[str, str]]) -> dict[str, Json]:
    return dict(reversed(pairs))


def _read_form(call: Call) -> Json:
    """Read a form's fields; one that is no UTF-8 has none that could be stored."""
    if not is_form(call):
        return {}
    try:
        pairs = parse_qsl(call.body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        return {}
    return _first_of_each(pairs)
