"""A provider in memory that pages in every way, and a walk over it as the engine walks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from integrationd.config.decode import Kinds, Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.wire import encoding, paginate
from integrationd.wire.messages import JsonBody, Page, Request
from integrationd.wire.paginate.guard import WalkGuard

FIRST = Request(
    method="GET", url="https://api.test/v1/{token}/orders?open=1", query=(("sort", "id"),)
)
SIZE = "size: {into: query.limit, value: 4}"
MORE = 'stop_when: "!(body.more)"'
FLAG = "has_more: body.more"
ONES = "{next: body.ones, into: query.ones}"
TOTAL = 'total: headers."x-total"'


def read(text):
    """Read the YAML of one kind of paging."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="specs/acme.yaml", problems=problems)
    paging = decode(node, object, Site(problems, "paginate").noted(Kinds(paginate.KINDS)))
    assert problems.found == []
    return paging


@dataclass
class Provider:
    """A provider of so many records, in pages that hold at most ``cap``."""

    count: int
    cap: int
    asked: list[str]

    def answer(self, request: Request) -> Mapping[str, object]:
        """Answer a request as providers of each kind do, all at once."""
        url = encoding.encode_url(request)
        query = dict(parse_qsl(urlsplit(url).query))
        body = request.body.value if isinstance(request.body, JsonBody) else {}
        headers = request.headers
        self.asked.append(json.dumps([url, body, str(headers)]))
        size = min(int(query.get("limit", self.cap)), self.cap)
        start = self.start_of(url, query, body, headers)
        ids = list(range(self.count))[start : start + size]
        after = start + len(ids)
        more = after < self.count
        there = f"https://api.test/v1/x/orders?from={after}"
        return {
            "status": 200,
            "headers": {
                "x-total": str(self.count),
                **({"link": f'<{there}>; rel="next"', "x-next": f"t{after}"} if more else {}),
            },
            "body": {
                "data": [{"id": item} for item in ids],
                "more": more,
                "pages": -(-self.count // size),
                "next": after if more else None,
                "cursor": f"t{after}" if more else "",
                "tens": str(after // 10) if more else None,
                "ones": after % 10,
                "always": there,
                "relative": f"?from={after}" if more else None,
                "absolute": there if more else None,
            },
        }

    def start_of(self, url, query, body, headers):
        """Find where a page begins, in whichever notation it is asked for."""
        if "page" in query:
            return (int(query["page"]) - 1) * min(int(query.get("limit", self.cap)), self.cap)
        if "above" in query:
            return int(query["above"]) + 1
        if "after" in query:
            return int(query["after"]) + 1
        if "tens" in query:
            return int(query["tens"]) * 10 + int(query["ones"])
        in_path = urlsplit(url).path.split("/")[2]
        token = body.get("page", {}).get("cursor") or headers.get("x-from") or in_path
        plain = token[1:] if token[1:].isdigit() else "0"
        return int(query.get("offset", query.get("from", query.get("next", plain))))


def walk(paging, provider, token=None):
    """Walk from a token to the end; return the ids read, and the tokens asked with."""
    ids, tokens, guard = [], [], WalkGuard(pages_max=1000)
    while True:
        tokens.append(token)
        reply = provider.answer(paging.apply(FIRST, token))
        records = reply["body"]["data"]
        page = Page(reply=reply, count=len(records), records=records)
        ids += [record["id"] for record in records]
        following = paging.advance(token, page)
        seen = [] if paging.rereads else records
        guard.admit(token=token, following=following, records=seen)
        if following is None:
            return ids, tokens
        # A token is stored as JSON between two runs.
        token = json.loads(json.dumps(following))


EVERY = [
    f"{{type: page, into: query.page, {TOTAL}}}",
    "{type: page, into: query.page, total_pages: body.pages}",
    f"{{type: page, into: query.page, {MORE}}}",
    "{type: page, into: query.page}",
    f"{{type: page, into: query.page, {SIZE}}}",
    f"{{type: page, into: query.page, {SIZE}, full_pages: false}}",
    f"{{type: page, into: query.page, {SIZE}, {TOTAL}}}",
    f"{{type: offset, into: query.offset, {SIZE}}}",
    f"{{type: offset, into: query.offset, {SIZE}, full_pages: false}}",
    f"{{type: offset, into: query.offset, {SIZE}, {TOTAL}}}",
    f"{{type: offset, into: query.offset, {SIZE}, {MORE}}}",
    "{type: cursor, next: body.next, into: query.next}",
    "{type: cursor, next: body.cursor, into: json.page.cursor}",
    f'{{type: cursor, next: "body.data[-1].id", into: query.after, {MORE}, {SIZE}}}',
    "{type: keyset, field: id, into: query.above}",
    f"{{type: keyset, field: id, into: query.above, {SIZE}, full_pages: false}}",
    f"{{type: keyset, field: id, into: query.above, start: -1, {MORE}}}",
    "{type: next_url, next: body.absolute}",
    "{type: next_url, next: body.relative}",
    "{type: link, rel: next}",
    "link",
    f"{{type: page, into: query.page, send_start: false, {FLAG}}}",
    f"{{type: offset, into: query.offset, send_start: false, {SIZE}, {FLAG}}}",
    f"{{type: cursor, next: body.cursor, into: path.token, start: t0, {FLAG}}}",
    '{type: cursor, next: headers."x-next", into: header.x-from}',
    f"{{type: cursor, next: body.tens, into: query.tens, also: [{ONES}]}}",
    f"{{type: next_url, next: body.always, {FLAG}}}",
    f"{{type: next_url, next: body.always, {MORE}}}",
    f"{{type: link, {MORE}}}",
]
"""Each kind of paging in its ways to go on and to end."""
