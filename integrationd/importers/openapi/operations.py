"""Calls that are no list, as operations with typed input."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from integrationd.importers.literals import to_template
from integrationd.importers.naming import distinct, to_word
from integrationd.importers.openapi.calls import Call, is_json, read_contents
from integrationd.importers.openapi.document import Spot
from integrationd.importers.openapi.parameters import (
    Encoding,
    input_schema,
    to_fixed,
    to_optional,
    write_value,
)
from integrationd.importers.openapi.shapes import Shape, Shapes
from integrationd.model.json import Json
from integrationd.wire.call import HEADER_NAMES

_FORM: Final = "application/x-www-form-urlencoded"
_ABOUT_MAX: Final = 160
_TIGHT: Final = 30
"""Where inputs may have no more values than this, nothing is said of them for people."""
_TAG: Final = re.compile(r"<[^<>]{0,300}>")
_MULTIPART: Final = "multipart/form-data"
_DECODERS: Final = (
    (r"application/(x-ndjson|ndjson|jsonl|json-seq)", "ndjson"),
    (r"(text|application)/csv", "csv"),
    (r"(text|application)/(xml|[\w.-]+\+xml)", "xml"),
    (r"application/vnd\.openxmlformats-officedocument\.spreadsheetml\.sheet", "xlsx"),
    (r"text/", "text"),
)


@dataclass(slots=True)
class Asked:
    """What an operation says."""

    call: Call
    shapes: Shapes
    budget: int
    """How many values the schema of one input may have."""
    input: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    encoding: Encoding = field(default_factory=Encoding)

    def declare(self, name: str, schema: Spot | None, *, required: bool, about: str = "") -> str:
        """Declare an input; return the variable that has it."""
        word = to_word(name)
        if word in self.input:
            word = distinct(f"body_{word}", self.input)
        shape = self.shapes.read(schema)
        line = "" if self.budget <= _TIGHT else about or shape.about
        made = input_schema(self.shapes, schema, budget=self.budget, about=line)
        if self.budget == 0 and not required:
            made = {}
        fixed = to_fixed(made, shape) if required else None
        self.input[word] = fixed or (made if required else to_optional(made))
        return f"input.{word}"


def write_operation(call: Call, shapes: Shapes, *, base: str, budget: int) -> dict[str, Any]:
    """Return what an operation says.

    Args:
        call: The call.
        shapes: Who reads schemas.
        base: A server of its own, or nothing.
        budget: How many values the schema of one input may have.
    """
    asked = Asked(call, shapes, budget)
    path = _write_path(asked)
    about = call.spot.text("summary") or call.spot.text("description")
    line = to_about(about)
    said: dict[str, Any] = {"description": line} if line else {}
    _write_query(asked)
    _write_headers(asked)
    _write_body(asked)
    _write_decoder(asked)
    if asked.input:
        said["input"] = asked.input
    said[call.method] = f"{base}{path}"
    said.update(asked.said)
    if asked.encoding.said:
        said["encode"] = asked.encoding.said
    return said


def _write_path(asked: Asked) -> str:
    call = asked.call
    variables: dict[str, str] = {}
    for parameter in call.named("path"):
        about = parameter.spot.text("description") if parameter.spot is not call.spot else ""
        variables[parameter.name] = asked.declare(
            parameter.name, parameter.schema, required=True, about=to_about(about)
        )
    return fill_path(call.path, {name: f"{{{{ {each} }}}}" for name, each in variables.items()})


def fill_path(path: str, values: dict[str, str]) -> str:
    """Return a path with templates in its holes."""
    parts = re.split(r"(\{[^{}]+\})", path)
    written = "".join(
        values.get(part[1:-1], part) if part.startswith("{") else to_template(part)
        for part in parts
    )
    return written if written.startswith("/") else f"/{written}"


def _write_query(asked: Asked) -> None:
    query: dict[str, Any] = {}
    for parameter in asked.call.named("query"):
        name = parameter.name.removesuffix("[]")
        variable = asked.declare(
            name,
            parameter.schema,
            required=parameter.is_required,
            about=to_about(parameter.spot.text("description")),
        )
        written = write_value(asked.call, parameter, variable, asked.shapes, asked.encoding)
        if name != parameter.name:
            asked.encoding.said.setdefault("lists", "brackets")
        query[name] = written
    asked.said.update({"query": query} if query else {})


def _write_headers(asked: Asked) -> None:
    headers: dict[str, Any] = {}
    for parameter in asked.call.named("header"):
        if re.fullmatch(HEADER_NAMES.pattern, parameter.name) is None:
            asked.call.lose(parameter.spot, f"the header {parameter.name!r} is set by itself")
            continue
        variable = asked.declare(
            parameter.name,
            parameter.schema,
            required=parameter.is_required,
            about=to_about(parameter.spot.text("description")),
        )
        headers[parameter.name] = write_value(
            asked.call, parameter, variable, asked.shapes, asked.encoding
        )
    cookies = [
        (each.name, asked.declare(each.name, each.schema, required=True))
        for each in asked.call.named("cookie")
        if each.is_required
    ]
    for each in asked.call.named("cookie"):
        if not each.is_required:
            asked.call.lose(each.spot, f"the cookie {each.name!r} is never sent")
    if cookies:
        headers["cookie"] = "; ".join(f"{name}={{{{ {each} }}}}" for name, each in cookies)
    asked.said.update({"headers": headers} if headers else {})


def find_body(call: Call) -> tuple[dict[str, Spot | None], Spot, bool] | None:
    """Return a body's schemas by media type, where it stands, and whether it has to be there."""
    spot = call.spot.get("requestBody")
    if spot is not None:
        return read_contents(spot, call, "consumes"), spot, spot.flag("required")
    for parameter in call.named("body"):
        return (
            read_contents(parameter.spot, call, "consumes"),
            parameter.spot,
            parameter.is_required,
        )
    return None


