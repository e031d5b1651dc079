"""The body of a command line: JSON, a form, parts, or a text of any kind."""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import parse_qsl

from integrationd.importers.curl.asked import Asked
from integrationd.importers.hidden import Hidden
from integrationd.model.json import Json

FORM: Final = "application/x-www-form-urlencoded"


def write_body(asked: Asked, hidden: Hidden) -> dict[str, Any]:
    """Return what a call says of its body; nothing where there is none."""
    position = asked.data_position or asked.position
    if asked.parts:
        parts: dict[str, Any] = {}
        for part in asked.parts:
            place = f"the part {part.name!r}"
            add(parts, part.name, hidden.template(part.name, part.value, place, part.position))
        return {"multipart": parts}
    body = asked.body
    if body is None:
        return {}
    kind = asked.content_type
    plain = kind.partition(";")[0].strip().lower()
    found = _parse_json(body) if re.fullmatch(r"application/(?:.*\+)?json", plain) else None
    if found is not None:
        return {"json": hidden.body(found, "", position)}
    pairs = _parse_form(body) if plain == FORM else []
    form: dict[str, Any] = {}
    for name, value in pairs:
        add(form, name, hidden.template(name, value, f"{name!r} of the form", position))
    if form:
        return {"form": form}
    asked.report.note(position, "the body is kept as text; see that no secret stands in it")
    return {"raw": {"text": hidden.text(body, position), "content_type": kind}}


def add(pairs: dict[str, Any], name: str, value: str) -> None:
    """Add a value under a name that may stand there already."""
    if name not in pairs:
        pairs[name] = value
    else:
        before = pairs[name]
        pairs[name] = [*(before if isinstance(before, list) else [before]), value]


def _parse_json(text: str) -> Json:
    """Return the value of a JSON text that says no name twice; None for another text."""

    def once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return None


def _parse_form(text: str) -> list[tuple[str, str]]:
    """Return names and values of a form; nothing for a text that is none."""
    parts = text.split("&")
    if not all(re.match(r"[^=]+=", part) for part in parts):
        return []
    try:
        return parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        return []
