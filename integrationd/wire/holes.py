"""Holes in the texts of a request: ``{x}`` in a query language, filled with a place or a token."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from integrationd.errors import RefusedError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.wire import texts
from integrationd.wire.messages import (
    Body,
    FormBody,
    JsonBody,
    MultipartBody,
    Pairs,
    Request,
    Text,
    TextBody,
)


def fill_holes(request: Request, name: str, value: Json) -> Request:
    """Return the request with ``{name}`` filled in every text of its query and body.

    Raises:
        RefusedError: None of them has it.
    """
    text = texts.to_text(value)
    assert text is not None
    hole = _Hole(f"{{{name}}}", text)
    filled = dataclasses.replace(
        request, query=hole.fill_pairs(request.query), body=hole.fill_body(request.body)
    )
    if not hole.found:
        raise RefusedError(f"hole.{name} cannot be set: no text of query or body has {hole.mark}")
    return filled


@dataclass(slots=True)
class _Hole:
    """A mark in texts, and what takes its place."""

    mark: str
    text: Text
    found: bool = False

    def fill(self, text: Text) -> Text:
        """Return a text without the mark; a secret if either is one."""
        plain = reveal(text)
        if self.mark not in plain:
            return text
        self.found = True
        whole = plain.replace(self.mark, reveal(self.text))
        return Secret(whole) if isinstance(text, Secret) or isinstance(self.text, Secret) else whole

    def fill_pairs(self, pairs: Pairs) -> Pairs:
        """Return the pairs of a query or a form; names stay."""
        return tuple((name, self.fill(text)) for name, text in pairs)

    def fill_body(self, body: Body | None) -> Body | None:
        """Return a body of the same kind."""
        match body:
            case None:
                return None
            case JsonBody():
                return JsonBody(self.fill_json(body.value))
            case TextBody():
                return dataclasses.replace(body, text=self.fill(body.text))
            case FormBody() | MultipartBody():
                return dataclasses.replace(body, pairs=self.fill_pairs(body.pairs))

    def fill_json(self, value: Json) -> Json:
        """Return a value with its texts filled, however deep; names stay."""
        match value:
            case str() | Secret():
                return self.fill(value)
            case dict():
                return {key: self.fill_json(item) for key, item in value.items()}
            case list() | tuple():
                return [self.fill_json(item) for item in value]
            case _:
                return value