def _write_body(asked: Asked) -> None:
    if asked.call.named("formData"):
        _write_old_form(asked)
        return
    found = find_body(asked.call)
    if found is None:
        return
    contents, spot, required = found
    json = next((each for each in contents if is_json(each)), None)
    if asked.call.method in ("get", "delete") and not required:
        if any(asked.shapes.read(each).properties for each in contents.values()):
            what = f"a body of {asked.call.method.upper()} that may be left out is not sent"
            asked.call.lose(spot, what)
    elif json is not None:
        _write_json(asked, json, contents[json])
    elif not _write_pairs(asked, contents, spot):
        _write_text(asked, contents, spot)


def _write_text(asked: Asked, contents: dict[str, Spot | None], spot: Spot) -> None:
    kind = next(iter(contents), "")
    if re.match(r"text/|application/(xml|[\w.-]+\+xml|x-ndjson|ndjson)", kind):
        variable = asked.declare("body", None, required=True)
        asked.input[variable.removeprefix("input.")] = {"type": "string"}
        asked.said["raw"] = {"text": f"{{{{ {variable} }}}}", "content_type": kind}
    elif contents:
        asked.call.lose(spot, f"a body of {', '.join(contents)} is not sent")


def _write_pairs(asked: Asked, contents: dict[str, Spot | None], spot: Spot) -> bool:
    """Write a form, where the body may be one; tells whether it is."""
    for wanted, word in ((_FORM, "form"), (_MULTIPART, "multipart")):
        kind = next((each for each in contents if each.lower().startswith(wanted)), None)
        if kind is not None:
            media = spot.get("content")
            coded = None if media is None else media.get(kind)
            encoding = None if coded is None else coded.get("encoding")
            _write_form(asked, word, contents[kind], encoding)
            return True
    return False


def _write_json(asked: Asked, kind: str, schema: Spot | None) -> None:
    shape = asked.shapes.read(schema)
    members = dict(_writable(asked, shape))
    if not members or shape.values not in (None, False) or not shape.is_object:
        variable = asked.declare("body", schema, required=True)
        asked.said["json"] = f"{{{{ {variable} }}}}"
    else:
        asked.said["json"] = {
            name: f"{{{{ {asked.declare(name, spot, required=name in shape.required)} }}}}"
            for name, spot in members.items()
        }
        if members.keys() - shape.required:
            asked.encoding.omit_nulls()
    plain = kind.partition(";")[0].strip().lower()
    if plain not in ("application/json", "*/*", "text/json"):
        asked.said["headers"] = {**asked.said.get("headers", {}), "content-type": kind}


def _writable(asked: Asked, shape: Shape) -> Iterator[tuple[str, Spot]]:
    """Yield the members that may be sent."""
    for name, spot in shape.properties.items():
        if asked.shapes.read(spot).facts.get("readOnly") is not True:
            yield name, spot


def _write_form(asked: Asked, word: str, schema: Spot | None, encoding: Spot | None) -> None:
    shape = asked.shapes.read(schema)
    form: dict[str, Any] = {}
    for name, spot in _writable(asked, shape):
        inner = asked.shapes.read(spot)
        if inner.format in ("binary", "base64") and word == "multipart":
            asked.call.lose(spot, f"the file {name!r} is not sent; the language has no files yet")
            continue
        coded = None if encoding is None else encoding.get(name)
        if coded is not None and coded.text("style") == "deepObject":
            asked.encoding.take_deep()
        variable = asked.declare(name, spot, required=name in shape.required)
        form[name] = f"{{{{ {variable} }}}}"
    if form:
        asked.said[word] = form
    elif schema is not None and shape.values not in (None, False):
        asked.call.lose(schema, "a form of any members at all is not sent")


def _write_old_form(asked: Asked) -> None:
    found = asked.call.spot.value("consumes") or asked.call.spot.document.top.value("consumes")
    word = "multipart" if isinstance(found, list) and _FORM not in found and found else "form"
    form: dict[str, Any] = {}
    for parameter in asked.call.named("formData"):
        if parameter.spot.text("type") == "file":
            what = f"the file {parameter.name!r} is not sent; the language has no files yet"
            asked.call.lose(parameter.spot, what)
            continue
        variable = asked.declare(
            parameter.name,
            parameter.schema,
            required=parameter.is_required,
            about=to_about(parameter.spot.text("description")),
        )
        form[parameter.name] = write_value(
            asked.call, parameter, variable, asked.shapes, asked.encoding
        )
    asked.said.update({word: form} if form else {})


def _write_decoder(asked: Asked) -> None:
    decoder = find_decoder(asked.call)
    if decoder is not None:
        asked.said["decode"] = decoder


def find_decoder(call: Call) -> dict[str, Json] | None:
    """Return how an answer is read that is no JSON; None where it is, or is nothing."""
    contents = call.contents()
    if not contents or any(map(is_json, contents)):
        return None
    for kind in contents:
        for pattern, word in _DECODERS:
            if re.match(pattern, kind, re.IGNORECASE):
                return {"type": word}
    answer = call.answer()
    call.lose(answer or call.spot, f"an answer of {', '.join(contents)} is not read")
    return None


def to_about(text: str) -> str:
    """Return a short description."""
    line = " ".join(_TAG.sub(" ", text).split())
    return line if len(line) <= _ABOUT_MAX else f"{line[: _ABOUT_MAX - 1].rstrip()}…"
