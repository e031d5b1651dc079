"""Requests in which the present time stands: a player takes any time where theirs has one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, takewhile
from typing import Final

from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.testing.routes import OPTIONAL, mark
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

_TIMES: Final = (
    "1972-02-03T04:05:06Z",
    "1989-11-28T17:38:49Z",
    "2033-07-17T22:51:30Z",
    "2088-12-09T13:14:57Z",
)
"""So far apart that whatever is written of them differs where it is of the time at all."""


def at_any_time(
    build: Callable[[Mapping[str, Json]], Request], variables: Mapping[str, Json]
) -> Request:
    """Build a request with marks wherever something in it hangs on the present time.

    Args:
        build: Builds it of variables.
        variables: Without ``now``.

    Raises:
        ExpressionError, RefusedError: As ``build``.
    """
    first, *others = (build({**variables, "now": now}) for now in _TIMES)
    if all(other == first for other in others):
        return first
    return _blend(first, others)


def _blend(first: Request, others: Sequence[Request]) -> Request:
    names = (mark(f"{OPTIONAL}now{number}") for number in count())
    url = _blend_text(first.url, [other.url for other in others], names)
    headers = {
        name: _blend_text(text, [other.headers.get(name, "") for other in others], names)
        for name, text in first.headers.items()
    }
    return dataclasses.replace(
        first,
        url=url,
        headers=headers,
        query=_blend_pairs(first.query, [other.query for other in others], names),
        body=_blend_body(first.body, [other.body for other in others], names),
    )


def _blend_pairs(first: Pairs, others: Sequence[Pairs], names: Iterator[str]) -> Pairs:
    """Blend the values of pairs; where other times give others, those of the first may be there."""
    if any([name for name, _ in pairs] != [name for name, _ in first] for pairs in others):
        return tuple((name, next(names)) for name, _ in first)
    return tuple(
        (name, _blend_text(text, [pairs[at][1] for pairs in others], names))
        for at, (name, text) in enumerate(first)
    )


def _blend_body(
    first: Body | None, others: Sequence[Body | None], names: Iterator[str]
) -> Body | None:
    match first:
        case JsonBody(value):
            found = [body.value for body in others if isinstance(body, JsonBody)]
            return dataclasses.replace(first, value=_blend_json(value, found, names))
        case FormBody(pairs) | MultipartBody(pairs):
            said = [body.pairs for body in others if isinstance(body, FormBody | MultipartBody)]
            return dataclasses.replace(first, pairs=_blend_pairs(pairs, said, names))
        case TextBody(text):
            texts = [body.text for body in others if isinstance(body, TextBody)]
            return dataclasses.replace(first, text=_blend_text(text, texts, names))
        case None:
            return None


def _blend_json(first: Json, others: Sequence[Json], names: Iterator[str]) -> Json:
    if all(other == first for other in others):
        return first
    if isinstance(first, dict) and all(isinstance(one, dict) for one in others):
        return {
            key: _blend_json(value, [one.get(key) for one in others], names)
            for key, value in first.items()
        }
    if isinstance(first, list) and all(
        isinstance(one, list) and len(one) == len(first) for one in others
    ):
        return [
            _blend_json(value, [one[at] for one in others], names) for at, value in enumerate(first)
        ]
    if isinstance(first, str) and all(isinstance(one, str) for one in others):
        return _blend_text(first, others, names)
    return next(names)


def _blend_text(first: Text, others: Sequence[Text], names: Iterator[str]) -> Text:
    """Keep what all begin and end with; a mark is between."""
    if all(other == first for other in others):
        return first
    plain = [reveal(first), *map(reveal, others)]
    head = _common(plain)
    tail = _common([text[len(head) :][::-1] for text in plain])[::-1]
    text = f"{head}{next(names)}{tail}"
    return Secret(text) if isinstance(first, Secret) else text


def _common(texts: Sequence[str]) -> str:
    """Return what several texts begin with."""
    same = takewhile(lambda signs: len(set(signs)) == 1, zip(*texts, strict=False))
    return "".join(signs[0] for signs in same)
