"""A provider played from its spec: it pages, filters, checks who asks and limits as that says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from integrationd.config.units import Rate
from integrationd.errors import PageShapeError, UsageError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.spec.documents import Integration
from integrationd.spec.stream import Incremental, Stream
from integrationd.testing import routes
from integrationd.testing.options import PlayOptions
from integrationd.testing.pages import BadCallError, Listing, answer_page
from integrationd.testing.records import Entry, Source
from integrationd.testing.routes import Asked, Route
from integrationd.testing.tokens import TokenBooth
from integrationd.testing.values import Wanted
from integrationd.transform.cursors import parse_cursor
from integrationd.transform.inverse import Mark, Tree, UnsolvableError, outline, solve
from integrationd.wire import decoding, texts
from integrationd.wire.auth.oauth2 import OAuth2Auth
from integrationd.wire.call import BaseCall, build_request
from integrationd.wire.messages import Answer, Call
from integrationd.wire.paginate.none import NoPaging
from integrationd.wire.paginate.paginator import Paginator

_SENTINEL: Final = "integrationd-cursor"


def player_secrets(integration: Integration) -> dict[str, str]:
    """Make up the secrets that a played provider accepts."""
    return {name: f"play-{name.replace('_', '-')}" for name in integration.secrets}


@dataclass(slots=True)
class _Budget:
    """Calls of the current span."""

    rate: Rate
    began_s: float = -math.inf
    calls: int = 0

    def admit(self, now_s: float) -> int:
        """Count a call; return how many seconds it has to wait, 0 where it is let through."""
        per_s = self.rate.per.total_seconds()
        if now_s - self.began_s >= per_s:
            self.began_s, self.calls = now_s, 0
        self.calls += 1
        over = self.calls > self.rate.count
        return max(1, math.ceil(self.began_s + per_s - now_s)) if over else 0


@dataclass(slots=True, kw_only=True)
class Player:
    """One provider at play. Pure but for its own records: it is handed calls and the time."""

    integration: Integration
    """Whose http and streams are played; its base URL decides the paths."""
    options: PlayOptions
    secrets: Mapping[str, str]
    """What it accepts, by the names that the spec declares."""
    origin: str
    """Where it is reached, ``http://127.0.0.1:8480``."""
    sources: dict[str, Source] = field(init=False)
    routes: list[Route] = field(init=False)
    booth: TokenBooth | None = field(init=False, default=None)
    """Where tokens are had, for a spec that asks for them."""
    _budget: _Budget | None = field(init=False)

    def __post_init__(self) -> None:
        """Make the records and the routes.

        Raises:
            UsageError: The spec has nothing to read, or something that cannot be played.
        """
        http = self.integration.http
        names = [name for name, stream in self.integration.streams.items() if stream.is_read()]
        if http is None or not names:
            raise UsageError(
                f"{self.integration.name} reads nothing over HTTP that could be played"
            )
        base = BaseCall.render(
            base_url=http.base_url,
            headers=http.headers,
            query=http.query,
            variables=self.variables,
        )
        if isinstance(http.auth, OAuth2Auth):
            self.booth = TokenBooth(auth=http.auth, variables=self.variables, options=self.options)
        rate = self.options.rate
        self._budget = None if rate is None else _Budget(rate)
        self.sources = {name: self._make_source(name) for name in names}
        self.routes = [self._make_route(name, base) for name in names]
        for name in names:
            self._check_paging(name)

    @property
    def variables(self) -> dict[str, Json]:
        """Return what the spec's templates may use."""
        secrets = {name: Secret(text) for name, text in self.secrets.items()}
        return {**self.integration.variables(secrets), "token": Secret("play-token")}

    def answer(self, call: Call, now_s: float) -> Answer:
        """Answer one call.

        Args:
            call: As it came in.
            now_s: Seconds of a clock that never goes back, for the rate.
        """
        wait_s = 0 if self._budget is None else self._budget.admit(now_s)
        if wait_s:
            headers = {"retry-after": str(wait_s)}
            return _refuse(call, HTTPStatus.TOO_MANY_REQUESTS, "too many requests", headers)
        granted = None if self.booth is None else self.booth.answer(call, now_s)
        if granted is not None:
            return granted
        found = [
            (route, asked) for route in self.routes if (asked := route.match(call)) is not None
        ]
        if not found:
            return _refuse(call, HTTPStatus.NOT_FOUND, f"nothing at {call.method} {call.path}")
        if not self._is_authentic(call, now_s):
            return _refuse(call, HTTPStatus.UNAUTHORIZED, "the credentials are not accepted")
        for route, asked in found:
            if route.find_missing(call) is None:
                return self._answer_list(route.stream, asked)
        missing = found[0][0].find_missing(call)
        return _refuse(call, HTTPStatus.BAD_REQUEST, f"{missing} is missing or another one")

    def _is_authentic(self, call: Call, now_s: float) -> bool:
        assert self.integration.http is not None
        if self.booth is not None:
            return self.booth.is_authentic(call, now_s)
        return routes.is_authentic(call, self.integration.http.auth, self.variables)

    def _answer_list(self, name: str, asked: Asked) -> Answer:
        try:
            listing = self._list(name, asked, self._filter(name, asked))
            reply = answer_page(self._paginator(name), listing).build()
        except BadCallError as wrong:
            return _refuse(asked.call, HTTPStatus.BAD_REQUEST, str(wrong))
        return Answer(
            status=reply["status"],
            headers={"content-type": "application/json", **reply["headers"]},
            body=texts.dump_json(reply["body"]).encode(),
            url=asked.call.url,
        )

    def _filter(self, name: str, asked: Asked) -> list[Entry]:
        """Return what a call's lower bound lets through, which is included."""
        listed = self.sources[name].listed()
        rule = self.integration.streams[name].incremental
        bound = None if rule is None else _find_bound(rule, asked)
        if rule is None or bound is None:
            return listed
        try:
            least = parse_cursor(bound, rule.type)
            return [
                entry
                for entry in listed
                if (value := rule.field.search(entry.data, {})) is not None
                and parse_cursor(value, rule.type) >= least  # type: ignore[operator]  # one type a stream
            ]
        except ValueError as wrong:
            raise BadCallError(f"the lower bound is {bound!r}, {wrong}") from None

    def _list(self, name: str, asked: Asked, entries: list[Entry]) -> Listing:
        assert self.integration.http is not None
        return Listing(
            stream=name,
            asked=asked,
            records=[entry.data for entry in entries],
            find_records=self.integration.streams[name].records,
            options=self.options,
            origin=self.origin,
            credentials=routes.credential_names(self.integration.http.auth, self.variables),
        )

    def _paginator(self, name: str) -> Paginator:
        assert self.integration.http is not None
        stream = self.integration.streams[name]
        return stream.paginate or self.integration.http.paginate or NoPaging()

    def _make_source(self, name: str) -> Source:
        stream = self.integration.streams[name]
        beside = _read_beside(stream, self._paginator(name))
        return Source(self.integration, name, self.options, beside)

    def _make_route(self, name: str, base: BaseCall) -> Route:
        stream = self.integration.streams[name]
        request = build_request(stream, base=base, variables=self.variables)
        here, there = urlsplit(reveal(base.base_url)), urlsplit(reveal(request.url))
        if here.netloc != there.netloc:
            raise UsageError(
                f"stream {name!r} cannot be played: it calls {there.netloc}, not its base_url"
            )
        return Route.build(name, request)

    def _check_paging(self, name: str) -> None:
        """Answer a first and a last page: what cannot be played is told before it starts."""
        route = next(route for route in self.routes if route.stream == name)
        call = Call(
            method=route.request.method, url=self.origin, path="/", query=(), headers={}, body=b""
        )
        entries = self.sources[name].listed()
        for kept in (entries, entries[:1]):
            answer_page(self._paginator(name), self._list(name, Asked(call, {}), kept)).build()


