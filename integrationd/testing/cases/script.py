"""The exchanges of a case while they are used up: which answer a request gets, and why none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from integrationd.config.problems import shorten
from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.spec.exchanges import MORE, AskedRequest, Exchange, is_said
from integrationd.testing.cases.comparing import differences, show
from integrationd.wire import decoding, texts
from integrationd.wire.encoding import EncodedRequest

_WORDS = 72
"""Characters of a request's line in a message."""


@dataclass(slots=True)
class Line:
    """One exchange, and how often it may still be used."""

    exchange: Exchange
    number: int
    """From 1, as people count."""
    left: int


@dataclass(slots=True)
class Script:
    """What a provider answers, and what of it came about."""

    exchanges: Sequence[Exchange]
    in_order: bool = True
    faults: list[str] = field(default_factory=list)
    """Requests that nobody expected."""
    asked: int = 0
    lines: list[Line] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with every exchange unused."""
        self.lines = [Line(one, at, one.times) for at, one in enumerate(self.exchanges, 1)]

    def knows(self, asked: EncodedRequest) -> bool:
        """Tell whether an exchange, used or not, is about such a request."""
        wanted = (line.exchange.request for line in self.lines)
        return any(one is not None and _is_about(one, asked) for one in wanted)

    def answer(self, asked: EncodedRequest) -> Exchange | None:
        """Return the exchange that answers a request; None where it was not expected."""
        self.asked += 1
        waiting = [line for line in self.lines if line.left]
        fitting = next((line for line in waiting if not _misfits(line, asked)), None)
        if fitting is None or (self.in_order and fitting is not waiting[0]):
            self.faults.append(self._complain(asked, waiting, fitting))
            return None
        fitting.left -= 1
        return fitting.exchange

    def unused(self) -> Iterator[str]:
        """Yield what was expected and never came."""
        for line in self.lines:
            if line.left == line.exchange.times:
                yield f"exchange {line.number} was never asked for: {_name(line)}"
            elif line.left:
                came = line.exchange.times - line.left
                yield (
                    f"exchange {line.number} was asked for {came} of {line.exchange.times} times: "
                    f"{_name(line)}"
                )

    def _complain(self, asked: EncodedRequest, waiting: list[Line], fitting: Line | None) -> str:
        told = f"request {self.asked} was not expected: {line_of(asked)}"
        if not waiting:
            return (
                f"{told}; {'every exchange is used up' if self.lines else 'there is no exchange'}"
            )
        if fitting is not None:
            first = waiting[0]
            return (
                f"{told} (exchange {fitting.number}) came before its turn; next is exchange "
                f"{first.number}, {_name(first)}; say 'order: any' where that does not matter"
            )
        nearest = min(waiting, key=lambda line: len(_misfits(line, asked)))
        wrong = "; ".join(_misfits(nearest, asked))
        return f"{told}; nearest is exchange {nearest.number}, {_name(nearest)}: {wrong}"


def line_of(asked: EncodedRequest) -> str:
    """Print a request as an author may write it; secrets of cases are made up."""
    parts = urlsplit(asked.url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{asked.method} {parts.path or '/'}{query}"


def name_of(wanted: AskedRequest | None) -> str:
    """Print an expected request as one line."""
    if wanted is None:
        return "any request"
    pairs = [
        f"{name}={text}"
        for name, value in wanted.query.items()
        for text in (map(reveal, texts.to_texts(value)) if value is not None else ())
    ]
    more = [] if wanted.exact or not pairs else [MORE]
    query = f"?{'&'.join([*pairs, *more])}" if pairs else ""
    where = wanted.url or wanted.path or ("…" if query or wanted.method else "")
    line = f"{wanted.method or ''} {where}{query}".strip() or "a request"
    return line if len(line) <= _WORDS else f"{line[: _WORDS - 1]}…"


def _name(line: Line) -> str:
    return name_of(line.exchange.request)


def _misfits(line: Line, asked: EncodedRequest) -> list[str]:
    wanted = line.exchange.request
    return [] if wanted is None else list(find_misfits(wanted, asked))


def _is_about(wanted: AskedRequest, asked: EncodedRequest) -> bool:
    """Tell whether method and address are those of a request, where both are said."""
    said = wanted.path or wanted.url
    return bool(said) and not list(_of_address(wanted, asked))


def find_misfits(wanted: AskedRequest, asked: EncodedRequest) -> Iterator[str]:
    """Yield what of a request is another than expected."""
    yield from _of_address(wanted, asked)
    yield from _of_query(wanted, asked)
    for name, value in wanted.headers.items():
        yield from _of_header(name, value, asked)
    yield from _of_body(wanted, asked)


def _of_address(wanted: AskedRequest, asked: EncodedRequest) -> Iterator[str]:
    parts = urlsplit(asked.url)
    if wanted.method not in (None, asked.method):
        yield f"method is {asked.method}, expected {wanted.method}"
    path = parts.path or "/"
    if wanted.path is not None and wanted.path not in (path, unquote(path)):
        yield f"path is {path}, expected {wanted.path}"
    address = asked.url.partition("?")[0]
    if wanted.url is not None and wanted.url not in (address, unquote(address)):
        yield f"address is {address}, expected {wanted.url}"


def _of_query(wanted: AskedRequest, asked: EncodedRequest) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(urlsplit(asked.url).query, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    for name, value in wanted.query.items():
        expected = [reveal(text) for text in texts.to_texts(value)]
        got = found.get(name, [])
        if got != expected:
            yield f"query {name} is {_listed(got)}, expected {_listed(expected)}"
    if wanted.exact:
        for name in found.keys() - wanted.query.keys():
            yield f"query {name} is {_listed(found[name])}, expected nothing"


def _of_header(name: str, value: Json, asked: EncodedRequest) -> Iterator[str]:
    got, wanted = asked.headers.get(name.lower()), texts.to_text(value)
    expected = None if wanted is None else reveal(wanted)
    if got != expected:
        listed = [_listed([] if text is None else [text]) for text in (got, expected)]
        yield f"header {name} is {listed[0]}, expected {listed[1]}"


def _of_body(wanted: AskedRequest, asked: EncodedRequest) -> Iterator[str]:
    body = asked.body or b""
    if is_said(wanted.json):
        yield from _of_json(wanted.json, body)
    if wanted.text is not None and wanted.text != body.decode("utf-8", "replace"):
        yield f"body is {shorten(body.decode('utf-8', 'replace'))}, expected {shorten(wanted.text)}"
    if wanted.form is not None:
        yield from _of_form(wanted.form, body)


def _of_json(expected: Json, body: bytes) -> Iterator[str]:
    try:
        got = decoding.decode_bytes(body)
    except PageShapeError:
        yield f"body is {shorten(body.decode('utf-8', 'replace'))}, expected {show(expected)}"
        return
    # Through text, so that dates and numbers are told as they are sent.
    for line in differences(json.loads(texts.dump_json(expected)), got, exact=True):
        yield f"body {line}"


def _of_form(expected: Mapping[str, Json], body: bytes) -> Iterator[str]:
    got: dict[str, list[str]] = {}
    for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        got.setdefault(name, []).append(value)
    for name in dict.fromkeys((*expected, *got)):
        wanted = [reveal(text) for text in texts.to_texts(expected.get(name))]
        if wanted != got.get(name, []):
            yield f"form {name} is {_listed(got.get(name, []))}, expected {_listed(wanted)}"


def _listed(values: Sequence[str]) -> str:
    return " and ".join(map(shorten, values)) or "not there"
