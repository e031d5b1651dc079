"""Answers that are plausible for any stream, made from the manifest itself.

Pages hold as many records as the paginator asks for, so that a second and a last page come; tokens
stand where its templates look for them. The same request is always answered the same.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.importers.compare import lenient
from tests.importers.compare.asked import Asked
from tests.importers.compare.bodies import write_body
from tests.importers.compare.records import build_record

TOKEN = "tok2"
_RECORDS_MAX = 2_000
_FEW = 2
_STATIC_MAX = 400
"""Requests of one reading, after which answers are empty: something goes round in a circle."""

Answer = tuple[int, dict[str, str], bytes]


def find_all(node: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Yield all components of a kind."""
    if isinstance(node, dict):
        if node.get("type") == kind:
            yield node
        for inner in node.values():
            yield from find_all(inner, kind)
    elif isinstance(node, list):
        for inner in node:
            yield from find_all(inner, kind)


@dataclass
class Played:
    """One stream of a resolved manifest."""

    said: Mapping[str, Any]
    config: Mapping[str, Any]
    wanted: list[str] = field(default_factory=list)
    """Paths of values that other streams read of its records."""

    @property
    def name(self) -> str:
        """Return what it is called."""
        return str(self.said.get("name", ""))

    @property
    def retriever(self) -> Mapping[str, Any]:
        """Return how it is read."""
        return self.said.get("retriever") or {}

    @property
    def can_be_played(self) -> bool:
        """Tell whether there are answers for it; jobs that are waited for have none."""
        return self.retriever.get("type") == "SimpleRetriever"

    @property
    def requester(self) -> Mapping[str, Any]:
        """Return how it asks."""
        return self.retriever.get("requester") or {}

    @property
    def paginator(self) -> Mapping[str, Any]:
        """Return how it is walked."""
        return self.retriever.get("paginator") or {}

    @property
    def strategy(self) -> Mapping[str, Any]:
        """Return what the next page is."""
        return self.paginator.get("pagination_strategy") or {}

    @property
    def is_walked(self) -> bool:
        """Tell whether a request says which page it is for."""
        if not self.strategy or self.paginator.get("page_token_option"):
            return True
        return "next_page_token" in json.dumps(self.requester, default=str)

    @property
    def parents(self) -> list[Mapping[str, Any]]:
        """Return the configurations of the streams that it is read for each of."""
        return list(find_all(self.retriever.get("partition_router"), "ParentStreamConfig"))

    def variables(self, component: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Return what templates of a component see."""
        given = component.get("$parameters") or {}
        return {"config": self.config, "parameters": given, **more}

    @cached_property
    def page_size(self) -> int | None:
        """Return how many records a full page has."""
        size = lenient.render(self.strategy.get("page_size"), self.variables(self.strategy))
        number = int(size) if isinstance(size, int) or str(size).isdigit() else None
        return min(number, _RECORDS_MAX) if number else None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Return what its URLs look like."""
        requester = self.requester
        whole = requester.get("url") or "/".join(
            part.strip("/")
            for part in (str(requester.get("url_base", "")), str(requester.get("path") or ""))
            if part.strip("/")
        )
        pieces = re.split(r"(\{\{.*?\}\}|\{%.*?%\})", str(whole))
        made = "".join(self._piece(piece) for piece in pieces)
        made = re.sub(r"(?<!:)/+", "/+", made.rstrip("/").replace("://", ":\0\0")).replace(
            "\0", "/"
        )
        return re.compile(made + r"/?(?:\?.*)?", re.IGNORECASE)

    def _piece(self, piece: str) -> str:
        if not piece.startswith("{"):
            return re.escape(piece)
        if re.search(r"stream_|next_page_token|\{%", piece):
            return r".*"
        made = lenient.render(piece, self.variables(self.requester))
        return r".*" if made in (None, "") else re.escape(str(made).strip("/"))

    def fits(self, asked: Asked) -> bool:
        """Tell whether a request is one of its own."""
        method = str(self.requester.get("http_method", "GET")).upper()
        url = asked.url.partition("?")[0]
        return method == asked.method and self.pattern.fullmatch(url) is not None

    def page_of(self, asked: Asked) -> int:
        """Return which page is asked for, from 1."""
        if TOKEN in asked.url or TOKEN in asked.body.decode(errors="replace"):
            return 2
        if any(TOKEN in value for name, value in asked.headers if name.lower() != "authorization"):
            return 2
        value = self._token(asked)
        if value in (None, ""):
            return 1
        number = int(value) if re.fullmatch(r"-?\d+", str(value)) else None
        match self.strategy.get("type"):
            case "PageIncrement" if number is not None:
                return max(1, number - int(self.strategy.get("start_from_page") or 0) + 1)
            case "OffsetIncrement" if number is not None:
                return number // (self.page_size or 1) + 1
        return 2

    def _token(self, asked: Asked) -> Any:
        option = self.paginator.get("page_token_option") or {}
        if option.get("type") == "RequestPath":
            return None
        name = option.get("field_name") or ".".join(map(str, option.get("field_path") or []))
        name = str(lenient.render(name, self.variables(option)))
        if not name or name == "None":
            return self._token_in_query(asked)
        match option.get("inject_into"):
            case "header":
                return asked.header(name.lower())
            case "body_json":
                here = asked.json
                for step in name.split("."):
                    here = here.get(step) if isinstance(here, dict) else None
                return here
            case "body_data":
                return dict(asked.form).get(name)
        return dict(asked.query).get(name)

    def _token_in_query(self, asked: Asked) -> Any:
        said = self.requester.get("request_parameters") or {}
        for name, value in said.items() if isinstance(said, dict) else ():
            if "next_page_token" in str(value):
                return dict(asked.query).get(name)
        return None

    def answer(self, asked: Asked, *, as_parent: bool) -> Answer:
        """Answer one request."""
        page = 2 if as_parent or not self.is_walked else self.page_of(asked)
        full = self.page_size or _FEW
        if page == 1:
            return self._build(asked, range(full), continues=True)
        if as_parent or not self.is_walked:
            count = (
                0
                if self.page_of(asked) > 1
                else min(_FEW, max((self.page_size or _FEW + 1) - 1, 1))
            )
            return self._build(asked, range(count), continues=False)
        last = range(full, full + 1) if page == 2 and full > 1 else range(0)
        return self._build(asked, last, continues=False)

    def _build(self, asked: Asked, numbers: range, *, continues: bool) -> Answer:
        for span in [numbers] if continues else [numbers, range(0)]:
            records = [build_record(self.said, number, self.config, self.wanted) for number in span]
            found = self._settle(asked, records, continues=continues)
            if found is not None:
                break
        body, headers = found or (self._wrap(records), {})
        kind, data = write_body(self.retriever.get("decoder"), body)
        return 200, {"content-type": kind, **headers}, data

    def _wrap(self, records: list[Any]) -> Any:
        selector = self.retriever.get("record_selector") or {}
        extractor = selector.get("extractor") or {}
        steps = [
            str(lenient.render(step, self.variables(extractor)))
            for step in extractor.get("field_path") or []
        ]
        return _wrap(records, steps)

    def _settle(
        self, asked: Asked, records: list[Any], *, continues: bool
    ) -> tuple[Any, dict[str, str]] | None:
        """Find values for what the paginator looks at, so that it goes on, or does not."""
        if self.strategy.get("type") != "CursorPagination":
            return self._wrap(records), {}
        seen = [self.strategy.get("cursor_value"), self.strategy.get("stop_condition")]
        paths = sorted({path for text in seen for path in lenient.paths(text, "response")}, key=str)
        heads = sorted({path for text in seen for path in lenient.paths(text, "headers")}, key=str)
        names = [path for path in [*paths, *heads] if path][:4]
        for values in itertools.product(
            self._palette(asked, continues=continues), repeat=len(names)
        ):
            body = self._wrap([dict(record) for record in records])
            headers: dict[str, Any] = {}
            links: dict[str, Any] = {}
            for path, value in zip(names, values, strict=True):
                if path in heads and path[0] in ("link", "Link"):
                    links = {"next": {"url": value, "rel": "next"}} if value else {}
                elif path in heads:
                    headers.update({} if value is None else {str(path[0]): value})
                else:
                    body = _put(body, path, value)
            if self._goes_on(body, headers, links, records) == continues:
                told = {name: str(value) for name, value in headers.items()}
                if links:
                    told["link"] = f'<{links["next"]["url"]}>; rel="next"'
                return body, told
        return None

    def _palette(self, asked: Asked, *, continues: bool) -> list[Any]:
        parts = urlsplit(asked.url)
        seen = [self.strategy.get("cursor_value"), self.strategy.get("stop_condition")]
        words = [word for text in seen for word in lenient.constants(text)]
        names = [found for word in words for found in re.findall(r"([\w\[\].-]+)=", word)]
        query = {**dict(asked.query), "compare_page": TOKEN, **dict.fromkeys(names, TOKEN)}
        url = f"{parts.scheme}://{parts.netloc}{parts.path}?{urlencode(query)}"
        is_url = (self.paginator.get("page_token_option") or {}).get("type") == "RequestPath"
        words = [TOKEN, True, False, None, 1, 2, 0, 100]
        if not continues:
            return [None, False, True, 1, 2, 0, "", TOKEN]
        if re.search(r"\+ *\d|[<>]|\| *int", str(seen)):
            return [1, 2, 5000, url, *words]
        return [url, *words] if is_url or names or "split" in str(seen) else [*words, url]

    def _goes_on(self, body: Any, headers: Any, links: Any, records: list[Any]) -> bool:
        last = records[-1] if records else None
        said = self.variables(
            self.strategy,
            response=body,
            headers={**headers, "link": links, "Link": links},
            last_record=last,
            last_page_size=len(records),
        )
        stop = self.strategy.get("stop_condition")
        if stop not in (None, "") and lenient.is_true(lenient.render(stop, said)):
            return False
        value = lenient.render(self.strategy.get("cursor_value"), said)
        if value is None or not lenient.is_true(value):
            return False
        is_url = (self.paginator.get("page_token_option") or {}).get("type") == "RequestPath"
        return not is_url or str(value).startswith(("http", "/"))


def _wrap(records: Any, steps: list[str]) -> Any:
    if not steps:
        return records
    first, *rest = steps
    if first in ("*", "**"):
        return [_wrap(each, rest) for each in records] if isinstance(records, list) else records
    inner = _wrap(records, rest)
    return {first: inner}


def _put(body: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Put a value where a template looks for it, leaving records alone."""
    first, *rest = path
    if isinstance(first, int) or not isinstance(body, dict | list):
        return body
    if isinstance(body, list):
        return body
    inner = body.get(first)
    if not rest:
        return body if isinstance(inner, list | dict) and inner else {**body, first: value}
    if isinstance(rest[0], int):
        return body
    return {**body, first: _put(inner if isinstance(inner, dict) else {}, tuple(rest), value)}


@dataclass
class Cast:
    """All streams of a manifest, and whoever gives tokens."""

    manifest: Mapping[str, Any]
    config: Mapping[str, Any]
    count: int = 0

    @cached_property
    def streams(self) -> dict[str, Played]:
        """Return the streams by name, those inside others too."""
        found: dict[str, Played] = {}
        for kind in ("DeclarativeStream", "HttpComponentsResolver"):
            for said in find_all(
                {"s": self.manifest.get("streams"), "d": self.manifest.get("dynamic_streams")}, kind
            ):
                played = Played(said, self.config)
                found.setdefault(played.name, played)
        for played in list(found.values()):
            for each in played.parents:
                parent = found.get(str((each.get("stream") or {}).get("name")))
                if parent is not None:
                    parent.wanted += [str(each.get("parent_key"))]
                    parent.wanted += [
                        "/".join(map(str, path)) for path in each.get("extra_fields") or []
                    ]
        return found

    @property
    def own(self) -> list[Played]:
        """Return those that are read for themselves."""
        wanted = [str(each.get("name")) for each in self.manifest.get("streams") or []]
        return [self.streams[name] for name in wanted if name in self.streams]

    def answer(self, asked: Asked, stream: str) -> Answer:
        """Answer a request while a stream is read."""
        self.count += 1
        played = self.find(asked, stream)
        if self.count > _STATIC_MAX:
            return 400, {"content-type": "text/plain"}, b"too many requests of one reading"
        if played is None:
            body = json.dumps(self._tokens()).encode()
            return 200, {"content-type": "application/json"}, body
        return played.answer(asked, as_parent=played.name != stream)

    def find(self, asked: Asked, stream: str) -> Played | None:
        """Return the stream that asks, None for a call that logs in."""
        tagged = self.streams.get(asked.tag)
        if tagged is not None:
            return tagged if tagged.fits(asked) or asked.tag == stream else None
        own = self.streams.get(stream)
        several = [*([own] if own else []), *self.streams.values()]
        return next((each for each in several if each.fits(asked)), None)

    def _tokens(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "access_token": "access-1",
            "token": "access-1",
            "refresh_token": "refresh-2",
            "token_type": "Bearer",
            "expires_in": 3600,
        }
        for auth in find_all(self.manifest, "OAuthAuthenticator"):
            body[str(auth.get("access_token_name") or "access_token")] = "access-1"
            spelled = auth.get("token_expiry_date_format")
            body[str(auth.get("expires_in_name") or "expires_in")] = (
                "2099-01-01T00:00:00Z" if spelled else 3600
            )
        for auth in find_all(self.manifest, "SessionTokenAuthenticator"):
            here: Any = body
            *outer, last = auth.get("session_token_path") or ["token"]
            for step in outer:
                here = here.setdefault(step, {})
            here[last] = "session-1"
        return body