def _find_bound(rule: Incremental, asked: Asked) -> str | None:
    """Return the lower bound of a call, None where it has none."""
    text = asked.take(rule.into)
    if text is None or rule.json is None:
        return text
    template = rule.json.render({"config": {}, "secrets": {}, "cursor": _SENTINEL})
    if isinstance(template, str):
        return _cut(template, text)
    try:
        return _find_in(template, decoding.decode_bytes(text.encode()))
    except PageShapeError:
        raise BadCallError(f"{rule.into} is no JSON") from None


def _find_in(template: Json, found: Json) -> str | None:
    """Walk a rendered template and what came beside each other, to where the cursor stands."""
    if isinstance(template, dict) and isinstance(found, dict):
        pairs = [(value, found.get(key)) for key, value in template.items()]
    elif isinstance(template, list) and isinstance(found, list):
        pairs = list(zip(template, found, strict=False))
    else:
        is_here = isinstance(template, str) and _SENTINEL in template and found is not None
        return _cut(template, str(found)) if is_here else None
    return next((bound for pair in pairs if (bound := _find_in(*pair)) is not None), None)


def _cut(template: str, text: str) -> str | None:
    before, _, after = template.partition(_SENTINEL)
    if text.startswith(before) and text.endswith(after):
        return text[len(before) : len(text) - len(after)]
    raise BadCallError(f"the lower bound is {text!r}, expected it as in {template!r}")


def _read_beside(stream: Stream, paginator: Paginator) -> list[Tree]:
    """Return what paging reads of a record, where its token is the last record's own."""
    expression = getattr(paginator, "next", None)
    if expression is None:
        return []
    probe = ["integrationd-records"]
    text = "body" if stream.records is None else stream.records.text
    try:
        place = solve(text, probe)
    except UnsolvableError as wrong:
        raise UsageError(f"{text!r} cannot be played: {wrong}") from None
    found = _descend(place, outline(expression.text, Wanted(name="")), probe)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _descend(place: Tree, tree: Tree, probe: Json) -> Tree:
    """Return the part of a tree that stands where the records do."""
    if place == probe:
        return tree
    if isinstance(place, dict) and isinstance(tree, dict):
        for key, inner in place.items():
            found = _descend(inner, tree.get(key, Mark.FREE), probe)
            if found is not Mark.FREE:
                return found
    return Mark.FREE


def _refuse(
    call: Call, status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None
) -> Answer:
    body = {"error": status.phrase.lower().replace(" ", "_"), "message": message}
    return Answer(
        status=status,
        headers={"content-type": "application/json", **(headers or {})},
        body=texts.dump_json(body).encode(),
        url=call.url,
    )
